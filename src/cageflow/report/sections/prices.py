"""What every order of a landscape is worth beside plain PPO, and whether orders differ at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cageflow.analysis.differences_words import sentences
from cageflow.csv_format import csv_text
from cageflow.evaluation.statistics import Estimate
from cageflow.files import write_whole
from cageflow.measure.differences import Differences, OrderPrice
from cageflow.report.content import Block, Chart, Prose, Section, Table
from cageflow.report.drawing import draw, limits, mark_outliers, plain_ticks, tip
from cageflow.report.material import Material
from cageflow.report.theme import light
from cageflow.report.wording import count, interval, number, order_words, percent, sentence, signed
from cageflow.scenario.orders import log_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DENSE = 200
"""Orders from which on their intervals are drawn as one band: so many lines side by side are a pattern of their own."""
PRICE_COLUMNS = ["Workflow_Order", "Reward", "Low", "High", "Over_Plain", "Over_Plain_Low", "Over_Plain_High"]


def section(material: Material) -> Section | None:
    """The section; none but of a landscape."""
    found = material.differences
    if found is None:
        return None
    blocks: list[Block] = [Prose(tuple(map(sentence, sentences(found)))), prices_chart(found)]
    if found.pairs:
        blocks.append(_pairs(found))
    return Section("prices", "Do the orders differ?", tuple(blocks), "Answer")


def prices_chart(found: Differences, title: str = "What every order is worth") -> Chart:
    """The orders by rank: beside plain PPO where that was trained, else their rewards."""
    ranked = found.prices
    beside = " beside plain PPO, which is the line at 0 with its interval" if found.plain is not None else ""
    return Chart(
        name="prices",
        title=title,
        text=" ".join(sentences(found)),
        draw=lambda figure, narrow: draw_prices(figure.subplots(), narrow, found),
        heights=(380, 330),
        note=f"Mean of each order's trainings with its 95 % interval, the best on the left{beside}. An order that is "
        "the best of many by its own trainings is lucky in part. What lies far below all others is drawn at the edge, "
        "with its figure.",
        table=_table(ranked),
    )


def write_prices(folder: Path, found: Differences, title: str) -> list[Path]:
    """Write `prices.csv`, `prices.svg` and `prices.png`; raises `OSError` where they cannot be."""
    rows = []
    for one in found.prices:
        figures = [one.reward.mean, *one.reward.interval()]
        if one.gain is not None:
            figures += [one.gain.mean, *one.gain.interval()]
        rows.append([log_order(one.order), *(f"{figure:.4f}" for figure in figures)])
    columns = PRICE_COLUMNS if found.plain is not None else PRICE_COLUMNS[:4]
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "prices.csv", csv_text([columns, *rows]).encode())
    draw(prices_chart(found, title)).write_files(folder)
    return [folder / f"prices.{ending}" for ending in ("csv", "svg", "png")]


def draw_prices(axes: Axes, narrow: bool, found: Differences) -> None:
    """Draw the orders by rank, each with its interval."""
    shown = [one.reward if one.gain is None else one.gain for one in found.prices]
    means = [one.mean for one in shown]
    lows, highs = zip(*(one.interval() for one in shown), strict=True)
    low, high = limits([*means, *lows, *highs, *([0.0] if found.plain is not None else [])])
    if found.plain is not None:
        half = found.plain.half_width()
        axes.axhspan(-half, half, color=light("teal"), alpha=0.15, linewidth=0)
        axes.axhline(0.0, color=light("teal"), lw=1.6)
        words = axes.annotate(
            "plain PPO",
            (len(shown) - 1, 0.0),
            xytext=(0, 4),
            textcoords="offset points",
            ha="right",
            bbox={"facecolor": light("paper"), "alpha": 0.75, "pad": 0.5},
            zorder=4,
        )
        words.set_in_layout(False)
    is_dense = len(shown) > DENSE
    size = 2.0 if is_dense else 3.0 if narrow else 4.5
    for colour, chosen in (("blue", _clearly(shown, 1)), ("faint", _clearly(shown, 0)), ("amber", _clearly(shown, -1))):
        x = [i for i in chosen if low <= means[i] <= high]
        colour = light(colour if found.plain is not None else "blue")
        if is_dense:
            inside = np.isin(np.arange(len(shown)), x)
            axes.fill_between(range(len(shown)), lows, highs, where=inside, step="mid", color=colour, alpha=0.3, lw=0)
        else:
            axes.vlines(x, [lows[i] for i in x], [highs[i] for i in x], color=colour, lw=1.2, alpha=0.5)
        for i in x:
            (mark,) = axes.plot(i, means[i], "o", ms=size, color=colour)
            mark.set_gid(tip(f"{order_words(found.prices[i].order)}: {_words(found.prices[i])}"))
    axes.set_ylim(low, high)
    mark_outliers(axes, list(range(len(means))), means, (low, high))
    axes.set_xlim(-1.5, len(shown) + 0.5)
    apart = max(1, round(len(shown) / 6))
    ranks = [0, *range(apart - 1, len(shown), apart)] if apart > 1 else list(range(len(shown)))
    axes.set_xticks(ranks, [str(i + 1) for i in ranks])
    axes.set_xlabel("rank")
    axes.set_ylabel("points over plain PPO" if found.plain is not None else "reward an episode")
    axes.grid(False, axis="x")
    plain_ticks(axes.yaxis)


def _clearly(shown: Sequence[Estimate], sign: int) -> list[int]:
    """Which are clearly above 0, neither, or clearly below."""
    found = []
    for i, one in enumerate(shown):
        low, high = one.interval()
        if (1 if low > 0 else -1 if high < 0 else 0) == sign:
            found.append(i)
    return found


def _words(one: OrderPrice) -> str:
    gain = "" if one.gain is None else f", {signed(one.gain.mean)} beside plain PPO"
    return f"{number(one.reward.mean)}{gain}"


def _table(ranked: Sequence[OrderPrice]) -> Table:
    has_plain = any(one.gain is not None for one in ranked)
    rows = []
    for one in ranked:
        row = [order_words(one.order), number(one.reward.mean), interval(one.reward)]
        if has_plain:
            assert one.gain is not None, "all have one or none has"
            row += [signed(one.gain.mean), interval(one.gain, sign=True)]
        rows.append(tuple(row))
    gains = ("#Over plain PPO", "#95 % interval of that") if has_plain else ()
    return Table(
        "Every order by the mean of its trainings",
        ("Workflow", "#Reward", "#95 % interval", *gains),
        tuple(rows),
        folded=f"All {count(len(rows), 'order')} as a table",
    )


def _pairs(found: Differences) -> Table:
    rows = [
        (
            f"{pair.before} before {pair.after}",
            number(pair.worth.mean),
            interval(pair.worth),
            f"{pair.p:.2g}",
            percent(pair.explained),
        )
        for pair in found.pairs
    ]
    return Table(
        "What each pair is worth with all others alike, in points; p is corrected for the number of pairs",
        ("Turn", "#Worth", "#95 % interval", "#p", "#Share of the variance"),
        tuple(rows),
        folded="All pairs as a table",
    )
