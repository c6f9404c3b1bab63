"""How the trainings ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cageflow.report.content import Chart, Section, Table
from cageflow.report.material import Material
from cageflow.report.theme import light
from cageflow.report.wording import count, number, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEANINGS = {
    "threshold": "the policy follows the order well enough",
    "plateau": "compliance did not get better any more",
    "episode-cap": "the trial's own limit",
    "budget": "the run's episodes were spent",
    "rung": "the training was judged on its way",
}


def section(material: Material) -> Section | None:
    """The section; none for a single training, whose ending stands among its settings."""
    trials = [trial.result for trial in material.run.trials]
    if not material.run.config.has_trials:
        return None
    counts = Counter(trial.ending for trial in trials)
    names = [name for name in MEANINGS if counts[name]] + [name for name in counts if name not in MEANINGS]
    rows = []
    for name in names:
        episodes = [trial.episodes for trial in trials if trial.ending == name]
        rows.append(
            (
                name,
                MEANINGS.get(name, ""),
                str(counts[name]),
                percent(counts[name] / len(trials), 0),
                number(sum(episodes) / len(episodes), 0),
            )
        )
    chart = Chart(
        name="endings",
        title=f"How {count(len(trials), 'trial')} ended",
        text="; ".join(f"{name}: {counts[name]} of {len(trials)} trials" for name in names) + ".",
        draw=lambda figure, narrow: _draw(figure, names, [counts[name] for name in names]),
        heights=(60 + 34 * len(names), 60 + 34 * len(names)),
    )
    table = Table(
        "Endings of the trials",
        ("Ending", "Meaning", "#Trials", "#Share", "#Episodes on average"),
        tuple(rows),
    )
    return Section("endings", "How trainings ended", (chart, table), "Training")


def _draw(figure: Figure, names: list[str], counts: list[int]) -> None:
    axes = figure.subplots()
    axes.barh(range(len(names)), counts, height=0.62, color=light("blue"))
    for i, size in enumerate(counts):
        axes.annotate(str(size), (size, i), xytext=(5, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0, labelcolor=light("ink"))
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.12)
    axes.locator_params(axis="x", nbins=5, integer=True)
    axes.set_xlabel("trials")
