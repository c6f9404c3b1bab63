"""Which of blue's actions are certainly in vain, told from what blue remembers (`memory`).

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
* Where all crews are busy, whatever blue chooses does nothing; only Sleep is left.

Restore always costs something, so it is never masked while a crew is free. An Analyse or a Remove that takes several
steps meets what red will have done by then, so it is not masked either. A decoy fits again once a Restore that is under
way on its host is done.
"""

import numpy as np
from numba import njit

from cageflow.scenario import BlueKind, Network
from cageflow.sim.blue import fitting_decoys
from cageflow.sim.crews import has_free_crew, is_under_way
from cageflow.sim.enums import Compromise
from cageflow.sim.observation import belief
from cageflow.sim.state import Array

RESTORE = BlueKind.RESTORE.value


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
    if kind != BlueKind.SLEEP and not has_free_crew(m):
        return False
    if net.action_steps[action] > 1 and (kind == BlueKind.ANALYSE or kind == BlueKind.REMOVE):
        return True
    if kind == BlueKind.ANALYSE:
        return int(m.traces) >> host & 1 != 0
    if kind == BlueKind.REMOVE:
        compromise = belief(m, host)
        is_hidden = int(m.hidden) >> host & 1 != 0
        return is_hidden or compromise == Compromise.USER or compromise == Compromise.PRIVILEGED
    if kind == BlueKind.DECOY:
        fitting = fitting_decoys(m, net, host, int(net.action_decoy[action]))
        return fitting != 0 or is_under_way(m, net, RESTORE, host)
    return True


def actions_by_host(network: Network) -> tuple[Array, Array]:
    """The actions that have a host.

    Returns:
        (H+1,) int64 where those of each host begin, and their numbers, host after host.
    """
    kinds, hosts = network.tables.action_kind, np.asarray(network.tables.action_host)
    actions = np.flatnonzero((kinds != BlueKind.SLEEP) & (kinds != BlueKind.MONITOR))
    order = np.argsort(hosts[actions], kind="stable")
    return np.searchsorted(hosts[actions][order], np.arange(len(network.hosts) + 1)), actions[order]


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
def update_mask_loop(memories, nets, known, starts, host_actions, masks):
    """Bring the masks of a batch up to date: those of the hosts of which blue knows something else than before.

    Args:
        memories: (B,) records of `memory_dtype`.
        nets: (1,) the network's tables.
        known: (B,) records of `memory_dtype`, what the masks were written by; brought up to date too.
        starts: with `host_actions` as `actions_by_host` gives them.
        masks: (B, A) bool; written where they change.
    """
    net = nets[0]
    for i in range(masks.shape[0]):
        m, k = memories[i], known[i]
        changed = int(m.traces) ^ int(k.traces)
        changed |= int(m.hidden) ^ int(k.hidden)
        changed |= int(m.belief_low) ^ int(k.belief_low)
        changed |= int(m.belief_high) ^ int(k.belief_high)
        k.traces, k.hidden = m.traces, m.hidden
        k.belief_low, k.belief_high = m.belief_low, m.belief_high
        if net.blue_takes_time:  # a crew that is free or not is a fact of all hosts
            for action in range(masks.shape[1]):
                masks[i, action] = is_of_use(m, net, action)
            continue
        for host in range(m.decoys.shape[0]):
            if changed >> host & 1 or m.decoys[host] != k.decoys[host]:
                k.decoys[host] = m.decoys[host]
                for place in range(starts[host], starts[host + 1]):
                    masks[i, host_actions[place]] = is_of_use(m, net, host_actions[place])
