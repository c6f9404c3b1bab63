"""Our games as a vector environment of Stable-Baselines3: its contract, step for step against ours."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.vec_env import VecMonitor

from cageflow.baselines.sb3_env import Sb3VecEnv
from cageflow.envs.options import GameOptions
from cageflow.envs.vector import Cage2VectorEnv

GAME = GameOptions("RedMeanderAgent", max_steps=7)
B = 3


@pytest.fixture
def env() -> Sb3VecEnv:
    return Sb3VecEnv(GAME, B)


def test_step__is_that_of_our_own_games_from_the_same_seeds(env: Sb3VecEnv) -> None:
    rng = np.random.default_rng(0)
    seeds = env.seed(5)
    ours = Cage2VectorEnv(B, **GAME.as_kwargs(), autoreset_mode="SameStep")
    observations, _ = ours.reset(seed=seeds)
    assert env.reset().tolist() == observations.tolist()
    ends = 0
    for _ in range(20):
        actions = rng.integers(145, size=B)
        observations, rewards, dones, infos = env.step(actions)
        expected, expected_rewards, _, truncated, info = ours.step(actions)
        assert (observations.dtype, observations.shape) == (np.float32, (B, 52))
        assert (rewards.dtype, dones.dtype, len(infos)) == (np.float32, np.bool_, B)
        assert observations.tolist() == expected.tolist()
        assert rewards.tolist() == pytest.approx(expected_rewards.tolist())
        assert dones.tolist() == truncated.tolist()
        for i in range(B):
            if dones[i]:
                ends += 1
                assert infos[i].keys() == {"terminal_observation", "TimeLimit.truncated"}
                assert infos[i]["TimeLimit.truncated"] is True
                assert infos[i]["terminal_observation"].tolist() == info["final_obs"][i].tolist()
                assert not observations[i].any(), "the next episode has begun"
            else:
                assert infos[i] == {}
    assert ends == 2 * B


def test_seed__counts_for_one_reset_and_sets_all_games_apart(env: Sb3VecEnv) -> None:
    first, other = env.seed(1), Sb3VecEnv(GAME, B).seed(2)
    assert first == Sb3VecEnv(GAME, B).seed(1)
    assert len({*first, *other}) == 2 * B
    env.reset()
    assert env.seed() == [None] * B


def test_batch__lasts_through_a_monitor_of_the_library(env: Sb3VecEnv) -> None:
    monitored = VecMonitor(env)
    monitored.reset()
    total = np.zeros(B)
    for _ in range(7):
        _, rewards, dones, infos = monitored.step(np.zeros(B, np.int64))
        total += rewards
    assert dones.all()
    assert [info["episode"]["l"] for info in infos] == [7] * B
    assert [info["episode"]["r"] for info in infos] == pytest.approx(total.tolist(), abs=1e-4)


def test_questions_about_the_games_are_answered_for_each(env: Sb3VecEnv) -> None:
    env.reset()
    assert env.get_attr("render_mode") == [None] * B
    assert env.get_attr("action_names", indices=[1])[0][0] == "Sleep"
    masks = env.env_method("action_masks", indices=[0, 2])
    assert [mask.shape for mask in masks] == [(145,)] * 2
    assert env.env_is_wrapped(VecMonitor) == [False] * B
    assert not env.has_attr("nonsense")
    with pytest.raises(NotImplementedError, match="share their settings"):
        env.set_attr("render_mode", "human")
    env.close()


def test_example_of_the_document__runs() -> None:
    text = (Path(__file__).parents[3] / "docs" / "baselines.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["model"].num_timesteps == 3_200
