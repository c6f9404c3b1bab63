"""The vector environment: Gymnasium's own one of single environments says what is right, in every autoreset mode."""

import threading

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import cageflow  # noqa: F401 - registers the environment
from cageflow.envs.vector import Cage2VectorEnv
from cageflow.errors import UserError

ENV_ID = "cageflow/Cage2-v0"
NUM_ENVS = 5
OPTIONS = {"red_agent": "meander", "max_steps": 9, "green": True}
MODES = list(AutoresetMode)


def both(mode):
    """Our vector environment and Gymnasium's, of the same games."""
    ours = gym.make_vec(ENV_ID, NUM_ENVS, autoreset_mode=mode, **OPTIONS)
    theirs = gym.make_vec(
        ENV_ID, NUM_ENVS, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}, **OPTIONS
    )
    return ours, theirs


def assert_same_infos(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        if name == "final_obs":
            for one, other in zip(ours[name], value, strict=True):
                assert (one is None) == (other is None)
                if one is not None:
                    np.testing.assert_array_equal(one, other)
        else:
            np.testing.assert_equal(ours[name], value)


def assert_same_step(ours, theirs):
    for one, other in zip(ours[:4], theirs[:4], strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert_same_infos(ours[4], theirs[4])


def test_make_vec__picks_the_vector_entry_point():
    envs = gym.make_vec(ENV_ID, 3)
    assert isinstance(envs, Cage2VectorEnv)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP, "as in all of Gymnasium"
    assert envs.single_observation_space.shape == (52,) and envs.observation_space.shape == (3, 52)
    assert envs.single_action_space == gym.spaces.Discrete(145) and envs.action_space.shape == (3,)


@pytest.mark.parametrize("mode", MODES)
def test_episodes__are_those_of_gymnasiums_vector_of_single_environments(mode):
    ours, theirs = both(mode)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(ours.reset(seed=11)[0], theirs.reset(seed=11)[0])
    num_ended = 0
    for _ in range(4 * OPTIONS["max_steps"]):
        actions = rng.integers(0, 145, NUM_ENVS)
        step = ours.step(actions)
        assert_same_step(step, theirs.step(actions))
        assert ours.observation_space.contains(step[0])
        num_ended += step[3].sum()
        if mode is AutoresetMode.DISABLED and step[3].any():
            observations = ours.reset(options={"reset_mask": step[3]})[0]
            np.testing.assert_array_equal(observations, theirs.reset(options={"reset_mask": step[3]})[0])
    assert num_ended >= 3 * NUM_ENVS


@pytest.mark.parametrize("mode", MODES)
def test_games_out_of_step__are_those_of_gymnasiums_vector_too(mode):
    ours, theirs = both(mode)
    rng = np.random.default_rng(1)
    ours.reset(seed=3), theirs.reset(seed=3)
    some = np.array([True, False, True, False, False])
    for t in range(30):
        if t in (4, 6):
            observations = ours.reset(options={"reset_mask": some})[0]
            np.testing.assert_array_equal(observations, theirs.reset(options={"reset_mask": some.copy()})[0])
            some = ~some if t == 4 else some
        actions = rng.integers(0, 145, NUM_ENVS)
        step = ours.step(actions)
        assert_same_step(step, theirs.step(actions))
        if mode is AutoresetMode.DISABLED and step[3].any():
            ours.reset(options={"reset_mask": step[3]}), theirs.reset(options={"reset_mask": step[3].copy()})


def test_list_of_seeds__gives_each_game_its_own():
    envs = gym.make_vec(ENV_ID, 3, red_agent="meander")
    seeds = [40, 7, 40]
    envs.reset(seed=seeds)
    singles = [gym.make(ENV_ID, red_agent="meander") for _ in seeds]
    for env, seed in zip(singles, seeds, strict=True):
        env.reset(seed=seed)
    for _ in range(40):
        observations = envs.step(np.zeros(3, np.int64))[0]
        expected = [env.step(0)[0] for env in singles]
        np.testing.assert_array_equal(observations, expected)
    np.testing.assert_array_equal(observations[0], observations[2])
    assert not np.array_equal(observations[0], observations[1])


def test_none_in_a_list_of_seeds__lets_that_stream_run_on():
    def second_episode(seeds):
        envs = Cage2VectorEnv(2, "meander", max_steps=30)
        envs.reset(seed=5)
        for _ in range(10):
            envs.step(np.zeros(2, np.int64))
        envs.reset(seed=seeds)
        return np.array([envs.step(np.zeros(2, np.int64))[0] for _ in range(29)])

    kept, both_kept, both_new = second_episode([None, 9]), second_episode(None), second_episode([9, 9])
    np.testing.assert_array_equal(kept[:, 0], both_kept[:, 0])
    np.testing.assert_array_equal(kept[:, 1], both_new[:, 1])
    assert not np.array_equal(kept[:, 1], both_kept[:, 1])


def test_first_reset_without_a_seed__begins_by_chance():
    returns = []
    for _ in range(2):
        envs = Cage2VectorEnv(8, "meander")
        envs.reset()
        returns.append(np.sum([envs.step(np.zeros(8, np.int64))[1] for _ in range(60)], axis=0))
    assert len(set(returns[0])) > 1
    assert not np.array_equal(*returns)


def test_copy__decides_whether_observations_are_overwritten():
    for copy in (True, False):
        envs = Cage2VectorEnv(2, copy=copy)
        first = envs.reset(seed=0)[0]
        second = envs.step(np.zeros(2, np.int64))[0]
        third = envs.step(np.zeros(2, np.int64))[0]
        assert np.shares_memory(second, third) is not copy
        assert np.shares_memory(first, second) is not copy


def test_true_state__agrees_with_the_single_environments():
    envs, env = Cage2VectorEnv(3, "meander"), gym.make(ENV_ID, red_agent="meander").unwrapped
    envs.reset(seed=[1, 2, 3]), env.reset(seed=2)
    rng = np.random.default_rng(0)
    for _ in range(60):
        action = int(rng.integers(145))
        envs.step(np.full(3, action)), env.step(action)
        arrays = envs.true_state()
        assert arrays["access"].shape == (3, 13) and arrays["service_running"].shape == (3, 13)
        for i, facts in enumerate(env.true_state().values()):
            assert ("none", "user", "privileged")[arrays["access"][1, i]] == facts["access"]
            assert arrays["user_sessions"][1, i] == facts["user_sessions"]
            assert arrays["privileged_sessions"][1, i] == facts["privileged_sessions"]
            assert arrays["malware"][1, i] == facts["malware"]
            names = [name for d, name in enumerate(env.network.decoys) if arrays["decoys"][1, i] >> d & 1]
            assert names == facts["decoys"]
        np.testing.assert_array_equal(envs.action_masks()[1], env.action_masks())


def test_true_state__is_a_copy():
    envs = Cage2VectorEnv(2)
    envs.reset(seed=0)
    for array in envs.true_state().values():
        array[:] = 0
    assert envs.true_state()["privileged_sessions"].sum() == 2
    assert envs.true_state()["service_running"].all()


def test_actions__have_names_and_meanings():
    envs = Cage2VectorEnv(2)
    assert envs.action_names == envs.codec.names
    assert "User1" in envs.describe_action(envs.codec.encode("Restore User1"))


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        (np.zeros(2, np.int64), r"expected \(3,\) integers as actions, got \(2,\) int64"),
        (np.zeros((3, 1), np.int64), r"expected \(3,\) integers as actions, got \(3, 1\) int64"),
        (np.zeros(3), "expected integers as actions, got float64"),
        (np.array([0, 145, 3]), "145 is no action; possible are whole numbers from 0 to 144"),
        (np.array([0, 3, -1]), "-1 is no action"),
        (7, r"expected \(3,\) integers as actions, got \(\) int64"),
    ],
)
def test_wrong_actions__are_refused_and_change_nothing(actions, sentence):
    envs = Cage2VectorEnv(3)
    envs.reset(seed=0)
    before = envs._game.states.copy()
    with pytest.raises(UserError, match=sentence):
        envs.step(actions)
    np.testing.assert_array_equal(before, envs._game.states)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"num_envs": 0}, "num_envs is 0; expected a whole number from 1"),
        ({"num_envs": 2.0}, "num_envs is 2.0"),
        ({"num_threads": 0}, "num_threads is 0"),
        ({"autoreset_mode": "never"}, "autoreset_mode is 'never'; possible are NextStep, SameStep, Disabled"),
        ({"num_envs": True}, "num_envs is True"),
        ({"num_threads": 1.0}, "num_threads is 1.0; expected a whole number from 1"),
        ({"render_mode": "human"}, "a batch of games is rendered as ansi or rgb_array, or not at all"),
        ({"max_episode_steps": 0}, "max_steps is 0; an episode has 1 to 30000 steps"),
        ({"max_episode_steps": 7.0}, "max_episode_steps is 7.0; expected a whole number"),
        ({"max_episode_steps": 7, "max_steps": 9}, "max_steps is 9 and max_episode_steps is 7: both are"),
        ({"red_agent": "green"}, "'green' is no red agent"),
    ],
)
def test_impossible_option__is_refused(options, sentence):
    with pytest.raises(UserError, match=sentence):
        Cage2VectorEnv(**options)


