"""The report of a run of `cageflow train --side red`: what the attacker does, what it costs, how it was learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cageflow.analysis.red_playbook import RedPlaybook, red_playbook
from cageflow.analysis.red_words import red_sentences
from cageflow.envs.seeds import EpisodeStream
from cageflow.errors import UserError
from cageflow.files import check_output_file, write_whole
from cageflow.report.content import Chart, Page, Points, Section, Table
from cageflow.report.drawing import draw, plain_ticks
from cageflow.report.page import render
from cageflow.report.sections.settings import settings_of
from cageflow.report.theme import light
from cageflow.report.wording import number, percent, sentence
from cageflow.runs.saved_run import SavedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STREAM = "report"
MAX_POINTS = 200


@dataclass(frozen=True)
class RedReport:
    """What was written.

    Attributes:
        page: the HTML file.
        charts: the folder of the charts.
        run: the run.
        playbook: what its red agent does.
    """

    page: Path
    charts: Path
    run: SavedRun
    playbook: RedPlaybook

    def to_json(self) -> dict[str, Any]:
        """What `cageflow report --json` prints."""
        return {
            "report": str(self.page),
            "charts": str(self.charts),
            "run_dir": str(self.run.path),
            "side": "red",
            "blue_agent": self.run.config.opponent,
            "complete": self.run.is_over,
            "words": dict(red_sentences(self.playbook)),
            "playbook": self.playbook.to_json(),
        }


def write_red_report(
    run: SavedRun, page: Path, folder: Path, episodes: int, seed: int, say: Callable[[str], None]
) -> RedReport:
    """Play fresh episodes of a run's red agent against whom it learned to beat, and write the page.

    Raises:
        UserError: the policy is missing or does not fit, or a file cannot be written.
    """
    check_output_file(page, ".html")
    say(f"Playing {episodes:,} episodes against {run.config.opponent}")
    book = playbook_of(run, episodes, seed)
    content = red_page(run, book)
    drawings = [draw(chart) for chart in content.charts]
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(page, render(content, drawings).encode())
        folder.mkdir(exist_ok=True)
        for drawing in drawings:
            drawing.write_files(folder)
    except OSError as error:
        raise UserError(f"{error.filename or page} cannot be written: {error.strerror}") from error
    return RedReport(page, folder, run, book)


def playbook_of(run: SavedRun, episodes: int, seed: int) -> RedPlaybook:
    """What the red agent of a run does in fresh episodes."""
    run.policy()  # refused in its own words where it is missing
    source, game = run.config.blue_source(), run.config.game()
    assert source is not None, "red learned against somebody"
    agent = source.load(game.blue_setting)
    seeds = EpisodeStream(seed, STREAM).seeds(0, episodes)
    return red_playbook(agent, game.against(str(run.policy_path), game.max_steps), seeds)


def red_page(run: SavedRun, book: RedPlaybook) -> Page:
    """What stands in the page."""
    name, config = run.path.resolve().name, run.config
    return Page(
        title=f"{name} \N{MIDDLE DOT} cageflow report",
        heading=f"An attacker that costs {config.opponent} {number(-book.mean, 1)}",
        facts=(
            "Training of red",
            f"against {config.opponent}",
            f"rules {config.rules}",
            f"{book.max_steps} steps",
            f"seed {config.seed}",
            f"{run.episodes:,} training episodes",
            name,
        ),
        notice="",
        sections=(_behaviour(book), *_learning(run), settings_of(run)),
    )


def _behaviour(book: RedPlaybook) -> Section:
    said = tuple((heading, sentence(words)) for heading, words in red_sentences(book))
    rows = tuple(
        (
            host,
            percent(share, 0),
            number(book.first_held[host], 0),
            number(book.privileged.get(host, 0.0), 1),
            number(book.lost.get(host, 0.0), 1),
        )
        for host, share in sorted(book.reached.items(), key=lambda item: -item[1])
    )
    table = Table(
        "Hosts that it gets a session on",
        ("Host", "#Of the episodes", "#First in step", "#Steps privileged", "#Points an episode"),
        rows,
    )
    phases = tuple(
        (f"{i + 1} of {len(book.sleep_by_phase)}", percent(rest, 0), number(loss, 1))
        for i, (rest, loss) in enumerate(zip(book.sleep_by_phase, book.loss_by_phase, strict=True))
    )
    parts = Table("The parts of an episode", ("Part", "#Rests in", "#Points lost"), phases)
    return Section("behaviour", "What it does", (Points(said), table, parts), "Playbook")


def _learning(run: SavedRun) -> tuple[Section, ...]:
    """How much blue lost in the course of the training; nothing before the first update."""
    if not run.updates:
        return ()
    points = np.array([(update.episodes, -update.env_reward) for update in run.updates])
    size = -(-len(points) // MAX_POINTS)
    curve = np.array([points[i : i + size].mean(axis=0) for i in range(0, len(points), size)])
    chart = Chart(
        name="learning_curve",
        title="Blue's return in the course of the training",
        text=f"Blue's mean return in training, from {number(curve[0, 1])} to {number(curve[-1, 1])}.",
        draw=lambda figure, narrow: _draw(figure, curve),
        heights=(340, 300),
        note="Means over the training episodes of an update, neighbouring updates averaged.",
    )
    return (Section("learning", "How it was learned", (chart,), "Run"),)


def _draw(figure: Figure, curve: Any) -> None:
    axes = figure.subplots()
    axes.plot(curve[:, 0], curve[:, 1], color=light("red"))
    axes.set(xlabel="episodes trained", ylabel="blue's return")
    plain_ticks(axes.xaxis)
    plain_ticks(axes.yaxis)
