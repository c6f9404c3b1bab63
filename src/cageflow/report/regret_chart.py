"""Regret against trials as a chart: of what was just replayed, or of tables that `cageflow regret` has written."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cageflow.report.content import Chart
from cageflow.report.drawing import plain_ticks
from cageflow.report.theme import Dashes, curve_style, light

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from cageflow.measure.regret import Regrets

Styles = dict[str, tuple[str, Dashes]]
Floats = npt.NDArray[np.float64]

STRATEGIES = {
    "gp-ucb": "GP-UCB",
    "thompson": "Thompson sampling",
    "asha": "successive halving",
    "curves": "learning curves",
    "random": "random",
    "random-feasible": "random among those that comply",
    "round-robin": "round robin",
    "canonical": "canonical orders",
    "one-order": "one order throughout",
    "plain-ppo": "plain PPO",
}
"""The strategies as the legend of a chart has them."""
HEADINGS = {
    "simple": "simple regret",
    "cumulative": "cumulative regret",
}
BESIDE: dict[str, tuple[str, Dashes]] = {
    "random": ("faint", (0, (1.2, 1.4))),
    "random-feasible": ("faint", (0, (6, 1.6, 1.2, 1.6))),
    "one-order": ("muted", (0, (5, 1.6))),
    "plain-ppo": ("ink", "-"),
}
"""Colour and dashes of those who do not search: grey, so that the colours are left to those who do."""
RANGE_TO_LOG = 8.0
"""How many times higher the first trial may be than the last, both by the worst curve, before the axis of the simple
regret becomes logarithmic above a point."""
ALIKE = 4.0
"""How many times higher one landscape's curves may reach than another's for both to have one axis."""
MARKS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Of a logarithmic axis."""
FLAT = 0.1
"""Points that an axis reaches above 0 where no curve does."""
WIDEST = 3.0
"""Of the first curve in points; each that follows is thinner, so that one shows where others cover it."""
LEGEND_LINE, PANEL, NARROW_PANEL = 19, 310, 290
"""Heights in pixels."""


@dataclass(frozen=True)
class RegretCurve:
    """One contender's regret against trials.

    Attributes:
        strategy: of its settings.
        name: in the legend.
        mean, band: by the kind of regret, (T,) float64 each: of the repetitions, and half of the mean's 95 % interval.
    """

    strategy: str
    name: str
    mean: Mapping[str, Floats]
    band: Mapping[str, Floats]

    @property
    def top(self) -> dict[str, float]:
        """Where the curve with its band reaches, by the kind of regret."""
        return {kind: float((self.mean[kind] + self.band[kind]).max()) for kind in HEADINGS}


@dataclass(frozen=True)
class RegretPanels:
    """The curves on one landscape, under its title."""

    title: str
    curves: tuple[RegretCurve, ...]


def panels_of(title: str, regrets: Sequence[Regrets]) -> RegretPanels:
    """Those of replays."""
    curves = []
    for one in regrets:
        values = {kind: np.asarray(getattr(one, kind), np.float64) for kind in HEADINGS}
        mean = {kind: array.mean(axis=0) for kind, array in values.items()}
        band = {kind: 1.96 * array.std(axis=0, ddof=1) / np.sqrt(len(array)) for kind, array in values.items()}
        curves.append(_curve(one.contender.strategy, one.contender.label, mean, band))
    return RegretPanels(title, tuple(curves))


