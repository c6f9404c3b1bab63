"""The way of B_lineAgent on any network: from hop to hop, and the table of stages that it becomes.

On each hop red finds a host from the one before, scans it, exploits it and explores it with privileges. A hop is found
in a sweep of the subnet that the host before stands in, or because exploring that host reveals its address. The last is
red's goal, which it impacts.

Source: CybORG Agents/SimpleAgents/B_line.py, whose fifteen stages are the table of CAGE-2's way.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cageflow.scenario.enums import RedKind
from cageflow.scenario.reach import guards_of, is_entered
from cageflow.scenario.schema import Scenario, found_hosts

SWEEP, SCAN = RedKind.DISCOVER_REMOTE_SYSTEMS, RedKind.DISCOVER_NETWORK_SERVICES
EXPLOIT, ESCALATE = RedKind.EXPLOIT_REMOTE_SERVICE, RedKind.PRIVILEGE_ESCALATE


@dataclass(frozen=True)
class Way:
    """A way to the goal.

    Attributes:
        found_by: for each hop "sweep" or "reveal".
        hosts: for each host that may be the first, in their order, the hosts of all hops, itself first.
    """

    found_by: tuple[str, ...]
    hosts: tuple[tuple[str, ...], ...]


class Stages(NamedTuple):
    """What B_lineAgent does at each stage.

    Attributes:
        kinds: RedKind of each.
        fallbacks: the stage after a failure at each.
        targets: of each, for every host of the network, the subnet or host acted on where that one was the first.
        first: mask of the hosts that the first is drawn from, at stage 1.
        goal_stage: the one that exploits the goal.
    """

    kinds: list[RedKind]
    fallbacks: list[int]
    targets: list[list[int]]
    first: int
    goal_stage: int


def given_way(scenario: Scenario) -> Way:
    """The way that the file gives; `Scenario` has checked it."""
    first, *others = scenario.red.b_line or []
    ways = []
    for host in found_hosts(scenario, scenario.red.start, first):
        way, is_stuck = [host], False
        for hop in others:
            is_stuck = is_stuck or way[-1] in hop.dead_ends
            way.append(way[-1] if is_stuck else found_hosts(scenario, way[-1], hop)[0])
        ways.append(tuple(way))
    return Way((first.by, *(hop.by for hop in others)), tuple(ways))


def find_way(scenario: Scenario) -> Way | str:
    """The shortest way in stages, or the reason in words why there is none.

    A host can be a hop where some exploit gets in past what listens there, and where its subnet lets the traffic of
    red's first host in: it is open, or guarded by a host of the way so far or by one that red begins with. Of several
    ways the one counts whose hosts come first in the file; all hosts that begin one like it are possible first hosts.
    """
    red = scenario.red
    if red.goal is None:
        return "the network has no red.goal"
    search = _Search(scenario)
    ways = [way for first in search.neighbours(red.start) if (way := search.shortest(first)) is not None]
    if not ways:
        return _why_not(scenario, red.goal)
    least = min(way.num_stages for way in ways)
    by = next(way.found_by for way in ways if way.num_stages == least)
    return Way(by, tuple(way.hosts for way in ways if (way.num_stages, way.found_by) == (least, by)))


class _OneWay(NamedTuple):
    num_stages: int
    hosts: tuple[str, ...]
    found_by: tuple[str, ...]


class _Search:
    """Looks for ways through a network."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario, self._red = scenario, scenario.red
        self._rank = {name: i for i, name in enumerate(scenario.hosts)}
        home = scenario.hosts[self._red.start].subnet
        self._guards = {name: guards_of(scenario, name, home) for name in scenario.subnets}
        self._begins_with = {self._red.start, *(foothold.host for foothold in self._red.footholds)}
        hosts, exploits = scenario.hosts.items(), scenario.exploits.values()
        self._entered = {name for name, host in hosts if name != self._red.start and is_entered(host, exploits)}
        self._neighbours = {name: list(self.neighbours(name)) for name in scenario.hosts}

    def neighbours(self, here: str) -> Iterator[tuple[str, str]]:
        """Hosts that red can take and finds from one, and how.

        Exploring a host costs a step only at the first hop, where a sweep does as well; later it is done already.
        """
        hosts, is_start = self._scenario.hosts, here == self._red.start
        swept = {name for name, host in hosts.items() if host.subnet == hosts[here].subnet} - {here}
        if not is_start and not hosts[here].reveals_subnet:
            swept = set()
        for name in hosts:
            if name in self._entered:
                is_revealed = name in hosts[here].reveals
                if name in swept and (is_start or not is_revealed):
                    yield name, "sweep"
                elif is_revealed:
                    yield name, "reveal"

    def shortest(self, first: tuple[str, str]) -> _OneWay | None:
        """The shortest way that begins with a hop: its host, and how that is found.

        What matters of a way so far is where it stands and which subnets it has opened.
        """
        queue: list[tuple[int, list[int], _OneWay]] = []
        done: set[tuple[str, frozenset[str]]] = set()

        def go_on(way: _OneWay, name: str, by: str) -> None:
            if self._scenario.hosts[name].subnet in self._open_subnets(way):
                num_stages = way.num_stages + (4 if by == "sweep" or not way.hosts else 3)
                longer = _OneWay(num_stages, (*way.hosts, name), (*way.found_by, by))
                heapq.heappush(queue, (num_stages, [self._rank[host] for host in longer.hosts], longer))

        go_on(_OneWay(0, (), ()), *first)
        while queue:
            *_, way = heapq.heappop(queue)
            here = way.hosts[-1]
            if here == self._red.goal:
                return way
            state = here, self._open_subnets(way)
            if state not in done:
                done.add(state)
                for name, by in self._neighbours[here]:
                    go_on(way, name, by)
        return None

    def _open_subnets(self, way: _OneWay) -> frozenset[str]:
        """The subnets that let the traffic of red's first host in once red has gone so far."""
        held = self._begins_with.union(way.hosts)
        return frozenset(name for name, hosts in self._guards.items() if hosts is None or not held.isdisjoint(hosts))


