"""The corrected observation: blue's table as CybORG's raw observations tell it.

CybORG's own table misreads a step in which a decoy is planted and a connection is seen on one host: where the first
process entry names a service, as that of a fresh decoy does, a single scan goes unseen. The corrected table asks only
whether the last entry has a connection. Nothing else differs between the two.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.sim.enums import Activity, Compromise

REVERSE_SHELL_PORT = 4444
MALWARE_DENSITY = 0.9
MANY = 3  # this many connections at once make a scan, or a password guess, depending on the ports

RawObservation = Mapping[str, Any]


class BlueTable:
    """Blue's memory over one episode; H hosts.

    Args:
        hosts: (H,) names in table order.
        first_observation: the raw observation of the reset; what it shows is normal.
    """

    def __init__(self, hosts: Sequence[str], first_observation: RawObservation) -> None:
        self._hosts = tuple(hosts)
        self._normal = first_observation
        self._compromise = dict.fromkeys(self._hosts, Compromise.NO)
        self._activity = dict.fromkeys(self._hosts, Activity.NONE)

    def update(self, observation: RawObservation, removed: str | None = None, restored: str | None = None) -> None:
        """Take in one step.

        Args:
            observation: CybORG's raw observation after the step.
            removed: host of blue's Remove in this step, whether it succeeded or not.
            restored: host of blue's Restore in this step, likewise.
        """
        if restored is not None:
            self._compromise[restored] = Compromise.NO
        if removed is not None and self._compromise[removed] is not Compromise.NO:
            self._compromise[removed] = Compromise.UNKNOWN
        self._activity = dict.fromkeys(self._hosts, Activity.NONE)
        for host in self._hosts:
            if host not in observation:
                continue
            activity = _activity(self._unusual(observation, host, "Processes"))
            self._activity[host] = activity
            if activity is Activity.EXPLOIT:
                self._compromise[host] = Compromise.USER
            if any(file["Density"] >= MALWARE_DENSITY for file in self._unusual(observation, host, "Files")):
                self._compromise[host] = Compromise.PRIVILEGED

    def vector(self) -> npt.NDArray[np.float32]:
        """(4 H,) float32: of each host two bits of activity, then two of compromise."""
        rows = [(*_bits(self._activity[host]), *_bits(self._compromise[host])) for host in self._hosts]
        return np.array(rows, np.float32).reshape(-1)

    def _unusual(self, observation: RawObservation, host: str, kind: str) -> list[Mapping[str, Any]]:
        normal = self._normal[host].get(kind, [])
        return [entry for entry in observation[host].get(kind, []) if entry not in normal]


def _activity(processes: Sequence[Mapping[str, Any]]) -> Activity:
    """Tell a scan from an exploit by the ports of the first connection of each unusual process entry."""
    if not processes or "Connections" not in processes[-1]:
        return Activity.NONE
    connections = [entry["Connections"][0] for entry in processes if "Connections" in entry]
    local_ports = {connection["local_port"] for connection in connections}
    many = len(processes) >= MANY
    if many and len(local_ports) >= MANY:
        return Activity.SCAN
    if any(connection.get("remote_port") == REVERSE_SHELL_PORT for connection in connections):
        return Activity.EXPLOIT
    if many and len(local_ports) == 1:
        return Activity.EXPLOIT
    return Activity.SCAN


def _bits(value: int) -> tuple[int, int]:
    """The two bits of what blue sees or believes, low bit first."""
    return value & 1, value >> 1
