"""What red can reach and get into, told from the file: for the compiled tables and for the way of B_lineAgent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cageflow.scenario.enums import PRIVILEGED_USER, ExploitEffect

if TYPE_CHECKING:  # the schema asks what is said here
    from cageflow.scenario.schema import Exploit, Host, Scenario


def guards_of(scenario: Scenario, subnet: str, origin: str) -> list[str] | None:
    """The hosts of which red must hold one for traffic from a subnet to get into another.

    Returns:
        None where nothing is asked, no host at all where nothing helps.
    """
    wall = scenario.subnets[subnet]
    if origin in wall.closed_to:
        return []
    against = wall.guards_against
    is_guarded = origin != subnet if against is None else origin in against
    return wall.guarded_by if wall.guarded_by and is_guarded else None


def is_entered(host: Host, exploits: Iterable[Exploit]) -> bool:
    """Whether some exploit that red thinks of after a scan of what listens there gets in."""
    ports = {port for process in host.processes for port in process.ports}
    tried = (exploit for exploit in exploits if is_option(exploit, ports))
    return any(effect_of(host, one, lost=()) in (ExploitEffect.USER, ExploitEffect.PRIVILEGED) for one in tried)


def is_option(exploit: Exploit, ports: set[int]) -> bool:
    """Whether red thinks of an exploit where it has seen these ports open."""
    return set(exploit.scan_all) <= ports and (not exploit.scan_any or bool(set(exploit.scan_any) & ports))


def effect_of(host: Host, exploit: Exploit, lost: Iterable[str]) -> ExploitEffect:
    """What the exploit does on the host's own processes, `lost` properties gone."""
    for process in host.processes:
        if process.type != exploit.type or exploit.port not in process.ports:
            continue
        if exploit.technique == "ssh":
            user = host.brute_forceable
        else:
            has_property = exploit.property is None or exploit.property in set(process.properties) - set(lost)
            user = process.user if has_property and exploit.os in (None, host.os) else None
        if user is None:
            return ExploitEffect.FAILS
        return ExploitEffect.PRIVILEGED if user == PRIVILEGED_USER[host.os] else ExploitEffect.USER
    return ExploitEffect.NO_PROCESS