@pytest.mark.parametrize(
    ("seed", "sentence"),
    [(-1, "seed is -1"), ([1, 2], "2 seeds are given; expected one number, or 3"), ([1, 2, -3], "seed is -3")],
)
def test_wrong_seeds__are_refused(seed, sentence):
    with pytest.raises(UserError, match=sentence):
        Cage2VectorEnv(3).reset(seed=seed)


@pytest.mark.parametrize("mask", [[True, False, True], np.zeros(3, np.bool_), np.ones(2, np.bool_), np.ones(3)])
def test_wrong_reset_mask__is_refused(mask):
    envs = Cage2VectorEnv(3)
    envs.reset(seed=0)
    with pytest.raises(UserError, match="as reset_mask"):
        envs.reset(options={"reset_mask": mask})


@pytest.mark.parametrize("mode", MODES)
def test_step_before_reset__is_refused(mode):
    with pytest.raises(UserError, match="has not begun or is over; reset begins one"):
        Cage2VectorEnv(3, autoreset_mode=mode).step(np.zeros(3, np.int64))


def test_disabled__refuses_a_step_after_the_end():
    envs = Cage2VectorEnv(2, max_steps=1, autoreset_mode="Disabled")
    envs.reset(seed=0)
    envs.step(np.zeros(2, np.int64))
    envs.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(UserError, match="the episode of game 1 has not begun or is over"):
        envs.step(np.zeros(2, np.int64))


def test_option_of_reset__that_is_not_the_mask_is_refused():
    envs = Cage2VectorEnv(2)
    with pytest.raises(UserError, match="'rules' is no option of reset \\(only reset_mask is read there\\)"):
        envs.reset(options={"reset_mask": np.ones(2, np.bool_), "rules": "challenge"})


def test_close__can_be_called_twice():
    envs = Cage2VectorEnv(4, num_threads=2)
    envs.reset(seed=0)
    envs.step(np.zeros(4, np.int64))
    threads = threading.active_count()
    envs.close()
    envs.close()
    assert threading.active_count() == threads - 1
