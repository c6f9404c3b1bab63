"""What following an order costs: compliance against reward, a mark for each trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cageflow.report.content import Chart, Section
from cageflow.report.drawing import limits, mark_outliers, plain_ticks, tip
from cageflow.report.material import Material
from cageflow.report.results import measured_estimate
from cageflow.report.theme import light
from cageflow.report.wording import count, number, order_words, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cageflow.runs.saved_run import SavedRun


def section(material: Material) -> Section | None:
    """The section; none for a single training, and none where an enforced order leaves nothing to trade."""
    run = material.run
    if not run.tries_orders or run.config.is_enforced:
        return None
    threshold = run.config.compliance_threshold
    reached = sum(trial.result.compliance >= threshold for trial in run.comparable)
    chart = Chart(
        name="compliance_reward",
        title="Compliance against reward",
        text=f"Compliance and reward of {count(len(run.comparable), 'trial')}; {reached} reached the threshold of "
        f"{percent(threshold, 0)}.",
        draw=lambda figure, narrow: _draw(figure, run),
        heights=(360, 320),
        note=f"A mark for each trial, on {run.config.evaluation_episodes:,} evaluation episodes; filled from the "
        "threshold (dashed) on. The lines are 95 % intervals of the reward.",
    )
    return Section("compliance", "What compliance costs", (chart,), "Orders")


def _draw(figure: Figure, run: SavedRun) -> None:
    axes = figure.subplots()
    rewards = [trial.result.reward for trial in run.comparable]
    ends = limits(rewards, keep=[] if run.best is None else [run.best.reward])
    threshold = run.config.compliance_threshold
    for trial in run.comparable:
        result = trial.result
        if not ends[0] <= result.reward <= ends[1]:
            continue
        feasible = result.compliance >= threshold
        colour = light("blue" if feasible else "faint")
        axes.vlines(result.compliance, *measured_estimate(run, result).interval(), color=colour, lw=1.2, alpha=0.7)
        (mark,) = axes.plot(
            result.compliance, result.reward, "o", ms=6, mfc=colour if feasible else light("paper"), mec=colour, mew=1.5
        )
        mark.set_gid(
            tip(
                f"Trial {trial.number}, {order_words(result.order)}: {number(result.reward)} at "
                f"{percent(result.compliance)}"
            )
        )
    if run.best is not None:
        axes.annotate(
            "best",
            (run.best.compliance, run.best.reward),
            xytext=(-8, 8),
            textcoords="offset points",
            ha="right",
            fontweight="bold",
        )
    axes.set_ylim(*ends)
    mark_outliers(axes, [trial.result.compliance for trial in run.comparable], rewards, ends)
    axes.axvline(threshold, color=light("muted"), ls=(0, (4, 3)), lw=1.2)
    axes.margins(x=0.06)
    axes.xaxis.set_major_formatter(lambda value, _: percent(value, 0))
    plain_ticks(axes.yaxis)
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel("compliance")
    axes.set_ylabel("reward an episode")
