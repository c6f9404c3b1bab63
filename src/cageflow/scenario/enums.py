"""The vocabulary that the network, its compiled tables and the rules share.

The numbers of `RedKind` are those of the recordings; see `docs/parity.md`.
"""

from enum import IntEnum


class RedAgent(IntEnum):
    """Who plays red: CybORG's classes, what `cageflow.sim.red_agents` makes of them, or the caller."""

    SLEEP = 0
    B_LINE = 1
    MEANDER = 2
    MIXED = 3
    GIVEN = 4  # red does what the caller wrote in `red_kind` and `red_target`
    RANDOM = 5
    SLEEPY_B_LINE = 6
    SLEEPY_MEANDER = 7
    SWITCH = 8
    LATE_B_LINE = 9


ATTACKERS = (RedAgent.B_LINE, RedAgent.MEANDER)
"""Those of which MIXED is one, and SWITCH one after the other."""


class BlueKind(IntEnum):
    """What a blue action does; `DECOY` stands for all eight."""

    SLEEP = 0
    MONITOR = 1
    ANALYSE = 2
    REMOVE = 3
    DECOY = 4
    RESTORE = 5


class RedKind(IntEnum):
    """What a red action does."""

    SLEEP = 0
    DISCOVER_REMOTE_SYSTEMS = 1
    DISCOVER_NETWORK_SERVICES = 2
    EXPLOIT_REMOTE_SERVICE = 3
    PRIVILEGE_ESCALATE = 4
    IMPACT = 5


class ExploitEffect(IntEnum):
    """What an exploit does on a host where no decoy stands in its way."""

    NO_PROCESS = 0  # nothing of the right type listens on the port: no trace at all
    FAILS = 1  # the process is there but withstands: the connections are seen
    USER = 2
    PRIVILEGED = 3


PRIVILEGED_USER: dict[str, str] = {"windows": "SYSTEM", "linux": "root"}
"""Who has all rights, by system."""
