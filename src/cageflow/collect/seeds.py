"""Where the chance of a policy comes from: the seed of an episode decides the game's draws, and the policy's too.

So an episode is the same whoever plays it, in whatever batch, and a run that is resumed needs no more than the number
of episodes that it has played.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from cageflow.sim.draws import GOLDEN, mix, unit_of

ACTION_SALT = np.uint64(0x2545F4914F6CDD1D)  # keeps the policy's numbers apart from the game's


@njit(cache=True)
def action_uniform(seed, step):
    """The policy's number in one step of one episode, a float64 in [0, 1); see `action_uniforms`."""
    return unit_of(mix(mix(seed ^ ACTION_SALT) + np.uint64(step) * GOLDEN))


@njit(cache=True, nogil=True)
def action_uniforms(seeds, step, out):
    """The policy's numbers in one step.

    Args:
        seeds: (B,) uint64 episode seeds.
        step: steps already done in the episodes.
        out: (B,) float64 in [0, 1); overwritten.
    """
    for i in range(seeds.shape[0]):
        out[i] = action_uniform(seeds[i], step)
