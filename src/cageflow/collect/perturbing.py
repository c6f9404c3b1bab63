"""Starts that no policy led to: what an episode looks like after blue has slept, or played at random, for a while.

A trained policy keeps to the states that it makes itself; what it does elsewhere shows only if it is put there. The
perturbing steps come before the episode: they count neither as its steps nor to its return, so that an episode after
them is as long as any, and a policy is judged by what it does and not by what was done to it. Blue's table and memory
are those of all steps, as they would be if somebody else had sat at the console.

All chance is that of the episode's seed, so the same seed gives the same start wherever it is played.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.sim.draws import GOLDEN, mix, unit_of
from cageflow.sim.memory import SLEEP

PERTURBING_STEPS = 25
STARTS = ("asleep", "random")
"""What blue does in the perturbing steps: Sleep, or any action, all equally likely."""

PERTURBING_SALT = np.uint64(0x9FB21C651E98DF25)  # keeps these numbers apart from the game's and the policy's
START_SALT = np.uint64(0xD6E8FEB86659FD93)
UNPERTURBED, ASLEEP, RANDOM = -1, 0, 1


@njit(cache=True)
def perturbing_action(seed, step, start, num_actions):
    """Blue's action in one of the perturbing steps of an episode.

    Args:
        seed: uint64, of the episode.
        step: perturbing steps that are over.
        start: ASLEEP or RANDOM.
        num_actions: A.
    """
    if start == ASLEEP:
        return SLEEP
    return int(unit_of(mix(mix(seed ^ PERTURBING_SALT) + np.uint64(step) * GOLDEN)) * num_actions)


@njit(cache=True)
def start_of(seed, share):
    """How the episode of a seed starts where a share of the episodes is perturbed, half of them in each way.

    Args:
        seed: uint64, of the episode.
        share: 0 to 1.

    Returns:
        UNPERTURBED, ASLEEP or RANDOM.
    """
    drawn = unit_of(mix(seed ^ START_SALT))
    if drawn >= share:
        return UNPERTURBED
    return ASLEEP if drawn < share / 2 else RANDOM


@njit(cache=True, nogil=True)
def perturbing_actions(seeds, step, start, num_actions, out):
    """Likewise for a batch that starts alike; (B,) integers `out` is overwritten."""
    for i in range(seeds.shape[0]):
        out[i] = perturbing_action(seeds[i], step, start, num_actions)


def starts_of(seeds: npt.NDArray[np.uint64], share: float) -> npt.NDArray[np.int8]:
    """(B,) int8: `start_of` each seed."""
    return np.array([start_of(seed, share) for seed in seeds], np.int8)
