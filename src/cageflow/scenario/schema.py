"""What a network file may say, and how a wrong one is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cageflow.scenario.masks import MAX_BITS
from cageflow.scenario.names import OTHER_ACTIONS, Name, Place, RankedName, ambiguous_actions
from cageflow.scenario.unit_types import UNIT_TYPES
from cageflow.scenario.yaml_file import PlacedError, YamlFile

Os = Literal["windows", "linux"]
Worth = Literal["none", "low", "medium", "high"]
MAX_PORT = 49151  # ephemeral ports begin at 49152
Port = Annotated[int, Field(ge=1, le=MAX_PORT)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]

MAX_HOSTS = MAX_PORTS = MAX_BITS  # they are bits of a mask
MAX_SUBNETS, MAX_EXPLOITS, MAX_DECOYS = 16, 32, 16

PRIVILEGED_USER: dict[str, str] = {"windows": "SYSTEM", "linux": "root"}


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
    """A subnet and, where its firewall asks for it, the hosts red must hold one of to reach it."""

    guarded_by: list[Name] = []


class Host(_Part):
    """One machine; the meaning of each field stands at the head of `cage2.yaml`."""

    os: Os
    subnet: Name
    unit_type: RankedName
    confidentiality: Worth
    availability: Worth = "none"
    service: Name | None = None
    brute_forceable: Name | None = None
    reveals: list[Name] = []
    processes: Annotated[list[Process], Field(min_length=1)]


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
    """A process that blue plants to be attacked."""

    service: Name
    port: Port
    free_port: Port | None = None
    type: Name
    properties: list[Name] = []
    os: Os | None = None

    @property
    def needed_port(self) -> int:
        """The port that must be free."""
        return self.port if self.free_port is None else self.free_port


class BLine(_Part):
    """The way that B_lineAgent takes."""

    stepping_stones: Annotated[list[Name], Field(min_length=1)]
    relay: Name


class Red(_Part):
    """Where red starts, what it is after, and what its two agents make of the network."""

    start: Name
    goal: Name
    b_line: BLine
    meander_retreats: Annotated[list[list[Name]], Field(min_length=1)]


class Scenario(_Part):
    """A whole network, checked: every name it refers to exists, and the kernels can hold it."""

    name: Name
    values: dict[Worth, float]
    subnets: Annotated[dict[Name, Subnet], Field(min_length=1, max_length=MAX_SUBNETS)]
    hosts: Annotated[dict[Name, Host], Field(min_length=2, max_length=MAX_HOSTS)]
    lost_on_restore: list[Name] = []
    exploits: Annotated[dict[Name, Exploit], Field(min_length=1, max_length=MAX_EXPLOITS)]
    favourite_probability: Probability
    detection_probability: Probability
    guesses: Annotated[int, Field(ge=3, le=100)]  # fewer than three would not show as an attack
    decoys: Annotated[dict[Name, Decoy], Field(max_length=MAX_DECOYS)]
    restore_cost: float
    red: Red
    green_hosts: Annotated[list[Name], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Scenario:
        for place, fault in self._faults():
            raise PlacedError(place, fault)
        return self

    def _faults(self) -> Iterator[tuple[Place, str]]:
        yield from self._unknown_names()
        for worth in ("none", "low", "medium", "high"):
            if worth not in self.values:
                yield ("values",), f"expected a value for {worth}"
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
            (("red", "goal"), self.red.goal, hosts, "host"),
            (("red", "b_line", "relay"), self.red.b_line.relay, hosts, "host"),
        ]
        for name, host in self.hosts.items():
            references.append((("hosts", name, "subnet"), host.subnet, subnets, "subnet"))
            references.append((("hosts", name, "unit_type"), host.unit_type, set(UNIT_TYPES), "unit type"))
        for place, name, known, kind in [*references, *((*listed, hosts, "host") for listed in self._listed_hosts())]:
            if name not in known:
                yield place, f"expected a {kind} among {', '.join(sorted(known))}, got {name}"

    def _listed_hosts(self) -> Iterator[tuple[Place, str]]:
        lists: list[tuple[Place, Sequence[str]]] = [
            (("green_hosts",), self.green_hosts),
            (("red", "b_line", "stepping_stones"), self.red.b_line.stepping_stones),
        ]
        lists += [(("red", "meander_retreats", i), group) for i, group in enumerate(self.red.meander_retreats)]
        lists += [(("subnets", name, "guarded_by"), subnet.guarded_by) for name, subnet in self.subnets.items()]
        lists += [(("hosts", name, "reveals"), host.reveals) for name, host in self.hosts.items()]
        for place, names in lists:
            yield from (((*place, i), name) for i, name in enumerate(names))

    def _unfit_decoys(self) -> Iterator[tuple[Place, str]]:
        for name, decoy in self.decoys.items():
            if name in OTHER_ACTIONS:
                yield ("decoys", name), "expected a name that no other action of blue has"
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
        for name, text in ambiguous_actions(tuple(self.hosts), tuple(self.decoys)):
            yield ("decoys", name), f"expected a name whose actions read as no other's, but two would read {text!r}"

    def _unfit_red(self) -> Iterator[tuple[Place, str]]:
        services = [name for name, host in self.hosts.items() if host.service is not None]
        if services != [self.red.goal]:
            yield ("red", "goal"), f"expected the one host with a service ({', '.join(services) or 'none has one'})"
            return
        start = self.hosts[self.red.start]
        if self.subnets[start.subnet].guarded_by:
            yield ("red", "start"), f"expected a host in a subnet that nothing guards, got one in {start.subnet}"
        neighbours = [n for n, h in self.hosts.items() if h.subnet == start.subnet and n != self.red.start]
        if not neighbours:
            yield ("red", "start"), f"expected another host in the subnet {start.subnet}"
        stones = self.red.b_line.stepping_stones
        for name in neighbours:
            if not set(self.hosts[name].reveals) & set(stones):
                yield ("hosts", name, "reveals"), f"expected one of red.b_line.stepping_stones: {', '.join(stones)}"


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
