"""The picture of what comes before what: a graph where it has room, else a line for each precedence.

Everything is placed in pixels, so that no box covers another and no word a box, however long names are.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cageflow.analysis.answer_words import price, sureness
from cageflow.analysis.precedences import OrderAnswer, Precedence
from cageflow.report.drawing import in_lines, tip
from cageflow.report.theme import light

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STATES = ("does not matter", "not known yet", "never tested", "open in part")
LETTERS = 16
"""Of a line of a name in its box."""
LINES, LINE = 3, 12.5
"""Of a name at most, and the height of one."""
LETTER, BOX_ROOM = 7.4, 14.0
PRICE_LETTERS, PRICE_LINE = 12, 12.0
"""Of what turning costs, below an arrow of a list."""
GRAPH_ROW, LIST_ROW, APART_ROW, EDGE = 84.0, 56.0, 66.0, 8.0
"""Heights of a row and what is left above and below, in pixels."""
MOST_IN_LAYER, LEAST_LAYER = 4, 280.0
"""A graph has so many types in a layer at most, and a layer takes at least so many pixels."""
WORDS_AT = 0.36
"""Where along an arrow its words stand: nearer to its beginning, where those that meet or cross are apart."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Placed:
    """A unit type in the picture.

    Attributes:
        name: of it.
        layer: types that come before it, as a chain, at least; None where it is in no precedence.
        state: of a type in no precedence, one of `STATES`.
    """

    name: str
    layer: int | None
    state: str


def places(orders: OrderAnswer) -> list[Placed]:
    """Where the types stand in the picture: those in a precedence by layers, the others after them."""
    before: dict[str, list[str]] = {name: [] for name in orders.unit_types}
    named = set()
    for one in orders.precedences:
        before[one.after].append(one.before)
        named |= {one.before, one.after}

    def depth(name: str) -> int:
        return max((1 + depth(other) for other in before[name]), default=0)

    layered = [Placed(name, depth(name), "") for name in orders.recommended if name in named]
    return layered + [Placed(name, None, _state(orders, name)) for name in orders.recommended if name not in named]


