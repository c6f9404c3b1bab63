"""What red's sessions on a host are, and how they come and go."""

from numba import njit

from cageflow.sim.reward import set_privileged
from cageflow.sim.state import SESSION_ORDER_BITS


@njit(cache=True)
def count_sessions(s, host):
    """Red's sessions on a host, of any level."""
    return int(s.removable[host]) + int(s.stubborn[host]) + int(s.privileged[host])


@njit(cache=True)
def red_hosts(s, mask):
    """Whether red holds a session on any host of a mask."""
    for host in range(s.removable.shape[0]):
        if mask >> host & 1 and count_sessions(s, host) > 0:
            return True
    return False


@njit(cache=True)
def open_ports(s, net, host):
    """Port mask of all that listens on a host, decoys included."""
    return int(net.listening[host]) | int(s.decoy_ports[host])


@njit(cache=True)
def add_user_session(s, host, is_removable):
    """Red gains a user-level session, the youngest on that host."""
    age = int(s.removable[host]) + int(s.stubborn[host])
    if is_removable:
        s.removable[host] += 1
        if age < SESSION_ORDER_BITS:
            s.session_order[host] |= 1 << age
    else:
        s.stubborn[host] += 1


@njit(cache=True)
def escalate_session(s, net, host, index):
    """The index-th oldest user-level session becomes privileged; those that red began with are the oldest.

    Red's agents never hold more than a few user-level sessions on a host without a privileged one; should there be
    more than SESSION_ORDER_BITS, a younger one counts as removable while any is.
    """
    if index < int(net.start_user[host]) - int(s.escalated_starts[host]):
        s.escalated_starts[host] += 1
    order = int(s.session_order[host])
    if index < SESSION_ORDER_BITS:
        is_removable = order >> index & 1
        older = order & ((1 << index) - 1)
        s.session_order[host] = older | (order >> (index + 1) << index)
    else:
        is_removable = s.removable[host] > 0
    if is_removable:
        s.removable[host] -= 1
    else:
        s.stubborn[host] -= 1
    set_privileged(s, net, host, int(s.privileged[host]) + 1)


@njit(cache=True)
def drop_removable_sessions(s, host):
    """Red loses the user-level sessions whose process blue has seen."""
    s.removable[host] = 0
    s.session_order[host] = 0


@njit(cache=True)
def drop_sessions(s, net, host):
    """Red loses all its sessions on a host, save those it began with, which keep the level they have reached."""
    drop_removable_sessions(s, host)
    escalated = int(s.escalated_starts[host])
    s.stubborn[host] = int(net.start_user[host]) - escalated
    set_privileged(s, net, host, int(net.start_privileged[host]) + escalated)
