"""From a scenario file of the original to a network of ours; what ours cannot say is refused with the place.

The original's scripted attackers know some hosts by name: B_lineAgent begins on `User0`, both are after `Op_Server0`,
a subnet that an access list closes opens with a session on a host with `Enterprise` in its name, and RedMeanderAgent
retreats from hosts with `Op`, else from hosts with `Ent` in theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cageflow.errors import UserError
from cageflow.scenario.cyborg.images import SERVICE, Image, Images
from cageflow.scenario.cyborg.scenario_file import CyborgScenario, Host, Insight, Session
from cageflow.scenario.names import Place
from cageflow.scenario.network import default_network
from cageflow.scenario.schema import PRIVILEGED_USER, Scenario
from cageflow.scenario.writing import checked_network
from cageflow.scenario.yaml_file import YamlFile

START, GOAL, GUARD, RETREATS = "User0", "Op_Server0", "Enterprise", ("Op", "Ent")
GREEN_TARGETS = tuple(f"User{i}" for i in range(5)) + tuple(f"Enterprise{i}" for i in range(3))
PLAYERS = ("Blue", "Green", "Red")
REWARD = "HybridAvailabilityConfidentiality"
RED_ACTIONS = (
    "DiscoverRemoteSystems",
    "DiscoverNetworkServices",
    "ExploitRemoteService",
    "PrivilegeEscalate",
    "Impact",
)

Refusals = Iterator[tuple[Place, str]]


def import_scenario(
    path: Path, name: str | None = None, images: Images | None = None, types: Mapping[str, str] | None = None
) -> Scenario:
    """Read a scenario file of the original as a network of ours.

    Args:
        path: the file.
        name: of the network; None is that of the file without its ending.
        images: where images are found; None knows the usual ones.
        types: unit types of hosts, where they are not to follow from the hosts' names.

    Raises:
        UserError: the file is no scenario file, or says what cannot be expressed; with the line, the place and the
            reason.
    """
    file = YamlFile.read(path, str(path), ["Agents", "Hosts", "Subnets"])
    return import_file(file, name or path.stem, images, types)


def import_text(text: str, name: str) -> Scenario:
    """Likewise from the text of such a file, with the usual images and types."""
    return import_file(YamlFile.parse(text, name, ["Agents", "Hosts", "Subnets"]), name)


def is_cyborg_file(file: YamlFile) -> bool:
    """Whether a file looks like one of the original's."""
    return "Agents" in file.content


def import_file(
    file: YamlFile, name: str, images: Images | None = None, types: Mapping[str, str] | None = None
) -> Scenario:
    """Likewise from a file that has been read."""
    scenario = file.validate(CyborgScenario)
    images = images or Images()
    for place, fault in _refusals(scenario, [str(player) for player in file.content["Agents"]]):
        raise file.refusal(place, fault)
    found = {}
    for host, entry in scenario.hosts.items():
        try:
            found[host] = images.find(entry.image)
        except LookupError as error:
            raise file.refusal(("Hosts", host, "image"), str(error)) from None
    reader = _Reader(file.name, scenario, found)
    for place, fault in reader.refusals():
        raise file.refusal(place, fault)
    return reader.network(name, types or {})


def unit_type_of(host: str) -> str:
    """The unit type that a host's name tells: `Op_Server0` is an op_server."""
    return re.sub(r"[\d_\- ]+$", "", host).lower() or host.lower()


def _refusals(scenario: CyborgScenario, players: list[str]) -> Refusals:
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
    expected = ["Sleep", "Monitor", "Analyse", "Remove", *[name for name in decoys if name in blue.actions], "Restore"]
    if blue.actions != expected:
        known = ", ".join(["Sleep", "Monitor", "Analyse", "Remove", *decoys, "Restore"])
        yield (*place, "actions"), f"expected {known} in this order; decoys may be missing"
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


