"""Networks of CAGE-2's family, of any size, made up from a seed.

A generated network has users, whom red comes from, servers that they know, and a guarded subnet with the goal. There is
always a way to the goal, and more than one where the hosts suffice. The classes of hosts differ in what they are worth
and in how they can be attacked. Hosts are named and made as the original's scripted attackers expect them, so that a
network can be played in the original as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cageflow.errors import UserError
from cageflow.scenario.cyborg.images import known_images
from cageflow.scenario.cyborg.importing import ranking
from cageflow.scenario.network import default_network
from cageflow.scenario.schema import MAX_HOSTS, MAX_SUBNETS, Scenario
from cageflow.scenario.writing import checked_network

HOME, SERVERS, GUARDED = "User", "Enterprise", "Operational"
START, GOAL = "User0", "Op_Server0"


@dataclass(frozen=True)
class Kind:
    """One class of hosts.

    Attributes:
        prefix: of their names.
        images: what runs on one, drawn for each.
        worths: values of confidentiality, likewise.
        share: of the hosts that are not yet given to a class, its share.
    """

    prefix: str
    images: tuple[str, ...]
    worths: tuple[str, ...]
    share: float


KINDS: dict[str, Kind] = {
    "user": Kind(
        "User", ("windows_user_host1", "windows_user_host2", "linux_user_host1", "linux_user_host2"), ("low",), 5
    ),
    "enterprise": Kind("Enterprise", ("Gateway", "Internal"), ("medium",), 2),
    "op_server": Kind("Op_Server", ("OP_Server",), ("medium",), 0),
    "defender": Kind("Defender", ("Velociraptor_Server",), ("low",), 0),
    "op_host": Kind("Op_Host", ("Gateway", "linux_decoy_host"), ("low",), 2),
    "web": Kind("Web", ("linux_user_host2", "Internal"), ("low", "medium"), 1),
    "database": Kind("Database", ("linux_user_host2", "Gateway"), ("medium", "high"), 0.5),
    "mail": Kind("Mail", ("linux_user_host1",), ("medium",), 0.5),
}
"""In the order in which a network with more types gets them; of three types it has the first three."""
MIN_TYPES, MAX_TYPES = 2, len(KINDS)
MIN_SUBNETS = 2
TWO_TYPES = {"user": "user", "enterprise": "server", "op_server": "server"}


def generate_network(num_hosts: int, num_subnets: int, num_types: int, seed: int) -> Scenario:
    """Make up a network; the same numbers give the same network.

    Args:
        num_hosts: at least as many as the subnets and types ask for, at most 63.
        num_subnets: 2 to 16: users, servers, the guarded one from the third on, then branches and guarded ones.
        num_types: unit types, 2 to 8.
        seed: at least 0.

    Raises:
        UserError: a number is out of range.
    """
    _check("subnets", num_subnets, MIN_SUBNETS, MAX_SUBNETS)
    _check("types", num_types, MIN_TYPES, MAX_TYPES)
    if seed < 0:
        raise UserError(f"--seed is {seed}: expected a whole number from 0")
    plan = _Plan(Random(f"{num_hosts} {num_subnets} {num_types} {seed}"), num_subnets, num_types)
    plan.place_what_must_be()
    _check("hosts", num_hosts, len(plan.homes), MAX_HOSTS, f" for {num_subnets} subnets and {num_types} types")
    plan.place_others(num_hosts)
    return plan.network(f"Generated network {num_hosts}-{num_subnets}-{num_types}-{seed}")


def _check(option: str, given: int, low: int, high: int, why: str = "") -> None:
    if not low <= given <= high:
        raise UserError(f"--{option} is {given}: expected a whole number from {low} to {high}{why}")


@dataclass
class _Plan:
    """Which host is of which kind, and where it stands."""

    rng: Random
    num_subnets: int
    num_types: int
    kinds: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.types = list(KINDS)[: max(self.num_types, len(TWO_TYPES))]
        self.goal_home = GUARDED if self.num_subnets > MIN_SUBNETS else SERVERS
        self.branches: list[str] = []
        self.vaults: list[str] = []
        for i in range(self.num_subnets - 3):
            if i % 2 and "op_host" in self.types:
                self.vaults.append(f"{GUARDED}{len(self.vaults) + 1}")
            else:
                self.branches.append(f"Branch{len(self.branches) + 1}")

    def place_what_must_be(self) -> None:
        """What every network of these subnets and types has."""
        for _ in range(2):
            self._place("user", HOME)
        self._place("op_server", self.goal_home)
        for kind in self.types:
            if kind not in ("user", "op_server"):
                self._place(kind, self._home_of(kind, first=True))
        for branch in self.branches:
            self._place("user", branch)
        for vault in self.vaults:
            self._place("op_host", vault)

    def place_others(self, num_hosts: int) -> None:
        """The rest; two more servers come first, for other ways to the goal."""
        kinds = [kind for kind in self.types if KINDS[kind].share > 0]
        for i in range(num_hosts - len(self.homes)):
            kind = "enterprise" if i < 2 else self.rng.choices(kinds, [KINDS[kind].share for kind in kinds])[0]
            self._place(kind, self._home_of(kind))

    def _home_of(self, kind: str, first: bool = False) -> str:
        if kind == "user":
            return self.rng.choice([HOME, HOME, *self.branches])
        if kind == "op_host":
            return self.goal_home if first else self.rng.choice([self.goal_home, *self.vaults])
        return SERVERS

    def _place(self, kind: str, home: str) -> None:
        prefix = KINDS[kind].prefix
        number = sum(other == kind for other in self.kinds.values())
        name = prefix if kind == "defender" else f"{prefix}{number}"
        self.kinds[name], self.homes[name] = kind, home

    def hosts_of(self, kind: str, home: str | None = None) -> list[str]:
        """The hosts of a kind, in one subnet or in all."""
        return [host for host in self.kinds if self.kinds[host] == kind and home in (None, self.homes[host])]

    def network(self, name: str) -> Scenario:
        """The network of the plan."""
        rules = default_network().scenario
        hosts = sorted(self.homes, key=_by_number)
        reveals = self._reveals()
        relays = [host for host in self.hosts_of("enterprise") if GOAL in reveals[host]]
        contents = {host: self._host(host, sorted(reveals[host], key=hosts.index)) for host in hosts}
        properties = {it for host in contents.values() for process in host["processes"] for it in process["properties"]}
        servers = self._in_order(hosts, self.hosts_of("enterprise"))
        guards = {"guarded_by": servers}
        retreats = [self._in_order(hosts, [host for host in hosts if word in host]) for word in ("Op", "Ent")]
        green = [host for host in rules.green_hosts if host in contents]
        content = rules.model_dump(exclude_defaults=True) | {
            "name": name,
            "subnets": {
                subnet: guards if subnet == GUARDED or subnet in self.vaults else {}
                for subnet in dict.fromkeys(self.homes[host] for host in hosts)
            },
            "hosts": contents,
            **ranking(content["unit_type"] for content in contents.values()),
            "lost_on_restore": [it for it in rules.lost_on_restore if it in properties],
            "red": {
                "start": START,
                "goal": GOAL,
                "b_line": self._b_line(hosts, relays[-1]),
                "meander_retreats": retreats,
            },
            "green_hosts": green,
            "green_probability": rules.green_probability * len(green) / len(rules.green_hosts),
        }
        return checked_network(content, name)

    def _b_line(self, hosts: Sequence[str], relay: str) -> list[dict[str, Any]]:
        """From a neighbour by a server that it knows to the last of those that know the goal."""
        neighbours = [host for host in hosts if self.homes[host] == HOME and host != START]
        return [
            {"to": neighbours, "by": "sweep"},
            {"to": self._in_order(hosts, self.hosts_of("enterprise")), "by": "reveal"},
            {"to": [relay], "by": "sweep"},
            {"to": [GOAL], "by": "reveal"},
        ]

    def _in_order(self, hosts: Sequence[str], some: Sequence[str]) -> list[str]:
        return sorted(some, key=list(hosts).index)

    def _reveals(self) -> dict[str, set[str]]:
        """Which hosts' addresses red finds on which host."""
        servers = self.hosts_of("enterprise", SERVERS)
        reveals: dict[str, set[str]] = {host: set() for host in self.homes}
        for user in self.hosts_of("user"):
            if user != START:
                reveals[user] |= set(self.rng.sample(servers, min(len(servers), self.rng.choice((1, 1, 2)))))
        gates = self.rng.sample(servers, max(1, (len(servers) + 1) // 2))
        for gate in gates:
            reveals[gate].add(GOAL)
        for branch in self.branches:
            for knower in (self.rng.choice(servers), self.rng.choice(self.hosts_of("user", HOME)[1:])):
                reveals[knower].add(self.rng.choice(self.hosts_of("user", branch)))
        for vault in self.vaults:
            for knower in (self.rng.choice(servers), self.rng.choice(self.hosts_of("op_host", self.goal_home))):
                reveals[knower].add(self.rng.choice(self.hosts_of("op_host", vault)))
        for kind in ("web", "database", "mail"):
            for host in self.hosts_of(kind):
                reveals[self.rng.choice(self.hosts_of("user")[1:])].add(host)
        return reveals

    def _host(self, name: str, reveals: Sequence[str]) -> dict[str, Any]:
        kind = self.kinds[name]
        image = self.rng.choice(KINDS[kind].images) if name != START else KINDS[kind].images[0]
        content = {
            "os": known_images()[image].os,
            "subnet": self.homes[name],
            "unit_type": TWO_TYPES[kind] if self.num_types == MIN_TYPES else kind,
            "confidentiality": "none" if name == START else self.rng.choice(KINDS[kind].worths),
            "reveals": list(reveals),
            **known_images()[image].model_dump(exclude_none=True),
        }
        return content | ({"availability": "high"} if name == GOAL else {})


def _by_number(host: str) -> tuple[str, int]:
    """Sorts User10 after User9."""
    match = re.fullmatch(r"(.*?)(\d*)", host)
    assert match is not None
    return match[1], int(match[2] or 0)
