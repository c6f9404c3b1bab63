"""Intervals, tests and effect sizes against numbers worked by hand, SciPy and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from cageflow.evaluation.statistics import (
    Estimate,
    bootstrap_difference,
    cohens_d,
    episodes_for_power,
    equivalence,
    hedges_g,
    probability_of_superiority,
    sum_of_means,
    summarize,
)

RNG = np.random.default_rng(5)
A = RNG.normal(-14.0, 4.0, 40)
B = RNG.normal(-13.0, 9.0, 25)


def test_summary__is_the_mean_with_the_sample_deviation() -> None:
    summary = summarize([1.0, 2.0, 4.0, 5.0])
    assert (summary.size, summary.mean) == (4, 3.0)
    assert summary.sd == pytest.approx(math.sqrt(10 / 3))
    assert summary.se == pytest.approx(math.sqrt(10 / 12))


@pytest.mark.parametrize("values", [[], [1.0], [[1.0, 2.0]]])
def test_summary__of_less_than_two_numbers_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="expected at least two numbers"):
        summarize(values)


def test_p_value__of_a_difference_is_that_of_welchs_test() -> None:
    difference = summarize(A).estimate - summarize(B).estimate
    assert difference.p_value() == pytest.approx(stats.ttest_ind(A, B, equal_var=False).pvalue)
    assert (Estimate(0.0, 0.0, 1.0).p_value(), Estimate(-1.0, 0.0, 1.0).p_value()) == (1.0, 0.0)


def test_interval__is_that_of_student() -> None:
    summary = summarize(A)
    low, high = summary.estimate.interval()
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 39, summary.mean, summary.se))
    assert summary.estimate.half_width() == pytest.approx((high - low) / 2)


def test_interval__covers_as_often_as_it_says() -> None:
    samples = np.random.default_rng(1).normal(3.0, 2.0, (4000, 6))
    covered = [low < 3.0 < high for low, high in (summarize(row).estimate.interval() for row in samples)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.012)


def test_interval__of_an_estimate_whose_error_is_known_is_normal() -> None:
    low, high = Estimate(-54.57, 0.43 / 1.96, math.inf).interval()
    assert (low, high) == pytest.approx((-55.0, -54.14), abs=1e-4)


def test_difference__has_the_error_and_the_freedom_of_welch() -> None:
    difference = summarize(A).estimate - summarize(B).estimate
    wanted = stats.ttest_ind(A, B, equal_var=False)
    assert difference.mean / difference.se == pytest.approx(wanted.statistic)
    assert difference.dof == pytest.approx(wanted.df)


def test_sum__adds_means_and_variances() -> None:
    total = sum_of_means([summarize(A), summarize(B), summarize([0.0, 0.0])])
    assert total.mean == pytest.approx(A.mean() + B.mean())
    assert total.se == pytest.approx(math.hypot(summarize(A).se, summarize(B).se))
    assert total.dof == pytest.approx(stats.ttest_ind(A, B, equal_var=False).df)


def test_equivalence__rejects_exactly_where_both_one_sided_tests_of_scipy_do() -> None:
    for margin in (0.5, 2.0, 4.0, 6.0, 8.0):
        test = equivalence(summarize(A).estimate, summarize(B).estimate, margin)
        above = stats.ttest_ind(A + margin, B, equal_var=False, alternative="greater").pvalue
        below = stats.ttest_ind(A - margin, B, equal_var=False, alternative="less").pvalue
        assert test.p_value == pytest.approx(max(above, below))
        assert (test.verdict == "equivalent") == (test.p_value < 0.05)
        wanted = stats.ttest_ind(A, B, equal_var=False).confidence_interval(0.9)
        assert tuple(test.interval) == pytest.approx(tuple(wanted))


def test_equivalence__has_three_verdicts() -> None:
    def verdict(difference: float) -> str:
        return equivalence(Estimate(difference, 0.1, 500), Estimate(0.0, 0.1, 500), 0.5).verdict

    assert [verdict(x) for x in (-2.0, -0.6, -0.4, 0.0, 0.4, 0.6, 2.0)] == [
        "different",
        "undecided",
        "undecided",
        "equivalent",
        "undecided",
        "undecided",
        "different",
    ]


def test_equivalence__without_any_spread_is_decided_by_the_difference() -> None:
    zero, one = summarize([0.0, 0.0]).estimate, summarize([1.0, 1.0]).estimate
    same = equivalence(zero, zero, 0.5)
    assert (same.verdict, same.p_value, same.power) == ("equivalent", 0.0, 1.0)
    assert (equivalence(one, zero, 0.5).verdict, equivalence(one, zero, 0.5).p_value) == ("different", 1.0)


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan])
def test_equivalence__needs_a_margin(margin: float) -> None:
    with pytest.raises(ValueError, match="expected a margin above 0"):
        equivalence(summarize(A).estimate, summarize(B).estimate, margin)


def test_equivalence__keeps_its_level_and_its_power() -> None:
    rng = np.random.default_rng(2)
    num, margin, runs = 60, 0.8, 1500
    power = equivalence(Estimate(0.0, 1 / math.sqrt(num), num - 1), Estimate(0.0, 1 / math.sqrt(num), num - 1), margin)

    def share_equivalent(true_difference: float) -> float:
        tests = []
        for _ in range(runs):
            a, b = summarize(rng.normal(true_difference, 1.0, num)), summarize(rng.normal(0.0, 1.0, num))
            tests.append(equivalence(a.estimate, b.estimate, margin).verdict == "equivalent")
        return float(np.mean(tests))

    assert share_equivalent(0.0) == pytest.approx(power.power, abs=0.03)
    assert share_equivalent(margin) == pytest.approx(0.05, abs=0.02)


def test_needed_episodes__give_the_power_that_is_asked_for() -> None:
    num = episodes_for_power(4.0, 3.0, 0.5)
    sides = [Estimate(0.0, sd / math.sqrt(num), num - 1) for sd in (4.0, 3.0)]
    assert equivalence(*sides, 0.5).power == pytest.approx(0.8, abs=0.005)
    assert episodes_for_power(0.0, 0.0, 0.5) == 2


def test_bootstrap__agrees_with_theory_on_a_large_sample_and_repeats() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(1.0, 2.0, 400), rng.normal(0.0, 1.0, 300)
    wanted = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    interval = bootstrap_difference(a, b, seed=1)
    assert tuple(interval) == pytest.approx(tuple(wanted), abs=0.03)
    assert bootstrap_difference(a, b, seed=1) == interval
    assert bootstrap_difference(a, b, seed=2) != interval


def test_bootstrap__of_constants_is_their_difference() -> None:
    assert tuple(bootstrap_difference([2.0, 2.0, 2.0], [1.0, 1.0])) == (1.0, 1.0)


def test_effect_sizes__by_hand() -> None:
    a, b = [1.0, 2.0, 3.0], [3.0, 4.0, 5.0, 6.0]
    pooled = math.sqrt((2 * 1.0 + 3 * (5 / 3)) / 5)
    assert cohens_d(a, b) == pytest.approx(-2.5 / pooled)
    assert hedges_g(a, b) / cohens_d(a, b) == pytest.approx(1 - 3 / (4 * 5 - 1), abs=2e-3)
    assert probability_of_superiority(a, b) == pytest.approx(0.5 / 12)
    assert probability_of_superiority(b, a) == pytest.approx(11.5 / 12)


def test_effect_sizes__without_any_spread() -> None:
    assert cohens_d([1.0, 1.0], [0.0, 0.0]) == math.inf
    assert cohens_d([1.0, 1.0], [1.0, 1.0]) == 0.0
    assert probability_of_superiority([1.0, 1.0], [1.0, 1.0]) == 0.5
