"""The challenge's final leader board, and where an evaluation would stand on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from cageflow.evaluation.protocol import LENGTHS, REDS, Evaluation
from cageflow.evaluation.statistics import Estimate
from cageflow.reading import read_yaml
from cageflow.scenario import is_cage2

_NORMAL_95 = 1.959963984540054  # half the board's intervals in standard errors: it has 1,000 episodes a cell


@dataclass(frozen=True)
class TeamEntry:
    """A line of the board.

    Attributes:
        rank: from 1.
        team: who took part.
        method: in their words.
        total: as published; for rank 17 it is not the sum of the cells, by 8.95.
        cells: mean returns by steps and red agent.
    """

    rank: int
    team: str
    method: str
    total: Estimate
    cells: dict[tuple[int, str], float]


@dataclass(frozen=True)
class LeaderBoard:
    """The board.

    Attributes:
        rules: that it was judged by.
        source: where it is published.
        entries: by rank.
        winner_elsewhere: the cells of the first under other rules, by these.
    """

    rules: str
    source: str
    entries: tuple[TeamEntry, ...]
    winner_elsewhere: dict[str, dict[tuple[int, str], float]]

    def compares_with(self, evaluation: Evaluation) -> bool:
        """Whether the evaluation is what the board was judged by: its rules, its network and its nine cells."""
        settings = evaluation.settings
        return settings.game.rules == self.rules and settings.is_whole and is_cage2(settings.network)

    def winner_cells(self, evaluation: Evaluation) -> dict[tuple[int, str], float] | None:
        """The winner's means under the rules of an evaluation, if they are known for all of its cells.

        On another network than CAGE-2's own there are none.
        """
        game = evaluation.settings.game
        cells = self.entries[0].cells if game.rules == self.rules else self.winner_elsewhere.get(game.rules)
        if cells is None or game.green or not is_cage2(evaluation.settings.network):
            return None
        played = {(cell.max_steps, cell.red_agent) for cell in evaluation.cells}
        return cells if played <= cells.keys() else None

    def place(self, total: float) -> int:
        """The rank that a total would take, from 1."""
        return 1 + sum(entry.total.mean > total for entry in self.entries)


@cache
def leader_board() -> LeaderBoard:
    """Read the board that is part of the package."""
    content: dict[str, Any]
    content, _ = read_yaml(resources.files("cageflow.evaluation").joinpath("leader_board.yaml"))
    entries = tuple(
        TeamEntry(
            entry["rank"],
            entry["team"],
            entry["method"],
            Estimate(entry["total"], entry["half_width"] / _NORMAL_95, math.inf),
            _cells(entry["cells"]),
        )
        for entry in content["entries"]
    )
    elsewhere = {rules: _cells(cells) for rules, cells in content["winner_elsewhere"].items()}
    return LeaderBoard(content["rules"], content["source"], entries, elsewhere)


def _cells(values: list[float]) -> dict[tuple[int, str], float]:
    keys = [(max_steps, red) for max_steps in LENGTHS for red in REDS]
    return dict(zip(keys, map(float, values), strict=True))
