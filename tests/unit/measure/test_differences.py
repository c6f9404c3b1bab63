"""Whether orders differ, and by what, on landscapes whose truth is known."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from cageflow.errors import UserError
from cageflow.measure.differences import analyse, find_differences
from cageflow.scenario.orders import OrderSpace

SPACE = OrderSpace(("a", "b", "c", "d"))


def landscape(seed=0, trainings=3, noise=1.0, space=SPACE, **worths):
    rng = np.random.default_rng(seed)
    return {
        order: [
            -40.0
            + sum(worth for pair, worth in worths.items() if order.index(pair[0]) < order.index(pair[1]))
            + noise * rng.standard_normal()
            for _ in range(trainings)
        ]
        for order in space
    }


def test_pairs_that_matter_are_named_with_their_price():
    found = find_differences(SPACE, landscape(ba=20, cd=6))
    first, second, *others = found.pairs
    assert (first.before, first.after, second.before, second.after) == ("b", "a", "c", "d")
    assert first.worth.interval().low < 20 < first.worth.interval().high
    assert second.worth.interval().low < 6 < second.worth.interval().high
    assert first.p < 1e-6
    assert all(one.p > 0.05 for one in others)
    assert found.explained > 0.95
    assert first.explained > 0.4 > second.explained
    assert found.spread.differs
    assert found.prices[0].order.index("b") < found.prices[0].order.index("a")
    assert found.best.mean == pytest.approx(-14, abs=2)
    json.dumps(found.to_json(), allow_nan=False)


def test_f_and_p_are_those_of_scipy():
    rewards = landscape(ba=1, trainings=2)
    spread = find_differences(SPACE, rewards).spread
    wanted = stats.f_oneway(*rewards.values())
    assert (spread.f, spread.p) == pytest.approx((wanted.statistic, wanted.pvalue))
    uneven = [np.array([1.0, 2.0, 4.0]), np.array([3.0, 3.5]), np.array([9.0])]
    assert analyse(uneven).f == pytest.approx(stats.f_oneway(*uneven).statistic)


@pytest.mark.parametrize(("between", "orders"), [(0.0, 24), (0.5, 24), (2.0, 24), (2.0, 120)])
def test_interval_of_the_deviation_between_holds_it_in_95_percent(between, orders):
    rng = np.random.default_rng(orders)
    held, tested, repetitions = 0, 0, 400
    for _ in range(repetitions):
        truth = between * rng.standard_normal(orders)
        spread = analyse(list(truth[:, None] + rng.standard_normal((orders, 3))))
        held += spread.between_interval.low <= between <= spread.between_interval.high
        tested += spread.differs
    assert held / repetitions >= 0.92
    if between == 0:
        assert tested / repetitions <= 0.08
    if between == 2:
        assert tested == repetitions


def test_no_difference_is_not_made_one_and_the_luckiest_is_not_the_best():
    gaps = []
    for seed in range(20):
        found = find_differences(SPACE, landscape(seed))
        gaps.append(found.best.mean + 40)
        assert found.prices[0].reward.mean > -40
    assert abs(np.mean(gaps)) < 3 / math.sqrt(60)
    lucky = [find_differences(SPACE, landscape(seed)).prices[0].reward.mean + 40 for seed in range(5)]
    assert np.mean(lucky) > 0.8  # as it would be said without leaving a training out


def test_price_beside_plain_ppo():
    found = find_differences(SPACE, landscape(ba=20), plain=[-30.2, -29.9, -30.1, -29.8])
    assert found.plain.mean == pytest.approx(-30)
    assert found.best_over_plain.interval().low > 8
    gains = [one.gain for one in found.prices]
    assert gains[0].mean == pytest.approx(10, abs=2)
    assert gains[-1].mean == pytest.approx(-10, abs=2)
    one = find_differences(SPACE, landscape(ba=20), plain=[-30.0])
    assert one.plain.se == pytest.approx(one.spread.within, rel=0.3)  # as trainings of an order
    assert find_differences(SPACE, landscape()).best_over_plain is None


def test_one_training_an_order__says_what_cannot_be_said():
    found = find_differences(SPACE, landscape(trainings=1, ba=20), plain=[-30.0])
    assert math.isnan(found.spread.p)
    assert not found.spread.differs
    assert found.best is None
    assert found.pairs[0].before == "b"
    json.dumps(found.to_json(), allow_nan=False)


def test_trainings_that_now_and_then_end_in_a_bad_optimum_are_compared_by_the_gap_to_the_best():
    """The noise multiplies the loss, as it does where orders matter; a difference shows that points would hide."""
    rng = np.random.default_rng(5)
    seen, logs = {True: 0, False: 0}, 0
    for _ in range(20):
        rewards = {
            order: list(
                -30 * (0.6 if order.index("a") < order.index("b") else 1) * np.exp(0.6 * rng.standard_normal(3))
            )
            for order in SPACE
        }
        found = find_differences(SPACE, rewards, plain=[-20.0])
        logs += found.is_log
        seen[True] += found.spread.differs
        seen[False] += analyse([np.array(values) for values in rewards.values()]).p < 0.05
        good, bad = found.prices[0].reward, found.prices[-1].reward
        assert not found.is_log or good.se < bad.se
    assert logs >= 18
    assert seen[True] > seen[False]
    assert not find_differences(SPACE, {order: [1.0, 2.0] for order in SPACE}).is_log


def test_two_types_and_no_noise():
    space = OrderSpace(("a", "b"))
    found = find_differences(space, {("a", "b"): [1.0, 1.0], ("b", "a"): [0.0, 0.0]})
    assert found.spread.p == 0
    assert found.pairs == ()  # two orders, two weights: nothing is left to judge them by
    with pytest.raises(UserError, match="at least two"):
        find_differences(space, {("a", "b"): [1.0]})
