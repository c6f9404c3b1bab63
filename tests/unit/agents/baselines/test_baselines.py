"""Baselines: that their seeds decide them, and what those without a rule play."""

import numpy as np
import pytest

from cageflow.agents.baselines import BASELINES
from cageflow.collect.games import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.agent import BlueView
from cageflow.envs.options import GameOptions
from cageflow.evaluation.episodes import play_episodes
from tests.helpers.agents import NETWORK, SETTING
from tests.unit.agents.baselines.views import names, view

QUIET_TABLE: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {}


def quiet(num_envs: int, step: int = 0) -> BlueView:
    return view([QUIET_TABLE] * num_envs, step, access=[{}] * num_envs)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("red_agent", ["B_lineAgent", "RedMeanderAgent"])
def test_baseline__plays_each_episode_by_its_seed_alone(name: str, red_agent: str) -> None:
    spec = GameSpec(GameOptions(red_agent, max_steps=30), masked=True)
    seeds = np.arange(40, dtype=np.uint64)
    together, alone = (play_episodes(BASELINES[name](SETTING), make_games(spec), some) for some in (seeds, seeds[7:9]))
    assert together.returns[7:9].tolist() == alone.returns.tolist()


def test_sleep__sleeps() -> None:
    agent = BASELINES["sleep"](SETTING)
    agent.reset(np.zeros(3, np.uint64))
    assert names(agent.act(quiet(3))) == ["Sleep"] * 3


def test_random__draws_each_step_and_each_game_anew() -> None:
    agent = BASELINES["random"](SETTING)
    agent.reset(np.arange(50, dtype=np.uint64))
    actions = np.array([agent.act(quiet(50, step)) for step in range(20)])
    assert actions.min() >= 0
    assert actions.max() < len(NETWORK.codec)
    assert all(len(set(line)) > 5 for line in (*actions, *actions.T))


def test_random__plays_every_action_equally_often() -> None:
    agent = BASELINES["random"](SETTING)
    agent.reset(np.arange(2000, dtype=np.uint64))
    actions = np.concatenate([agent.act(quiet(2000, step)) for step in range(50)])
    counts = np.bincount(actions, minlength=len(NETWORK.codec))
    expected = len(actions) / len(NETWORK.codec)
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert len(counts) == len(NETWORK.codec)
    assert chi_square < len(NETWORK.codec) - 1 + 5 * np.sqrt(2 * len(NETWORK.codec))
