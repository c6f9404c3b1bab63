"""What a network file may say, and how a wrong one is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cageflow.scenario.masks import MAX_BITS
from cageflow.scenario.names import OTHER_ACTIONS, Name, Place, RankedName, ambiguous_actions
from cageflow.scenario.reach import is_entered
from cageflow.scenario.red_agents import RED_AGENTS, parse_red_agent
from cageflow.scenario.unit_types import UNIT_TYPES
from cageflow.scenario.yaml_file import PlacedError, YamlFile

Os = Literal["windows", "linux"]
Access = Literal["user", "privileged"]
FoundBy = Literal["sweep", "reveal"]
MAX_PORT = 49151  # ephemeral ports begin at 49152
Port = Annotated[int, Field(ge=1, le=MAX_PORT)]
MAX_CREWS, MAX_STEPS_OF_ACTION = 4, 100
MAX_EPISODE_STEPS = 30_000  # the counters of sessions and decoys have room for no more than 32,767
MAX_CELLS = 100  # lengths of a protocol
EpisodeSteps = Annotated[int, Field(ge=1, le=MAX_EPISODE_STEPS)]
Steps = Annotated[int, Field(ge=1, le=MAX_STEPS_OF_ACTION)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]

MAX_HOSTS = MAX_PORTS = MAX_BITS  # they are bits of a mask
MAX_SUBNETS, MAX_EXPLOITS, MAX_DECOYS, MAX_UNIT_TYPES = 16, 32, 16, 8


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Process(_Part):
    """A program that listens on one or more ports."""

    name: Name
    type: Name
    user: Name
    ports: Annotated[list[Port], Field(min_length=1)]
    properties: list[Name] = []


class Subnet(_Part):
    """A subnet and what its firewall asks of traffic from other subnets; see the head of `cage2.yaml`."""

    guarded_by: list[Name] = []
    guards_against: list[Name] | None = None
    closed_to: list[Name] = []


class HostDurations(_Part):
    """Steps that actions on one host take, where they differ from those elsewhere."""

    analyse: Steps | None = None
    remove: Steps | None = None
    restore: Steps | None = None
    decoy: Steps | None = None
    scan: Steps | None = None
    exploit: Steps | None = None
    escalate: Steps | None = None
    impact: Steps | None = None


class Durations(_Part):
    """Steps that actions take: four kinds of blue's, five of red's."""

    analyse: Steps = 1
    remove: Steps = 1
    restore: Steps = 1
    decoy: Steps = 1
    sweep: Steps = 1
    scan: Steps = 1
    exploit: Steps = 1
    escalate: Steps = 1
    impact: Steps = 1


class Host(_Part):
    """One machine; the meaning of each field stands at the head of `cage2.yaml`."""

    os: Os
    subnet: Name
    unit_type: RankedName
    confidentiality: Name
    availability: Name | None = None
    service: Name | None = None
    reveals_service: bool = True
    brute_forceable: Name | None = None
    reveals: list[Name] = []
    reveals_subnet: bool = True
    durations: HostDurations = HostDurations()
    processes: list[Process] = []


class Exploit(_Part):
    """A way in: the process it needs, and the open ports that make red think of it."""

    weight: Annotated[float, Field(gt=0.0)]
    port: Port
    type: Name
    property: Name | None = None
    os: Os | None = None
    technique: Literal["reverse_shell", "ssh"] = "reverse_shell"
    scan_all: Annotated[list[Port], Field(min_length=1)]
    scan_any: list[Port] = []


class Decoy(_Part):
    """A process that blue plants to be attacked; decoys of the same `action` are planted by that, one by chance."""

    service: Name
    action: Name | None = None
    port: Port
    free_port: Port | None = None
    type: Name
    properties: list[Name] = []
    os: Os | None = None

    @property
    def needed_port(self) -> int:
        """The port that must be free."""
        return self.port if self.free_port is None else self.free_port


class Foothold(_Part):
    """A session that red begins with beside the one it acts from, and that nothing removes either."""

    host: Name
    access: Access = "privileged"


class Hop(_Part):
    """One step of the way that B_lineAgent takes: the hosts it may lead to, and how red finds them.

    From the hosts in `dead_ends` red goes no further, and stays where it is.
    """

    to: Annotated[list[Name], Field(min_length=1)]
    by: FoundBy
    dead_ends: list[Name] = []


class Red(_Part):
    """Where red starts, what it is after, and what its two agents make of the network."""

    start: Name
    access: Access = "privileged"
    footholds: list[Foothold] = []
    knows: list[Name] | None = None
    goal: Name | None = None
    b_line: Annotated[list[Hop], Field(min_length=1)] | None = None
    meander_retreats: list[list[Name]] = []


class Protocol(_Part):
    """What policies are judged by on the network: each number of steps against each red agent."""

    max_steps: Annotated[list[EpisodeSteps], Field(min_length=1, max_length=MAX_CELLS)] = [30, 50, 100]
    red_agents: Annotated[list[Name], Field(min_length=1)] = list(RED_AGENTS)

    @field_validator("red_agents")
    @classmethod
    def _are_known(cls, names: list[str]) -> list[str]:
        return [parse_red_agent(name) for name in names]

    @field_validator("max_steps", "red_agents")
    @classmethod
    def _stand_once(cls, items: list[Any]) -> list[Any]:
        for i, item in enumerate(items):
            if item in items[:i]:
                raise ValueError(f"expected each once, got {item} again")
        return items


class Scenario(_Part):
    """A whole network, checked: every name it refers to exists, and the kernels can hold it."""

    name: Name
    values: Annotated[dict[Name, float], Field(min_length=1)]
    unit_types: Annotated[list[RankedName], Field(min_length=2, max_length=MAX_UNIT_TYPES)] = list(UNIT_TYPES)
    workflows: dict[Name, list[RankedName]] = {}
    subnets: Annotated[dict[Name, Subnet], Field(min_length=1, max_length=MAX_SUBNETS)]
    hosts: Annotated[dict[Name, Host], Field(min_length=2, max_length=MAX_HOSTS)]
    lost_on_restore: list[Name] = []
    exploits: Annotated[dict[Name, Exploit], Field(min_length=1, max_length=MAX_EXPLOITS)]
    favourite_probability: Probability
    detection_probability: Probability
    guesses: Annotated[int, Field(ge=3, le=100)]  # fewer than three would not show as an attack
    decoys: Annotated[dict[Name, Decoy], Field(max_length=MAX_DECOYS)]
    restore_cost: float
    durations: Durations = Durations()
    crews: Annotated[int, Field(ge=1, le=MAX_CREWS)] = 1
    red: Red
    green_hosts: list[Name] = []
    green_probability: Probability = 0.5
    protocol: Protocol = Protocol()

    @model_validator(mode="after")
    def _is_consistent(self) -> Scenario:
        for place, fault in self._faults():
            raise PlacedError(place, fault)
        return self

    def _faults(self) -> Iterator[tuple[Place, str]]:
        yield from self._unknown_names()
        yield from self._unfit_unit_types()
        costs: list[tuple[Place, float]] = [(("restore_cost",), self.restore_cost)]
        costs += [(("values", worth), value) for worth, value in self.values.items()]
        for place, value in costs:
            if abs(value * 10 - round(value * 10)) > 1e-9 or not 0 <= value <= 1000:
                yield place, f"expected a multiple of 0.1 from 0 to 1000, got {value}"
        ports = {port for host in self.hosts.values() for process in host.processes for port in process.ports}
        ports |= {port for decoy in self.decoys.values() for port in (decoy.port, decoy.needed_port)}
        for exploit in self.exploits.values():
            ports |= {exploit.port, *exploit.scan_all, *exploit.scan_any}
        if len(ports) > MAX_PORTS:
            yield ("hosts",), f"expected at most {MAX_PORTS} different ports, got {len(ports)}"
        properties = {name for host in self.hosts.values() for process in host.processes for name in process.properties}
        for i, name in enumerate(self.lost_on_restore):
            if name not in properties:
                yield ("lost_on_restore", i), f"expected a property that a process has, got {name}"
        yield from self._unfit_decoys()
        yield from self._unfit_red()
        weights: set[float] = set()
        for name, exploit in self.exploits.items():
            if exploit.weight in weights:
                yield (
                    ("exploits", name, "weight"),
                    (
                        f"expected a different weight for each exploit, since the most weight is the favourite, "
                        f"got {exploit.weight} again"
                    ),
                )
            weights.add(exploit.weight)

    def _unknown_names(self) -> Iterator[tuple[Place, str]]:
        hosts, subnets = set(self.hosts), set(self.subnets)
        references: list[tuple[Place, str, set[str], str]] = [
            (("red", "start"), self.red.start, hosts, "host"),
            *((("red", "footholds", i, "host"), one.host, hosts, "host") for i, one in enumerate(self.red.footholds)),
        ]
        if self.red.goal is not None:
            references.append((("red", "goal"), self.red.goal, hosts, "host"))
        for name, subnet in self.subnets.items():
            for key, others in (("guards_against", subnet.guards_against or []), ("closed_to", subnet.closed_to)):
                references += [(("subnets", name, key, i), other, subnets, "subnet") for i, other in enumerate(others)]
        for name, host in self.hosts.items():
            references.append((("hosts", name, "subnet"), host.subnet, subnets, "subnet"))
            references.append((("hosts", name, "unit_type"), host.unit_type, set(self.unit_types), "unit type"))
            for key, worth in (("confidentiality", host.confidentiality), ("availability", host.availability)):
                if worth is not None:
                    references.append((("hosts", name, key), worth, set(self.values), "level of `values`"))
        for place, name, known, kind in [*references, *((*listed, hosts, "host") for listed in self._listed_hosts())]:
            if name not in known:
                yield place, f"expected a {kind} among {', '.join(sorted(known))}, got {name}"

    def _listed_hosts(self) -> Iterator[tuple[Place, str]]:
        lists: list[tuple[Place, Sequence[str]]] = [(("green_hosts",), self.green_hosts)]
        for i, hop in enumerate(self.red.b_line or []):
            lists += [(("red", "b_line", i, "to"), hop.to), (("red", "b_line", i, "dead_ends"), hop.dead_ends)]
        lists.append((("red", "knows"), self.red.knows or []))
        lists += [(("red", "meander_retreats", i), group) for i, group in enumerate(self.red.meander_retreats)]
        lists += [(("subnets", name, "guarded_by"), subnet.guarded_by) for name, subnet in self.subnets.items()]
        lists += [(("hosts", name, "reveals"), host.reveals) for name, host in self.hosts.items()]
        for place, names in lists:
            yield from (((*place, i), name) for i, name in enumerate(names))

    def _unfit_decoys(self) -> Iterator[tuple[Place, str]]:
        ports: dict[str, set[int]] = {}
        for name, decoy in self.decoys.items():
            action = decoy.action or name
            if action in OTHER_ACTIONS:
                place = ("decoys", name) if decoy.action is None else ("decoys", name, "action")
                yield place, "expected a name that no other action of blue has"
            if action in ports and (decoy.port in ports[action] or decoy.needed_port != decoy.port):
                yield ("decoys", name, "port"), f"expected a port of its own among the decoys of {action}"
            ports.setdefault(action, set()).add(decoy.port)
            for attack, exploit in self.exploits.items():
                if exploit.port != decoy.port or exploit.type != decoy.type:
                    continue
                if exploit.property is not None and exploit.property not in decoy.properties:
                    yield (
                        ("decoys", name, "properties"),
                        f"expected {exploit.property}, or {attack} would not fall for it",
                    )
                if exploit.os is not None and exploit.os != decoy.os:
                    yield ("decoys", name, "os"), f"expected {exploit.os}, or {attack} would not fall for it"
        for name, text in ambiguous_actions(tuple(self.hosts), decoy_actions(self)):
            yield ("decoys", name), f"expected a name whose actions read as no other's, but two would read {text!r}"

    def _unfit_unit_types(self) -> Iterator[tuple[Place, str]]:
        for i, name in enumerate(self.unit_types):
            if name in self.unit_types[:i]:
                yield ("unit_types", i), f"expected each unit type once, got {name} again"
        ranked = ranked_types(self)
        for name, order in self.workflows.items():
            if sorted(order) != sorted(ranked):
                yield ("workflows", name), f"expected each unit type that a host has once: {', '.join(ranked)}"

    def _unfit_red(self) -> Iterator[tuple[Place, str]]:
        goal = self.red.goal
        if goal is not None and self.hosts[goal].service is None:
            with_service = [name for name, host in self.hosts.items() if host.service is not None]
            yield ("red", "goal"), f"expected a host with a service ({', '.join(with_service) or 'none has one'})"
        if self.red.b_line is not None:
            yield from unfit_hops(self)


def decoy_actions(scenario: Scenario) -> tuple[str, ...]:
    """Names of the actions that plant decoys, each once, in the order of the first decoy of each."""
    return tuple(dict.fromkeys(decoy.action or name for name, decoy in scenario.decoys.items()))


def ranked_types(scenario: Scenario) -> tuple[str, ...]:
    """The unit types that a host has, in the order of their ids: those that a workflow ranks."""
    in_use = {host.unit_type for host in scenario.hosts.values()}
    return tuple(name for name in scenario.unit_types if name in in_use)


def unfit_hops(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """What is wrong with the way that a file gives for B_lineAgent."""
    red, hops = scenario.red, scenario.red.b_line or []
    if red.goal is None:
        yield ("red", "b_line"), "expected a way to red.goal, which is missing"
        return
    here = [red.start]
    for i, hop in enumerate(hops):
        place: Place = ("red", "b_line", i, "to")
        for j, host in enumerate(hop.dead_ends):
            if host not in here or host == red.start:
                yield ("red", "b_line", i, "dead_ends", j), f"expected a host that the way leads to, got {host}"
        here = [host for host in here if host not in hop.dead_ends]
        for host in here:
            if not found_hosts(scenario, host, hop):
                how = "in its subnet" if hop.by == "sweep" else "that it reveals"
                yield place, f"expected a host {how} for {host}"
        here = next_hosts(scenario, here, hop) if i else found_hosts(scenario, red.start, hop)
    if here != [red.goal]:
        yield ("red", "b_line", len(hops) - 1, "to"), f"expected the way to end at red.goal, {red.goal}"


def found_hosts(scenario: Scenario, host: str, hop: Hop) -> list[str]:
    """The hosts of a hop that red finds from a host, in the order of the hop.

    From one that no exploit gets into red never goes on, so there the first of the hop stands for all.
    """
    home = scenario.hosts[host]
    if hop.by == "reveal":
        found = [name for name in hop.to if name in home.reveals]
    else:
        found = [name for name in hop.to if scenario.hosts[name].subnet == home.subnet and name != scenario.red.start]
    is_end = host != scenario.red.start and not is_entered(home, scenario.exploits.values())
    return hop.to[:1] if is_end and not found else found


def next_hosts(scenario: Scenario, hosts: Sequence[str], hop: Hop) -> list[str]:
    """Where a hop leads from each of several hosts: to the first that is found from it. Each stands once."""
    found = [found_hosts(scenario, host, hop) for host in hosts]
    return list(dict.fromkeys(names[0] for names in found if names))


def load_scenario(path: Path | None = None) -> Scenario:
    """Read and check a network file.

    Args:
        path: a YAML file; None for the network of CAGE Challenge 2 that ships with the package.

    Raises:
        UserError: the file is missing, is not YAML or is no consistent network; the sentence names the file, the
            line, the place and what was expected.
    """
    source = files("cageflow.scenario").joinpath("cage2.yaml") if path is None else path
    return YamlFile.read(source, str(path), Scenario.model_fields).validate(Scenario)


def parse_scenario(text: str, name: str) -> Scenario:
    """Likewise from the text of a file; `name` is what a refusal calls it."""
    return YamlFile.parse(text, name, Scenario.model_fields).validate(Scenario)
