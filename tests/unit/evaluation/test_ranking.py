"""Who is first among agents that played the same episodes, and whether that is more than chance."""

import csv
import io

import numpy as np
import pytest

from cageflow.agents.sources import BaselineSource
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.protocol import Cell, Evaluation, EvaluationSettings
from cageflow.evaluation.ranking import rank_evaluations
from cageflow.evaluation.ranking_table import format_ranking

REDS = ("B_lineAgent", "SleepAgent")


def made(name: str, *returns: list[float], **settings: object) -> Evaluation:
    """An agent with these returns of each cell."""
    played = EvaluationSettings(**{"episodes": 4, "lengths": (5,), "red_agents": REDS, **settings})  # type: ignore[arg-type]
    cells = [Cell(5, red, np.array(part)) for red, part in zip(REDS, returns, strict=True)]
    return Evaluation(BaselineSource(name), played, tuple(cells))


GOOD = made("good", [-1.0, -9.0, -2.0, -8.0], [0.0, 0.0, 0.0, 0.0])
WORSE = made("worse", [-2.0, -10.0, -3.1, -9.1], [0.0, 0.0, 0.0, -0.1])
ERRATIC = made("erratic_one", [-9.0, -1.0, -9.0, -2.0], [0.0, -1.0, 0.0, 1.0])


def test_ranking_compares_episode_by_episode() -> None:
    places = rank_evaluations([WORSE, ERRATIC, GOOD])
    assert [place.evaluation.source.name for place in places] == ["good", "erratic_one", "worse"]
    first, second, third = places
    assert first.behind is None and first.is_tied
    assert third.behind is not None and second.behind is not None
    assert third.behind.mean == pytest.approx(1.075)
    assert third.behind.se < 0.1 < third.evaluation.total.se  # the episodes are the same, so chance cancels
    assert not third.is_tied
    assert second.is_tied and second.behind.se > 3.0


def test_text_names_those_who_cannot_be_told_from_the_first() -> None:
    lines = format_ranking(rank_evaluations([WORSE, ERRATIC, GOOD])).splitlines()
    assert lines[1].split()[:5] == ["1", "good", "-5.00", "±", "6.50"]
    assert lines[1].split()[-2:] == ["-5.00", "0.00"]
    assert lines[-1] == "cannot be told from the first: erratic_one"
    assert max(map(len, lines[:4])) <= 100


def test_markdown_and_csv_have_every_cell() -> None:
    places = rank_evaluations([GOOD, WORSE])
    heads, line, first, second = format_ranking(places, "markdown").splitlines()
    assert heads == "|  | policy | total | behind the first | B-line 5 | Sleep 5 |"
    assert line.count("|") == heads.count("|") == first.count("|")
    assert second.startswith("| 2 | worse | -6.08 ± ")
    odd = format_ranking(rank_evaluations([made("a|b", *[[-1.0] * 4] * 2), GOOD]), "markdown")
    assert "| 1 | a\\|b | -2.00 ± 0.00 |  |" in odd
    rows = list(csv.DictReader(io.StringIO(format_ranking(places, "csv"))))
    assert [row["policy"] for row in rows] == ["good", "worse"]
    assert float(rows[1]["B_lineAgent_5"]) == pytest.approx(-6.05)
    assert (rows[0]["behind"], rows[1]["is_tied"]) == ("", "False")
    assert rows[0].keys() == places[0].to_json().keys()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"game": GameOptions(rules="challenge")}, "rules v2.1 and other with rules challenge"),
        ({"game": GameOptions(durations="cage4")}, "durations file and other with durations cage4"),
        (
            {"game": GameOptions(scenario="cage1")},
            "network 'CAGE Challenge 2.* and other with network 'CAGE Challenge 1.*",
        ),
        ({"game": GameOptions(green=True)}, "green False and other with green True"),
        ({"seed": 1}, "seed 0 and other with seed 1"),
    ],
)
def test_others_games_are_no_table(settings: dict[str, object], words: str) -> None:
    other = made("other", [-1.0] * 4, [0.0] * 4, **settings)
    with pytest.raises(UserError, match=f"good plays with {words}: a table takes those who play the same game"):
        rank_evaluations([GOOD, other])
