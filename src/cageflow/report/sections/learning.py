"""Learning curves: how each workflow was learned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cageflow.learn.policy import ANY_WORKFLOW, RED
from cageflow.report.content import Chart, Section, Table
from cageflow.report.drawing import WIDTHS, plain_ticks, tip
from cageflow.report.material import Material
from cageflow.report.theme import SERIES, light
from cageflow.report.wording import SHORT, count, number, order_words, percent, short_names, short_order
from cageflow.runs.logs import log_workflow
from cageflow.runs.saved_run import SavedRun
from cageflow.scenario.orders import Order
from cageflow.training.trainer import Workflow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURES = {
    "env_reward": "Environment reward",
    "alignment": "Alignment reward",
    "total_reward": "Total reward",
    "compliance": "Compliance",
}
MAX_POINTS = 90
MAX_LINES = 24
"""Curves without a colour of their own; more of them are drawn as a band."""
LINEAR_BELOW = 10.0
TICKS = (30, 10, 0, -10, -30, -100, -300, -1000, -3000, -10_000, -30_000)
LETTER, LINE_ROOM, LEGEND_LINE = 7.2, 40.0, 20
"""Of the legend in pixels: a letter, what stands before a name and between two, and the height of a line."""


@dataclass(frozen=True)
class LearningCurve:
    """The updates of one workflow, or of one of its trainings.

    Attributes:
        order: the workflow; "any" of a universal policy, None for plain PPO.
        episodes: (N,) trained on it so far.
        values: (N,) by measure.
    """

    order: Workflow
    episodes: npt.NDArray[np.float64]
    values: dict[str, npt.NDArray[np.float64]]


def learning_curves(run: SavedRun) -> list[LearningCurve]:
    """A curve for each workflow; for each of its trainings where it has several."""
    rows: dict[tuple[Workflow, int], list[tuple[float, ...]]] = defaultdict(list)
    for update in sorted(run.updates, key=lambda one: (one.trial, one.episodes)):
        values = tuple(getattr(update, name) for name in MEASURES)
        rows[update.order, update.training].append((update.training_episodes, *values))
    curves = []
    for (order, _), points in rows.items():
        table = thinned(np.array(points, np.float64), MAX_POINTS)
        curves.append(LearningCurve(order, table[:, 0], dict(zip(MEASURES, table[:, 1:].T, strict=True))))
    return curves


def thinned(points: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.float64]:
    """(N, C) rows averaged in groups of neighbours, so that no more than `most` are left."""
    size = -(-len(points) // most)
    return np.array([points[i : i + size].mean(axis=0) for i in range(0, len(points), size)])


def section(material: Material) -> Section | None:
    """The section; none before the first update."""
    run = material.run
    curves = learning_curves(run)
    if not curves:
        return None
    orders: list[Order | None] = [one.order for one in material.results[: len(SERIES)]]
    if not material.results:
        orders = [run.order]
    names: dict[Workflow, str] = {order: short_order(order) for order in orders}
    if run.config.follows_any:
        names = {ANY_WORKFLOW: "all workflows"}
    measures = [name for name in MEASURES if not np.isnan(curves[0].values[name]).all()]
    if not any(np.nan_to_num(curve.values["alignment"]).any() for curve in curves):  # of enforced orders there is none
        measures = [name for name in measures if name not in ("alignment", "total_reward")]
    if run.order is None:
        measures = ["env_reward"]
    groups = {curve.order for curve in curves}
    chart = Chart(
        name="learning_curves",
        title="Learning curves",
        text=f"Learning curves of {count(len(groups), 'workflow')}: "
        + ", ".join(MEASURES[name].lower() for name in measures)
        + " against training episodes. The figures stand in the table below.",
        draw=lambda figure, narrow: _draw(figure, narrow, curves, names, measures),
        heights=(
            300 * ((len(measures) + 1) // 2) + 10 + LEGEND_LINE * -(-len(names) // _in_a_line(names, False)),
            215 * len(measures) + 10 + LEGEND_LINE * -(-len(names) // _in_a_line(names, True)),
        ),
        note="Means over the training episodes of an update, neighbouring updates averaged; rewards on a scale that "
        "stretches towards zero." + _note(run, curves, names) + _key(names),
        table=_table(curves, names, measures),
    )
    return Section("learning", "How it was learned", (chart,), "Training")


def _note(run: SavedRun, curves: Sequence[LearningCurve], names: dict[Workflow, str]) -> str:
    others = [curve for curve in curves if curve.order not in names]
    if run.config.tries_orders and others:
        how = "the middle eight tenths of them as a band" if len(others) > MAX_LINES else "in grey"
        return f" The best workflows have colours, the other {count(len(others), 'curve')} stand {how}."
    return ""


def _key(names: dict[Workflow, str]) -> str:
    """What the short names of the legend stand for, where they are not CAGE-2's."""
    types = {unit_type for order in names if isinstance(order, tuple) for unit_type in order}
    if types <= SHORT.keys():
        return ""
    return " In the legend " + ", ".join(f"{short} is {name}" for name, short in short_names(types).items()) + "."


