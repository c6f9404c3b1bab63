"""What a scenario file of the original may say that no network of ours can, whatever its images are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cageflow.scenario.cyborg.images import SERVICE
from cageflow.scenario.cyborg.scenario_file import CyborgScenario, Insight
from cageflow.scenario.names import Place
from cageflow.scenario.network import default_network

PLAYERS = ("Blue", "Green", "Red")
MISINFORM = "Misinform"
REWARD = "HybridAvailabilityConfidentiality"
RED_ACTIONS = (
    "DiscoverRemoteSystems",
    "DiscoverNetworkServices",
    "ExploitRemoteService",
    "PrivilegeEscalate",
    "Impact",
)

Refusals = Iterator[tuple[Place, str]]


def refusals(scenario: CyborgScenario, players: list[str]) -> Refusals:
    """What does not depend on the images."""
    if tuple(players) != PLAYERS:
        yield ("Agents",), f"expected {', '.join(PLAYERS)} in this order, in which they act, got {', '.join(players)}"
    for host in scenario.hosts:
        if not re.fullmatch(r"\S+", host):
            yield ("Hosts", host), "expected a name without blanks"
    yield from _unfit_subnets(scenario)
    yield from _unfit_references(scenario)
    yield from _unfit_players(scenario)
    yield from _unfit_blue(scenario)


def _unfit_subnets(scenario: CyborgScenario) -> Refusals:
    homes: dict[str, str] = {}
    largest = max((subnet.size for subnet in scenario.subnets.values()), default=0)
    for name, subnet in scenario.subnets.items():
        place = ("Subnets", name)
        for host in subnet.hosts:
            if host not in scenario.hosts:
                yield (*place, "Hosts"), f"expected a host among {', '.join(scenario.hosts)}, got {host}"
            elif host in homes:
                yield (*place, "Hosts"), f"{host} is in {homes[host]} already, and a host in two subnets cannot be said"
            homes[host] = name
        if len(subnet.hosts) > addresses(subnet.size):
            fault = (
                f"expected room for {len(subnet.hosts)} hosts: a size of {subnet.size} gives {addresses(subnet.size)}"
            )
            yield (*place, "Size"), f"{fault} addresses, and the original does not begin"
        for source in subnet.access_lists:
            if source != "all" and source not in scenario.subnets:
                yield (*place, "NACLs", source), f"expected all or a subnet among {', '.join(scenario.subnets)}"
        if "all" in subnet.access_lists and subnet.access_lists["all"].incoming == "None":
            yield (*place, "NACLs", "all"), "expected `in: all`: on another the original breaks down"
    if len(scenario.subnets) > 2**16 // block(largest):
        yield ("Subnets",), f"{len(scenario.subnets)} subnets of size {largest} do not fit into the original's block"
    for host in scenario.hosts:
        if host not in homes:
            yield ("Hosts", host), "expected the host in one of the Subnets"


def block(size: int) -> int:
    """Addresses of the block that the original makes of a subnet's `Size`."""
    return int(2 ** max((size + 5).bit_length() - 1, 4))


def addresses(size: int) -> int:
    """How many hosts that block has room for."""
    return block(size) - 2


def _unfit_references(scenario: CyborgScenario) -> Refusals:
    for name, host in scenario.hosts.items():
        for other, insight in host.info.items():
            place = ("Hosts", name, "info", other)
            if other not in scenario.hosts:
                yield place, f"expected a host among {', '.join(scenario.hosts)}"
            if other != name and insight.system is not None:
                yield place, "a host's name without a session on it cannot be expressed: expected no `System info`"
            if insight.services and (other != name or set(insight.services) != {SERVICE}):
                yield (*place, "Services"), f"expected nothing but {SERVICE}, on the host that has it"


def _unfit_players(scenario: CyborgScenario) -> Refusals:
    players = {"Blue": scenario.agents.blue, "Green": scenario.agents.green, "Red": scenario.agents.red}
    for name, agent in players.items():
        place = ("Agents", name)
        hidden = [subnet for subnet in scenario.subnets if subnet not in agent.allowed_subnets]
        strange = [subnet for subnet in agent.allowed_subnets if subnet not in scenario.subnets]
        if hidden or strange:
            what = f"without {hidden[0]}" if hidden else f"with {strange[0]}"
            yield (*place, "AllowedSubnets"), f"expected every subnet and no other, got them {what}"
        if agent.wrappers not in ([], ["None"]):
            yield (*place, "wrappers"), "expected none"
        for i, session in enumerate(agent.sessions):
            if session.hostname not in scenario.hosts:
                yield (*place, "starting_sessions", i, "hostname"), f"there is no host {session.hostname}"
        for host in agent.knowledge.hosts:
            if host not in scenario.hosts:
                yield (*place, "INT", "Hosts", host), "there is no such host"
    red = scenario.agents.red
    for action in RED_ACTIONS:
        if action not in red.actions:
            yield ("Agents", "Red", "actions"), f"expected {action} among them, which both attackers take"
    if "GreenPortScan" not in scenario.agents.green.actions:
        yield ("Agents", "Green", "actions"), "expected GreenPortScan among them"


def _unfit_blue(scenario: CyborgScenario) -> Refusals:
    blue, place = scenario.agents.blue, ("Agents", "Blue")
    if blue.reward != REWARD or blue.adversary != "Red":
        yield (*place, "reward_calculator_type"), f"expected {REWARD} with Red as the adversary"
    decoys = list(default_network().scenario.decoys)
    planted = [action for action in decoys if action in blue.actions] or [MISINFORM]
    if blue.actions not in (["Sleep", "Monitor", "Analyse", "Remove", *some, "Restore"] for some in (planted, [])):
        known = ", ".join(["Sleep", "Monitor", "Analyse", "Remove", *decoys, "Restore"])
        yield (
            (*place, "actions"),
            f"expected {known} in this order; decoys may be missing, or {MISINFORM} stands for all",
        )
    for host in scenario.hosts:
        insight = blue.knowledge.hosts.get(host, Insight())
        if insight.interfaces != "All" or insight.system != "All":
            yield (
                (*place, "INT", "Hosts", host),
                "expected all Interfaces and System info: blue's table knows each host",
            )
    servers = [session for session in blue.sessions if session.parent is None]
    sessions = (*place, "starting_sessions")
    if len(servers) != 1 or servers[0].type != "VelociraptorServer" or servers[0].name is None:
        yield sessions, "expected one session without a parent, a VelociraptorServer with a name"
        return
    if "NetworkConnections" not in servers[0].artifacts:
        yield (*sessions, blue.sessions.index(servers[0]), "artifacts"), "expected NetworkConnections among them"
    watched = {session.hostname for session in blue.sessions if session.parent == servers[0].name}
    for host in scenario.hosts:
        if host not in watched:
            yield sessions, f"expected one on {host} with {servers[0].name} as its parent: blue defends every host"
    for i, session in enumerate(blue.sessions):
        if session.parent not in (None, servers[0].name):
            yield (*sessions, i, "parent"), f"expected {servers[0].name}"
