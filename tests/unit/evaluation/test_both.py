"""The comparison of two simulators: margins, verdicts, and that a planted difference shows."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.sources import BaselineSource
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation import both
from cageflow.evaluation.both import evaluate_both
from cageflow.evaluation.protocol import Cell, Evaluation, EvaluationSettings
from cageflow.evaluation.tables import format_parity

SETTINGS = EvaluationSettings(
    GameOptions(rules="challenge"), episodes=400, red_agents=("B_lineAgent",), cyborg_path=Path("cyborg")
)
MEANS = {30: -4.0, 50: -8.0, 100: -20.0}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch):
    """Evaluations with returns of our own making; `shift` is what the original has more."""
    shift = {"value": 0.0, "sd": 2.0}

    def evaluate(source, settings, say=lambda words: None):
        rng = np.random.default_rng(0 if settings.cyborg_path is None else 1)
        offset = 0.0 if settings.cyborg_path is None else shift["value"]
        cells = []
        for length in settings.lengths:
            noise = rng.normal(size=settings.episodes)
            noise = shift["sd"] * (noise - noise.mean()) / noise.std(ddof=1)
            cells.append(Cell(length, "B_lineAgent", MEANS[length] + offset + noise))
        return Evaluation(source, settings, tuple(cells))

    monkeypatch.setattr(both, "evaluate", evaluate)
    return shift


def compare(**arguments):
    return evaluate_both(BaselineSource("sleep"), SETTINGS, **arguments)


def test_same_means__are_equivalent(fake) -> None:
    parity = compare()
    assert [test.verdict for test in parity.cells] == ["equivalent"] * 3
    assert parity.total.verdict == "equivalent"
    assert "all 3 cells equivalent" in format_parity(parity)
    assert (parity.ours.settings.simulator, parity.theirs.settings.simulator) == ("compiled", "cyborg")


def test_margin__is_a_share_of_the_mean_and_at_least_half_a_point(fake) -> None:
    parity = compare()
    assert [test.margin for test in parity.cells] == pytest.approx([0.5, 0.5, 1.0])
    assert parity.total.margin == pytest.approx(math.sqrt(1.5))
    fixed = compare(margin=0.3)
    assert [test.margin for test in fixed.cells] == pytest.approx([0.3] * 3)
    assert fixed.total.margin == pytest.approx(0.3 * math.sqrt(3))


def test_planted_difference__shows(fake) -> None:
    fake["value"] = 1.0
    parity = compare()
    assert [test.verdict for test in parity.cells] == ["different", "different", "undecided"]
    assert parity.total.verdict == "different"
    assert [test.difference.mean for test in parity.cells] == pytest.approx([-1.0] * 3)
    assert "0 of 3 cells equivalent" in format_parity(parity)


def test_too_few_episodes__are_said_with_what_would_do(fake) -> None:
    parity = compare(cyborg_episodes=20)
    assert {len(cell.returns) for cell in parity.theirs.cells} == {20}
    assert [test.verdict for test in parity.cells][:2] == ["undecided"] * 2
    needed = parity.needed(0)
    text = format_parity(parity)
    assert f"a power below 80%: {needed:,} episodes a cell on both sides would do" in text
    assert "undecided, power" in text
    enough = evaluate_both(BaselineSource("sleep"), replace(SETTINGS, episodes=2 * needed))
    assert enough.cells[0].power > 0.8


def test_json__has_both_sides_and_each_test(fake) -> None:
    content = compare(cyborg_episodes=100).to_json()
    assert (content["simulator"], content["cyborg"]["simulator"]) == ("compiled", "cyborg")
    assert content["cyborg"]["cells"][0]["episodes"] == 100
    first = content["equivalence"]["cells"][0]
    assert (first["max_steps"], first["red_agent"], first["margin"]) == (30, "B_lineAgent", 0.5)
    assert first["interval"][0] < first["difference"] < first["interval"][1]
    assert content["equivalence"]["total"]["verdict"] in ("equivalent", "undecided")


@pytest.mark.parametrize("margin", [0.0, -0.5, math.nan, math.inf])
def test_impossible_margin__is_refused(fake, margin: float) -> None:
    with pytest.raises(UserError, match=r"margin is .*; expected a reward above 0"):
        compare(margin=margin)
