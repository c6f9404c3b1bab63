"""What an evaluation looks like: in 80 columns, with what it may be compared with."""

import re
from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.sources import BaselineSource, PolicySource
from cageflow.collect import WorkflowSpec
from cageflow.envs.options import RULES, GameOptions
from cageflow.evaluation.protocol import LENGTHS, REDS, Cell, Evaluation, EvaluationSettings
from cageflow.evaluation.tables import format_evaluation, format_standing, shorten
from cageflow.workflow.tested import OrderTests
from tests.helpers.agents import policy
from tests.helpers.networks import own_network
from tests.helpers.orders import parse_order

TESTS = OrderTests(tested=0.0, tested_compliant=0.0, known_tested=1.5, known_compliant=1.2, contests=())
WORKFLOW = WorkflowSpec(parse_order("enterprise,op_server,user,op_host,defender"), 0.0, "any-session")


def evaluation(
    rules: str = "challenge",
    mean: float = -6.0,
    name: str = "sleep",
    green: bool = False,
    scenario: Path | None = None,
    durations: str = "file",
    **settings,
) -> Evaluation:
    game = GameOptions(rules=rules, green=green, scenario=scenario, durations=durations)
    made = EvaluationSettings(game, **settings)
    returns = np.array([mean - 1.0, mean + 1.0])
    cells = [Cell(length, red, returns) for length in made.lengths for red in made.red_agents]
    return Evaluation(BaselineSource(name), made, tuple(cells))


def test_table__has_every_mean_and_the_winner_s_beside_it() -> None:
    lines = format_evaluation(evaluation()).splitlines()
    heading = next(i for i, line in enumerate(lines) if "30 steps" in line)
    assert lines[heading + 1].split()[:2] == ["B-line", "-6.00"]
    assert lines[heading + 2].split() == ["winner", "-3.47", "-6.41", "-13.76"]
    assert lines[heading + 4].split() == ["winner", "-5.64", "-8.69", "-16.60"]
    assert (
        lines[heading + 1].index("-6.00") == lines[heading + 2].index("-3.47") == lines[heading].index("30 steps") + 3
    )
    assert "total -54.00 ± " in "\n".join(lines)


def test_table__fits_in_80_columns() -> None:
    for mean in (-0.001, -6.0, -748.78, -1134.9):
        one = evaluation(mean=mean, name="a_policy_with_a_long_name_" * 2)
        big = Evaluation(
            one.source,
            one.settings,
            tuple(
                Cell(cell.max_steps, cell.red_agent, mean + 360 * np.arange(-1, 2.0).repeat(300)) for cell in one.cells
            ),
        )
        for text in (format_evaluation(big), format_standing([big])):
            assert max(map(len, text.splitlines())) <= 80, text


@pytest.mark.parametrize(("mean", "spread"), [(-6.0, 1.0), (-1134.9, 4000.0), (-123456.7, 1.0)])
def test_columns__stand_below_one_another_whatever_the_figures(mean: float, spread: float) -> None:
    one = evaluation(mean=mean)
    returns = [np.array([mean - spread * (1 + i), mean + spread * (1 + i)]) for i in range(len(one.cells))]
    cells = tuple(Cell(cell.max_steps, cell.red_agent, each) for cell, each in zip(one.cells, returns, strict=True))
    lines = format_evaluation(Evaluation(one.source, one.settings, cells)).splitlines()
    rows = [line for line in lines if line.startswith(("B-line", "Meander", "Sleep"))]
    assert not any(")-" in row for row in rows)
    ends = {tuple(found.start() for found in re.finditer(" ±", row)) for row in rows}
    assert (len(rows), len(ends)) == (3, 1)


def test_zero__has_no_sign() -> None:
    assert "-0.00" not in format_evaluation(evaluation(mean=-0.001))


