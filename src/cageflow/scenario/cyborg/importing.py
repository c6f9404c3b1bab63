"""From a scenario file of the original to a network of ours; what ours cannot say is refused with the place.

The original's scripted attackers know some hosts by name: B_lineAgent begins on `User0`, both are after `Op_Server0`,
a subnet that an access list closes opens with a session on a host with `Enterprise` in its name, and RedMeanderAgent
retreats from hosts with `Op`, else from hosts with `Ent` in theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cageflow.errors import UserError
from cageflow.scenario.cyborg.images import SERVICE, Image, Images, misinform_decoys
from cageflow.scenario.cyborg.refusals import MISINFORM, Refusals, refusals
from cageflow.scenario.cyborg.scenario_file import CyborgScenario, Host, Insight, Session
from cageflow.scenario.enums import PRIVILEGED_USER
from cageflow.scenario.network import default_network
from cageflow.scenario.reach import is_entered
from cageflow.scenario.schema import MAX_UNIT_TYPES, Decoy, Scenario
from cageflow.scenario.schema import Host as SchemaHost
from cageflow.scenario.writing import checked_network
from cageflow.scenario.yaml_file import YamlFile

START, GOAL, GUARD, RETREATS = "User0", "Op_Server0", "Enterprise", ("Op", "Ent")
SERVER_SESSION = "RedAbstractSession"
WHOLE = Insight(interfaces="All", system="All")
GREEN_TARGETS = tuple(f"User{i}" for i in range(5)) + tuple(f"Enterprise{i}" for i in range(3))


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
    for place, fault in refusals(scenario, [str(player) for player in file.content["Agents"]]):
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


def ranking(types: Iterable[str]) -> dict[str, object]:
    """What a network file says of unit types: CAGE-2's, with its named orders, where no host is of another type.

    Args:
        types: of the hosts, in their order.
    """
    usual, in_use = default_network().scenario, list(dict.fromkeys(types))
    is_usual = set(in_use) <= set(usual.unit_types)
    return {
        "unit_types": usual.unit_types if is_usual else in_use,
        "workflows": usual.workflows if is_usual and len(in_use) == len(usual.unit_types) else {},
    }


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
            if not subnet.hosts:
                yield ("Subnets", name, "Hosts"), "expected a host at least"

    def _unfit_red(self) -> Refusals:
        red, place = self.scenario.agents.red, ("Agents", "Red")
        known, sessions = red.knowledge.hosts, (*place, "starting_sessions")
        if not red.sessions:
            yield sessions, "expected one at least, got 0"
            return
        if self.start.type != SERVER_SESSION or self.start.parent is not None:
            yield (*sessions, 0), f"expected a {SERVER_SESSION} without a parent: red's actions run from no other"
        for i, session in enumerate(red.sessions):
            if i and session.type == SERVER_SESSION:
                yield (*sessions, i, "type"), f"expected another type than {SERVER_SESSION}, which only the first has"
            privileged = PRIVILEGED_USER[self.images[session.hostname].os]
            if session.username != privileged:
                fault = f"expected {privileged}: the original cannot escalate a session that red begins with"
                yield (*sessions, i, "username"), fault
            if session.hostname in known and any(word in session.hostname for word in RETREATS):
                fault = f"expected a host without Op and Ent in its name, got {session.hostname}: from those"
                why = "RedMeanderAgent retreats, and the original breaks down where it never exploited one"
                yield (*sessions, i, "hostname"), f"{fault} {why}"
        for host, insight in known.items():
            if insight.model_copy(update={"users": None}) != WHOLE:
                yield (*place, "INT", "Hosts", host), "expected Interfaces and System info, both All"
        if self.start.hostname not in known:
            yield (*place, "INT", "Hosts"), f"expected {self.start.hostname}, where red starts"

    def _unfit_hosts(self) -> Refusals:
        for name, host in self.scenario.hosts.items():
            place = ("Hosts", name)
            has_service, shows = self.images[name].service is not None, bool(_own(name, host).services)
            if shows and not has_service:
                yield (*place, "info"), f"it has no {SERVICE}"
            if name == GOAL and not has_service:
                yield (*place, "image"), f"expected one with the {SERVICE}, which both attackers stop there"
            for user in {process.user for process in self.images[name].processes} & set(PRIVILEGED_USER.values()):
                if user != PRIVILEGED_USER[self.images[name].os]:
                    yield (*place, "image"), f"{user} on a {self.images[name].os} host cannot be expressed"
            for subnet in sorted(self._revealed_subnets(name) - {self.home[name], self.origin}):
                yield (*place, "info"), f"it reveals the subnet {subnet} without a sweep, which cannot be expressed"

    def _revealed_subnets(self, name: str) -> set[str]:
        info = self.scenario.hosts[name].info
        return {self.home[other] for other, insight in info.items() if insight.interfaces == "All"}

    def _hides_subnet(self, name: str) -> bool:
        """Whether red may come to hold a host and not learn of its subnet; not where only a sweep finds the host."""
        is_named = any(name in host.info for other, host in self.scenario.hosts.items() if other != name)
        known = [self.home[host] for host in self.scenario.agents.red.knowledge.hosts]
        return is_named and self.home[name] not in {*known, *self._revealed_subnets(name)}

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
        in_use = dict.fromkeys(type_of.values())
        if not 2 <= len(in_use) <= MAX_UNIT_TYPES:
            found = f"the names of its hosts give {len(in_use)}: {', '.join(in_use)}"
            raise UserError(
                f"{self.name}: expected 2 to {MAX_UNIT_TYPES} unit types, {found}; --types gives them others"
            )
        targets = [host for host in GREEN_TARGETS if host in self.scenario.hosts]
        content = rules.model_dump(exclude_defaults=True) | {
            "name": name,
            "subnets": {subnet: self._wall(subnet) for subnet in in_order},
            "lost_on_restore": [it for it in rules.lost_on_restore if it in properties],
            **ranking(type_of.values()),
            "hosts": {host: self._host(host, unit_type) for host, unit_type in type_of.items()},
            "decoys": {name: decoy.model_dump(exclude_defaults=True) for name, decoy in self._decoys().items()},
            "red": self._red(),
            "green_hosts": targets,
            # Of the names that it draws from, one that is no host makes the original's green agent do nothing.
            "green_probability": rules.green_probability * len(targets) / len(GREEN_TARGETS),
        }
        return checked_network(content, f"{self.name}, as a network of ours")

    def _decoys(self) -> Mapping[str, Decoy]:
        """Those that blue can plant."""
        actions = self.scenario.agents.blue.actions
        if MISINFORM in actions:
            return misinform_decoys()
        return {name: decoy for name, decoy in default_network().scenario.decoys.items() if name in actions}

    def _wall(self, subnet: str) -> dict[str, object]:
        """What the firewall of a subnet asks of the traffic from where red starts."""
        traffic = self._traffic(subnet)
        if traffic == "all":
            return {}
        if traffic is None or not self._guards():
            return {"closed_to": [self.origin]}
        wall: dict[str, object] = {"guarded_by": self._guards()}
        return wall | ({"guards_against": [self.origin]} if subnet == self.origin else {})

    def _host(self, name: str, unit_type: str) -> dict[str, object]:
        host, image = self.scenario.hosts[name], self.images[name]
        content = image.model_dump(exclude_defaults=True) | {
            "subnet": self.home[name],
            "unit_type": unit_type,
            "confidentiality": host.confidentiality.lower(),
            "reveals": self._reveals(name),
        }
        if self._hides_subnet(name):
            content["reveals_subnet"] = False
        if image.service is not None:
            content["availability"] = host.availability.lower()
            if not _own(name, host).services:
                content["reveals_service"] = False
        return content

    def _red(self) -> dict[str, object]:
        hosts, red = list(self.scenario.hosts), self.scenario.agents.red
        groups = [[host for host in hosts if word in host] for word in RETREATS]
        others = [{"host": session.hostname} for session in red.sessions[1:]]
        sessions = {session.hostname for session in red.sessions}
        known = [host for host in hosts if host in red.knowledge.hosts]
        content = {
            "start": self.start.hostname,
            "footholds": others,
            "knows": None if set(known) == sessions else known,
            "goal": GOAL if GOAL in hosts else None,
            "b_line": self._b_line(),
            "meander_retreats": [group for group in groups if group],
        }
        return {key: value for key, value in content.items() if value}

    def _b_line(self) -> list[dict[str, object]] | None:
        """The way of the original's B_lineAgent; None where it breaks down in every episode, or never begins.

        It knows its hosts by name and by place: a neighbour of its first host, the first host of the file with
        `Enterprise` in its name that this one reveals, the third of that one's subnet, and the goal. Where no exploit
        gets into one of them it never comes further, so it does not matter what that one reveals. Where it breaks down
        from one that it has taken, the way ends.
        """
        stones, home = self._guards(), self.scenario.subnets[self.origin].hosts
        firsts = [host for host in self.scenario.hosts if host in home and host != self.start.hostname]
        if self.start.hostname != START or GOAL not in self.scenario.hosts or not firsts or not stones:
            return None
        seconds = {first: next((host for host in stones if host in self._reveals(first)), None) for first in firsts}
        for first in firsts:
            if seconds[first] is None and not self._is_entered(first):
                seconds[first] = stones[0]  # which stands for all
        relays = {second: self._third(second) for second in seconds.values() if second is not None}
        goes_on = {relay: GOAL in self._reveals(relay) for relay in relays.values() if relay is not None}

        def runs(first: str) -> bool:
            """Whether the original never breaks down from a first host."""
            second = seconds[first]
            if not self._is_entered(first):
                return True
            if second is None or not self._is_open(self.home[second]):
                return False
            relay = relays[second]
            return not self._is_entered(second) or (
                relay is not None and (goes_on[relay] or not self._is_entered(relay))
            )

        is_shut_in = not self._is_open(self.origin)
        ends = [[first for first in firsts if seconds[first] is None], [it for it in relays if relays[it] is None]]
        ends.append([relay for relay in goes_on if not goes_on[relay]])
        ends = [[host for host in hosts if self._is_entered(host)] for hosts in ends]
        if set(goes_on) <= set(ends[2]) or not (is_shut_in or any(map(runs, firsts))):
            return None
        hops: list[tuple[list[str], str]] = [(firsts, "sweep"), (stones, "reveal"), (list(goes_on), "sweep")]
        way: list[dict[str, object]] = []
        for (to, by), hosts in zip([*hops, ([GOAL], "reveal")], [[], *ends], strict=True):
            hop: dict[str, object] = {"to": to, "by": by}
            way.append(hop | {"dead_ends": hosts} if hosts else hop)
        return way

    def _third(self, name: str) -> str | None:
        """The third host of the subnet of a host, which B_lineAgent goes to next; None where it finds none."""
        swept = self.scenario.subnets[self.home[name]].hosts
        return swept[2] if _own(name, self.scenario.hosts[name]).interfaces == "All" and len(swept) > 2 else None

    def _is_open(self, subnet: str) -> bool:
        """Whether the traffic of red's first host gets into a subnet from the start and for good."""
        held = {session.hostname for session in self.scenario.agents.red.sessions}
        traffic = self._traffic(subnet)
        return traffic == "all" or (traffic == "None" and not held.isdisjoint(self._guards()))

    def _is_entered(self, name: str) -> bool:
        """Whether some exploit gets into a host."""
        return is_entered(
            SchemaHost.model_validate(self._host(name, "any")), default_network().scenario.exploits.values()
        )

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
