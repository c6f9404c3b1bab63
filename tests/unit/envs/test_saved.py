"""States of games, kept and put back: for planners, which look ahead and come back."""

import copy
import pickle

import numpy as np
import pytest
import yaml

from cageflow.envs.single import Cage2Env
from cageflow.envs.vector import Cage2VectorEnv
from cageflow.errors import UserError
from cageflow.scenario import default_network

MAX_STEPS = 20


def play(env, actions):
    """All that is told in some steps, and what stands at their end."""
    told = []
    for action in actions:
        observations, rewards, _, truncated, info = env.step(action)
        told += [observations.copy(), rewards, truncated, info["blue_outcome"], env.action_masks(), env.recalled()]
    return told


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def single(**changes):
    return Cage2Env(**({"red_agent": "meander", "max_steps": MAX_STEPS, "green": True} | changes))


def batch(num_envs=4, **changes):
    return Cage2VectorEnv(num_envs, **({"red_agent": "meander", "max_steps": MAX_STEPS, "green": True} | changes))


def test_single__goes_back_as_often_as_one_likes():
    env, rng = single(render_mode="ansi"), np.random.default_rng(0)
    env.reset(seed=4)
    seen = play(env, rng.integers(0, 145, 8))[-6]
    state, text = env.get_state(), env.render()
    actions = rng.integers(0, 145, MAX_STEPS - 8)
    first = play(env, actions)
    kept = pickle.loads(pickle.dumps(state))
    for _ in range(2):
        np.testing.assert_array_equal(env.set_state(kept), seen)
        assert env.render() == text, "the last step and the return are part of it"
        assert_same(play(env, actions), first)
    with pytest.raises(UserError, match="the episode is over"):
        env.step(0)
    assert_same([env.reset()[0]], [np.zeros(52)])


def test_state__is_that_of_an_environment_that_never_began_too():
    env = single()
    env.reset(seed=4)
    play(env, range(5))
    other = single()
    other.set_state(env.get_state())
    assert_same(play(other, range(10)), play(env, range(10)))
    assert_same([other.reset()[0], *play(other, range(9))], [env.reset()[0], *play(env, range(9))])


def test_state__does_not_change_with_the_games():
    env = single()
    env.reset(seed=4)
    state = env.get_state()
    before = copy.deepcopy(state)
    play(env, range(9))
    env.set_state(state)
    play(env, range(9))
    for name, array in before.arrays.items():
        np.testing.assert_array_equal(array, state.arrays[name])


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("copied", [True, False])
def test_batch__goes_back_and_its_games_go_on_elsewhere(mode, copied):
    envs, rng = batch(autoreset_mode=mode, copy=copied), np.random.default_rng(0)
    envs.reset(seed=4)
    some = np.array([True, False, True, False])
    play(envs, rng.integers(0, 145, (5, 4)))
    envs.reset(options={"reset_mask": some})  # out of step
    play(envs, rng.integers(0, 145, (4, 4)))
    state, seen = envs.get_state(), envs.step(np.zeros(4, np.int64))[0].copy()
    envs.set_state(state)
    np.testing.assert_array_equal(envs.step(np.zeros(4, np.int64))[0], seen)
    envs.set_state(state)
    length = 9 if mode == "Disabled" else 40
    actions = rng.integers(0, 145, (length, 4))
    first = play(envs, actions)
    envs.set_state(pickle.loads(pickle.dumps(state)))
    assert_same(play(envs, actions), first)
    env = single()
    for i in range(4):
        env.set_state(state[i])
        for t in range(9):
            np.testing.assert_array_equal(env.step(actions[t, i])[0], first[6 * t][i])


def test_state_of_one_game__is_that_of_all_and_seeds_set_their_futures_apart():
    env = single()
    env.reset(seed=4)
    play(env, range(6))
    state = env.get_state()
    envs = batch(64)
    sleep = np.zeros(64, np.int64)

    def futures(**seed):
        envs.set_state(state, **seed)
        return np.stack([envs.step(sleep)[0] for _ in range(12)])

    together = futures()
    assert (together == together[:, :1]).all()
    apart = futures(seed=0)
    assert len(np.unique(apart.transpose(1, 0, 2).reshape(64, -1), axis=0)) > 8
    assert_same([futures(seed=0)], [apart])
    env.set_state(state, seed=5)
    assert_same([env.step(0)[0] for _ in range(12)], list(apart[:, 5]))


def test_parts_of_a_state__are_states():
    envs = batch()
    envs.reset(seed=4)
    state = envs.get_state()
    assert (len(state), len(state[2]), len(state[[0, 0, 3]]), len(state[1:])) == (4, 1, 3, 3)
    assert "4 games" in repr(state) and "red_agent RedMeanderAgent" in repr(state)
    with pytest.raises(IndexError):
        state[4]


@pytest.mark.parametrize("env", [single(), batch()])
def test_get_state__before_reset_is_refused(env):
    with pytest.raises(UserError, match="get_state was called before reset"):
        env.get_state()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"red_agent": "bline"}, "red_agent RedMeanderAgent, and here red_agent is B_lineAgent"),
        ({"rules": "challenge"}, "rules v2.1, and here rules is challenge"),
        ({"observation": "official"}, "observation corrected"),
        ({"max_steps": 21}, "max_steps 20, and here max_steps is 21"),
        ({"green": False}, "green True"),
    ],
)
def test_state_of_another_game__is_refused_and_changes_nothing(changes, words):
    env, other = single(), single(**changes)
    env.reset(seed=0), other.reset(seed=0)
    before = other.get_state()
    with pytest.raises(UserError, match=words):
        other.set_state(env.get_state())
    for name, array in before.arrays.items():
        np.testing.assert_array_equal(array, other.get_state().arrays[name])


def test_state_of_another_network__is_refused(tmp_path):
    data = default_network().scenario.model_dump(mode="json")
    data["hosts"]["User1"]["confidentiality"] = "high"
    (tmp_path / "network.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    env, other = single(), single(scenario=tmp_path / "network.yaml")
    env.reset(seed=0)
    with pytest.raises(UserError, match=r"network 'CAGE Challenge 2, Scenario2' \(\w+\), and here network is"):
        other.set_state(env.get_state())


def test_wrong_state__is_refused():
    envs = batch()
    envs.reset(seed=0)
    state = envs.get_state()
    with pytest.raises(UserError, match="expected what get_state gave, got dict"):
        envs.set_state({})
    with pytest.raises(UserError, match=r"of 3 games and here are 4; expected as many or one: state\[i\]"):
        envs.set_state(state[:3])
    with pytest.raises(UserError, match="of 4 games and here are 1"):
        single().set_state(state)
    with pytest.raises(UserError, match="seed is -1"):
        envs.set_state(state, seed=-1)
    with pytest.raises(UserError, match="a seed is None"):
        envs.set_state(state, seed=[1, None, 2, 3])
    other = copy.deepcopy(state)
    other.arrays["memories"] = other.arrays["memories"][["belief_low"]]
    with pytest.raises(UserError, match="another version of cageflow"):
        envs.set_state(other)
