"""Where the time went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cageflow.report.content import Chart, Section, Table
from cageflow.report.material import Material
from cageflow.report.theme import light
from cageflow.report.wording import number, percent
from cageflow.runs.saved_run import SavedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEANINGS = {
    "collection": "waiting for training episodes",
    "update": "learning from them",
    "the rest": "evaluation episodes, checkpoints, compilation",
}
COLOURS = ("blue", "amber", "faint")


def time_spent(run: SavedRun) -> dict[str, float]:
    """Seconds by what they went to; "the rest" only where the log has the wall-clock time of the trials."""
    ended = {trial.number for trial in run.trials}
    has_wall_clock = run.config.has_trials
    updates = [one for one in run.updates if one.trial in ended] if has_wall_clock else run.updates
    spent = {
        "collection": sum(update.collection_s for update in updates),
        "update": sum(update.update_s for update in updates),
    }
    if has_wall_clock:
        wall_clock = sum(trial.result.seconds for trial in run.trials)
        spent["the rest"] = max(0.0, wall_clock - sum(spent.values()))
    return spent


def section(material: Material) -> Section | None:
    """The section; none before the first update."""
    run = material.run
    spent = time_spent(run)
    total = sum(spent.values())
    if total <= 0.0:
        return None
    rows = tuple((name, MEANINGS[name], f"{number(s, 1)} s", percent(s / total, 0)) for name, s in spent.items())
    words = ", ".join(f"{name} {percent(s / total, 0)}" for name, s in spent.items())
    trained = run.episodes
    if run.config.has_trials:
        trained = sum(trial.result.episodes for trial in run.trials)
    chart = Chart(
        name="time",
        title=f"{number(total, 0)} seconds, {number(trained / total, 0)} episodes a second",
        text=f"Where {number(total, 0)} seconds went: {words}.",
        draw=lambda figure, narrow: _draw(figure, narrow, spent),
        heights=(110, 130),
        note=(
            "Wall-clock time of the trials that have ended, summed; the choice of the orders and the start of the "
            "program are not in it."
            if "the rest" in spent
            else "The log of a single training has these two; evaluation and start of the program are not in it."
        ),
    )
    return Section(
        "time",
        "Where the time went",
        (chart, Table("Time by purpose", ("Purpose", "Meaning", "#Time", "#Share"), rows)),
        "Run",
    )


def _draw(figure: Figure, narrow: bool, spent: dict[str, float]) -> None:
    axes = figure.subplots()
    left, total = 0.0, sum(spent.values())
    for (name, seconds), colour in zip(spent.items(), COLOURS, strict=False):
        axes.barh(0, seconds, left=left, height=0.5, color=light(colour), label=name)
        if seconds > total * (0.18 if narrow else 0.07):
            axes.text(
                left + seconds / 2,
                0,
                percent(seconds / total, 0),
                ha="center",
                va="center",
                color=light("paper"),
                fontweight="bold",
            )
        left += seconds
    axes.set_yticks([])
    axes.set_xlim(0, total)
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{number(value, 0)} s")
    figure.legend(loc="outside lower center", ncols=3, handlelength=1.0)
