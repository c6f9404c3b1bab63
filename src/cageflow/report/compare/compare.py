"""A comparison of runs: from their folders to figures, tables and curves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cageflow.errors import UserError
from cageflow.evaluation.statistics import LEVEL
from cageflow.files import write_whole
from cageflow.report.compare.answers import Found, answers_chart, answers_json, answers_of, answers_table
from cageflow.report.compare.curves import curves_chart
from cageflow.report.compare.figures import Difference, GroupFigures, by_game, differences, measure
from cageflow.report.compare.groups import Group, differing, read_groups
from cageflow.report.compare.tables import (
    differences_table,
    rewards_table,
    settings_table,
    to_latex,
    to_markdown,
    training_table,
)
from cageflow.report.content import Table
from cageflow.report.drawing import draw
from cageflow.report.wording import listed

FEW_SEEDS = 10
"""With fewer the bootstrap has too few values to draw from."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was found.

    Attributes:
        groups: the figures of each group.
        differences: of each group but the reference of its game.
        episodes, seed: fresh episodes of each run.
        window: training episodes that the last reward is a mean of.
    """

    groups: tuple[GroupFigures, ...]
    differences: tuple[Difference, ...]
    episodes: int
    seed: int
    window: int

    @property
    def tables(self) -> tuple[Table, ...]:
        """For each game rewards, training and differences, and then the settings that differ."""
        tables: list[Table] = []
        for alike in by_game(self.groups).values():
            labels = [one.label for one in alike]
            tables += [rewards_table(alike), training_table(alike, self.window)]
            found = [one for one in self.differences if one.group in labels]
            if found:
                tables.append(differences_table(found))
        labels = [one.label for one in self.groups]
        settings = settings_table(labels, [one.group.members[0].settings for one in self.groups])
        answers = answers_table(self.answers)
        return (*tables, *(one for one in (answers, settings) if one is not None))

    @property
    def answers(self) -> list[Found]:
        """What the searches among them have found."""
        return answers_of([one.group for one in self.groups])

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know to take the figures for what they are."""
        return tuple(_notes(self))

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        settings = [one.group.members[0].settings for one in self.groups]
        return {
            "groups": [one.to_json() for one in self.groups],
            "differences": [one.to_json() for one in self.differences],
            "settings": {
                name: {one.label: its.get(name) for one, its in zip(self.groups, settings, strict=True)}
                for name in differing(settings)
            },
            "answers": answers_json(self.answers),
            "notes": list(self.notes),
            "episodes": self.episodes,
            "seed": self.seed,
            "window": self.window,
            "level": LEVEL,
        }


def compare(
    runs: Sequence[Path],
    *,
    named: Sequence[str] = (),
    against: str | None = None,
    episodes: int = 1000,
    seed: int = 0,
    window: int = 1000,
    thresholds: Sequence[float] = (),
    say: Callable[[str], None] = lambda words: None,
) -> Comparison:
    """Compare runs.

    Args:
        runs: their folders.
        named: groups of the user's own, as `NAME=RUN,RUN`.
        against: label of the reference, or a run of it; None is the first group of each game.
        episodes: fresh ones that each run is judged by.
        seed: decides these.
        window: training episodes that the last reward is a mean of.
        thresholds: rewards; how many episodes it took to reach them is said.
        say: is told what takes time.

    Raises:
        UserError: what was given cannot be compared.
    """
    groups = read_groups(runs, named)
    reference = None if against is None else _label_of(groups, against)
    figures = measure(groups, episodes=episodes, seed=seed, window=window, thresholds=thresholds, say=say)
    found = differences(figures, reference)
    return Comparison(groups=tuple(figures), differences=tuple(found), episodes=episodes, seed=seed, window=window)


def write_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write `table.md`, `table.tex`, `comparison.json`, and as PNG and SVG `curves` and `answers` where there are any.

    Curves are of runs that have a log, answers of two searches or more.

    Args:
        comparison: what was found.
        folder: made if it is missing.

    Raises:
        UserError: a file cannot be written.
    """
    texts = {
        "table.md": _markdown(comparison),
        "table.tex": _latex(comparison),
        "comparison.json": json.dumps(comparison.to_json(), indent=2) + "\n",
    }
    drawn = [curves_chart([one.group for one in comparison.groups]), answers_chart(comparison.answers)]
    charts = [chart for chart in drawn if chart is not None]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / name, text.encode())
        for chart in charts:
            draw(chart).write_files(folder)
    except OSError as error:
        raise UserError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    return [folder / name for name in (*texts, *(f"{one.name}.{end}" for one in charts for end in ("png", "svg")))]


def _markdown(comparison: Comparison) -> str:
    notes = "".join(f"- {note}\n" for note in comparison.notes)
    return "\n".join([*map(to_markdown, comparison.tables), notes])


def _latex(comparison: Comparison) -> str:
    head = "% Needs \\usepackage{booktabs}.\n"
    tables = comparison.tables
    return "\n".join(
        [
            head,
            *(
                to_latex(table, f"tab:comparison-{i}", comparison.notes if i == len(tables) else ())
                for i, table in enumerate(tables, start=1)
            ),
        ]
    )


def _label_of(groups: Sequence[Group], text: str) -> str:
    """The label of a group, given that or one of its runs."""
    for group in groups:
        if any(member.path.resolve() == Path(text).resolve() for member in group.members):
            return group.label
    if text not in [group.label for group in groups]:
        known = ", ".join(repr(group.label) for group in groups)
        raise UserError(f"--against is {text!r}: expected a run that is compared, or one of the groups {known}")
    return text


def _notes(comparison: Comparison) -> list[str]:
    figures = comparison.groups
    notes = [
        f"Reward: mean of {comparison.episodes:,} fresh episodes of each run's policy, of a search's best; actions are "
        "drawn.",
    ]
    games = by_game(figures)
    if len(games) > 1:
        names = listed([f"({game})" for game in games])
        notes.append(f"Rewards against different red agents or rules are not compared: {names}.")
    single = [one.label for one in figures if len(one.members) == 1]
    if single:
        notes.append(
            f"* One seed ({'; '.join(single)}): the interval is over episodes and covers the chance of the evaluation, "
            "not that of training; another seed may well lie outside."
        )
    over_seeds = [len(one.members) for one in figures if len(one.members) > 1]
    if over_seeds and min(over_seeds) < FEW_SEEDS and any(one.unit == "seeds" for one in comparison.differences):
        notes.append(
            f"With {min(over_seeds)} seeds a bootstrap interval is narrower than its level says; Welch's is not."
        )
    if len(comparison.differences) > 1:
        notes.append(f"The p-values are of {len(comparison.differences)} tests and not corrected for their number.")
    trained = [member.episodes for one in figures for member in one.group.members if len(member.curve.episodes)]
    if trained and min(trained) < comparison.window:
        notes.append(f"A run of fewer than {comparison.window:,} training episodes is judged by all it has.")
    for alike in games.values():
        amounts = sorted({round(one.episodes) for one in alike if one.episodes})
        if len(amounts) > 1:
            notes.append(f"Trained for different numbers of episodes: {listed([f'{amount:,}' for amount in amounts])}.")
    return [*notes, *(note for one in figures for member in one.group.members for note in member.notes)]
