"""What red remembers of an episode: nothing but its own actions, and what they told it.

A record beside the environment's, as blue's memory is, so that games whose red needs none pay nothing for it. Each
action tells red whether it was refused, failed or succeeded, and, where it succeeded, what it found: the hosts of a
subnet, the ports of a host, the addresses that a host knows. That blue drove it from a host red is not told; it finds
out where something fails there that could not otherwise. `red_view` tells from this record what red sees and which
actions are in vain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.scenario import Network, RedKind
from cageflow.scenario.masks import mask_type
from cageflow.sim.enums import Outcome
from cageflow.sim.state import Array


def red_memory_dtype(network: Network) -> np.dtype:
    """Layout of what red remembers. Sets of hosts, subnets, ports and services are masks."""
    h = len(network.hosts)
    hosts, ports = mask_type(h), mask_type(len(network.ports))
    subnets, services = mask_type(len(network.subnets)), mask_type(len(network.services))
    return np.dtype(
        [
            # What red knows for good.
            ("known_hosts", hosts),  # by address
            ("known_names", hosts),
            ("known_subnets", subnets),
            ("known_services", services),  # that it can stop
            ("ports_seen", ports, (h,)),
            ("scanned", hosts),
            ("swept", subnets),
            ("explored", hosts),  # hosts on which an escalation ever succeeded
            # What it holds to be so, until it is told otherwise.
            ("held", hosts),  # it may have a session there; it has none on any other host
            ("raised", hosts),  # with privileges
            ("shut", subnets),  # the last sweep failed
            ("impacted", hosts),  # the last Impact succeeded
            ("failures", np.int16, (h,)),  # tries in a row that came to nothing
            # What is under way, and the last action.
            ("left", np.int16),  # steps that the action still takes
            ("kind", np.int8),  # RedKind
            ("target", np.int8),
            ("valid", np.int8),
            ("outcome", np.int8),
            ("step", np.int32),  # steps behind it
        ],
        align=True,
    )


def initial_red_memory(network: Network) -> Any:
    """One record as it stands at the start of an episode."""
    m = np.zeros((), red_memory_dtype(network))
    tables = network.tables
    m["known_hosts"] = m["known_names"] = tables["start_known"]
    m["known_subnets"] = tables["start_subnets"]
    for host in range(len(network.hosts)):
        if tables["start_privileged"][host] + tables["start_user"][host] > 0:
            m["held"] |= 1 << host
        if tables["start_privileged"][host] > 0:
            m["raised"] |= 1 << host
    m["target"], m["valid"], m["outcome"] = -1, 1, Outcome.UNKNOWN
    return m.view(np.recarray)[()]


def new_red_memories(network: Network, num_envs: int) -> Array:
    """(B,) records at the start of an episode."""
    return np.full(num_envs, initial_red_memory(network)).view(np.recarray)


@njit(cache=True)
def remember(m, net, s):
    """Take in what red's last action told it.

    Args:
        m: one record of `red_memory_dtype`; written.
        net: the network's tables.
        s: the environment after the step, of which the last action and what red knows of the network are read; any
            record of these fields will do.
    """
    kind, target = int(s.red_kind), int(s.red_target)
    m.step += 1
    m.left = s.red_left
    m.kind, m.target = kind, target
    if kind == RedKind.SLEEP:
        m.target = -1
    m.valid, m.outcome = s.red_valid, s.red_outcome
    m.known_hosts, m.known_names = s.known_hosts, s.known_names
    m.known_subnets, m.known_services = s.known_subnets, s.known_services
    if s.red_left > 0 or s.red_valid == 0 or kind == RedKind.SLEEP:
        return
    success = s.red_outcome == Outcome.TRUE
    if kind == RedKind.DISCOVER_REMOTE_SYSTEMS:
        note_sweep(m, net, target, success)
    elif kind == RedKind.DISCOVER_NETWORK_SERVICES:
        m.scanned |= 1 << target
        m.ports_seen[target] = s.ports_seen[target]
    else:
        note_attack(m, net, kind, target, success)


@njit(cache=True)
def note_sweep(m, net, subnet, success):
    """A subnet can be swept if it is open, or if red holds a host that guards it: else red has lost them all."""
    if success:
        m.swept |= 1 << subnet
        m.shut &= ~(1 << subnet)
    else:
        m.shut |= 1 << subnet
        give_up(m, int(net.guards[subnet]))


@njit(cache=True)
def note_attack(m, net, kind, host, success):
    """An exploit, an escalation or an Impact; the last two fail where red has no session, and for few other reasons."""
    bit = 1 << host
    m.failures[host] = 0 if success else m.failures[host] + 1
    if success:
        m.held |= bit
    elif kind == RedKind.PRIVILEGE_ESCALATE or (kind == RedKind.IMPACT and can_stop(m, net, host)):
        give_up(m, bit)
    if kind == RedKind.PRIVILEGE_ESCALATE and success:
        m.raised |= bit
        m.explored |= bit
    elif kind == RedKind.IMPACT:
        m.impacted = int(m.impacted) & ~bit | (bit if success else 0)


@njit(cache=True)
def can_stop(m, net, host):
    """Whether red has seen the service that a host has, wherever it saw it."""
    return net.service[host] >= 0 and int(m.known_services) >> int(net.service[host]) & 1 != 0


@njit(cache=True)
def give_up(m, hosts):
    """Red has no session on these hosts."""
    m.held &= ~hosts
    m.raised &= ~hosts


@njit(cache=True, nogil=True)
def remember_loop(memories, nets, states, mask):
    """Take in a step of a batch.

    Args:
        memories: (B,) records of `red_memory_dtype`; written where `mask` is set.
        nets: (1,) the network's tables.
        states: (B,) environments, or records of the fields that `remember` reads.
        mask: (B,) bool.
    """
    for i in range(memories.shape[0]):
        if mask[i]:
            remember(memories[i], nets[0], states[i])


def forget(memories: Array, initial: Array, mask: npt.NDArray[np.bool_]) -> None:
    """Begin an episode in the environments of a (B,) mask; `initial` is (1,) as `new_red_memories` gives it."""
    memories.view(np.ndarray)[mask] = initial.view(np.ndarray)[0]
