"""Games that take as long as those of a slow simulator, to measure how collectors do with many workers of one."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.collect.games import Batch
from cageflow.envs.memory import BlueMemory
from cageflow.envs.varying import Variation
from cageflow.workflow.compliance import ComplianceTracker

MOST_AHEAD_S = 0.05
"""Time that a sleep which took too long is made up for by the next ones, at most."""


class SlowedBatch:
    """A batch whose games are stepped one after the other at a given rate: what is left of that time is slept.

    A processor of a few cores so holds as many of them as its memory does, and each still takes the time that it would
    take on a core of its own. A sleep ends late by some tenths of a millisecond; the next ones are shorter by that.

    Args:
        batch: the games.
        steps_per_s: of one game.
    """

    def __init__(self, batch: Batch, steps_per_s: float) -> None:
        self._batch = batch
        self._step_s = 1.0 / steps_per_s
        self._ahead_s = 0.0  # of the rate that is to be kept to; below 0 where a sleep took too long

    @property
    def memory(self) -> BlueMemory:
        """What blue remembers."""
        return self._batch.memory

    def begin(self, seeds: npt.NDArray[np.uint64], observations: npt.NDArray[Any]) -> None:
        """Begin B episodes, one for each seed; (B, F) what blue sees at the start is overwritten."""
        self._batch.begin(seeds, observations)

    def vary(self, seeds: npt.NDArray[np.uint64], variation: Variation, observations: npt.NDArray[Any]) -> None:
        """Have the episodes that have just begun differ, at full speed."""
        self._batch.vary(seeds, variation, observations)

    def play(
        self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any], rewards: npt.NDArray[np.floating]
    ) -> None:
        """One step of every game; (B, F) what blue sees after it and its (B,) rewards are overwritten."""
        started = time.perf_counter()
        self._batch.play(actions, observations, rewards)
        self._ahead_s += len(actions) * self._step_s
        left_s = self._ahead_s - (time.perf_counter() - started)
        if left_s > 0.0:
            time.sleep(left_s)
        self._ahead_s = max(-MOST_AHEAD_S, self._ahead_s - (time.perf_counter() - started))

    def judge(
        self, tracker: ComplianceTracker, actions: npt.NDArray[np.integer], rewards: npt.NDArray[np.float32]
    ) -> None:
        """Have (B,) actions judged by a workflow before they are taken; its (B,) rewards are overwritten."""
        self._batch.judge(tracker, actions, rewards)

    def access(self) -> npt.NDArray[np.int8]:
        """(B, H) int8 of `inspection.Access`: the highest level at which red holds a session on each host."""
        return self._batch.access()

    def close(self) -> None:
        """Give back what the games hold."""
        self._batch.close()
