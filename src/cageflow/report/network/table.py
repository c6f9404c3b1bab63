"""A network as tables in the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cageflow.report.network.facts import Facts, wall_words
from cageflow.scenario import Network


def network_tables(network: Network) -> RenderableType:
    """What the network is, its hosts by subnet, and what blue can plant."""
    facts = Facts(network)
    parts: list[RenderableType] = [Text(sentence) for sentence in facts.sentences()]
    for name in network.subnets:
        parts += [Text(), _subnet_line(network, name), _hosts(facts, name)]
    decoys = network.scenario.decoys
    if decoys:
        parts += [Text(), Text(f"Decoys: {', '.join(decoys)}.")]
    own = _own_durations(network)
    if own:
        parts += [Text(), Text(f"Steps on single hosts: {own}.")]
    return Group(*parts)


def _own_durations(network: Network) -> str:
    """Which actions take other numbers of steps on which hosts; empty where there are none."""
    hosts: dict[str, list[str]] = {}
    for name, host in network.scenario.hosts.items():
        steps = ", ".join(f"{kind} {number}" for kind, number in host.durations if number is not None)
        if steps:
            hosts.setdefault(steps, []).append(name)
    return "; ".join(f"{steps} on {', '.join(names)}" for steps, names in hosts.items())


def _subnet_line(network: Network, name: str) -> Text:
    wall = wall_words(network, name)
    return Text.assemble((name, "bold"), f", {wall}" if wall else "")


def _hosts(facts: Facts, subnet: str) -> Table:
    scenario = facts.network.scenario
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("host", "type", "system", "worth", "what works on it", "tells of"):
        table.add_column(heading, overflow="fold")
    for name, host in scenario.hosts.items():
        if host.subnet != subnet:
            continue
        notes = {scenario.red.start: " (red starts here)", scenario.red.goal: " (red's goal)"}.get(name, "")
        attacks = [
            exploit + ("" if access == "user" else " (privileged)") for exploit, access in facts.attacks[name].items()
        ]
        table.add_row(
            Text(f"{name}{notes}"),
            host.unit_type,
            host.os,
            f"{scenario.values[host.confidentiality]:g}" + _service(facts.network, name),
            Text(", ".join(attacks) or "nothing"),
            Text(", ".join(host.reveals) or "-"),
        )
    return table


def _service(network: Network, name: str) -> str:
    host = network.scenario.hosts[name]
    if host.service is None:
        return ""
    cost = 0.0 if host.availability is None else network.scenario.values[host.availability]
    return f", {host.service} {cost:g}"
