"""What a red agent costs that the compiled rules do not play: measured, for whoever is to wait for it."""

from __future__ import annotations

import time
from functools import lru_cache

import numpy as np

from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.scenario.red_agents import BUILT_IN

MEASURED_AGENT, MEASURED_GAMES, MEASURED_STEPS = 16, 512, 20
COMPILED = "random"
"""The red agent that others are compared with: it plays on any network."""


@lru_cache(maxsize=32)
def notes_on_red(options: GameOptions) -> tuple[str, ...]:
    """What a user has to know of the red agent's speed: a sentence, or none where it is built in.

    Raises:
        UserError: it cannot be imported, fails, or answers what is no action.
    """
    if options.red_agent in BUILT_IN:
        return ()
    steps = min(options.max_steps, MEASURED_STEPS)
    rate = _steps_per_s(options, MEASURED_AGENT, steps)
    compiled = _steps_per_s(options.against(COMPILED, options.max_steps), MEASURED_GAMES, steps)
    return (
        f"red agent {options.red_agent} plays step by step in Python: some {_round(rate):,} steps a second of one "
        f"process, where red agents that are built in make {_round(compiled):,}, {_round(compiled / rate):,} times as "
        "many",
    )


def _steps_per_s(options: GameOptions, num_envs: int, num_steps: int) -> float:
    """Steps a second of games in which blue sleeps; what is compiled first does not count."""
    games = GameBatch(options, num_envs)
    table = np.zeros((num_envs, games.network.num_observations), np.uint8)
    actions, rewards = np.zeros(num_envs, np.int16), np.empty(num_envs, np.float32)
    took = np.inf
    for seed in range(2):
        games.begin(np.arange(num_envs, dtype=np.uint64) + np.uint64(seed), table)
        began = time.perf_counter()
        for _ in range(num_steps):
            games.play(actions, table, rewards)
        took = min(took, time.perf_counter() - began)
    games.close()
    return num_envs * num_steps / max(took, 1e-9)


def _round(number: float) -> int:
    """Two digits of a number, which is all that a measurement so short is worth."""
    return int(float(f"{number:.1e}"))
