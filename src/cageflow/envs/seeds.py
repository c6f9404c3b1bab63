"""Seeds of episodes: one number gives an endless list of unrelated ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.sim.draws import GOLDEN, mix


@dataclass(frozen=True, slots=True)
class EpisodeStream:
    """An endless list of episode seeds.

    Attributes:
        seed: of the run or trial, at least 0.
        purpose: what the episodes are for; streams of different purposes are unrelated.
    """

    seed: int
    purpose: str

    def seeds(self, first: int, count: int) -> npt.NDArray[np.uint64]:
        """(count,) uint64: the seeds of episodes number `first` and on."""
        entropy = [self.seed, *self.purpose.encode()]
        base = np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0]
        with np.errstate(over="ignore"):
            seeds: npt.NDArray[np.uint64] = scramble(base + np.arange(first, first + count, dtype=np.uint64) * GOLDEN)
        return seeds


@njit(cache=True)
def scramble(values):
    """(N,) uint64 of unrelated numbers, one for each of `values`."""
    out = np.empty_like(values)
    for i in range(values.shape[0]):
        out[i] = mix(values[i])
    return out