def picture_height(orders: OrderAnswer, width: float) -> int:
    """Pixels that the picture takes in a panel of a width."""
    placed = places(orders)
    rows = -(-sum(one.layer is None for one in placed) // _columns(width))
    return round(_height(orders, placed, width) + APART_ROW * rows + 2 * EDGE)


def draw_precedences(axes: Axes, orders: OrderAnswer, width: float) -> None:
    """Draw an arrow for each precedence, and the types in none below.

    Args:
        axes: as wide as said, and as high as `picture_height` says.
        orders: what is known.
        width: in pixels.
    """
    placed = places(orders)
    axes.set_axis_off()
    axes.set_xlim(0.0, width)
    axes.set_ylim(picture_height(orders, width), 0.0)
    layers = _layers(placed)
    if _is_graph(orders, placed, width):
        _draw_graph(axes, orders, layers, width)
    else:
        _draw_list(axes, orders, width)
    apart = [one for one in placed if one.layer is None]
    columns, top = _columns(width), EDGE + _height(orders, placed, width)
    for i, one in enumerate(apart):
        row, column = divmod(i, columns)
        in_row = min(columns, len(apart) - columns * row)
        x = width / 2 + (column - (in_row - 1) / 2) * width / columns
        _box(axes, (x, top + (row + 0.5) * APART_ROW), one.name, one.state)


def _state(orders: OrderAnswer, name: str) -> str:
    """Why a type is in no precedence."""
    if name in orders.untested_types:
        return STATES[2]
    for pairs, state in ((orders.unknown, STATES[1]), (orders.alike, STATES[0])):
        if any(name in (pair.first, pair.second) for pair in pairs):
            return state
    return STATES[3]


def _columns(width: float) -> int:
    """Boxes beside one another."""
    return max(1, int(width // (LETTERS * LETTER + BOX_ROOM + 8)))


def _layers(placed: Sequence[Placed]) -> list[list[str]]:
    layered = [one for one in placed if one.layer is not None]
    return [
        [one.name for one in layered if one.layer == layer]
        for layer in range(1 + max((one.layer or 0 for one in layered), default=-1))
    ]


def _is_graph(orders: OrderAnswer, placed: Sequence[Placed], width: float) -> bool:
    """Whether a graph has room, and no arrow would run behind a box."""
    layer_of = {one.name: one.layer or 0 for one in placed}
    layers = _layers(placed)
    has_room = len(layers) <= width // LEAST_LAYER and max(map(len, layers), default=0) <= MOST_IN_LAYER
    is_told = all(layer_of[one.after] - layer_of[one.before] == 1 for one in orders.precedences)
    return has_room and is_told and all(len(price(one)) <= PRICE_LETTERS for one in orders.precedences)


def _height(orders: OrderAnswer, placed: Sequence[Placed], width: float) -> float:
    """Of the precedences alone."""
    if _is_graph(orders, placed, width):
        return GRAPH_ROW * max(map(len, _layers(placed)), default=0)
    return sum(map(_row_height, orders.precedences))


def _row_height(one: Precedence) -> float:
    return LIST_ROW + PRICE_LINE * (len(_price_lines(one)) - 1)


def _price_lines(one: Precedence) -> list[str]:
    return textwrap.wrap(price(one), PRICE_LETTERS)


def _draw_graph(axes: Axes, orders: OrderAnswer, layers: Sequence[Sequence[str]], width: float) -> None:
    """The types by layers from left to right."""
    rows = max(map(len, layers), default=0)
    where: dict[str, Point] = {}
    for i, names in enumerate(layers):
        for j, name in enumerate(names):
            where[name] = (
                (i + 0.5) * width / len(layers),
                EDGE + GRAPH_ROW * (rows / 2 + j - (len(names) - 1) / 2),
            )
    for name, place in where.items():
        _box(axes, place, name)
    for one in orders.precedences:
        start, end = where[one.before], where[one.after]
        _arrow(axes, one, start, end)
        at = (start[0] + WORDS_AT * (end[0] - start[0]), start[1] + WORDS_AT * (end[1] - start[1]))
        _words(axes, at, f"{sureness(one.probability)}\n{price(one)}", "center")


def _draw_list(axes: Axes, orders: OrderAnswer, width: float) -> None:
    """A line for each precedence: the two types, and the arrow between them."""
    reach = min(width, 460.0) / 2 - LETTERS * LETTER / 2 - BOX_ROOM / 2 - 2
    middle, top = width / 2, EDGE
    for one in orders.precedences:
        y = top + LIST_ROW / 2
        start, end = (middle - reach, y), (middle + reach, y)
        _box(axes, start, one.before)
        _box(axes, end, one.after)
        _arrow(axes, one, start, end)
        _words(axes, (middle, y - 4), sureness(one.probability), "bottom")
        _words(axes, (middle, y + 5), "\n".join(_price_lines(one)), "top")
        top += _row_height(one)


def _box(axes: Axes, place: Point, name: str, state: str = "") -> None:
    """A type, and why it is in no precedence."""
    axes.text(
        *place,
        in_lines(name, LETTERS, LINES) + (f"\n{state}" if state else ""),
        ha="center",
        va="center",
        fontsize=10.0 if state else 10.5,
        fontweight="normal" if state else "bold",
        linespacing=1.1,
        color=light("muted" if state else "ink"),
        bbox={
            "boxstyle": "round,pad=0.4",
            "facecolor": light("panel"),
            "edgecolor": light("line" if state else "accent"),
            "linewidth": 1.2,
            "linestyle": "--" if state else "-",
        },
        zorder=3,
    ).set_gid(tip(name))


def _half(name: str) -> Point:
    """Half of a box, with a little room."""
    lines = in_lines(name, LETTERS, LINES).splitlines()
    return (max(map(len, lines)) * LETTER + BOX_ROOM) / 2, (LINE * len(lines) + BOX_ROOM) / 2


def _arrow(axes: Axes, one: Precedence, start: Point, end: Point) -> None:
    """From the edge of one box to that of the other."""
    along = (end[0] - start[0], end[1] - start[1])

    def edge(name: str) -> Point:
        share = min(half / max(abs(part), 1e-9) for half, part in zip(_half(name), along, strict=True))
        return share * along[0], share * along[1]

    (left, above), (right, below) = edge(one.before), edge(one.after)
    arrow = axes.annotate(
        "",
        xy=(end[0] - right, end[1] - below),
        xytext=(start[0] + left, start[1] + above),
        arrowprops={
            "arrowstyle": "-|>",
            "color": light("accent"),
            "linewidth": 1.8,
            "linestyle": "--" if one.tested is False else "-",
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=2,
    )
    arrow.set_gid(tip(f"{one.before} before {one.after}: {sureness(one.probability)}, {price(one)}"))


def _words(axes: Axes, place: Point, words: str, va: str) -> None:
    axes.text(
        *place,
        words,
        ha="center",
        va=va,
        fontsize=10.0,
        linespacing=1.15,
        bbox={"facecolor": light("paper"), "alpha": 0.8, "pad": 0.5} if va == "center" else None,
        zorder=4,
    )
