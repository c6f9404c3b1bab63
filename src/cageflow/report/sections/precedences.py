"""What is known of the order: which type comes before which, what that is worth, and what was never tested."""

from __future__ import annotations

import math

from cageflow.analysis.answer_words import points, sentences
from cageflow.analysis.precedences import OrderAnswer
from cageflow.report.content import Block, Chart, Prose, Section, Table
from cageflow.report.drawing import WIDTHS
from cageflow.report.material import Material
from cageflow.report.sections.precedence_picture import draw_precedences, picture_height
from cageflow.report.wording import DASH, count, number, percent, sentence


def section(material: Material) -> Section | None:
    """The section; none where no order was searched for, or none can be followed."""
    answer = material.answer
    if answer is None or answer.orders is None or len(answer.orders.unit_types) < 2:
        return None
    orders = answer.orders
    words = sentences(answer)
    blocks: list[Block] = [Prose(tuple(map(sentence, words)))]
    blocks.append(
        Chart(
            name="precedences",
            title="Which type comes before which",
            text=" ".join(words),
            draw=lambda figure, narrow: draw_precedences(figure.subplots(), orders, WIDTHS[narrow]),
            heights=(picture_height(orders, WIDTHS[False]), picture_height(orders, WIDTHS[True])),
            note=f"An arrow is a precedence that all of the {count(orders.tied_orders, 'order')} have which cannot be "
            "told from the best, with its probability and with what turning it costs on average while the others are "
            "kept. Types in no precedence stand apart, with the reason.",
            table=_table(orders),
        )
    )
    return Section("precedences", "What is known of the order", tuple(blocks), "Answer")


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
