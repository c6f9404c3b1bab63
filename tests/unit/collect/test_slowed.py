"""Slowed games are the same games, and take the time that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from cageflow.collect import EpisodeStream, GameSpec, slowed
from cageflow.collect.collectors import ProcessCollector
from cageflow.collect.play import Player
from cageflow.collect.simulators import make_games
from cageflow.collect.slowed import MOST_AHEAD_S, SlowedBatch
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.learn.ppo import PPO
from cageflow.settings.presets import PRESETS

OPTIONS = GameOptions(max_steps=5)


class Clock:
    """Time that passes where it is told to, and a sleep that ends late."""

    def __init__(self) -> None:
        self.now = self.late_s = 0.0
        self.slept: list[float] = []

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds + self.late_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(slowed, "time", clock)
    return clock


def step(games: SlowedBatch, count: int = 2) -> None:
    games.play(np.zeros(count, np.int16), np.zeros((count, 52), np.uint8), np.zeros(count, np.float32))


@pytest.fixture
def games(clock: Clock) -> SlowedBatch:
    games = SlowedBatch(GameBatch(OPTIONS, 1), 100.0)
    games.begin(np.arange(2, dtype=np.uint64), np.zeros((2, 52), np.uint8))
    return games


def test_step__takes_the_time_of_all_games_one_after_the_other(clock: Clock, games: SlowedBatch) -> None:
    step(games)
    assert clock.slept == [0.02]


def test_sleep_that_ends_late__shortens_the_next(clock: Clock, games: SlowedBatch) -> None:
    clock.late_s = 0.003
    for _ in range(3):
        step(games)
    assert clock.slept == [0.02, 0.017, 0.017]
    clock.late_s = 1.0  # as where the machine stood still
    step(games)
    step(games)
    assert clock.slept == [0.02, 0.017, 0.017, 0.017]
    assert games._ahead_s == pytest.approx(0.02 - MOST_AHEAD_S)


def test_slowed_games__are_the_same_and_tasks_of_one_episode() -> None:
    plain, slow = GameSpec(OPTIONS, masked=True), GameSpec(OPTIONS, masked=True, steps_per_s=2_000.0)
    weights = PPO(PRESETS["reference"].learner, seed=1).actor_weights()
    seeds = EpisodeStream(3, "test").seeds(0, 4)
    one, other = (Player(make_games(spec), OPTIONS.max_steps).play(weights, seeds, None) for spec in (plain, slow))
    assert np.array_equal(one.rollout.actions, other.rollout.actions)
    assert np.array_equal(one.rollout.env_rewards, other.rollout.env_rewards)
    assert other.simulation_s >= 0.9 * 4 * 5 / 2_000.0
    collector = ProcessCollector(slow, 1)
    assert collector.task_episodes == 1
    collector.close()
