"""What searches have found, side by side: which type comes before which in each, as a picture and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from cageflow.analysis.answer import Answer
from cageflow.analysis.answer_words import heading, one_turn, price, sureness
from cageflow.analysis.precedences import OrderAnswer
from cageflow.report.compare.groups import Group
from cageflow.report.content import Chart, Table
from cageflow.report.drawing import WIDTHS
from cageflow.report.sections.precedence_picture import draw_precedences, picture_height
from cageflow.report.wording import DASH, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 2
"""Pictures beside one another."""
PANELS, TITLE = (WIDTHS[False] // COLUMNS, WIDTHS[True]), 30
"""In pixels: the width of a picture, wide and narrow, and the height of its title."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one search has found.

    Attributes:
        label: of its group, with its seed where there are several.
        answer: in full.
        orders: of the answer, where some order can be followed.
    """

    label: str
    answer: Answer
    orders: OrderAnswer


def answers_of(groups: Sequence[Group]) -> list[Found]:
    """Those of all searches among the members that know of an order that can be followed, with two types or more."""
    found = []
    for group in groups:
        for member in group.members:
            answer = member.answer
            if answer is None or answer.orders is None or len(answer.orders.unit_types) < 2:
                continue
            label = group.label if len(group.members) == 1 else f"{group.label}, seed {member.seed}"
            found.append(Found(label=label, answer=answer, orders=answer.orders))
    return found


def answers_chart(found: Sequence[Found]) -> Chart | None:
    """A picture of each answer; None without two to hold beside one another."""
    if len(found) < 2:
        return None
    rows = -(-len(found) // COLUMNS)
    tall = [max(picture_height(one.orders, width) for one in found) + TITLE for width in PANELS]
    return Chart(
        name="answers",
        title="What each search has found",
        text="; ".join(f"{one.label}: {heading(one.answer)}" for one in found) + ".",
        draw=lambda figure, narrow: _draw(figure, narrow, found),
        heights=(tall[False] * rows, tall[True] * len(found)),
        note="An arrow is a precedence that all orders have which cannot be told from the best, with its probability "
        "and what turning it costs. Types in no precedence stand apart, with the reason.",
    )


def answers_table(found: Sequence[Found]) -> Table | None:
    """Each pair of types that some search decides, and what each says of it; None without two searches."""
    if len(found) < 2:
        return None
    types = list(dict.fromkeys(name for one in found for name in one.orders.unit_types))
    rows = []
    for first, second in combinations(types, 2):
        for before, after in ((first, second), (second, first)):
            said = [_said(one.orders, before, after) for one in found]
            if any(words != DASH for words in said):
                rows.append((f"{before} before {after}", *said))
    rows.append(("orders that may be the best", *(f"{one.orders.tied_orders:,}" for one in found)))
    rows.append(("recommended", *(" > ".join(one.orders.recommended) for one in found)))
    return Table(
        caption="What each search has found", columns=("turn", *(one.label for one in found)), rows=tuple(rows)
    )


def answers_json(found: Sequence[Found]) -> list[dict[str, object]]:
    """What `--json` prints of them."""
    return [
        {
            "run": one.label,
            "precedences": [turn.to_json() for turn in one.orders.precedences],
            "tied_orders": one.orders.tied_orders,
            "words": listed([one_turn(turn) for turn in one.orders.precedences]) if one.orders.precedences else "",
        }
        for one in found
    ]


def _said(orders: OrderAnswer, before: str, after: str) -> str:
    """What an answer says of a turn: a dash where it claims nothing of it."""
    for one in orders.precedences:
        if (one.before, one.after) == (before, after):
            return f"{sureness(one.probability)}, {price(one)}"
    return DASH


def _draw(figure: Figure, narrow: bool, found: Sequence[Found]) -> None:
    columns = 1 if narrow else COLUMNS
    panels = figure.subplots(-(-len(found) // columns), columns, squeeze=False).flatten()
    for panel, one in zip(panels, found, strict=False):
        panel.set_title(one.label)
        draw_precedences(panel, one.orders, PANELS[narrow])
    for panel in panels[len(found) :]:
        panel.set_visible(False)
