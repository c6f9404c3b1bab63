"""What blue sees: its table, four bits of each host.

Each of the four bits is a mask of hosts in the environment's record, so that a table is four integers whatever the size
of the network. Element 4 * host + i of the observation vector is bit `host` of the i-th of them: the low and the high
bit of the activity in this step, the low and the high bit of what blue believes.
"""

import numpy as np
from numba import njit

from cageflow.sim.draws import count_bits
from cageflow.sim.enums import Activity, Compromise

WORD_BITS = 64
ONE, TWO = np.uint64(1), np.uint64(2)
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
    if s.red_connections > 0:
        note_activity(s, params, int(s.red_target))
    if s.green_connections > 0 and not (s.red_connections > 0 and s.green_scan == s.red_target):
        note_activity(s, params, int(s.green_scan))
    s.belief_low |= s.files_found  # both bits make PRIVILEGED
    s.belief_high |= s.files_found


@njit(cache=True)
def note_activity(s, params, host):
    """Write a host's activity in the table; an exploit also makes blue believe that red has a session there."""
    activity = activity_of(s, params, host)
    if activity != NONE:
        s.activity_low |= 1 << host
    if activity == EXPLOIT:
        s.activity_high |= 1 << host
        set_belief(s, host, Compromise.USER.value)


SPREAD = np.array([sum((byte >> i & 1) << 4 * i for i in range(8)) for byte in range(256)], np.uint64)
"""(256,) the bits of a byte with three zeros between one and the next."""
BYTE, HALF = np.uint64(0xFF), np.uint64(32)


@njit(cache=True)
def spread(mask):
    """The lowest 16 bits of a mask, three zeros between one and the next, as uint64."""
    bits = np.uint64(mask)
    return SPREAD[bits & BYTE] | SPREAD[bits >> np.uint64(8) & BYTE] << HALF


@njit(cache=True)
def unpack(seen, out):
    """Write a table as the observation vector, 16 hosts at a time.

    Args:
        seen: any record of a table, the environment or what blue remembers.
        out: (F,) of any number type, F = 4 * hosts; overwritten.
    """
    activity_low, activity_high = int(seen.activity_low), int(seen.activity_high)
    belief_low, belief_high = int(seen.belief_low), int(seen.belief_high)
    if out.shape[0] <= WORD_BITS:  # one word, whose bits compilers write with a few wide instructions
        word = spread(activity_low) | spread(activity_high) << ONE
        word |= (spread(belief_low) | spread(belief_high) << ONE) << TWO
        for i in range(out.shape[0]):
            out[i] = (word >> np.uint64(i)) & ONE
        return
    for host in range(out.shape[0] >> 2):
        out[4 * host] = activity_low >> host & 1
        out[4 * host + 1] = activity_high >> host & 1
        out[4 * host + 2] = belief_low >> host & 1
        out[4 * host + 3] = belief_high >> host & 1


@njit(cache=True)
def spread(mask):
    """A mask of at most 16 hosts as a uint64, bit i at place 4 * i."""
    word = np.uint64(mask & 0xFFFF)
    word = (word | word << np.uint64(24)) & np.uint64(0x000000FF000000FF)
    word = (word | word << np.uint64(12)) & np.uint64(0x000F000F000F000F)
    word = (word | word << np.uint64(6)) & np.uint64(0x0303030303030303)
    return (word | word << np.uint64(3)) & np.uint64(0x1111111111111111)
