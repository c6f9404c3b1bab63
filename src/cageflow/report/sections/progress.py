"""The search's progress: the best feasible reward so far, and how far it still was from the run's best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cageflow.report.content import Chart, Section, Table
from cageflow.report.drawing import limits, mark_outliers, plain_ticks, tip
from cageflow.report.material import Material
from cageflow.report.results import best_so_far
from cageflow.report.theme import light
from cageflow.report.wording import number, order_words, percent
from cageflow.runs.saved_run import SavedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FILLED = ", filled where the compliance threshold was reached"


def section(material: Material) -> Section | None:
    """The section; only a search has progress."""
    run = material.run
    if not run.config.picks_orders:
        return None
    path = best_so_far(run)
    found = next((trial.number for trial, best in zip(run.trials, path, strict=True) if best == path[-1]), None)
    end = "No trial has reached the compliance threshold." if found is None else f"The best came in trial {found}."
    chart = Chart(
        name="progress",
        title="Best feasible reward so far",
        text=f"Best feasible reward so far against trials and training episodes, of {len(run.trials)} trials. {end}",
        draw=lambda figure, narrow: _draw(figure, narrow, run, path),
        heights=(340, 520),
        note=f"{end} Marks are the trials{'' if run.config.is_enforced else FILLED}. The distance of the line from "
        " the dashed one is the run's simple regret against the best that it found itself; the best of all "
        f"{len(run.orders):,} workflows is not known from one search. What lies far from all others is drawn at the "
        "edge, with its figure.",
        table=_table(run, path),
    )
    return Section("progress", "How the search went", (chart,), "Training")


def _draw(figure: Figure, narrow: bool, run: SavedRun, path: Sequence[float]) -> None:
    panels: list[Axes] = list(figure.subplots(2 if narrow else 1, 1 if narrow else 2, sharey=True, squeeze=False).flat)
    threshold = run.config.compliance_threshold
    rewards = [trial.result.reward for trial in run.trials]
    ends = limits(rewards, keep=[] if run.best is None else [run.best.reward])
    by_trial = [float(i + 1) for i in range(len(run.trials))]
    by_episodes = [float(trial.run_episodes) for trial in run.trials]
    for axes, x, words in zip(panels, (by_trial, by_episodes), ("trials", "training episodes"), strict=True):
        axes.set_ylim(*ends)
        mark_outliers(axes, x, rewards, ends)
        for place, trial in zip(x, run.trials, strict=True):
            if not ends[0] <= trial.result.reward <= ends[1]:
                continue
            colour = light("blue" if trial.result.compliance >= threshold else "faint")
            face = colour if trial.result.compliance >= threshold else light("paper")
            (mark,) = axes.plot(place, trial.result.reward, "o", ms=5, mfc=face, mec=colour, mew=1.3)
            mark.set_gid(tip(f"{order_words(trial.result.order)}: {number(trial.result.reward)}"))
        if not math.isnan(path[-1]):
            axes.axhline(path[-1], color=light("muted"), ls=(0, (4, 3)), lw=1.2)
            axes.step(x, path, where="post", color=light("amber"), lw=2.2)
        axes.set_xlabel(words)
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=5, integer=True)
        plain_ticks(axes.xaxis)
        plain_ticks(axes.yaxis)
    panels[0].set_ylabel("reward an episode")
    if narrow:
        panels[1].set_ylabel("reward an episode")


def _table(run: SavedRun, path: Sequence[float]) -> Table:
    rows = tuple(
        (
            str(trial.number),
            order_words(trial.result.order),
            number(trial.result.reward),
            percent(trial.result.compliance),
            trial.result.ending,
            f"{trial.result.episodes:,}",
            number(best),
            number(path[-1] - best),
        )
        for trial, best in zip(run.trials, path, strict=True)
    )
    columns = ("Trial", "Workflow", "#Reward", "#Compliance", "Ending", "#Episodes", "#Best so far", "#Regret")
    return Table("All trials in the order in which they ended", columns, rows, folded="All trials as a table")
