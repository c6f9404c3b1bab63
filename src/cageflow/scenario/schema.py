"""What a network file may say, and how a wrong one is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cageflow.scenario.unit_types import UNIT_TYPES
from cageflow.scenario.yaml_file import YamlFile

Os = Literal["windows", "linux"]
Worth = Literal["none", "low", "medium", "high"]
Port = Annotated[int, Field(ge=1, le=49151)]  # ephemeral ports begin at 49152
Probability = Annotated[float, Field(ge=0.0, le=1.0)]

MAX_HOSTS = 16  # an observation is four bits a host in one 64-bit key
MAX_PORTS = 31  # ports are bits of a signed 32-bit mask
MAX_DECOYS = 8  # decoys are bits of 8

OTHER_ACTIONS = ("Sleep", "Monitor", "Analyse", "Remove", "Restore")  # of blue, besides its decoys

PRIVILEGED_USER: dict[str, str] = {"windows": "SYSTEM", "linux": "root"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Process(_Part):
    """A program that listens on one or more ports."""

    name: str
    type: str
    user: str
    ports: Annotated[list[Port], Field(min_length=1)]
    properties: list[str] = []


class Subnet(_Part):
    """A subnet and, where its firewall asks for it, the hosts red must hold one of to reach it."""

    guarded_by: list[str] = []


class Host(_Part):
    """One machine; the meaning of each field stands at the head of `cage2.yaml`."""

    os: Os
    subnet: str
    unit_type: str
    confidentiality: Worth
    availability: Worth = "none"
    service: str | None = None
    brute_forceable: str | None = None
    reveals: list[str] = []
    processes: Annotated[list[Process], Field(min_length=1)]


class Exploit(_Part):
    """A way in: the process it needs, and the open ports that make red think of it."""

    weight: Annotated[float, Field(gt=0.0)]
    port: Port
    type: str
    property: str | None = None
    os: Os | None = None
    technique: Literal["reverse_shell", "ssh"] = "reverse_shell"
    scan_all: Annotated[list[Port], Field(min_length=1)]
    scan_any: list[Port] = []


class Decoy(_Part):
    """A process that blue plants to be attacked."""

    service: str
    port: Port
    free_port: Port | None = None
    type: str
    properties: list[str] = []
    os: Os | None = None

    @property
    def needed_port(self) -> int:
        """The port that must be free."""
        return self.port if self.free_port is None else self.free_port


class BLine(_Part):
    """The way that B_lineAgent takes."""

    stepping_stones: Annotated[list[str], Field(min_length=1)]
    relay: str


class Red(_Part):
    """Where red starts, what it is after, and what its two agents make of the network."""

    start: str
    goal: str
    b_line: BLine
    meander_retreats: Annotated[list[list[str]], Field(min_length=1)]


class Scenario(_Part):
    """A whole network, checked: every name it refers to exists, and the kernels can hold it."""

    name: str
    values: dict[Worth, float]
    subnets: Annotated[dict[str, Subnet], Field(min_length=1, max_length=8)]
    hosts: Annotated[dict[str, Host], Field(min_length=2, max_length=MAX_HOSTS)]
    lost_on_restore: list[str] = []
    exploits: Annotated[dict[str, Exploit], Field(min_length=1, max_length=16)]
    favourite_probability: Probability
    detection_probability: Probability
    guesses: Annotated[int, Field(ge=3, le=100)]  # fewer than three would not show as an attack
    decoys: Annotated[dict[str, Decoy], Field(max_length=MAX_DECOYS)]
    restore_cost: float
    red: Red
    green_hosts: Annotated[list[str], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Scenario:
        for place, fault in self._faults():
            raise ValueError(f"@{place}: {fault}")  # as `YamlFile.validate` reads it
        return self

    def _faults(self) -> Iterator[tuple[str, str]]:
        yield from self._unknown_names()
        for worth in ("none", "low", "medium", "high"):
            if worth not in self.values:
                yield "values", f"expected a value for {worth}"
        for place, value in [("restore_cost", self.restore_cost)] + [
            (f"values.{worth}", value) for worth, value in self.values.items()
        ]:
            if abs(value * 10 - round(value * 10)) > 1e-9 or not 0 <= value <= 1000:
                yield place, f"expected a multiple of 0.1 from 0 to 1000, got {value}"
        ports = {port for host in self.hosts.values() for process in host.processes for port in process.ports}
        ports |= {port for decoy in self.decoys.values() for port in (decoy.port, decoy.needed_port)}
        for exploit in self.exploits.values():
            ports |= {exploit.port, *exploit.scan_all, *exploit.scan_any}
        if len(ports) > MAX_PORTS:
            yield "hosts", f"expected at most {MAX_PORTS} different ports, got {len(ports)}"
        properties = {name for host in self.hosts.values() for process in host.processes for name in process.properties}
        for name in self.lost_on_restore:
            if name not in properties:
                yield "lost_on_restore", f"expected a property that a process has, got {name}"
        yield from self._unfit_decoys()
        yield from self._unfit_red()
        weights = [exploit.weight for exploit in self.exploits.values()]
        if len(set(weights)) != len(weights):
            yield "exploits", "expected a different weight for each exploit, since the most weight is the favourite"

    def _unknown_names(self) -> Iterator[tuple[str, str]]:
        hosts, subnets = set(self.hosts), set(self.subnets)
        references: list[tuple[str, Sequence[str], set[str], str]] = [
            ("green_hosts", self.green_hosts, hosts, "host"),
            ("red.start", [self.red.start], hosts, "host"),
            ("red.goal", [self.red.goal], hosts, "host"),
            ("red.b_line.relay", [self.red.b_line.relay], hosts, "host"),
            ("red.b_line.stepping_stones", self.red.b_line.stepping_stones, hosts, "host"),
        ]
        for i, group in enumerate(self.red.meander_retreats):
            references.append((f"red.meander_retreats.{i}", group, hosts, "host"))
        for name, subnet in self.subnets.items():
            references.append((f"subnets.{name}.guarded_by", subnet.guarded_by, hosts, "host"))
        for name, host in self.hosts.items():
            references.append((f"hosts.{name}.subnet", [host.subnet], subnets, "subnet"))
            references.append((f"hosts.{name}.unit_type", [host.unit_type], set(UNIT_TYPES), "unit type"))
            references.append((f"hosts.{name}.reveals", host.reveals, hosts, "host"))
        for place, names, known, kind in references:
            for name in names:
                if name not in known:
                    yield place, f"expected a {kind} among {', '.join(sorted(known))}, got {name}"

    def _unfit_decoys(self) -> Iterator[tuple[str, str]]:
        for name, decoy in self.decoys.items():
            if name in OTHER_ACTIONS:
                yield f"decoys.{name}", "expected a name that no other action of blue has"
            for attack, exploit in self.exploits.items():
                if exploit.port != decoy.port or exploit.type != decoy.type:
                    continue
                if exploit.property is not None and exploit.property not in decoy.properties:
                    yield f"decoys.{name}.properties", f"expected {exploit.property}, or {attack} would not fall for it"
                if exploit.os is not None and exploit.os != decoy.os:
                    yield f"decoys.{name}.os", f"expected {exploit.os}, or {attack} would not fall for it"

    def _unfit_red(self) -> Iterator[tuple[str, str]]:
        services = [name for name, host in self.hosts.items() if host.service is not None]
        if services != [self.red.goal]:
            yield "red.goal", f"expected the one host with a service ({', '.join(services) or 'none has one'})"
            return
        start = self.hosts[self.red.start]
        if self.subnets[start.subnet].guarded_by:
            yield "red.start", f"expected a host in a subnet that nothing guards, got one in {start.subnet}"
        neighbours = [n for n, h in self.hosts.items() if h.subnet == start.subnet and n != self.red.start]
        if not neighbours:
            yield "red.start", f"expected another host in the subnet {start.subnet}"
        stones = self.red.b_line.stepping_stones
        for name in neighbours:
            if not set(self.hosts[name].reveals) & set(stones):
                yield f"hosts.{name}.reveals", f"expected one of red.b_line.stepping_stones: {', '.join(stones)}"


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
