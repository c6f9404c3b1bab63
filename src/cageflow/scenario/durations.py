"""How many steps actions take: the file's word, the published ones of CAGE Challenge 4, or numbers given by hand.

Source of `CAGE4`: `self.duration` of the actions in CybORG 4, Simulator/Actions/: AbstractActions/Analyse.py,
Remove.py, Restore.py, ExploitRemoteService.py, PrivilegeEscalate.py, Impact.py, and the aggressive scan of
DiscoverNetworkServices.py; ConcreteActions/DecoyActions/DeployDecoy.py; Action.py for a sweep, which has none of its
own.
"""

from __future__ import annotations

from cageflow.errors import UserError
from cageflow.scenario.schema import MAX_STEPS_OF_ACTION, Durations, HostDurations, Scenario

CAGE4 = Durations(analyse=2, remove=3, restore=5, decoy=2, sweep=1, scan=1, exploit=4, escalate=2, impact=2)
BLUE_KINDS = ("analyse", "remove", "restore", "decoy")
KINDS = tuple(Durations.model_fields)
FROM_FILE = "file"
NAMED = {"cage4": CAGE4, "blue-cage4": Durations(**{kind: getattr(CAGE4, kind) for kind in BLUE_KINDS})}
EXPECTED = (
    f"{FROM_FILE}, {', '.join(NAMED)}, or whole numbers from 1 to {MAX_STEPS_OF_ACTION} with commas between: "
    f"{len(BLUE_KINDS)} for {', '.join(BLUE_KINDS)}, or {len(KINDS)} with {', '.join(KINDS[len(BLUE_KINDS) :])} of red"
)


def parse_durations(text: str) -> Durations | None:
    """Durations that a user names; None where they are the file's.

    Raises:
        UserError: they are none of those in `EXPECTED`.
    """
    word = text.strip().lower() if isinstance(text, str) else ""
    if word == FROM_FILE:
        return None
    if word in NAMED:
        return NAMED[word]
    parts = [part.strip() for part in word.split(",")]
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) <= len("100")]
    is_whole = len(numbers) == len(parts) and len(numbers) in (len(BLUE_KINDS), len(KINDS))
    if not is_whole or not all(1 <= number <= MAX_STEPS_OF_ACTION for number in numbers):
        raise UserError(f"durations is {text!r}; expected {EXPECTED}.")
    return Durations(**dict(zip(KINDS, numbers, strict=False)))


def format_durations(durations: Durations) -> str:
    """Durations as `parse_durations` reads them: by their name where they have one."""
    for name, known in NAMED.items():
        if durations == known:
            return name
    numbers = [getattr(durations, kind) for kind in KINDS]
    is_of_blue = all(number == 1 for number in numbers[len(BLUE_KINDS) :])
    return ",".join(map(str, numbers[: len(BLUE_KINDS)] if is_of_blue else numbers))


def with_durations(scenario: Scenario, durations: Durations) -> Scenario:
    """The same network with these durations everywhere, on hosts too that had their own."""
    hosts = {name: host.model_copy(update={"durations": HostDurations()}) for name, host in scenario.hosts.items()}
    return scenario.model_copy(update={"durations": durations, "hosts": hosts})


def without_time(scenario: Scenario) -> Scenario:
    """The same network where each action takes one step and blue has one crew."""
    return with_durations(scenario, Durations()).model_copy(update={"crews": 1})


def words_on_durations(durations: Durations, crews: int = 1, num_own: int = 0) -> str:
    """How long actions take, as a clause.

    Args:
        durations: where a host has none of its own.
        crews: of blue.
        num_own: hosts that have their own.
    """
    numbers = [(kind, getattr(durations, kind)) for kind in KINDS]
    longer = [f"{kind} {number}" for kind, number in numbers if number > 1]
    steps = f"actions take several steps ({', '.join(longer)})" if longer else "each action takes one step"
    steps += f", other numbers on {num_own} host{'s' if num_own > 1 else ''}" if num_own else ""
    return steps if crews == 1 else f"{steps}{',' if num_own else ''} and blue has {crews} crews"


def words_on_time(scenario: Scenario) -> str:
    """How long actions take on a network, and how many crews there are, as a clause."""
    return words_on_durations(scenario.durations, scenario.crews, _num_own(scenario))


def takes_time(scenario: Scenario) -> bool:
    """Whether any action takes more than a step, or blue has more than one crew."""
    return scenario.durations != Durations() or scenario.crews > 1 or _num_own(scenario) > 0


def _num_own(scenario: Scenario) -> int:
    """Hosts on which some action takes another number of steps than elsewhere."""
    usual = scenario.durations
    return sum(
        any(steps not in (None, getattr(usual, kind)) for kind, steps in host.durations)
        for host in scenario.hosts.values()
    )


def steps_of(scenario: Scenario, kind: str, host: str | None = None) -> int:
    """Steps that an action of a kind takes, on a host where it has one."""
    own = None if host is None else getattr(scenario.hosts[host].durations, kind)
    steps: int = getattr(scenario.durations, kind) if own is None else own
    return steps