@dataclass
class _Reader:
    """A scenario file with its images, and what follows from both."""

    name: str
    scenario: CyborgScenario
    images: Mapping[str, Image]

    @property
    def home(self) -> dict[str, str]:
        """The subnet of each host."""
        return {host: name for name, subnet in self.scenario.subnets.items() for host in subnet.hosts}

    @property
    def start(self) -> Session:
        """The session that all of red's actions run from."""
        return self.scenario.agents.red.sessions[0]

    @property
    def origin(self) -> str:
        """The subnet that red starts in."""
        return self.home[self.start.hostname]

    def refusals(self) -> Refusals:
        """What depends on the images, or on where red starts."""
        yield from self._unfit_red()
        yield from self._unfit_hosts()
        for name, subnet in self.scenario.subnets.items():
            is_closed = self._traffic(name) != "all" and not (self._traffic(name) == "None" and self._guards())
            if is_closed:
                why = f"{self.origin}, where red starts, never reaches it, and that cannot be expressed"
                yield ("Subnets", name, "NACLs"), why
            if name == self.origin and self._traffic(name) != "all":
                yield ("Subnets", name, "NACLs"), "expected red to reach the subnet that it starts in"
            if not subnet.hosts:
                yield ("Subnets", name, "Hosts"), "expected a host at least"

    def _unfit_red(self) -> Refusals:
        red, place = self.scenario.agents.red, ("Agents", "Red")
        sessions = (*place, "starting_sessions")
        if len(red.sessions) != 1:
            yield sessions, f"expected one, got {len(red.sessions)}"
            return
        host = self.start.hostname
        if self.start.type != "RedAbstractSession" or self.start.parent is not None:
            yield (*sessions, 0), "expected a RedAbstractSession without a parent: red's actions run from no other"
        privileged = PRIVILEGED_USER[self.images[host].os]
        if self.start.username != privileged:
            yield (*sessions, 0, "username"), f"expected {privileged}: the original cannot escalate its first session"
        if any(word in host for word in RETREATS):
            yield (
                (*sessions, 0, "hostname"),
                f"expected a host without Op and Ent in its name, got {host}: from those"
                " RedMeanderAgent retreats, and the original breaks down where it never exploited one",
            )
        known = red.knowledge.hosts
        whole = Insight(interfaces="All", system="All")
        if list(known) != [host] or known[host].model_copy(update={"users": None}) != whole:
            yield (*place, "INT", "Hosts"), f"expected Interfaces and System info of {host}, where red starts, alone"
        if GOAL not in self.scenario.hosts:
            yield ("Hosts",), f"expected a host {GOAL}: both attackers are after it by that name"

    def _unfit_hosts(self) -> Refusals:
        named = {other for name, host in self.scenario.hosts.items() for other in host.info if other != name}
        for name, host in self.scenario.hosts.items():
            place = ("Hosts", name)
            has_service, shows = self.images[name].service is not None, bool(_own(name, host).services)
            if has_service != shows:
                fault = f"expected the {SERVICE} of the image in `info`" if has_service else f"it has no {SERVICE}"
                yield (*place, "info"), fault
            if name == GOAL and not has_service:
                yield (*place, "image"), f"expected one with the {SERVICE}, which both attackers stop there"
            for user in {process.user for process in self.images[name].processes} & set(PRIVILEGED_USER.values()):
                if user != PRIVILEGED_USER[self.images[name].os]:
                    yield (*place, "image"), f"{user} on a {self.images[name].os} host cannot be expressed"
            revealed = {self.home[other] for other, insight in host.info.items() if insight.interfaces == "All"}
            for subnet in sorted(revealed - {self.home[name], self.origin}):
                yield (*place, "info"), f"it reveals the subnet {subnet} without a sweep, which cannot be expressed"
            if not revealed & {self.home[name]} and self.home[name] != self.origin and name in named:
                fault = f"expected `{name}: Interfaces: All`: a host that hides its own subnet cannot be expressed"
                yield (*place, "info"), fault

    def _guards(self) -> list[str]:
        return [host for host in self.scenario.hosts if GUARD in host]

    def _traffic(self, subnet: str) -> str | None:
        """What the access lists of a subnet let in from where red starts: `all`, `None` or nothing at all (None)."""
        lists = self.scenario.subnets[subnet].access_lists
        rule = lists.get(self.origin, lists.get("all"))
        return None if rule is None else rule.incoming

    def network(self, name: str, types: Mapping[str, str]) -> Scenario:
        """The network of ours that plays as the file does in the original.

        Raises:
            UserError: `types` names an unknown host, or the network is none that can be played.
        """
        for host in types:
            if host not in self.scenario.hosts:
                raise UserError(f"--types names {host}: expected a host among {', '.join(self.scenario.hosts)}")
        rules = default_network().scenario  # the original's exploits, decoys and chances are the same on every network
        properties = {it for image in self.images.values() for process in image.processes for it in process.properties}
        in_order = dict.fromkeys(self.home[host] for host in self.scenario.hosts)
        type_of = {host: types.get(host, unit_type_of(host)) for host in self.scenario.hosts}
        in_use, usual = list(dict.fromkeys(type_of.values())), rules.unit_types
        targets = [host for host in GREEN_TARGETS if host in self.scenario.hosts]
        content = rules.model_dump(exclude_defaults=True) | {
            "name": name,
            "subnets": {
                subnet: {"guarded_by": self._guards()} if self._traffic(subnet) == "None" else {} for subnet in in_order
            },
            "lost_on_restore": [it for it in rules.lost_on_restore if it in properties],
            "unit_types": usual if set(in_use) <= set(usual) else in_use,
            "workflows": rules.workflows if set(in_use) == set(usual) else {},
            "hosts": {host: self._host(host, unit_type) for host, unit_type in type_of.items()},
            "decoys": {
                decoy: content.model_dump(exclude_defaults=True)
                for decoy, content in rules.decoys.items()
                if decoy in self.scenario.agents.blue.actions
            },
            "red": self._red(),
            "green_hosts": targets,
            # Of the names that it draws from, one that is no host makes the original's green agent do nothing.
            "green_probability": rules.green_probability * len(targets) / len(GREEN_TARGETS),
        }
        return checked_network(content, f"{self.name}, as a network of ours")

    def _host(self, name: str, unit_type: str) -> dict[str, object]:
        host, image = self.scenario.hosts[name], self.images[name]
        content = image.model_dump(exclude_defaults=True) | {
            "subnet": self.home[name],
            "unit_type": unit_type,
            "confidentiality": host.confidentiality.lower(),
            "reveals": self._reveals(name),
        }
        return content | ({"availability": host.availability.lower()} if image.service is not None else {})

    def _red(self) -> dict[str, object]:
        hosts = list(self.scenario.hosts)
        groups = [[host for host in hosts if word in host] for word in RETREATS]
        content = {
            "start": self.start.hostname,
            "goal": GOAL,
            "b_line": self._b_line(),
            "meander_retreats": [group for group in groups if group],
        }
        return {key: value for key, value in content.items() if value is not None}

    def _b_line(self) -> list[dict[str, object]] | None:
        """The way of the original's B_lineAgent; None where it breaks down on its way.

        It knows its hosts by name and by place: a neighbour of its first host, the first host of the file with
        `Enterprise` in its name that this one reveals, the third of that one's subnet, and the goal.
        """
        stones = [host for host in self.scenario.hosts if GUARD in host]
        home = self.scenario.subnets[self.origin].hosts
        firsts = [host for host in self.scenario.hosts if host in home and host != self.start.hostname]
        seconds = [next((stone for stone in stones if stone in self._reveals(host)), None) for host in firsts]
        relays = []
        for second in seconds:
            swept = [] if second is None else self.scenario.subnets[self.home[second]].hosts
            if len(swept) < 3 or GOAL not in self._reveals(swept[2]):
                return None
            relays.append(swept[2])
        if self.start.hostname != START or not firsts:
            return None
        return [
            {"to": firsts, "by": "sweep"},
            {"to": stones, "by": "reveal"},
            {"to": list(dict.fromkeys(relays)), "by": "sweep"},
            {"to": [GOAL], "by": "reveal"},
        ]

    def _reveals(self, name: str) -> list[str]:
        """The hosts whose address a host's information tells."""
        info = self.scenario.hosts[name].info
        return [
            other
            for other in self.scenario.hosts
            if other != name and other in info and info[other].interfaces is not None
        ]


def _own(name: str, host: Host) -> Insight:
    """What a host's information says of itself."""
    return host.info.get(name, Insight())
