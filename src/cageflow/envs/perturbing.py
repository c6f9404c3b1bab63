"""Starts that no policy led to: what an episode looks like after blue has slept, or played at random, for a while.

A trained policy keeps to the states that it makes itself; what it does elsewhere shows only if it is put there. The
perturbing steps come before the episode: they count neither as its steps nor to its return, so that an episode after
them is as long as any, and a policy is judged by what it does and not by what was done to it. Blue's table and memory
are those of all steps, as they would be if somebody else had sat at the console.

All chance is that of the episode's seed, so the same seed gives the same start wherever it is played.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from cageflow.sim.draws import GOLDEN, mix, unit_of
from cageflow.sim.memory import SLEEP, remember, see
from cageflow.sim.observation import unpack
from cageflow.sim.step import step

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


@njit(cache=True, nogil=True)
def perturb_loop(states, memories, nets, settings, seeds, share, observations):
    """Play the perturbing steps of a share of a batch of games that have just begun.

    Args:
        states: (B,) environments; written.
        memories: (B,) what blue remembers of them; written.
        nets: (1,) the network's tables.
        settings: (1,) the settings.
        seeds: (B,) uint64, of the episodes.
        share: 0 to 1, of those that are perturbed.
        observations: (B, F) of any number type; what blue sees at the end is written where a game is perturbed.
    """
    num_actions = nets[0].action_kind.shape[0]
    for i in range(states.shape[0]):
        start = start_of(seeds[i], share)
        if start == UNPERTURBED:
            continue
        for done in range(PERTURBING_STEPS):
            action = perturbing_action(seeds[i], done, start, num_actions)
            step(states[i], nets[0], settings[0], action)
            see(memories[i], states[i])
            remember(memories[i], nets[0], settings[0], action)
        unpack(states[i], observations[i])