def _why_not(scenario: Scenario, goal: str) -> str:
    """A reason why no way leads to the goal."""
    start = scenario.red.start
    guards = guards_of(scenario, scenario.hosts[goal].subnet, scenario.hosts[start].subnet)
    if not is_entered(scenario.hosts[goal], scenario.exploits.values()):
        return f"no exploit gets into red.goal, {goal}"
    if guards is not None and not guards:
        return f"the subnet of red.goal, {goal}, is closed to that of red.start, {start}"
    behind = f", and one of {', '.join(guards)} has to be taken on the way" if guards else ""
    return f"no host that red can take from {start} on leads to red.goal, {goal}{behind}"


def make_stages(way: Way, scenario: Scenario, hosts: Sequence[str], subnets: Sequence[str]) -> Stages:
    """The table of a way.

    A failure leads back to the exploit of the host before; one of the first host's stages to itself; a failed
    escalation to the exploit of the same host, a failed impact to the escalation of the goal.

    Args:
        way: to the goal.
        scenario: its network.
        hosts: names in table order.
        subnets: likewise.
    """
    red = scenario.red
    kinds: list[RedKind] = []
    fallbacks: list[int] = []
    targets: list[list[int]] = []

    def add(kind: RedKind, fallback: int, target: list[str]) -> None:
        """A stage; `target` is the host that it is about for each of `way.hosts`."""
        names = [scenario.hosts[name].subnet for name in target] if kind == SWEEP else target
        numbers = [(subnets if kind == SWEEP else hosts).index(name) for name in names]
        by_first = {chain[0]: number for chain, number in zip(way.hosts, numbers, strict=True)}
        kinds.append(kind)
        fallbacks.append(fallback)
        targets.append([by_first.get(name, numbers[0]) for name in hosts])

    exploit = 0
    for i, by in enumerate(way.found_by):
        before = [chain[i - 1] if i else red.start for chain in way.hosts]
        here = [chain[i] for chain in way.hosts]
        last = exploit
        if by == "sweep" or i == 0:
            add(SWEEP if by == "sweep" else ESCALATE, len(kinds) if i == 0 else last, before)
        add(SCAN, len(kinds) if i == 0 else last, here)
        exploit = len(kinds)
        add(EXPLOIT, exploit if i == 0 else last, here)
        add(ESCALATE, exploit, here)
    add(RedKind.IMPACT, len(kinds) - 1, [chain[-1] for chain in way.hosts])
    first = sum(1 << hosts.index(chain[0]) for chain in way.hosts)
    return Stages(kinds, fallbacks, targets, first, exploit)
