"""The board as it is published, and who may be compared with it."""

from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.sources import BaselineSource
from cageflow.envs.options import GameOptions
from cageflow.evaluation.leader_board import leader_board
from cageflow.evaluation.protocol import LENGTHS, Cell, Evaluation, EvaluationSettings
from tests.helpers.networks import own_network

BOARD = leader_board()
SUM_DIFFERS = {17}  # as published


def test_board__has_the_published_totals() -> None:
    assert [entry.rank for entry in BOARD.entries] == list(range(1, 21))
    winner = BOARD.entries[0]
    assert (winner.team, winner.total.mean) == ("CardiffUni", -54.57)
    assert winner.total.half_width() == pytest.approx(0.43)
    totals = [entry.total.mean for entry in BOARD.entries]
    assert totals == sorted(totals, reverse=True)


@pytest.mark.parametrize("entry", BOARD.entries, ids=lambda entry: str(entry.rank))
def test_total_of_an_entry__is_the_sum_of_its_cells(entry) -> None:
    off_by = abs(sum(entry.cells.values()) - entry.total.mean)
    assert len(entry.cells) == 9
    assert off_by == pytest.approx(8.95) if entry.rank in SUM_DIFFERS else off_by <= 0.03


def test_winner__is_known_cell_by_cell_under_both_rules() -> None:
    assert BOARD.entries[0].cells[100, "RedMeanderAgent"] == -16.6
    assert BOARD.winner_elsewhere["v2.1"][100, "B_lineAgent"] == -36.8


def test_place__is_by_the_total() -> None:
    assert [BOARD.place(total) for total in (-50.0, -54.57, -55.0, -4000.0)] == [1, 1, 2, 21]


def test_only_the_whole_protocol_on_its_network_under_its_rules__compares(tmp_path: Path) -> None:
    own_network(tmp_path / "own.yaml")

    def compares(lengths=LENGTHS, **game) -> bool:
        cells = (Cell(30, "B_lineAgent", np.zeros(2)),)
        made = EvaluationSettings(GameOptions(**{"rules": "challenge", **game}), lengths=lengths)
        return BOARD.compares_with(Evaluation(BaselineSource("sleep"), made, cells))

    assert compares()
    assert compares(durations="1,1,1,1")
    assert not compares(durations="2,1,1,1")
    assert not compares(rules="v2.1")
    assert not compares(green=True)
    assert not compares(lengths=(30,))
    assert not compares(scenario=tmp_path / "own.yaml")
