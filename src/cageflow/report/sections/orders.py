"""All orders: what the search thinks of each, or what each came to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cageflow.report.content import Block, Chart, Prose, Section, Table
from cageflow.report.drawing import limits, mark_outliers, plain_ticks, tip
from cageflow.report.material import Material
from cageflow.report.results import OrderResult
from cageflow.report.theme import light
from cageflow.report.wording import count, number, order_words, percent
from cageflow.runs.saved_run import Beliefs
from cageflow.scenario.orders import Order, OrderSpace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIKELY = 0.5
"""Probability from which an order is thought to reach the threshold."""


@dataclass(frozen=True)
class ChartedOrder:
    """One order in the chart.

    Attributes:
        order: it.
        mean, deviation: that the process believes in; None without one.
        feasibility: probability that it reaches the threshold; None without a process.
        result: what it came to; None if it was not tried.
    """

    order: Order
    mean: float | None
    deviation: float | None
    feasibility: float | None
    result: OrderResult | None

    @property
    def height(self) -> float:
        """What the order is ranked by."""
        if self.mean is not None:
            return self.mean
        assert self.result is not None, "an order has a belief or a result"
        return self.result.estimate.mean


def places(space: OrderSpace, beliefs: Beliefs | None, results: Sequence[OrderResult]) -> list[ChartedOrder]:
    """The orders of the chart, the best first: all in the log where the process has a say, else those tried."""
    tried = {result.order: result for result in results}
    found = []
    if beliefs is None:
        found = [ChartedOrder(order, None, None, None, result) for order, result in tried.items()]
    else:
        columns = (beliefs.ranks, beliefs.mean, beliefs.std, beliefs.feasibility)
        for rank, mean, std, feasibility in zip(*(column.tolist() for column in columns), strict=True):
            order = space.unrank(rank)
            found.append(ChartedOrder(order, mean, std, feasibility, tried.get(order)))
    return sorted(found, key=lambda place: (-place.height, space.rank(place.order)))


FILLED = (
    "filled where the compliance threshold was reached, and only those inform the process. Grey bars are workflows "
    "that it thinks unlikely to reach it."
)


def section(material: Material) -> Section | None:
    """The section; none for a single training."""
    run = material.run
    if not run.tries_orders:
        return None
    ranked = places(run.orders, run.beliefs, material.results)
    tried = len(material.results)
    blocks: list[Block] = []
    if run.beliefs is not None:
        shown = "All" if len(ranked) == len(run.orders) else "The best and the tried of all"
        title = f"{shown} {len(run.orders):,} workflows: what the search thinks of them"
        note = (
            "Each bar is the process's mean and 2 deviations either way, before the last trial, the best on the left. "
            f"Circles are what workflows came to that were {material.how_tried}"
            + (": " + FILLED if not run.config.is_enforced else ".")
        )
        if material.given_up:
            note += f" The training of {count(material.given_up, 'other workflow')} was given up on its way."
        text = (
            f"Mean and two deviations of the Gaussian process for {len(ranked):,} of {len(run.orders):,} workflows, "
            f"ranked; {tried} were {material.how_tried}. The highest mean is that of {order_words(ranked[0].order)}, "
            f"{number(ranked[0].height)}."
        )
    else:
        title = f"{count(tried, 'workflow')} tried"
        filled = "" if run.config.is_enforced else "; filled where the compliance threshold was reached"
        note = f"Mean and 95 % interval, the best on the left{filled}."
        if run.config.picks_orders:
            note += " There is no process: the strategy has no model."
        elif any(result.trials > 1 for result in material.results):
            note += " The intervals are made from how far trainings of the same workflow lie apart."
        text = f"What {count(tried, 'workflow')} came to, ranked by reward. The figures stand in the table below."
    label = "best policy" if run.config.trains_anew else "best"
    blocks.append(
        Chart(
            name="all_orders",
            title=title,
            text=text,
            draw=lambda figure, narrow: _draw(figure, narrow, ranked, run.order, label),
            heights=(400, 330),
            note=note,
            table=_table(ranked, run.order),
        )
    )
    if run.beliefs is not None and run.beliefs.iteration == 0:
        blocks.append(Prose(("Before the first trial the process knows nothing: all means are alike.",)))
    return Section("orders", "All workflows", tuple(blocks), "Orders")


def _draw(figure: Figure, narrow: bool, ranked: Sequence[ChartedOrder], best: Order | None, label: str) -> None:
    from matplotlib.lines import Line2D

    axes = figure.subplots()
    handles = []
    for likely, colour, words in ((True, "blue", "belief"), (False, "faint", "belief, unlikely to comply")):
        chosen = [
            (i, place.mean, place.deviation)
            for i, place in enumerate(ranked)
            if place.mean is not None
            and place.deviation is not None
            and place.feasibility is not None
            and (place.feasibility >= LIKELY) == likely
        ]
        if chosen:
            x, means, deviations = (list(column) for column in zip(*chosen, strict=True))
            low = [mean - 2 * deviation for mean, deviation in zip(means, deviations, strict=True)]
            high = [mean + 2 * deviation for mean, deviation in zip(means, deviations, strict=True)]
            width = 1.6 if narrow else 4.0
            axes.vlines(x, low, high, color=light(colour), lw=width, alpha=0.3)
            axes.plot(x, means, ls="none", marker="_", ms=2.4 if narrow else 5, mew=1.6, color=light(colour))
            handles.append(Line2D([], [], color=light(colour), lw=4, alpha=0.5, label=words))
    for feasible, face, words in ((True, "amber", "tried"), (False, "paper", "tried, did not comply")):
        tried = [(i, place) for i, place in enumerate(ranked) if place.result and place.result.feasible == feasible]
        for i, place in tried:
            assert place.result is not None
            estimate = place.result.estimate
            low_end, high_end = estimate.interval()
            axes.vlines(i, low_end, high_end, color=light("amber"), lw=1.4)
            (mark,) = axes.plot(
                i, estimate.mean, "o", ms=5 if narrow else 6.5, mfc=light(face), mec=light("amber"), mew=1.5, zorder=3
            )
            mark.set_gid(tip(f"{order_words(place.order)}: {number(estimate.mean)}"))
        if tried:
            handles.append(
                Line2D([], [], ls="none", marker="o", mfc=light(face), mec=light("amber"), mew=1.5, label=words)
            )
    for i, place in enumerate(ranked):
        if place.order == best and place.result is not None:
            axes.annotate(
                label,
                (i, place.result.estimate.mean),
                xytext=(9, 9),
                textcoords="offset points",
                fontweight="bold",
                annotation_clip=True,
                bbox={"facecolor": light("paper"), "alpha": 0.8, "pad": 1.0},
                zorder=4,
            )
    heights = [place.height for place in ranked]
    tried_means = [place.result.estimate.mean if place.result else math.nan for place in ranked]
    spread = [2 * (place.deviation or 0.0) for place in ranked]
    ends = limits(
        [
            *(h + s for h, s in zip(heights, spread, strict=True)),
            *(h - s for h, s in zip(heights, spread, strict=True)),
            *tried_means,
        ]
    )
    axes.set_ylim(*ends)
    mark_outliers(axes, list(range(len(ranked))), tried_means, ends)
    axes.set_xlim(-1.5, len(ranked) + 0.5)
    apart = max(20, round(len(ranked) / 6 / 20) * 20)
    shown = [0, *range(apart - 1, len(ranked), apart)]
    axes.set_xticks(shown, [str(i + 1) for i in shown])
    axes.set_xlabel("rank by the mean")
    axes.set_ylabel("reward an episode")
    axes.grid(False, axis="x")
    plain_ticks(axes.yaxis)
    figure.legend(handles=handles, loc="outside lower center", ncols=2 if narrow else 4, handlelength=1.2)


def _table(ranked: Sequence[ChartedOrder], best: Order | None) -> Table:
    has_beliefs = any(place.mean is not None for place in ranked)
    columns = ["Workflow", *(("#Mean", "#Deviation", "#Complies") if has_beliefs else ())]
    rows = []
    for place in ranked:
        row = [order_words(place.order)]
        if place.mean is not None and place.deviation is not None and place.feasibility is not None:
            row += [number(place.mean), number(place.deviation), percent(place.feasibility, 0)]
        result = place.result
        if result is None:
            row += ["", "", "", "", ""]
        else:
            low, high = result.estimate.interval()
            row += [
                number(result.estimate.mean),
                f"{number(low)} to {number(high)}",
                percent(result.compliance),
                str(result.trials),
                f"{result.episodes:,}",
            ]
        rows.append(tuple(row))
    return Table(
        "All workflows of the chart, by rank; the last five columns are of those that were tried",
        (*columns, "#Reward", "#95 % interval", "#Compliance", "#Trials", "#Episodes"),
        tuple(rows),
        marked=frozenset(i for i, place in enumerate(ranked) if place.order == best),
        folded=f"All {len(ranked)} as a table",
    )
