"""Blue's memory written out as bits, for a policy that reads more than the present table.

After the F bits of the table come, each host in table order and each step of a scale in ascending order:

* for each decoy that a host has room for, whether blue's own stands there;
* for each host whether it was ever touched (any activity), ever attacked, ever restored;
* for each host and each span of AGES, whether the last activity there is at most so many steps old;
* the table of the step before;
* what blue did last: its kind, and the host it acted on;
* for each of CLOCK, whether so many steps are behind;
* where blue's actions take time: for each kind that does and each host, whether one is under way there; for each host
  and each of LEFT, whether one there ends within so many steps; whether a crew is free.

The true state is nowhere among them, and neither is the length of the episode.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from cageflow.scenario import BlueKind, Network
from cageflow.sim.crews import has_free_crew
from cageflow.sim.state import Array

AGES = (2, 4, 8, 16)
CLOCK = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 27, 28, 29)
LEFT = (1, 2, 4, 8)
CREW_KINDS = (BlueKind.ANALYSE, BlueKind.REMOVE, BlueKind.DECOY, BlueKind.RESTORE)
NUM_KINDS = len(BlueKind)
_LEFT, _CREW_KINDS = np.array(LEFT), np.array([kind.value for kind in CREW_KINDS])
_AGES, _CLOCK = np.array(AGES), np.array(CLOCK)


def recalled_bits(network: Network) -> tuple[str, ...]:
    """Names of the bits after those of the table, in order."""
    hosts = network.hosts
    decoys = tuple(network.scenario.decoys)
    names = [f"{decoys[decoy]} {hosts[host]}" for host, decoy in decoy_places(network)]
    names += [f"{what} {host}" for what in ("touched", "attacked", "restored") for host in hosts]
    names += [f"touched within {age} {host}" for host in hosts for age in AGES]
    names += [f"last table {bit}" for bit in range(network.num_observations)]
    names += [f"last action {kind.name}" for kind in BlueKind] + [f"last action {host}" for host in hosts]
    names += [f"step {step}" for step in CLOCK]
    if network.blue_takes_time:
        names += [f"under way {kind.name} {host}" for kind in CREW_KINDS for host in hosts]
        names += [f"done within {left} {host}" for host in hosts for left in LEFT]
        names += ["crew free"]
    return tuple(names)


def num_recalled(network: Network) -> int:
    """R, bits after those of the table."""
    return len(recalled_bits(network))


def num_inputs(network: Network, *, memory: bool) -> int:
    """Bits that a policy reads of the game: those of the table and, with a memory, R more."""
    return network.num_observations + (num_recalled(network) if memory else 0)


def recalled_crews(network: Network, recalled: Array) -> tuple[Array, Array]:
    """What is under way, told from what blue remembers; for networks where blue's actions take time.

    Args:
        network: that is played.
        recalled: (B, R) bits as `recall_loop` writes them.

    Returns:
        (B, K, H) bool, whether an action of a kind of CREW_KINDS is under way on a host; (B,) bool, whether a crew is
        free.
    """
    num_hosts, num_kinds = len(network.hosts), len(CREW_KINDS)
    begin, end = (num_kinds + len(LEFT)) * num_hosts + 1, len(LEFT) * num_hosts + 1
    return recalled[:, -begin:-end].reshape(-1, num_kinds, num_hosts) > 0, recalled[:, -1] > 0


def decoy_places(network: Network) -> Array:
    """(P, 2) int64: host and decoy of each decoy that a host has room for."""
    fits = network.tables.decoy_fits
    num_decoys = len(network.scenario.decoys)
    places = [(host, decoy) for host in range(len(network.hosts)) for decoy in range(num_decoys)]
    return np.array([(host, decoy) for host, decoy in places if int(fits[host]) >> decoy & 1], np.int64).reshape(-1, 2)


@njit(cache=True)
def recall(m, net, places, bits):
    """Write out what blue remembers.

    Args:
        m: one record of `memory_dtype`.
        net: the network's tables.
        places: (P, 2) as `decoy_places` gives them.
        bits: (R,) of any number type; overwritten.
    """
    num_hosts = m.seen_at.shape[0]
    n = 0
    for place in range(places.shape[0]):
        bits[n] = int(m.decoys[places[place, 0]]) >> places[place, 1] & 1
        n += 1
    for hosts in (m.touched, m.attacked, m.restored):
        for host in range(num_hosts):
            bits[n] = int(hosts) >> host & 1
            n += 1
    for host in range(num_hosts):
        age = m.step - m.seen_at[host] + 1  # of what was seen after the last step: 1
        for longest in _AGES:
            bits[n] = m.seen_at[host] > 0 and age <= longest
            n += 1
    for host in range(num_hosts):
        for table in (m.last_activity_low, m.last_activity_high, m.last_belief_low, m.last_belief_high):
            bits[n] = int(table) >> host & 1
            n += 1
    kind = int(net.action_kind[m.last_action])
    for one in range(NUM_KINDS):
        bits[n] = m.step > 0 and kind == one
        n += 1
    has_host = m.step > 0 and kind != BlueKind.SLEEP and kind != BlueKind.MONITOR
    for host in range(num_hosts):
        bits[n] = has_host and net.action_host[m.last_action] == host
        n += 1
    for step in _CLOCK:
        bits[n] = m.step >= step
        n += 1
    if net.blue_takes_time:
        recall_crews(m, net, bits[n:])


@njit(cache=True)
def recall_crews(m, net, bits):
    """Write out what is under way; `bits` are those after the clock's."""
    num_hosts = m.seen_at.shape[0]
    bits[:] = 0
    done_within = _CREW_KINDS.shape[0] * num_hosts
    for i in range(m.num_busy):
        kind, host = net.action_kind[m.crew_action[i]], int(net.action_host[m.crew_action[i]])
        for place in range(_CREW_KINDS.shape[0]):
            if _CREW_KINDS[place] == kind:
                bits[place * num_hosts + host] = 1
        for place in range(_LEFT.shape[0]):
            if m.crew_left[i] <= _LEFT[place]:
                bits[done_within + host * _LEFT.shape[0] + place] = 1
    bits[done_within + num_hosts * _LEFT.shape[0]] = has_free_crew(m)


@njit(cache=True, nogil=True)
def recall_loop(memories, nets, places, bits):
    """Write out what blue remembers in a batch.

    Args:
        memories: (B,) records of `memory_dtype`.
        nets: (1,) the network's tables.
        places: (P, 2) as `decoy_places` gives them.
        bits: (B, R) of any number type; overwritten.
    """
    for i in range(bits.shape[0]):
        recall(memories[i], nets[0], places, bits[i])
