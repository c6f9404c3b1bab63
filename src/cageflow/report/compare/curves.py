"""Learning curves of groups: the mean over the seeds and how far these lie apart, a panel for each game."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from cageflow.evaluation.statistics import LEVEL, Estimate
from cageflow.report.compare.groups import Group
from cageflow.report.compare.members import Curve, Game
from cageflow.report.content import Chart
from cageflow.report.drawing import plain_ticks
from cageflow.report.theme import Dashes, curve_style
from cageflow.report.wording import count, listed, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

MIN_SEEDS_OF_INTERVAL = 5
"""With fewer seeds the band is their range: the t-interval of so few reaches far beyond all that any of them did."""
APART = {"wspace": 0.06}
"""Of panels beside one another, so that the last tick of one and the first of the next are read as two."""
RANGE_TO_LOG = 8.0
"""How many times worse the start may be than the end before the axis becomes logarithmic."""


@dataclass(frozen=True)
class Band:
    """The curve of a group, as far as all its members were trained.

    Attributes:
        episodes, mean: (N,) float64.
        low, high: (N,) float64 ends of the band; None with one seed.
        words: what the curve and the band are.
        is_best: whether it is the best so far of searches, and not the updates of trainings.
        rests: of the members that were trained for longer, from where the shortest ended.
    """

    episodes: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64] | None
    high: npt.NDArray[np.float64] | None
    words: str
    is_best: bool
    rests: tuple[Curve, ...]


def make_band(curves: Sequence[Curve]) -> Band | None:
    """Mean and spread of curves, at all places where one of them has a point and every one has begun and not ended.

    None where a curve is empty, they are not of one kind, or no place is common to all.
    """
    if any(not len(curve.episodes) for curve in curves) or len({curve.is_best for curve in curves}) > 1:
        return None
    first, last = max(curve.episodes[0] for curve in curves), min(curve.episodes[-1] for curve in curves)
    places = np.unique(np.concatenate([curve.episodes for curve in curves]))
    places = places[(places >= first) & (places <= last)]
    if not len(places):
        return None
    values = np.array([curve.at(places) for curve in curves])
    mean, size = values.mean(axis=0), len(curves)
    rests = tuple(_rest(curve, last) for curve in curves if curve.episodes[-1] > last)
    is_best = curves[0].is_best
    what = "best so far" if is_best else "updates"
    if size == 1:
        return Band(places, mean, None, None, f"{what}, one seed", is_best, rests)
    if size < MIN_SEEDS_OF_INTERVAL:
        words = f"{what}, mean and range of {size} seeds"
        return Band(places, mean, values.min(axis=0), values.max(axis=0), words, is_best, rests)
    half = Estimate(0.0, 1.0, size - 1).half_width() * values.std(axis=0, ddof=1) / np.sqrt(size)
    words = f"{what}, mean of {size} seeds and its {100 * LEVEL:.0f} % t-interval"
    return Band(places, mean, mean - half, mean + half, words, is_best, rests)


def curves_chart(groups: Sequence[Group]) -> Chart | None:
    """The learning curves of all groups that have one; None where none has."""
    games: dict[Game, list[tuple[Group, Band]]] = {}
    for group in groups:
        band = make_band([member.curve for member in group.members])
        if band is not None:
            games.setdefault(group.game, []).append((group, band))
    if not games:
        return None
    drawn = [(group, band) for part in games.values() for group, band in part]
    ends = [f"{group.label} ends at {number(band.mean[-1], 1)}" for group, band in drawn]
    num_groups = len(drawn)
    height = 330 * -(-len(games) // 2) + 24 * num_groups + 30
    return Chart(
        name="curves",
        title="Reward against training episodes",
        text=f"Reward against training episodes: {listed(ends)}.",
        draw=lambda figure, narrow: _draw(figure, narrow, games),
        heights=(height, 300 * len(games) + 44 * num_groups),
        note=f"{count(num_groups, 'curve')}; thin lines go on where a seed was trained for longer than the others.",
    )


def _draw(figure: Figure, narrow: bool, games: dict[Game, list[tuple[Group, Band]]]) -> None:
    columns = 1 if narrow or len(games) == 1 else 2
    rows = -(-len(games) // columns)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True, gridspec_kw=APART).flatten()
    lines: list[Line2D] = []
    bands = [band for part in games.values() for _, band in part]
    for panel, (game, part) in zip(panels, games.items(), strict=False):
        for group, band in part:
            lines.append(_draw_band(panel, group.label, band, *curve_style(len(lines))))
        panel.set(title=str(game), xlabel="Training episodes", xlim=(0, None))
        panel.tick_params(labelbottom=True)  # the panels share their axes, and each says so
        if _is_wide(bands):
            panel.set_yscale("symlog", linthresh=10.0)
            panel.set_ylim(*_logarithmic_limits(bands))
            _mark_decades(panel)
        panel.locator_params(axis="x", nbins=6)
        plain_ticks(panel.xaxis)
        plain_ticks(panel.yaxis)
    for panel in panels[::columns]:
        panel.set_ylabel("Reward an episode, logarithmic" if _is_wide(bands) else "Reward an episode")
    for panel in panels[len(games) :]:
        panel.set_visible(False)
    figure.legend(lines, [str(line.get_label()) for line in lines], loc="outside lower left", ncols=1)


def _draw_band(panel: Axes, label: str, band: Band, colour: str, dashes: Dashes) -> Line2D:
    step = "steps-post" if band.is_best else "default"
    marker = "o" if len(band.episodes) == 1 else ""
    (drawn,) = panel.plot(
        band.episodes,
        band.mean,
        linestyle=dashes,
        color=colour,
        drawstyle=step,
        marker=marker,
        label=f"{label} ({band.words})",
    )
    if band.low is not None and band.high is not None:
        fill: Literal["post"] | None = "post" if band.is_best else None
        panel.fill_between(band.episodes, band.low, band.high, color=colour, alpha=0.18, linewidth=0, step=fill)
    for rest in band.rests:
        panel.plot(rest.episodes, rest.rewards, linestyle=dashes, color=colour, drawstyle=step, linewidth=0.8)
    return drawn


def _rest(curve: Curve, start: float) -> Curve:
    """What comes of a curve after a place."""
    later = curve.episodes > start
    at_start = curve.at(np.array([start]))
    return Curve(
        np.concatenate([[start], curve.episodes[later]]),
        np.concatenate([at_start, curve.rewards[later]]),
        curve.is_best,
    )


def _is_wide(bands: Sequence[Band]) -> bool:
    """Whether the start is so much worse than the end that a linear axis would hide the differences there."""
    worst = min(float(band.mean.min()) for band in bands)
    best = max(float(band.mean.max()) for band in bands)
    return best < 0.0 and worst < RANGE_TO_LOG * best


def _logarithmic_limits(bands: Sequence[Band]) -> tuple[float, float]:
    """A little more than the curves and their bands take, and nothing above 0."""
    ends = [values for band in bands for values in (band.mean, band.low, band.high) if values is not None]
    rests = [rest.rewards for band in bands for rest in band.rests]
    values = np.concatenate([*ends, *rests])
    return 1.2 * float(values.min()), min(0.0, 0.8 * float(values.max()))


def _mark_decades(panel: Axes) -> None:
    low, high = panel.get_ylim()
    marks = [0.0] + [-step * 10.0**power for power in range(5) for step in (1, 2, 5) if power or step == 5]
    panel.set_yticks([mark for mark in marks if low <= mark <= high])
    panel.set_yticks([], minor=True)
