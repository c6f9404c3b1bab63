"""What is known of the order: which type comes before which, what that is worth, and what was never tested."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cageflow.analysis.answer_words import points, price, sentences, sureness
from cageflow.analysis.precedences import OrderAnswer
from cageflow.report.content import Block, Chart, Prose, Section, Table
from cageflow.report.drawing import fitting, tip
from cageflow.report.material import Material
from cageflow.report.theme import light
from cageflow.report.wording import DASH, count, number, percent, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STATES = ("does not matter", "not known yet", "never tested", "open in part")


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


def section(material: Material) -> Section | None:
    """The section; none where no order was searched for, or none can be followed."""
    answer = material.answer
    if answer is None or answer.orders is None or len(answer.orders.unit_types) < 2:
        return None
    orders = answer.orders
    words = sentences(answer)
    blocks: list[Block] = [Prose(tuple(map(sentence, words)))]
    placed = places(orders)
    apart = any(one.layer is None for one in placed)
    rows = 1 + max((one.layer or 0 for one in placed), default=0)
    blocks.append(
        Chart(
            name="precedences",
            title="Which type comes before which",
            text=" ".join(words),
            draw=lambda figure, narrow: draw_places(figure.subplots(), narrow, orders, placed),
            heights=(250 if orders.precedences else 110, 110 + 90 * rows + (70 if apart else 0)),
            note=f"An arrow is a precedence that all of the {count(orders.tied_orders, 'order')} have which cannot be "
            "told from the best, with its probability and with what turning it costs on average while the others are "
            "kept. Types in no precedence stand apart, with the reason.",
            table=_table(orders),
        )
    )
    return Section("precedences", "What is known of the order", tuple(blocks), "Answer")


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


def _state(orders: OrderAnswer, name: str) -> str:
    """Why a type is in no precedence."""
    if name in orders.untested_types:
        return STATES[2]
    for pairs, state in ((orders.unknown, STATES[1]), (orders.alike, STATES[0])):
        if any(name in (pair.first, pair.second) for pair in pairs):
            return state
    return STATES[3]


def draw_places(axes: Axes, narrow: bool, orders: OrderAnswer, placed: Sequence[Placed]) -> None:
    """Draw the types with an arrow for each precedence."""
    axes.set_axis_off()
    where = _positions(placed, narrow)
    for name, (x, y) in where.items():
        state = next(one.state for one in placed if one.name == name)
        axes.text(
            x,
            y,
            fitting(name) + (f"\n{state}" if state else ""),
            ha="center",
            va="center",
            fontsize=10.5 if state or narrow else 12.0,
            fontweight="normal" if state else "bold",
            color=light("muted" if state else "ink"),
            bbox={
                "boxstyle": "round,pad=0.5",
                "facecolor": light("panel"),
                "edgecolor": light("line" if state else "accent"),
                "linewidth": 1.2,
                "linestyle": "--" if state else "-",
            },
            zorder=3,
        )
    for one in orders.precedences:
        _arrow(
            axes, where[one.before], where[one.after], narrow, f"{sureness(one.probability)}\n{price(one)}", one.tested
        )
    xs, ys = zip(*where.values(), strict=True)
    axes.set_xlim(min(xs) - 0.6, max(xs) + 0.6)
    axes.set_ylim(min(ys) - 0.5, max(ys) + 0.5)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], narrow: bool, words: str, tested: bool | None
) -> None:
    """An arrow from one type to another, with what is known of it beside."""
    arrow = axes.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": light("accent"),
            "linewidth": 1.8,
            "linestyle": "--" if tested is False else "-",
            "shrinkA": 22 if narrow else 46,
            "shrinkB": 22 if narrow else 46,
        },
        zorder=2,
    )
    arrow.set_gid(tip(words.replace("\n", ", ")))
    axes.annotate(
        words,
        ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2),
        xytext=(8, 0) if narrow else (0, 6),
        textcoords="offset points",
        ha="left" if narrow else "center",
        va="center" if narrow else "bottom",
        fontsize=10.5,
        linespacing=1.2,
        bbox={"facecolor": light("paper"), "alpha": 0.8, "pad": 0.5},
        zorder=4,
    )


def _positions(placed: Sequence[Placed], narrow: bool) -> dict[str, tuple[float, float]]:
    """Coordinates: layers from left to right, or from above in a narrow window, and the others in a row below."""
    layers: dict[int, list[str]] = {}
    for one in placed:
        if one.layer is not None:
            layers.setdefault(one.layer, []).append(one.name)
    where = {}
    for layer, names in layers.items():
        for i, name in enumerate(names):
            across = i - (len(names) - 1) / 2
            where[name] = (across, -float(layer)) if narrow else (1.25 * layer, -0.9 * across)
    apart = [one.name for one in placed if one.layer is None]
    lowest = min((y for _, y in where.values()), default=1.0)
    columns = 2 if narrow else 5
    for i, name in enumerate(apart):
        row, column = divmod(i, columns)
        in_row = min(columns, len(apart) - columns * row)
        centre = 0.0 if narrow else 1.25 * max(layers, default=0) / 2
        where[name] = (centre + 1.05 * (column - (in_row - 1) / 2), lowest - 1.0 - 0.8 * row)
    return where


def _table(orders: OrderAnswer) -> Table:
    rows = []
    for one in orders.precedences:
        cost = DASH if one.cost is None else number(one.cost)
        ends = (
            "cannot be followed turned"
            if one.cost_low is None or one.cost_high is None
            else f"{number(one.cost_low)} to {number(one.cost_high)}"
        )
        rows.append((f"{one.before} before {one.after}", percent(one.probability), cost, ends, _tested(one.tested)))
    for pair in orders.open_pairs:
        if math.isfinite(pair.average.mean):
            mean, ends = number(pair.average.mean), f"{number(pair.average.low)} to {number(pair.average.high)}"
        else:
            mean, ends = DASH, ""
        reach = f"open (±{points(pair.reach)})" if math.isfinite(pair.reach) else "open"
        rows.append((f"{pair.first} before {pair.second}", reach, mean, ends, _tested(pair.tested)))
    return Table(
        "Each pair of types that no other precedence decides: the probability that the best order has it so, and what "
        "turning it costs on average, in points",
        ("Turn", "#Probability", "#Turning it costs", "#95 % interval", "Tested"),
        tuple(rows),
        folded="All pairs as a table",
    )


def _tested(tested: bool | None) -> str:
    return {None: "not counted", True: "yes", False: "never"}[tested]