def test_standing__puts_evaluations_where_they_belong() -> None:
    text = format_standing([evaluation(mean=-50 / 9, name="good"), evaluation(mean=-57.0 / 9, name="fair")])
    lines = text.splitlines()
    assert "cage-challenge-2" in lines[1]
    names = [line[6:30].split("  ")[0] for line in lines[2:]]
    assert names[:5] == ["good", "CardiffUni", "Keeping it RL", "fair", "Mindrake"]
    assert len(names) == 22


def test_standing__under_other_rules_says_why_not_and_what_the_winner_has_there() -> None:
    text = format_standing([evaluation("v2.1")])
    assert "Not compared with the leader board, which was judged under the rules challenge." in text
    assert "Under v2.1 its winner, CardiffUni, scores -84.46 in all." in text
    assert "CardiffUni" not in format_standing([evaluation("v2.1", lengths=(30,))])


@pytest.mark.parametrize("change", [{"lengths": (30, 50)}, {"red_agents": REDS[:2]}, {"green": True}])
def test_standing__of_less_or_other_than_the_protocol_is_not_given(change) -> None:
    assert "it takes all nine cells" in format_standing([evaluation(**change)])


def test_winner__is_left_out_where_the_cells_are_not_its() -> None:
    assert "winner" in format_evaluation(evaluation(lengths=(30,)))
    assert "winner" not in format_evaluation(evaluation(lengths=(40,)))
    assert "winner" not in format_evaluation(evaluation(green=True))


def test_other_network__is_named_and_stands_beside_no_board(tmp_path: Path) -> None:
    fingerprint = own_network(tmp_path / "own.yaml").fingerprint
    for rules in RULES:
        own = evaluation(rules, scenario=tmp_path / "own.yaml")
        assert f"network 'Own values' ({fingerprint[:8]})" in format_evaluation(own)
        assert "winner" not in format_evaluation(own)
        standing = format_standing([own])
        assert standing == "Not compared with the leader board, which was judged on CAGE-2's own network."
    both = format_standing([evaluation("challenge", scenario=tmp_path / "own.yaml"), evaluation()])
    assert "sleep" in both and both.count("   >") == 1


def test_durations__are_named_and_stand_beside_no_board() -> None:
    for rules in RULES:
        timed = evaluation(rules, durations="cage4")
        assert "  actions take several steps (analyse 2, remove 3, restore 5, decoy 2" in format_evaluation(timed)
        assert "winner" not in format_evaluation(timed)
        assert format_standing([timed]).endswith("which was judged where each action takes one step.")
    assert "steps (" not in format_evaluation(evaluation())
    assert timed.to_json()["durations"] == "cage4"
    of_one_step = evaluation(durations="1,1,1,1")
    assert "   >" in format_standing([of_one_step])


def test_policy__says_how_it_chose_what_it_complied_with_and_other_rules_of_its_training() -> None:
    source = PolicySource("p", Path("p"), policy().card, WORKFLOW, deterministic=False)
    cells = tuple(
        Cell(length, red, np.array([0.0, 1.0]), 0.951, {"sleep": 1, "bline": 3, "meander": 0}, TESTS)
        for length in LENGTHS
        for red in REDS
    )
    text = format_evaluation(Evaluation(source, EvaluationSettings(GameOptions(rules="challenge")), cells))
    assert "actions drawn" in text
    assert "B-line 95.1% 95.1% 95.1%" in text
    assert "chosen against Meander: sleep 25.00%, bline 75.00%" in text
    assert "fixes that tested it, as blue could know: 1.50 an episode, 80.0% followed\n" in text
    assert f"{'by the truth':>40}: 0.00 an episode\n" in text
    assert "trained under the rules v2.1" in text
    same = format_evaluation(Evaluation(source, EvaluationSettings(), cells))
    assert "trained under" not in same


def test_shorten__keeps_the_end() -> None:
    assert (shorten("abcdef", 4), shorten("abcd", 4)) == ("…def", "abcd")
