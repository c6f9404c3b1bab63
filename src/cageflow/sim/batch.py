"""The one loop over a batch of environments, on one thread or several."""

import numpy as np
from numba import njit, prange

from cageflow.sim.draws import mix
from cageflow.sim.observation import unpack
from cageflow.sim.step import step

SEED_SALT = np.uint64(0x5851F42D4C957F2D)


@njit(cache=True)
def seed_stream(seed):
    """First state of the random stream of a seed; neighbouring seeds give unrelated streams."""
    return mix(np.uint64(seed) ^ SEED_SALT)


@njit(cache=True, nogil=True)
def reset_batch(states, initial, seeds, keys):
    """Start an episode in every environment.

    Args:
        states: (B,) records; overwritten.
        initial: (1,) record, `initial_state` of the network.
        seeds: (B,) uint64.
        keys: (B,) uint64; overwritten with the observations, all zero at the start.
    """
    for i in range(states.shape[0]):
        states[i] = initial[0]
        states[i].rng = seed_stream(seeds[i])
        keys[i] = 0


@njit(cache=True, nogil=True)
def restart_batch(states, initial, mask, keys):
    """Start an episode in the environments of a mask; their random streams run on.

    Args:
        states: (B,) records; written where `mask` is set.
        initial: (1,) record, `initial_state` of the network.
        mask: (B,) bool.
        keys: (B,) uint64; set to zero where `mask` is set.
    """
    for i in range(states.shape[0]):
        if mask[i]:
            stream = states[i].rng
            states[i] = initial[0]
            states[i].rng = stream
            keys[i] = 0


@njit(cache=True, nogil=True)
def step_batch(states, net, params, actions, keys, rewards):
    """One step of every environment, on this thread.

    Args:
        states: (B,) records; written.
        net: the network's tables.
        params: the run's settings.
        actions: (B,) integers, 0 <= action < A; not checked here.
        keys: (B,) uint64; overwritten with the observations.
        rewards: (B,) float32; overwritten.
    """
    for i in range(states.shape[0]):
        tenths, key = step(states[i], net, params, actions[i])
        keys[i] = key
        rewards[i] = np.float32(tenths / 10.0)


@njit(cache=True, parallel=True)
def step_batch_parallel(states, net, params, actions, keys, rewards):
    """As `step_batch`, over as many threads as `numba.set_num_threads` allows."""
    for i in prange(states.shape[0]):
        tenths, key = step(states[i], net, params, actions[i])
        keys[i] = key
        rewards[i] = np.float32(tenths / 10.0)


@njit(cache=True, nogil=True)
def unpack_batch(keys, observations):
    """Write the bits of the keys.

    Args:
        keys: (B,) uint64.
        observations: (B, F) of any number type; overwritten.
    """
    for i in range(keys.shape[0]):
        unpack(keys[i], observations[i])
