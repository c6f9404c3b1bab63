"""What blue remembers of an episode: nothing but its own actions and what its table showed after them.

So the same memory can be kept wherever blue plays, in the original as well as here. `knowledge` tells from it which
actions are in vain, `recall` writes it out for a policy to read.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.scenario import BlueKind, Network
from cageflow.sim.blue import has_room
from cageflow.sim.state import Array

LOW_BITS = np.uint64(0x1111111111111111)  # bit 4 * host: the key's low activity bit, set for a scan and for an exploit
ONE = np.uint64(1)


def memory_dtype(num_hosts: int) -> np.dtype:
    """Layout of what blue remembers; all zero at the start of an episode. Bit 4 * host of a `uint64` is a host."""
    return np.dtype(
        [
            ("key", np.uint64),  # of the last observation
            ("last_key", np.uint64),  # of the one before
            ("traces", np.uint64),  # hosts on which red may have left files
            ("hidden", np.uint64),  # hosts where a scan may have hidden an attack
            ("touched", np.uint64),  # hosts on which any activity was seen
            ("attacked", np.uint64),  # hosts on which an attack was seen
            ("restored", np.uint64),  # hosts that blue has restored
            ("step", np.int32),  # steps behind it
            ("last_action", np.int16),
            ("decoys", np.int16, (num_hosts,)),  # blue's own, as a decoy mask
            ("seen_at", np.int32, (num_hosts,)),  # step, from 1, in which activity was last seen; 0 for none
        ],
        align=True,
    )


def new_memories(network: Network, num_envs: int) -> Array:
    """(B,) records as they stand at the start of an episode."""
    return np.zeros(num_envs, memory_dtype(len(network.hosts))).view(np.recarray)


def forget(memories: Array, mask: npt.NDArray[np.bool_]) -> None:
    """Begin an episode in the environments of a (B,) mask."""
    memories.view(np.ndarray).view(np.uint8).reshape(len(memories), -1)[mask] = 0


@njit(cache=True)
def remember(m, net, params, action, key):
    """Take in blue's action and what its table showed after it.

    Args:
        m: one record of `memory_dtype`; written.
        net: the network's tables.
        params: the settings; `green_awake` and `official_table` are read.
        action: number of blue's action.
        key: uint64 of the observation after it.
    """
    kind = net.action_kind[action]
    host = int(net.action_host[action])
    if kind == BlueKind.RESTORE:
        m.decoys[host] = 0
        m.traces &= ~(ONE << np.uint64(4 * host))
        m.hidden &= ~(ONE << np.uint64(4 * host))
        m.restored |= ONE << np.uint64(4 * host)
    elif kind == BlueKind.REMOVE:
        m.hidden &= ~(ONE << np.uint64(4 * host))
    elif kind == BlueKind.DECOY:
        decoy = int(net.action_decoy[action])
        if has_room(m, net, host, decoy):
            m.decoys[host] |= 1 << decoy
            if params.official_table:
                m.traces |= ONE << np.uint64(4 * host)
    m.step += 1
    m.last_action = action
    m.last_key = m.key
    m.key = key
    active = key & LOW_BITS
    m.traces |= active
    m.touched |= active
    m.attacked |= (key >> ONE) & LOW_BITS
    if params.green_awake:
        m.hidden |= active & ~(key >> ONE)
    if active:
        for active_host in range(m.seen_at.shape[0]):
            if (active >> np.uint64(4 * active_host)) & ONE:
                m.seen_at[active_host] = m.step


@njit(cache=True, nogil=True)
def remember_loop(memories, nets, settings, actions, observations):
    """Take in a step of a batch.

    Args:
        memories: (B,) records of `memory_dtype`; written.
        nets: (1,) the network's tables.
        settings: (1,) the settings.
        actions: (B,) integers, 0 <= action < A.
        observations: (B, F) of any number type, more than 0.5 being a one.
    """
    for i in range(memories.shape[0]):
        key = np.uint64(0)
        for j in range(observations.shape[1]):
            if observations[i, j] > 0.5:
                key |= ONE << np.uint64(j)
        remember(memories[i], nets[0], settings[0], actions[i], key)
