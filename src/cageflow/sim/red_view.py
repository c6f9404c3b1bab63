"""What red sees and knows by what it remembers (`red_memory`): its bits, and which actions are in vain.

What red knows: the published network, as blue does, its own actions and what came of them. An action is in vain where
red can be certain that it changes nothing, not even what blue sees, and that red already knows how it goes:

* Any action on what red does not know: the original refuses it.
* Whatever goes into a guarded subnet while red holds none of the hosts that open it. Red holds nothing but where it
  began and where an exploit succeeded, and has lost a host for certain once an escalation there fails, or an Impact of
  a service that it has seen; and all guards of a subnet once a sweep of it fails.
* A sweep of what it has swept, where nothing can shut the subnet.
* An exploit of a host on which red has seen no port that any exploit asks for. Where it has, the exploit leaves
  connections for blue to see, whether it works or not, and is not in vain.
* An escalation where red holds nothing, and a second one of a host on which it began with privileges.
* An Impact where red holds nothing, of a host without a service, or of a service that it has not seen.

While an action is under way whatever red chooses is ignored, so Sleep alone is left. Sleep is never in vain.
"""

import numpy as np
from numba import njit

from cageflow.scenario import Network, RedKind
from cageflow.scenario.red_bits import CLOCK, FAILURES, LEFT
from cageflow.sim.enums import Outcome
from cageflow.sim.red_actions import is_option, knows_target
from cageflow.sim.red_memory import can_stop
from cageflow.sim.state import Array

NUM_KINDS = len(RedKind)
_FAILURES, _CLOCK, _LEFT = np.array(FAILURES), np.array(CLOCK), np.array(LEFT)


@njit(cache=True)
def is_of_use(m, net, kind, target):
    """Whether an action may do something, as far as red can know.

    Args:
        m: one record of `red_memory_dtype`.
        net: the network's tables.
        kind: RedKind.
        target: subnet or host.
    """
    if kind == RedKind.SLEEP:
        return True
    if m.left > 0 or not knows_target(m, kind, target):
        return False
    if kind == RedKind.DISCOVER_REMOTE_SYSTEMS:
        was_swept = int(m.swept) >> target & 1 != 0
        return may_reach(m, net, target) and not (was_swept and always_reaches(net, target))
    if kind == RedKind.DISCOVER_NETWORK_SERVICES:
        return may_reach(m, net, int(net.subnet[target]))
    if kind == RedKind.EXPLOIT_REMOTE_SERVICE:
        return may_reach(m, net, int(net.subnet[target])) and has_option(m, net, target)
    if int(m.held) >> target & 1 == 0:
        return False
    if kind == RedKind.PRIVILEGE_ESCALATE:
        return net.start_privileged[target] == 0 or int(m.explored) >> target & 1 == 0
    return can_stop(m, net, target)


@njit(cache=True)
def may_reach(m, net, subnet):
    """Whether red may get into a subnet, as far as it knows."""
    return net.is_open[subnet] != 0 or int(net.guards[subnet]) & int(m.held) != 0


@njit(cache=True)
def always_reaches(net, subnet):
    """Whether nothing that blue does keeps red out of a subnet: the sessions that it began with are never lost."""
    if net.is_open[subnet] != 0:
        return True
    for host in range(net.start_privileged.shape[0]):
        if int(net.guards[subnet]) >> host & 1 and net.start_privileged[host] + net.start_user[host] > 0:
            return True
    return False


@njit(cache=True)
def has_option(m, net, host):
    """Whether the ports that red has seen on a host make it think of any exploit."""
    for exploit in range(net.exploit_all.shape[0]):
        if is_option(m, net, host, exploit):
            return True
    return False


@njit(cache=True, nogil=True)
def mask_loop(memories, nets, kinds, targets, masks):
    """Write which actions of a batch are not in vain.

    Args:
        memories: (B,) records of `red_memory_dtype`.
        nets: (1,) the network's tables.
        kinds: (R,) int8 of `RedCodec`.
        targets: (R,) int8 likewise.
        masks: (B, R) bool; overwritten.
    """
    for i in range(masks.shape[0]):
        for action in range(masks.shape[1]):
            masks[i, action] = is_of_use(memories[i], nets[0], int(kinds[action]), int(targets[action]))


def port_places(network: Network) -> Array:
    """(P,) int64: which bits of a port mask stand for the ports that red's exploits ask for."""
    return np.array([network.ports.index(port) for port in network.red_ports], np.int64)


@njit(cache=True)
def look(m, net, ports, num_services, bits):
    """Write out what red sees, in the order of `cageflow.scenario.red_bits`.

    Args:
        m: one record of `red_memory_dtype`.
        net: the network's tables.
        ports: (P,) as `port_places` gives them.
        num_services: that Impact stops.
        bits: (F,) of any number type; overwritten.
    """
    num_hosts, num_subnets = m.failures.shape[0], net.is_open.shape[0]
    n = 0
    for subnets in (m.known_subnets, m.swept, m.shut):
        for subnet in range(num_subnets):
            bits[n] = int(subnets) >> subnet & 1
            n += 1
    for hosts in (m.known_hosts, m.known_names, m.scanned, m.held, m.raised, m.explored, m.impacted):
        for host in range(num_hosts):
            bits[n] = int(hosts) >> host & 1
            n += 1
    for host in range(num_hosts):
        for place in range(ports.shape[0]):
            bits[n] = int(m.ports_seen[host]) >> ports[place] & 1
            n += 1
    for host in range(num_hosts):
        for number in _FAILURES:
            bits[n] = m.failures[host] >= number
            n += 1
    for service in range(num_services):
        bits[n] = int(m.known_services) >> service & 1
        n += 1
    n = look_back(m, num_subnets, num_hosts, bits, n)
    for step in _CLOCK:
        bits[n] = m.step >= step
        n += 1
    if net.red_takes_time:
        bits[n] = m.left > 0
        n += 1
        for left in _LEFT:
            bits[n] = 0 < m.left <= left
            n += 1


@njit(cache=True)
def look_back(m, num_subnets, num_hosts, bits, n):
    """Write out red's last action from place `n` on, and return the place behind it."""
    kind, target = int(m.kind), int(m.target)
    for one in range(NUM_KINDS):
        bits[n] = m.step > 0 and kind == one
        n += 1
    is_sweep = kind == RedKind.DISCOVER_REMOTE_SYSTEMS
    for subnet in range(num_subnets):
        bits[n] = is_sweep and target == subnet
        n += 1
    for host in range(num_hosts):
        bits[n] = not is_sweep and target == host
        n += 1
    bits[n] = m.outcome == Outcome.TRUE
    bits[n + 1] = m.outcome == Outcome.FALSE and m.valid != 0
    bits[n + 2] = m.valid == 0
    return n + 3


@njit(cache=True, nogil=True)
def look_loop(memories, nets, ports, num_services, bits):
    """Write out what red sees in a batch.

    Args:
        memories: (B,) records of `red_memory_dtype`.
        nets: (1,) the network's tables.
        ports: (P,) as `port_places` gives them.
        num_services: that Impact stops.
        bits: (B, F) of any number type; overwritten.
    """
    for i in range(bits.shape[0]):
        look(memories[i], nets[0], ports, num_services, bits[i])
