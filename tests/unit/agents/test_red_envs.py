"""The environments of red: Gymnasium's checks, the same games single and in a batch, and who may play blue."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import cageflow  # noqa: F401 - registers the environments
from cageflow.agents.baselines.sleep import SleepAgent
from cageflow.agents.red_envs import Cage2RedEnv, Cage2RedVectorEnv
from cageflow.envs.two_sided import TwoSidedGame
from cageflow.errors import UserError

ENV_ID = "cageflow/Cage2Red-v0"


def random_actions(num_steps: int, num_envs: int) -> np.ndarray:
    return np.random.default_rng(3).integers(56, size=(num_steps, num_envs))


def test_single_environment__passes_the_check_of_gymnasium():
    check_env(gym.make(ENV_ID, blue="react", max_steps=20).unwrapped, skip_render_check=True)


def test_actions__are_described_as_reds():
    for env in (Cage2RedEnv(), Cage2RedVectorEnv(2)):
        sentence = env.describe_action(env.red_codec.encode("exploit User1"))
        assert sentence == "Break in on User1 through one of its services that red has found."
        with pytest.raises(UserError, match="56 is no action; expected a whole number from 0 to 55"):
            env.describe_action(56)


def test_length__is_gymnasiums_too():
    env = gym.make(ENV_ID, max_episode_steps=3)
    assert env.spec.max_episode_steps == 3
    env.reset(seed=0)
    assert [env.step(0)[3] for _ in range(3)] == [False, False, True]
    assert gym.make_vec(ENV_ID, 2, max_episode_steps=3).spec.max_episode_steps == 3


@pytest.mark.parametrize("blue", ["random", "react"])
@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_game_of_a_batch__is_the_single_environment_of_its_seed(blue, mode):
    envs = Cage2RedVectorEnv(3, blue, max_steps=15, autoreset_mode=mode, green=True)
    env = Cage2RedEnv(blue, max_steps=15, green=True)
    seen, single = envs.reset(seed=4)[0], env.reset(seed=6)[0]
    rewards_seen = 0.0
    for actions in random_actions(40, 3):
        np.testing.assert_array_equal(seen[2], single)
        np.testing.assert_array_equal(envs.action_masks()[2], env.action_masks())
        single, reward, _, is_over, _ = env.step(actions[2])
        seen, rewards, terminated, truncated, info = envs.step(actions)
        assert rewards[2] == reward and truncated.tolist() == [is_over] * 3 and not terminated.any()
        rewards_seen += reward
        if is_over:
            if mode == "SameStep":
                np.testing.assert_array_equal(info["final_obs"][2], single)
            single = env.reset()[0]
            if mode == "NextStep":
                seen, rewards, _, truncated, _ = envs.step(actions)
                assert not rewards.any() and not truncated.any()
            elif mode == "Disabled":
                with pytest.raises(UserError, match="the episodes have not begun or are over"):
                    envs.step(actions)
                seen = envs.reset()[0]
    assert rewards_seen > 0 or blue == "react"


def test_blue__plays_as_the_agent_that_it_is():
    env, game = Cage2RedEnv("random", max_steps=10), TwoSidedGame(max_steps=10)
    env.reset(seed=1), game.reset(seed=1)
    for _ in range(10):
        red = env.red_codec.encode("sweep User")
        seen, reward, *_ = env.step(red)
        game.red_acts(red)
        _, blues, *_ = game.step(env.codec.encode(env.last_step().blue_action))
        np.testing.assert_array_equal(seen, game.red_observation())
        assert reward == -blues


class Unlimited:
    """One that does not say how many games it plays."""

    def reset(self, seeds): ...

    def act(self, view): ...


class Cautious:
    """An agent of a user's own, which plays one game."""

    max_envs = 1

    def __init__(self, setting=None):
        self.seeds, self.steps = [], []

    def reset(self, seeds):
        self.seeds.append(seeds.tolist())

    def act(self, view):
        self.steps.append((view.step, view.last_actions, view.observations.shape, view.masks.shape))
        return np.array([view.step])


def test_agent_of_ones_own__is_given_itself_or_as_what_makes_it():
    agent = Cautious()
    env = Cage2RedEnv(agent, max_steps=2)
    for seed in (1, None):
        env.reset(seed=seed)
        env.step(0), env.step(0)
    assert len({seeds[0] for seeds in agent.seeds}) == 2
    assert [step[0] for step in agent.steps] == [0, 1, 0, 1]
    assert agent.steps[1] == (1, np.array([0]), (1, 52), (1, 145))
    envs = Cage2RedVectorEnv(3, Cautious, max_steps=2)
    envs.reset(seed=0), envs.step(np.zeros(3, np.int64))
    with pytest.raises(UserError, match="blue plays 1 games at once, and here are 3; give what makes the agent"):
        Cage2RedVectorEnv(3, agent)


@pytest.mark.parametrize(
    ("blue", "sentence"),
    [
        ("nobody", "'nobody' is no policy"),
        (object, "blue failed in making its agent: TypeError: object.. takes no arguments"),
        (3, "blue failed in making its agent: TypeError: 'int' object is not callable"),
        (lambda setting: object(), "blue is object, which has no act and no reset; expected a policy"),
        (lambda setting: Unlimited(), "blue is Unlimited, which has no max_envs"),
    ],
)
def test_blue__that_is_no_agent_is_refused(blue, sentence):
    with pytest.raises(UserError, match=sentence):
        Cage2RedEnv(blue)


def test_wrong_calls__are_refused():
    env, envs = Cage2RedEnv(SleepAgent, max_steps=1), Cage2RedVectorEnv(2, "sleep", max_steps=1)
    with pytest.raises(UserError, match="step was called before reset"):
        env.step(0)
    with pytest.raises(UserError, match="the episodes have not begun or are over"):
        envs.step(np.zeros(2, np.int64))
    env.reset(seed=0), envs.reset(seed=0)
    with pytest.raises(UserError, match="is no action of red"):
        env.step(56)
    with pytest.raises(UserError, match="56 is no action"):
        envs.step(np.array([0, 56]))
    with pytest.raises(UserError, match=r"expected \(2,\) integers as actions"):
        envs.step(np.zeros(3, np.int64))
    with pytest.raises(UserError, match="'reset_mask' is no option of reset"):
        envs.reset(options={"reset_mask": np.ones(2, np.bool_)})
    with pytest.raises(UserError, match="get_state is not possible against a blue agent"):
        env.get_state()


def test_names__are_those_of_reds_actions():
    env = Cage2RedEnv()
    assert env.action_names[1] == "sweep User" or "sweep User" in env.action_names
    assert env.action_space.n == len(env.action_names) == 56
