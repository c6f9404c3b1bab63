"""Where the subnets and hosts of a network stand on its map: the one layout of all pictures that show a game.

Subnets are panels, from the one that red starts on to those that it reaches last; hosts are cards in them. Panels stand
side by side on shelves, and every shelf is as wide as the map.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cageflow.scenario.reach import guards_of
from cageflow.scenario.schema import Scenario

Groups = Sequence[tuple[str, Sequence[str]]]
"""Subnets, each with its hosts."""
MOST_STRETCH = 2.0
"""How much wider than asked for a card may become where a shelf has room left."""


class Place(NamedTuple):
    """Where something stands, in pixels from the upper left corner."""

    left: int
    top: int
    width: int
    height: int

    def box(self, inset: int = 0) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, as Pillow has them."""
        return (
            self.left + inset,
            self.top + inset,
            self.left + self.width - 1 - inset,
            self.top + self.height - 1 - inset,
        )


class Layout(NamedTuple):
    """Where the subnets and hosts of a network stand; the same in every step.

    Attributes:
        width, height: of the map.
        panels: by subnet.
        cards: by host.
    """

    width: int
    height: int
    panels: dict[str, Place]
    cards: dict[str, Place]


@dataclass(frozen=True)
class Sizes:
    """Pixels.

    Attributes:
        card_width: at least.
        card_height: of every card.
        gutter: between panels.
        pad: between cards, and from them to a panel's edge.
        title: of a panel.
    """

    card_width: int
    card_height: int
    gutter: int
    pad: int
    title: int

    @property
    def cell(self) -> int:
        """What a card that is alone in its panel takes of a shelf's width."""
        return self.card_width + self.gutter + 2 * self.pad

    @property
    def row(self) -> int:
        """What a row of cards takes of a panel's height."""
        return self.card_height + self.pad


def groups_of(scenario: Scenario) -> list[tuple[str, list[str]]]:
    """Subnets with their hosts, those without left out, in the order in which red can reach them."""
    names = list(scenario.subnets)
    depths = _depths(scenario)
    hosts: dict[str, list[str]] = {name: [] for name in sorted(names, key=lambda name: depths[name])}
    for host, content in scenario.hosts.items():
        hosts[content.subnet].append(host)
    return [(name, members) for name, members in hosts.items() if members]


def lay_out(groups: Groups, columns: int, sizes: Sizes) -> Layout:
    """Set the panels on shelves so that the map becomes as low as it can.

    Args:
        groups: as `groups_of` gives them.
        columns: cards that stand side by side.
        sizes: of what is shown.
    """
    width = columns * sizes.cell + sizes.gutter
    panels: dict[str, Place] = {}
    cards: dict[str, Place] = {}
    top = sizes.gutter
    for shelf in _shelves(groups, columns, sizes):
        rows = _num_rows(shelf, columns)
        spans = [-(-len(hosts) // rows) for _, hosts in shelf]
        cell = min((width - sizes.gutter) / sum(spans), MOST_STRETCH * sizes.cell)
        height = sizes.title + rows * sizes.row
        first = 0
        for (subnet, hosts), span in zip(shelf, spans, strict=True):
            left, right = sizes.gutter + round(first * cell), round((first + span) * cell)
            panels[subnet] = Place(left, top, right - left, height)
            step = (right - left - sizes.pad) / span
            for i, host in enumerate(hosts):
                row, column = divmod(i, span)
                start, end = (left + sizes.pad + round((column + j) * step) for j in (0, 1))
                cards[host] = Place(
                    start, top + sizes.title + row * sizes.row, end - start - sizes.pad, sizes.card_height
                )
            first += span
        top += height + sizes.gutter
    return Layout(width, top, panels, cards)


def _depths(scenario: Scenario) -> dict[str, int]:
    """How far each subnet is from where red starts: 0 its own, 1 where it may go at once, and so on."""
    home = scenario.hosts[scenario.red.start].subnet
    guards = {name: guards_of(scenario, name, home) for name in scenario.subnets}
    last = len(guards) + 1
    depths = {name: 0 if name == home else 1 if guards[name] is None else last for name in guards}
    for _ in guards:
        for name, hosts in guards.items():
            ways = (1 + depths[scenario.hosts[host].subnet] for host in hosts or ())
            depths[name] = min((depths[name], *ways))
    return depths


def _shelves(groups: Groups, columns: int, sizes: Sizes) -> list[Groups]:
    """The groups in their order, cut into shelves of the least height together, and into no more than that takes."""
    best: list[tuple[int, int, list[Groups]]] = [(0, 0, [])]
    for end in range(1, len(groups) + 1):
        options = []
        for start in range(max(0, end - columns), end):
            height, count, shelves = best[start]
            shelf = groups[start:end]
            height += sizes.title + sizes.gutter + _num_rows(shelf, columns) * sizes.row
            options.append((height, count + 1, [*shelves, shelf]))
        best.append(min(options, key=lambda option: option[:2]))
    return best[-1][2]


def _num_rows(shelf: Groups, columns: int) -> int:
    """The fewest rows of cards in which some groups stand side by side; each has at least a column."""
    numbers = [len(hosts) for _, hosts in shelf]
    rows = max(1, -(-sum(numbers) // columns))
    while _num_columns(numbers, rows) > columns:
        rows += 1
    return rows


def _num_columns(numbers: Iterable[int], rows: int) -> int:
    return sum(-(-number // rows) for number in numbers)
