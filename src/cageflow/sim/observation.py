"""What blue sees: its table of 13 hosts, four bits each, packed into one 64-bit key.

Bit 4 * host + i of the key is element 4 * host + i of the observation vector.
"""

import numpy as np
from numba import njit

from cageflow.sim.draws import count_bits
from cageflow.sim.enums import Activity, Compromise

NONE, SCAN, EXPLOIT = Activity.NONE.value, Activity.SCAN.value, Activity.EXPLOIT.value


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
    num_entries = num_connections + (s.new_decoy == host)
    if num_entries >= 3 and num_ports >= 3:
        return SCAN
    if shell_seen or (num_entries >= 3 and num_ports == 1):
        return EXPLOIT
    if params.official_table and s.new_decoy == host:
        return NONE
    return SCAN


@njit(cache=True)
def observe(s, params):
    """Update blue's table at the end of a step and pack it.

    Args:
        s: the environment; `s.compromise` is written.
        params: `official_table` is read.

    Returns:
        uint64 key of the observation.
    """
    key = np.uint64(0)
    for host in range(s.compromise.shape[0]):
        key |= np.uint64(s.compromise[host]) << np.uint64(4 * host + 2)
    if s.red_connections > 0:
        key = note_activity(s, params, key, int(s.red_target))
    if s.green_connections > 0 and not (s.red_connections > 0 and s.green_scan == s.red_target):
        key = note_activity(s, params, key, int(s.green_scan))
    if s.files_found >= 0:
        s.compromise[s.files_found] = Compromise.PRIVILEGED
        key |= np.uint64(Compromise.PRIVILEGED) << np.uint64(4 * int(s.files_found) + 2)
    return key


@njit(cache=True)
def note_activity(s, params, key, host):
    """Write a host's activity in the key; an exploit also makes blue believe that red has a session there."""
    activity = activity_of(s, params, host)
    if activity == EXPLOIT:
        s.compromise[host] = Compromise.USER
        key &= ~(np.uint64(3) << np.uint64(4 * host + 2))
        key |= np.uint64(Compromise.USER) << np.uint64(4 * host + 2)
    return key | (np.uint64(activity) << np.uint64(4 * host))


@njit(cache=True)
def unpack(key, out):
    """Write the bits of a key.

    Args:
        key: uint64.
        out: (F,) of any number type, F = 4 * hosts; overwritten.
    """
    for i in range(out.shape[0]):
        out[i] = (key >> np.uint64(i)) & np.uint64(1)
