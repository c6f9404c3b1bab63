"""What blue knows by what it remembers (`memory`): which actions are in vain, and which fixes have to wait.

What blue knows: the published network, the settings of the game, its actions, its table. Which of its actions are
certainly in vain follows from that:

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

Which fixes have to wait, where an order is enforced: a Remove or a Restore waits while a host of a type before its own
looks compromised. A host looks compromised while blue's table believes anything of it but that red is not there: `user`
or `privileged`, and `unknown`, which is what a Remove leaves. Hosts on which red began never look so, since blue cannot
drive red from them and would wait for ever; nor do those on which a Restore is under way, since they are being served
and another crew need not stand idle until it ends. A Remove that is under way says nothing: it may be in vain.
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


@njit(cache=True)
def looks_compromised(m, net):
    """Mask of the hosts that look compromised to blue, those where red began and those being restored aside.

    Args:
        m: one record of `memory_dtype`.
        net: the network's tables.
    """
    flagged = int(m.belief_low) | int(m.belief_high)
    if flagged == 0:
        return 0
    for host in range(net.unit_type.shape[0]):
        if net.start_privileged[host] > 0 or net.start_user[host] > 0:
            flagged &= ~(1 << host)
    for i in range(m.num_busy):
        if net.action_kind[m.crew_action[i]] == RESTORE:
            flagged &= ~(1 << int(net.action_host[m.crew_action[i]]))
    return flagged


@njit(cache=True)
def first_in_turn(m, net, ranks):
    """Place in an order of the first type of which a host looks compromised; behind the last where none does.

    A host may be fixed if its type stands at that place or before it.

    Args:
        m: one record of `memory_dtype`.
        net: the network's tables.
        ranks: (T,) place of each unit type in the order, 0 being the first to fix.
    """
    flagged = looks_compromised(m, net)
    first = ranks.shape[0]
    for host in range(net.unit_type.shape[0]):
        if flagged >> host & 1:
            first = min(first, int(ranks[net.unit_type[host]]))
    return first


@njit(cache=True)
def keep_order(m, net, ranks, fixes, mask):
    """Take the fixes that have to wait out of a mask.

    Args:
        m: one record of `memory_dtype`.
        net: the network's tables.
        ranks: (T,) place of each unit type in the order.
        fixes: numbers of the actions that are fixes.
        mask: (A,) uint8; written.
    """
    first = first_in_turn(m, net, ranks)
    if first < ranks.shape[0]:
        for action in fixes:
            if ranks[net.unit_type[net.action_host[action]]] > first:
                mask[action] = 0


@njit(cache=True, nogil=True)
def looks_loop(memories, nets, looks):
    """Write which hosts of a batch look compromised.

    Args:
        memories: (B,) records of `memory_dtype`.
        nets: (1,) the network's tables.
        looks: (B, H) bool; overwritten.
    """
    for i in range(looks.shape[0]):
        flagged = looks_compromised(memories[i], nets[0])
        for host in range(looks.shape[1]):
            looks[i, host] = flagged >> host & 1 != 0


@njit(cache=True, nogil=True)
def keep_order_loop(memories, nets, ranks, fixes, masks):
    """Take the fixes that have to wait out of the masks of a batch.

    Args:
        memories: (B,) records of `memory_dtype`.
        nets: (1,) the network's tables.
        ranks: (T,) place of each unit type in the order.
        fixes: numbers of the actions that are fixes.
        masks: (B, A) uint8; written.
    """
    for i in range(masks.shape[0]):
        keep_order(memories[i], nets[0], ranks, fixes, masks[i])


def fixes_of(network: Network) -> Array:
    """Numbers of the actions that are fixes, Removes and Restores; int64."""
    return np.flatnonzero(np.isin(network.tables.action_kind, [BlueKind.REMOVE, BlueKind.RESTORE]))


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


@njit(cache=True)
def update_mask(m, k, net, starts, host_actions, mask):
    """Bring one mask up to date: the actions on hosts of which blue knows something else than before.

    Args:
        m: one record of `memory_dtype`.
        k: another, what the mask was written by; brought up to date too.
        net: the network's tables.
        starts: with `host_actions` as `actions_by_host` gives them.
        mask: (A,) uint8; written where it changes.

    Returns:
        Whether anything was written.
    """
    seen = int(m.traces) ^ int(k.traces)
    seen |= int(m.hidden) ^ int(k.hidden)
    seen |= int(m.belief_low) ^ int(k.belief_low)
    seen |= int(m.belief_high) ^ int(k.belief_high)
    k.traces, k.hidden = m.traces, m.hidden
    k.belief_low, k.belief_high = m.belief_low, m.belief_high
    if net.blue_takes_time:  # a crew that is free or not is a fact of all hosts
        for action in range(mask.shape[0]):
            mask[action] = is_of_use(m, net, action)
        return True
    planted = 0
    if k.step < 0:  # the mask was written by nothing so far
        seen = planted = -1
    k.step = m.step
    for host in range(m.decoys.shape[0]):
        planted |= (1 if m.decoys[host] != k.decoys[host] else 0) << host
        k.decoys[host] = m.decoys[host]
    if seen | planted == 0:
        return False
    for host in range(m.decoys.shape[0]):
        if (seen | planted) >> host & 1:
            for place in range(starts[host], starts[host + 1]):
                action = host_actions[place]
                decides = planted if net.action_kind[action] == BlueKind.DECOY else seen
                if decides >> host & 1:
                    mask[action] = is_of_use(m, net, action)
    return True


@njit(cache=True, nogil=True)
def update_mask_loop(memories, nets, known, starts, host_actions, masks):
    """Bring the masks of a batch up to date.

    Args:
        memories: (B,) records of `memory_dtype`.
        nets: (1,) the network's tables.
        known: (B,) records of `memory_dtype`, what the masks were written by; brought up to date too.
        starts: with `host_actions` as `actions_by_host` gives them.
        masks: (B, A) uint8; written where they change.
    """
    for i in range(masks.shape[0]):
        update_mask(memories[i], known[i], nets[0], starts, host_actions, masks[i])
