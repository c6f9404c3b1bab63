"""What others put around an environment: Gymnasium's wrappers take ours, single and vector, and its checkers too."""

import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector as vector_wrappers

import cageflow  # noqa: F401 - registers the environment

ENV_ID = "cageflow/Cage2-v0"
SINGLE = {
    "FlattenObservation": {},
    "FrameStackObservation": {"stack_size": 4},
    "NormalizeObservation": {},
    "NormalizeReward": {},
    "RecordEpisodeStatistics": {},
    "RescaleObservation": {"min_obs": np.float32(-1.0), "max_obs": np.float32(1.0)},
    "StickyAction": {"repeat_action_probability": 0.5},
    "TimeAwareObservation": {},
    "TimeLimit": {"max_episode_steps": 5},
}
VECTOR = {
    "ClipReward": {"min_reward": -1.0, "max_reward": 1.0},
    "DictInfoToList": {},
    "FlattenObservation": {},
    "NormalizeObservation": {},
    "NormalizeReward": {},
    "RecordEpisodeStatistics": {},
    "RescaleObservation": {"min_obs": np.float32(-1.0), "max_obs": np.float32(1.0)},
}


@pytest.mark.parametrize("render_mode", [None, "ansi", "human", "rgb_array"])
def test_checker__has_nothing_to_say_in_any_render_mode(render_mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(ENV_ID, render_mode=render_mode).unwrapped)


@pytest.mark.parametrize("name", SINGLE)
def test_wrapper__takes_a_single_environment(name):
    env = getattr(wrappers, name)(gym.make(ENV_ID, max_steps=10), **SINGLE[name])
    env.action_space.seed(0)
    ends = 0
    env.reset(seed=0)
    for _ in range(21):
        observation, _, _, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(observation)
        assert env.get_wrapper_attr("action_masks")().shape == (145,)
        if truncated:
            ends += 1
            assert name != "RecordEpisodeStatistics" or info["episode"]["l"] == 10
            env.reset()
    assert ends == (4 if name == "TimeLimit" else 2)


@pytest.mark.parametrize("name", VECTOR)
def test_wrapper__takes_a_vector_as_make_vec_makes_it(name):
    ours = getattr(vector_wrappers, name)(gym.make_vec(ENV_ID, 3, max_steps=10), **VECTOR[name])
    theirs = gym.make_vec(ENV_ID, 3, max_steps=10, vectorization_mode="sync")
    theirs = getattr(vector_wrappers, name)(theirs, **VECTOR[name])
    ours.reset(seed=0), theirs.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(25):
        actions = rng.integers(0, 145, 3)
        for one, other in zip(ours.step(actions)[:4], theirs.step(actions)[:4], strict=True):
            np.testing.assert_array_equal(one, other)


def test_default__is_the_mode_that_wrappers_of_observations_take():
    with pytest.raises(ValueError, match="NEXT_STEP"):
        vector_wrappers.NormalizeObservation(gym.make_vec(ENV_ID, 2, autoreset_mode="SameStep"))
    assert gym.make_vec(ENV_ID, 2).metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP


def test_video__of_an_episode_is_recorded(tmp_path: Path):
    env = gym.make(ENV_ID, max_steps=3, render_mode="rgb_array")
    env = wrappers.RecordVideo(env, str(tmp_path / "single"), episode_trigger=lambda _: True, disable_logger=True)
    for _ in range(2):
        env.reset(seed=0)
        while not env.step(0)[3]:
            pass
    env.close()
    envs = gym.make_vec(ENV_ID, 2, max_steps=3, render_mode="rgb_array")
    envs = vector_wrappers.RecordVideo(
        envs, str(tmp_path / "vector"), video_length=3, step_trigger=lambda step: step == 0, disable_logger=True
    )
    envs.reset(seed=0)
    for _ in range(5):
        envs.step(np.zeros(2, np.int64))
    envs.close()
    assert len(list((tmp_path / "single").glob("*.mp4"))) == 2
    assert len(list((tmp_path / "vector").glob("*.mp4"))) == 1


def test_list_of_pictures__is_collected():
    env = gym.make(ENV_ID, render_mode="rgb_array_list")
    env.reset(seed=0)
    env.step(0)
    assert [frame.dtype for frame in env.render()] == [np.uint8] * 2
