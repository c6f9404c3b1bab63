"""The one loop over a batch of environments.

It runs on the calling thread and lets others run meanwhile; `threads` shares a batch among several.
"""

import numpy as np
from numba import njit

from cageflow.sim.draws import mix
from cageflow.sim.handover import plain, row
from cageflow.sim.memory import remember, see
from cageflow.sim.observation import unpack
from cageflow.sim.step import red_chooses, step

SEED_SALT = np.uint64(0x5851F42D4C957F2D)


@njit(cache=True)
def seed_stream(seed):
    """First state of the random stream of a seed; neighbouring seeds give unrelated streams."""
    return mix(np.uint64(seed) ^ SEED_SALT)


def reset_batch(states, initial, seeds):
    """Start an episode in every environment; what blue sees at the start is all zero.

    Args:
        states: (B,) records; overwritten.
        initial: (1,) record, `initial_state` of the network.
        seeds: (B,) uint64.
    """
    reset_loop(plain(states), plain(initial), seeds)


def restart_batch(states, initial, mask):
    """Start an episode in the environments of a mask; their random streams run on.

    Args:
        states: (B,) records; written where `mask` is set.
        initial: (1,) record, `initial_state` of the network.
        mask: (B,) bool.
    """
    restart_loop(plain(states), plain(initial), mask)


def step_batch(states, net, params, actions, observations, rewards):
    """One step of every environment.

    Args:
        states: (B,) records; written.
        net: the network's tables.
        params: the run's settings.
        actions: (B,) integers, 0 <= action < A; not checked here.
        observations: (B, F) of any number type; overwritten.
        rewards: (B,) float32 or float64; overwritten.
    """
    step_loop(plain(states), row(net), row(params), actions, observations, rewards)


# Below, `nets` and `settings` are arrays of one record: see `handover`.


@njit(cache=True, nogil=True)
def reset_loop(states, initial, seeds):
    """`reset_batch`, compiled."""
    for i in range(states.shape[0]):
        states[i] = initial[0]
        states[i].rng = seed_stream(seeds[i])


@njit(cache=True, nogil=True)
def restart_loop(states, initial, mask):
    """`restart_batch`, compiled."""
    for i in range(states.shape[0]):
        if mask[i]:
            stream = states[i].rng
            states[i] = initial[0]
            states[i].rng = stream


@njit(cache=True, nogil=True)
def step_loop(states, nets, settings, actions, observations, rewards):
    """`step_batch`, compiled."""
    for i in range(states.shape[0]):
        rewards[i] = step(states[i], nets[0], settings[0], actions[i]) / 10.0
        unpack(states[i], observations[i])


@njit(cache=True, nogil=True)
def choose_loop(states, nets, settings):
    """Write the next action of a red agent that is built in, where nothing else of the game is the simulator's.

    Args:
        states: (B,) environments that hold what red knows and what the agent remembers; written.
        nets: (1,) the network's tables.
        settings: (1,) the settings.
    """
    for i in range(states.shape[0]):
        red_chooses(states[i], nets[0], settings[0])


@njit(cache=True, nogil=True)
def play_loop(states, memories, nets, settings, actions, observations, rewards):
    """One step of every game, blue's memory and observation included.

    Args:
        states: (B,) environments; written.
        memories: (B,) what blue remembers of them; written.
        nets: (1,) the network's tables.
        settings: (1,) the settings.
        actions: (B,) integers, 0 <= action < A; not checked here.
        observations: (B, F) of any number type; overwritten.
        rewards: (B,) float64; overwritten.
    """
    for i in range(states.shape[0]):
        rewards[i] = step(states[i], nets[0], settings[0], actions[i]) / 10.0
        see(memories[i], states[i])
        remember(memories[i], nets[0], settings[0], actions[i])
        unpack(states[i], observations[i])


@njit(cache=True, nogil=True)
def seed_loop(states, seeds, mask):
    """Begin the random streams anew in the environments of a mask.

    Args:
        states: (B,) environments; their streams are written where `mask` is set.
        seeds: (B,) uint64.
        mask: (B,) bool.
    """
    for i in range(states.shape[0]):
        if mask[i]:
            states[i].rng = seed_stream(seeds[i])


@njit(cache=True, nogil=True)
def unpack_batch(states, observations):
    """Write what blue sees as bits.

    Args:
        states: (B,) environments.
        observations: (B, F) of any number type; overwritten.
    """
    for i in range(states.shape[0]):
        unpack(states[i], observations[i])
