"""Figures and differences of made-up returns, by hand."""

import math

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.report.compare.figures import EPISODES, SEEDS, difference, differences, measure
from cageflow.report.compare.groups import Group
from tests.unit.report.compare.compare_runs import curve, figures, member

OURS = figures("ours", [[-11.0, -9.0], [-21.0, -19.0], [-31.0, -29.0]])  # seeds of -10, -20 and -30
THEIRS = figures("theirs", [[-41.0, -39.0], [-50.0, -50.0], [-63.0, -57.0]])  # -40, -50 and -60


def test_group__is_a_sample_of_seeds_and_not_of_episodes() -> None:
    assert OURS.rewards.tolist() == [-10, -20, -30]
    assert (OURS.unit, OURS.reward.mean, OURS.seed_sd) == (SEEDS, -20.0, 10.0)
    assert OURS.reward.half_width() == pytest.approx(4.302653 * 10 / math.sqrt(3))  # t of 2 degrees of freedom
    assert (OURS.tail, OURS.tail_sd, OURS.episodes, OURS.seconds, OURS.compliance) == (-21.0, 10.0, 1000, 10, None)


def test_group_of_one_seed__has_an_interval_over_episodes_and_no_spread() -> None:
    one = figures("one", [[-30.0, -20.0, -10.0]])
    assert (one.unit, one.reward.mean, one.reward.dof) == (EPISODES, -20.0, 2)
    assert math.isnan(one.seed_sd)
    assert one.to_json()["seed_sd"] is None
    assert one.to_json()["interval_over"] == "episodes"


def test_difference__over_seeds_by_hand() -> None:
    found = difference(OURS, THEIRS)
    assert (found.group, found.reference, found.unit) == ("ours", "theirs", SEEDS)
    assert found.welch.mean == 30.0
    assert found.welch.se == pytest.approx(math.sqrt(200 / 3))
    assert found.welch.dof == pytest.approx(4)
    assert found.welch.p_value() == pytest.approx(0.0213, abs=1e-4)  # t = 3.674 with 4 degrees of freedom
    correction = 1 / (math.gamma(1.5) * math.sqrt(2) / math.gamma(2))  # Hedges' for 4 degrees of freedom
    assert found.hedges_g == pytest.approx(3.0 * correction)
    assert found.superiority == 1.0
    assert 10.0 < found.bootstrap.low < 30.0 < found.bootstrap.high < 50.0


def test_planted_swap_of_the_two__is_caught() -> None:
    assert difference(THEIRS, OURS).welch.mean == -30.0
    assert difference(THEIRS, OURS).superiority == 0.0


def test_difference_with_one_seed__is_over_episodes_of_both() -> None:
    one = figures("one", [[-30.0, -20.0, -10.0]])
    found = difference(one, THEIRS)
    assert (found.unit, found.welch.mean) == (EPISODES, 30.0)
    assert found.welch.se == pytest.approx(math.sqrt(100 / 3 + np.var([-41, -39, -50, -50, -63, -57], ddof=1) / 6))


def test_seeds_that_do_not_vary__give_no_nonsense() -> None:
    flat = figures("flat", [[-1.0, -1.0], [-1.0, -1.0]])
    found = difference(flat, figures("other", [[-2.0, -2.0], [-2.0, -2.0]]))
    assert (found.bootstrap, found.welch.p_value(), found.to_json()["hedges_g"]) == ((1.0, 1.0), 0.0, None)


def test_reference__is_the_first_of_each_game_or_the_one_asked_for() -> None:
    other = [figures(label, [[-1.0, 0.0]], red_agent="RedMeanderAgent") for label in ("c", "d")]
    groups = [OURS, other[0], THEIRS, other[1]]

    def pairs(against: str | None) -> list[tuple[str, str]]:
        return [(one.group, one.reference) for one in differences(groups, against)]

    assert pairs(None) == [("theirs", "ours"), ("d", "c")]
    assert pairs("theirs") == [("ours", "theirs"), ("d", "c")]
    assert differences([OURS, other[0]], None) == []


def test_threshold__is_the_median_of_all_seeds_where_half_arrive() -> None:
    def reached(*values: float) -> tuple[float, int]:
        return figures("x", [[0.0, 1.0]] * len(values), reached=values).reached(0)

    assert reached(100, 300, 200) == (200, 3)
    assert reached(100, math.inf, 200) == (200, 2)
    assert reached(100, math.inf, math.inf) == (math.inf, 1)
    assert reached(100, math.inf) == (math.inf, 1)
    assert reached(100, 300) == (200, 2)


def test_measure__plays_other_episodes_for_each_member_and_the_same_again() -> None:
    line = curve([100, 200], [-50.0, -10.0])
    group = Group("g", (member(1, line=line), member(2, line=line)))
    settings = {"episodes": 20, "seed": 0, "window": 100, "thresholds": [-20.0]}
    told: list[str] = []
    (one,) = measure([group], **settings, say=told.append)
    first, second = (part.returns for part in one.members)
    assert (len(first), one.members[0].tail, one.members[0].reached) == (20, -10.0, (200.0,))
    assert first.tolist() != second.tolist()
    assert told == ["g: played 20 fresh episodes of 2 runs"]
    (again,) = measure([group], **settings)
    assert again.rewards.tolist() == one.rewards.tolist()
    (other,) = measure([group], **{**settings, "seed": 1})
    assert other.rewards.tolist() != one.rewards.tolist()
    for wrong, words in (({"window": 0}, "--window is 0"), ({"episodes": 1}, "episodes is 1")):
        with pytest.raises(UserError, match=words):
            measure([group], **{**settings, **wrong})