def _in_a_line(names: dict[Workflow, str], narrow: bool) -> int:
    """How many names a line of the legend has room for, three at most."""
    longest = LINE_ROOM + LETTER * max(map(len, names.values()))
    return max(1, min(3, int(WIDTHS[narrow] // longest)))


def _draw(
    figure: Figure, narrow: bool, curves: Sequence[LearningCurve], names: dict[Workflow, str], measures: Sequence[str]
) -> None:
    num_columns = 1 if narrow or len(measures) == 1 else 2
    grid = figure.subplots(-(-len(measures) // num_columns), num_columns, sharex=True, squeeze=False)
    panels: list[Axes] = list(grid.flat)
    colours = dict(zip(names, SERIES, strict=False))
    others = [curve for curve in curves if curve.order not in names]
    for axes, measure in zip(panels, measures, strict=True):
        if len(others) > MAX_LINES:
            _draw_band(axes, others, measure)
        else:
            for curve in others:
                (line,) = axes.plot(curve.episodes, curve.values[measure], color=light("faint"), lw=1.0, alpha=0.6)
                line.set_gid(tip(log_workflow(curve.order)))
        for order in reversed(list(names)):
            for curve in curves:
                if curve.order == order:
                    (line,) = axes.plot(curve.episodes, curve.values[measure], color=light(colours[order]))
                    line.set_gid(tip(names[order]))
        axes.set_title(MEASURES[measure])
        _scale(axes, measure, curves)
    for axes in panels[-num_columns:]:
        axes.set_xlabel("episodes trained on the workflow" if not narrow else "episodes trained")
    if len(names) > 1 or others:
        from matplotlib.lines import Line2D

        lines = [Line2D([], [], color=light(colour), lw=3) for colour in colours.values()]
        labels = [names[order] for order in colours]
        figure.legend(lines, labels, loc="outside lower center", ncols=_in_a_line(names, narrow), handlelength=1.2)


def _draw_band(axes: Axes, curves: Sequence[LearningCurve], measure: str) -> None:
    """The middle eight tenths of many curves, and their median."""
    last = max(curve.episodes[-1] for curve in curves)
    places = np.linspace(min(curve.episodes[0] for curve in curves), last, 60)
    lines = np.array([np.interp(places, curve.episodes, curve.values[measure], right=np.nan) for curve in curves])
    enough = (~np.isnan(lines)).sum(axis=0) >= len(curves) / 10
    low, middle, high = np.nanpercentile(lines[:, enough], [10, 50, 90], axis=0)
    axes.fill_between(places[enough], low, high, color=light("faint"), alpha=0.25, lw=0)
    axes.plot(places[enough], middle, color=light("faint"), lw=1.2)


def _scale(axes: Axes, measure: str, curves: Sequence[LearningCurve]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 0)))
    if measure == "compliance":
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value, 0)))
    elif measure == "alignment":
        plain_ticks(axes.yaxis)
    else:
        lowest = min(float(np.nanmin(curve.values[measure])) for curve in curves)
        highest = max(float(np.nanmax(curve.values[measure])) for curve in curves)
        axes.set_yscale("symlog", linthresh=LINEAR_BELOW)
        axes.set_ylim(1.3 * min(lowest, -1.0), max(0.0, 1.3 * highest))
        ticks = [tick for tick in TICKS if lowest * 1.3 <= tick <= max(0.0, 1.3 * highest)]
        axes.set_yticks(ticks, [number(tick, 0) for tick in ticks])
        axes.yaxis.set_minor_locator(NullLocator())


def _table(curves: Sequence[LearningCurve], names: dict[Workflow, str], measures: Sequence[str]) -> Table:
    rows = []
    for curve in sorted(curves, key=lambda one: list(names).index(one.order) if one.order in names else len(names)):
        ends = [curve.values[name][-1] for name in measures]
        words = [
            percent(end) if name == "compliance" else number(end) for name, end in zip(measures, ends, strict=True)
        ]
        rows.append((_name(curve.order), f"{curve.episodes[-1]:,.0f}", *words))
    return Table(
        "Where the learning curves end: means over the last updates",
        ("Workflow", "#Episodes", *(f"#{MEASURES[name]}" for name in measures)),
        tuple(rows),
        folded="Where the curves end, as a table",
    )


def _name(order: Workflow) -> str:
    return "all workflows" if order == ANY_WORKFLOW else order if order == RED else order_words(order)
