"""A ranking as a table: for the terminal, in Markdown, and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cageflow.csv_format import csv_text
from cageflow.evaluation.ranking import Place
from cageflow.evaluation.tables import shorten
from cageflow.markdown import plain
from cageflow.scenario.red_agents import red_words

FORMS = ("text", "markdown", "csv")
SUFFIXES = {".md": "markdown", ".csv": "csv"}
NAME_WIDTH = 24


def format_ranking(places: Sequence[Place], form: str = "text") -> str:
    """The table, without the end of its last line.

    Args:
        places: from the first to the last.
        form: one of FORMS; that for the terminal has a column for each red agent, its means summed over the lengths of
            episodes, the others one for each cell.
    """
    if form == "csv":
        rows = [place.to_json() for place in places]
        return csv_text([list(rows[0]), *(["" if cell is None else cell for cell in row.values()] for row in rows)])[
            :-1
        ]
    return "\n".join(_markdown(places) if form == "markdown" else _text(places))


def _text(places: Sequence[Place]) -> list[str]:
    settings = places[0].evaluation.settings
    reds = "".join(f"{red_words(red)[:9]:>10}" for red in settings.red_agents)
    lines = [f"     {'policy':{NAME_WIDTH}}{'total':>18}{'behind the first':>19}{reds}"]
    for place in places:
        name = shorten(place.evaluation.source.name, NAME_WIDTH)
        by_red = "".join(f"{_of_red(place, red):z10.2f}" for red in settings.red_agents)
        lines.append(
            f"{place.rank:3}  {name:{NAME_WIDTH}}{_with_error(place.evaluation.total):>18}{_behind(place):>19}{by_red}"
        )
    lengths = ", ".join(map(str, settings.lengths))
    return [
        *lines,
        f"sums over episodes of {lengths} steps, {settings.episodes:,} of each; ± half the 95 % interval, behind the "
        "first over the same episodes",
        *_tied(places),
    ]


def _markdown(places: Sequence[Place]) -> list[str]:
    cells = places[0].evaluation.cells
    names = [f"{red_words(cell.red_agent)} {cell.max_steps}" for cell in cells]
    heads = ["", "policy", "total", "behind the first", *names]
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join(['---:', '---', *['---:'] * (len(heads) - 2)])}|"]
    for place in places:
        figures = [_with_error(cell.summary.estimate) for cell in place.evaluation.cells]
        name = plain(place.evaluation.source.name)
        row: list[Any] = [place.rank, name, _with_error(place.evaluation.total), _behind(place), *figures]
        lines.append(f"| {' | '.join(map(str, row))} |")
    return lines


def _with_error(estimate: Any) -> str:
    return f"{estimate.mean:z.2f} ± {estimate.half_width():.2f}"


def _behind(place: Place) -> str:
    return "" if place.behind is None else _with_error(place.behind)


def _of_red(place: Place, red: str) -> float:
    return sum(cell.summary.mean for cell in place.evaluation.cells if cell.red_agent == red)


def _tied(places: Sequence[Place]) -> list[str]:
    tied = [place.evaluation.source.name for place in places[1:] if place.is_tied]
    return [f"cannot be told from the first: {', '.join(tied)}"] if tied else []