def read_panels(title: str, path: Path) -> RegretPanels:
    """Those of a table `regret.csv`."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    curves = []
    for (strategy, label), part in groupby(rows, key=lambda row: (row["Strategy"], row["Contender"])):
        lines = list(part)

        def column(name: str, lines: list[dict[str, str]] = lines) -> Floats:
            return np.array([float(line[name]) for line in lines])

        mean = {kind: column(f"{kind.capitalize()}_Mean") for kind in HEADINGS}
        band = {kind: 1.96 * column(f"{kind.capitalize()}_SE") for kind in HEADINGS}
        curves.append(_curve(strategy, label, mean, band))
    return RegretPanels(title, tuple(curves))


def _curve(strategy: str, label: str, mean: Mapping[str, Floats], band: Mapping[str, Floats]) -> RegretCurve:
    return RegretCurve(strategy, name_of(strategy, label), mean, band)


def name_of(strategy: str, label: str) -> str:
    """A contender as the legend has it, with what tells it from others of its strategy."""
    name, more = STRATEGIES.get(strategy), label.removeprefix(strategy)
    if name is None or more == label:
        return label
    return f"{name},{more}" if more else name


def regret_chart(landscapes: Sequence[RegretPanels]) -> Chart:
    """Simple and cumulative regret against trials, a row of panels for each landscape, means with their 95 % bands."""
    styles = styles_of(landscapes)
    ends = [
        f"{one.title}: " + ", ".join(f"{curve.name} {curve.mean['simple'][-1]:.1f}" for curve in one.curves)
        for one in landscapes
    ]
    rows = len(landscapes)
    return Chart(
        name="regret",
        title="; ".join(one.title for one in landscapes),
        text=f"Regret against trials. Simple regret in the end: {'; '.join(ends)}.",
        draw=lambda figure, narrow: _draw(figure, narrow, landscapes, styles),
        heights=(
            PANEL * rows + LEGEND_LINE * -(-len(styles) // 4) + 30,
            2 * NARROW_PANEL * rows + LEGEND_LINE * -(-len(styles) // 2) + 30,
        ),
        note="Means over repetitions; the bands hold the mean with a probability of 95 %.",
    )


def styles_of(landscapes: Sequence[RegretPanels]) -> Styles:
    """Colour and dashes of each name: on all landscapes the same."""
    strategies = {curve.name: curve.strategy for one in landscapes for curve in one.curves}
    searching = [name for name, strategy in strategies.items() if strategy not in BESIDE]
    styles = {name: curve_style(i) for i, name in enumerate(searching)}
    for name, strategy in strategies.items():
        if strategy in BESIDE:
            colour, dashes = BESIDE[strategy]
            styles[name] = light(colour), dashes
    return styles


def _draw(figure: Figure, narrow: bool, landscapes: Sequence[RegretPanels], styles: Styles) -> None:
    columns = 1 if narrow else 2
    grid = figure.subplots(2 * len(landscapes) // columns, columns, squeeze=False)
    panels = iter(grid.flatten())
    tops = {kind: _tops(landscapes, kind) for kind in HEADINGS}
    is_wide = any(_is_wide(one.curves) for one in landscapes)
    lines: dict[str, Line2D] = {}
    for i, one in enumerate(landscapes):
        for kind, heading in HEADINGS.items():
            panel, is_logarithmic = next(panels), kind == "simple" and is_wide
            for j, curve in enumerate(one.curves):
                line = _draw_curve(panel, curve, kind, styles[curve.name], max(1.2, WIDEST - 0.3 * j))
                lines.setdefault(curve.name, line)
            if is_logarithmic:
                panel.set_yscale("symlog", linthresh=1.0)
                panel.set_yticks([0.0, *(mark for mark in MARKS if mark <= tops[kind][i])])
                panel.set_yticks([], minor=True)
            panel.set_title(f"{one.title}\n{heading}")
            panel.set(xlabel="trials", ylabel="points, logarithmic" if is_logarithmic else "points", xlim=(1, None))
            panel.set_ylim(_bottom(one.curves, kind, 1.0 if is_logarithmic else tops[kind][i]), 1.05 * tops[kind][i])
            panel.xaxis.get_major_locator().set_params(integer=True)
            plain_ticks(panel.yaxis)
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=2 if narrow else 4)


def _draw_curve(panel: Axes, curve: RegretCurve, kind: str, style: tuple[str, Dashes], width: float) -> Line2D:
    colour, dashes = style
    mean, band = curve.mean[kind], curve.band[kind]
    trials = np.arange(1, len(mean) + 1)
    (line,) = panel.plot(trials, mean, linestyle=dashes, color=colour, lw=width, label=curve.name)
    low = np.minimum(mean, np.maximum(mean - band, 0.0))  # no order is better than the best
    panel.fill_between(trials, low, mean + band, color=colour, alpha=0.12, linewidth=0)
    return line


def _bottom(curves: Sequence[RegretCurve], kind: str, part: float) -> float:
    """Where an axis begins: below 0 by enough to see a curve that lies there, and below the lowest."""
    return min(-0.02 * part, 1.1 * min(float(curve.mean[kind].min()) for curve in curves))


def _is_wide(curves: Sequence[RegretCurve]) -> bool:
    """Whether the first trials would crush all that comes after them."""
    first, last = (max(float(curve.mean["simple"][i]) for curve in curves) for i in (0, -1))
    return first > RANGE_TO_LOG * max(last, FLAT)


def _tops(landscapes: Sequence[RegretPanels], kind: str) -> list[float]:
    """How high each landscape's axis reaches: all alike where the curves are of one size."""
    tops = [max([FLAT, *(curve.top[kind] for curve in one.curves)]) for one in landscapes]
    return [max(tops)] * len(tops) if max(tops) <= ALIKE * min(tops) else tops
