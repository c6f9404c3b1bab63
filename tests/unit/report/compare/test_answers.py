"""What searches have found, side by side."""

import json
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from cageflow.report.compare.answers import answers_chart, answers_json, answers_of, answers_table
from cageflow.report.compare.compare import compare, write_comparison
from cageflow.report.compare.groups import Group
from cageflow.report.wording import DASH
from tests.unit.analysis.test_answer import FIRST, answer_of, known, turn
from tests.unit.report.compare.compare_runs import member
from tests.unit.runs.run_folders import write_run

SURE = answer_of(known((FIRST,), (turn("op_server", "user", 0.3),)))
TURNED = answer_of(known((replace(FIRST, before="user", after="enterprise", probability=0.96, cost=2.0),), tied=3))
NOTHING = answer_of(None)


def group(label, *answers):
    return Group(label, tuple(replace(member(seed), answer=one) for seed, one in enumerate(answers, start=1)))


def test_answers__stand_beside_one_another_turn_by_turn():
    found = answers_of([group("bline", SURE), group("meander", TURNED, SURE), group("none", NOTHING, None)])
    assert [one.label for one in found] == ["bline", "meander, seed 1", "meander, seed 2"]
    table = answers_table(found)
    assert table.columns == ("turn", "bline", "meander, seed 1", "meander, seed 2")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["enterprise before user"] == ("certain, 58 points", DASH, "certain, 58 points")
    assert rows["user before enterprise"] == (DASH, "96%, 2.0 points", DASH)
    assert rows["orders that may be the best"] == ("60", "3", "60")
    assert answers_json(found)[1]["precedences"][0]["before"] == "user"
    chart = answers_chart(found)
    assert "bline: Fix enterprise before user" in chart.text
    for narrow in (False, True):
        figure = Figure(figsize=(8, 8))
        chart.draw(figure, narrow)
        shown = [axes for axes in figure.axes if axes.get_visible()]
        assert [axes.get_title() for axes in shown] == ["bline", "meander, seed 1", "meander, seed 2"]
        assert {"certain", "58 points"} <= {text.get_text() for text in shown[0].texts}


def test_one_answer__has_nothing_to_stand_beside():
    found = answers_of([group("bline", SURE)])
    assert answers_chart(found) is None and answers_table(found) is None


def test_comparison_of_searches__draws_what_they_found(tmp_path: Path):
    runs = [write_run(tmp_path / red, red_agent=red) for red in ("meander", "bline")]
    found = compare(runs, episodes=10)
    assert "What each search has found" in [table.caption for table in found.tables]
    files = write_comparison(found, tmp_path / "out")
    assert {"answers.png", "answers.svg"} <= {file.name for file in files}
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert len(content["answers"]) == 2 and content == found.to_json()
    assert "| orders that may be the best |" in (tmp_path / "out" / "table.md").read_text()
