"""Baselines: what each plays, and that its seeds decide it."""

import numpy as np
import pytest

from cageflow.baselines import BASELINES
from cageflow.envs.agent import BlueView
from tests.helpers.agents import NETWORK, SETTING


def view(step: int, num_envs: int) -> BlueView:
    observations = np.zeros((num_envs, NETWORK.num_observations), np.uint8)

    def never() -> np.ndarray:
        raise AssertionError("it looks at what it does not need")

    return BlueView(step, observations, None, never, never)


@pytest.mark.parametrize("name", BASELINES)
def test_baseline__gives_an_action_for_each_game_by_its_seeds_alone(name: str) -> None:
    seeds = np.arange(50, dtype=np.uint64)
    together, alone = BASELINES[name](SETTING), BASELINES[name](SETTING)
    together.reset(seeds)
    actions = np.array([together.act(view(step, 50)) for step in range(20)])
    assert actions.min() >= 0
    assert actions.max() < len(NETWORK.codec)
    alone.reset(seeds[7:8])
    assert [alone.act(view(step, 1))[0] for step in range(20)] == actions[:, 7].tolist()


def test_sleep__sleeps() -> None:
    agent = BASELINES["sleep"](SETTING)
    agent.reset(np.zeros(3, np.uint64))
    assert agent.act(view(0, 3)).tolist() == [NETWORK.codec.encode("Sleep")] * 3


def test_random__plays_every_action_equally_often() -> None:
    agent = BASELINES["random"](SETTING)
    agent.reset(np.arange(2000, dtype=np.uint64))
    actions = np.concatenate([agent.act(view(step, 2000)) for step in range(50)])
    counts = np.bincount(actions, minlength=len(NETWORK.codec))
    expected = len(actions) / len(NETWORK.codec)
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert len(counts) == len(NETWORK.codec)
    assert chi_square < len(NETWORK.codec) - 1 + 5 * np.sqrt(2 * len(NETWORK.codec))
