"""What only the running game knows: outcomes, blue's table, the names of the chance draws."""

from enum import IntEnum


class Outcome(IntEnum):
    """Whether an action succeeded, as CybORG's observation says; the numbers are those of the recordings."""

    FALSE = 0
    TRUE = 1
    UNKNOWN = 2


class Activity(IntEnum):
    """First two bits of a host in blue's table, low bit first."""

    NONE = 0
    SCAN = 1
    EXPLOIT = 3


class Compromise(IntEnum):
    """Last two bits of a host in blue's table, low bit first: what blue believes, not what is."""

    NO = 0
    UNKNOWN = 1
    USER = 2
    PRIVILEGED = 3


class Draw(IntEnum):
    """Every chance draw of the game; each can be forced from a recording."""

    RED_TARGET = 0  # the host that red picks among several: a host index
    EXPLOIT = 1  # the exploit that red tries: an exploit index
    DETECTION = 2  # whether blue sees a new reverse shell: 0 or 1
    SESSION = 3  # which of its sessions on a host red escalates: an index in order of age
    GREEN_SCAN = 4  # the host that green scans, NOT_DRAWN for none
    DECOY = 5  # the decoy that blue plants, where its action plants one of several: a decoy index
    DOZE = 6  # whether a sleepy red sleeps in place of a sweep: 0 or 1


class Tape(IntEnum):
    """What `forced` holds of a draw besides a value."""

    NOT_DRAWN = -1  # the recording says that this draw did not happen
    FREE = -2  # not forced: the environment's own stream decides
