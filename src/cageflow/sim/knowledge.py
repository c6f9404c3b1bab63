"""Which of blue's actions are certainly in vain, told from nothing but blue's own actions and observations.

What blue knows: the published network, the settings of the game, its actions, its table. What follows from that:

* A decoy fails where the system is wrong or its port is taken, by the host's own services or by decoys that blue has
  planted since it last restored the host.
* Analyse finds nothing on a host where no connection was seen since it was last restored: red's files come with a
  session, a session with a connection that the table shows. The official table can hide one in the very step in which
  blue plants a decoy there, so a decoy counts as a connection under it.
* Remove stops the processes that blue has seen to be red's. Seeing one makes the table say `user`, and nothing but
  Remove and Restore takes that back, so it is in vain where the table says `no` or `unknown`. There is one exception:
  with green awake, a scan and an attack in the same step look like a scan, so until the next Remove or Restore a scan
  counts as a process that may have been seen.
* Monitor is what blue does at the end of every step anyway. Sleep does as little and is never masked.

Restore always costs something, so it is never masked.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.scenario import BlueKind, Network
from cageflow.sim.blue import has_room
from cageflow.sim.enums import Compromise
from cageflow.sim.state import Array

LOW_BITS = np.uint64(0x1111111111111111)  # bit 4 * host: the key's low activity bit, set for a scan and for an exploit
ONE = np.uint64(1)


def memory_dtype(num_hosts: int) -> np.dtype:
    """Layout of what blue remembers of one episode; all zero at its start. Bit 4 * host stands for a host."""
    return np.dtype(
        [
            ("key", np.uint64),  # of the last observation
            ("traces", np.uint64),  # hosts on which red may have left files
            ("hidden", np.uint64),  # hosts where a scan may have hidden an attack
            ("decoys", np.int16, (num_hosts,)),  # blue's own, as a decoy mask
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
    elif kind == BlueKind.REMOVE:
        m.hidden &= ~(ONE << np.uint64(4 * host))
    elif kind == BlueKind.DECOY:
        decoy = int(net.action_decoy[action])
        if has_room(m, net, host, decoy):
            m.decoys[host] |= 1 << decoy
            if params.official_table:
                m.traces |= ONE << np.uint64(4 * host)
    m.traces |= key & LOW_BITS
    if params.green_awake:
        m.hidden |= key & ~(key >> ONE) & LOW_BITS
    m.key = key


@njit(cache=True)
def is_of_use(m, net, action):
    """Whether an action may do something, as far as blue can know.

    Args:
        m: one record of `memory_dtype`.
        net: the network's tables.
        action: number of a blue action.
    """
    kind = net.action_kind[action]
    host = int(net.action_host[action])
    if kind == BlueKind.MONITOR:
        return False
    if kind == BlueKind.ANALYSE:
        return (m.traces >> np.uint64(4 * host)) & ONE != 0
    if kind == BlueKind.REMOVE:
        compromise = np.int64((m.key >> np.uint64(4 * host + 2)) & np.uint64(3))
        is_hidden = (m.hidden >> np.uint64(4 * host)) & ONE != 0
        return is_hidden or compromise == Compromise.USER or compromise == Compromise.PRIVILEGED
    if kind == BlueKind.DECOY:
        return has_room(m, net, host, int(net.action_decoy[action]))
    return True


@njit(cache=True, nogil=True)
def mask_loop(memories, nets, masks):
    """Write the masks of a batch.

    Args:
        memories: (B,) records of `memory_dtype`.
        nets: (1,) the network's tables.
        masks: (B, A) bool; overwritten.
    """
    for i in range(masks.shape[0]):
        for action in range(masks.shape[1]):
            masks[i, action] = is_of_use(memories[i], nets[0], action)


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
