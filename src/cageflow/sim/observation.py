"""What blue sees: its table, four bits of each host.

Each of the four bits is a mask of hosts in the environment's record, so that a table is four integers whatever the size
of the network. Element 4 * host + i of the observation vector is bit `host` of the i-th of them: the low and the high
bit of the activity in this step, the low and the high bit of what blue believes. Beside them the record holds the same
in the order of the vector, 16 hosts a word, ready to be written out.
"""

import numpy as np
from numba import njit

from cageflow.sim.draws import count_bits
from cageflow.sim.enums import Activity, Compromise

WORD_BITS, HOSTS_OF_WORD = 64, 16
ONE, THREE = np.uint64(1), np.uint64(3)
BELIEFS = np.uint64(0xCCCCCCCCCCCCCCCC)  # the last two bits of each host
NONE, SCAN, EXPLOIT = Activity.NONE.value, Activity.SCAN.value, Activity.EXPLOIT.value


@njit(cache=True)
def belief(seen, host):
    """What blue believes of a host, a number of `Compromise`; `seen` is any record of a table."""
    return int(seen.belief_low) >> host & 1 | (int(seen.belief_high) >> host & 1) << 1


@njit(cache=True)
def set_belief(s, host, compromise):
    """Let blue believe something of a host from now on."""
    bit = 1 << host
    s.belief_low = int(s.belief_low) & ~bit | (bit if compromise & 1 else 0)
    s.belief_high = int(s.belief_high) & ~bit | (bit if compromise & 2 else 0)
    place = place_of(host) + np.uint64(2)
    s.table[host >> 4] = s.table[host >> 4] & ~(THREE << place) | np.uint64(compromise) << place


@njit(cache=True)
def activity_of(s, params, host):
    """What blue's table makes of the connections that it saw on a host in this step.

    Several connections to several ports are a scan, several to one port or one of red's shells an exploit. A decoy
    planted in the same step stands among them as one more entry without a port.

    Quirk: D-08, that entry can turn two connections into an attack, and the official table lets it hide a scan; D-09,
    a scan and an attack in the same step look like a scan.
    Source: CybORG Agents/Wrappers/BlueTableWrapper.py, and the correction published with the CardiffUni submission.
    """
    num_connections = 0
    ports = 0
    shell_seen = False
    if s.green_scan == host:
        num_connections += int(s.green_connections)
        ports |= int(s.green_ports)
    if s.red_target == host and s.red_connections > 0:
        num_connections += int(s.red_connections)
        ports |= int(s.red_ports)
        shell_seen = s.red_shell_seen != 0
    if num_connections == 0:
        return NONE
    num_ports = count_bits(ports) + shell_seen  # the shell has a port of its own
    is_new_decoy_here = int(s.new_decoys) >> host & 1
    num_entries = num_connections + is_new_decoy_here
    if num_entries >= 3 and num_ports >= 3:
        return SCAN
    if shell_seen or (num_entries >= 3 and num_ports == 1):
        return EXPLOIT
    if params.official_table and is_new_decoy_here:
        return NONE
    return SCAN


@njit(cache=True)
def observe(s, params):
    """Update blue's table at the end of a step.

    Args:
        s: the environment; its activity and beliefs are written.
        params: `official_table` is read.
    """
    s.activity_low = 0
    s.activity_high = 0
    for i in range(s.table.shape[0]):
        s.table[i] &= BELIEFS
    if s.red_connections > 0:
        note_activity(s, params, int(s.red_target))
    if s.green_connections > 0 and not (s.red_connections > 0 and s.green_scan == s.red_target):
        note_activity(s, params, int(s.green_scan))
    if s.files_found != 0:
        for host in range(s.privileged.shape[0]):
            if int(s.files_found) >> host & 1:
                set_belief(s, host, Compromise.PRIVILEGED.value)


@njit(cache=True)
def note_activity(s, params, host):
    """Write a host's activity in the table; an exploit also makes blue believe that red has a session there."""
    activity = activity_of(s, params, host)
    if activity != NONE:
        s.activity_low |= 1 << host
    s.table[host >> 4] |= np.uint64(activity) << place_of(host)
    if activity == EXPLOIT:
        s.activity_high |= 1 << host
        set_belief(s, host, Compromise.USER.value)


@njit(cache=True)
def unpack(s, out):
    """Write an environment's table as the observation vector.

    Args:
        s: the environment.
        out: (F,) of any number type, F = 4 * hosts; overwritten.
    """
    for i in range(s.table.shape[0]):
        unpack_word(s.table[i], out[WORD_BITS * i : WORD_BITS * (i + 1)])


@njit(cache=True)
def unpack_word(word, out):
    """Write the lowest bits of a uint64, at most 64; a loop this plain is compiled to run several at once."""
    for i in range(out.shape[0]):
        out[i] = (word >> np.uint64(i)) & ONE


@njit(cache=True)
def place_of(host):
    """Where a host's four bits begin in its word of the table."""
    return np.uint64(4 * (host & HOSTS_OF_WORD - 1))
