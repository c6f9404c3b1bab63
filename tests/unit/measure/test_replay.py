"""Replayed landscapes: what they hold to be possible, and trials that are like their trainings."""

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.measure.replay import OrderGroup, Replay
from cageflow.search import Landscape, landscape_ranks
from tests.helpers.orders import ALL_ORDERS, ORDERS
from tests.unit.search.landscapes import landscape_table, pair_landscape

HALF = np.where(np.arange(120) % 2 == 0, 0.97, 0.9)


def draws(group, number=2000):
    rng = np.random.default_rng(0)
    return np.stack([group.draw(rng) for _ in range(number)])


def test_group__has_the_error_and_the_noise_of_its_trainings():
    rewards = np.array([[-11.0, -10.0, -9.0], [-22.0, -20.0, -18.0]])
    group = OrderGroup.of(np.array([3, 4]), rewards, np.full((2, 3), 0.1))
    assert group.means.tolist() == [-10, -20]
    np.testing.assert_allclose(group.noise, np.sqrt(1.5) * np.array([-1, 0, 1, -2, 0, 2]))
    assert group.error_variance == pytest.approx((2 * 1 + 2 * 4) * 1.5 / 6 / 3)


def test_group__of_one_training_each_knows_no_noise_but_the_evaluation():
    group = OrderGroup.of(np.arange(3), np.array([[-1.0], [-2.0], [-3.0]]), np.full((3, 1), 0.4))
    assert set(group.noise) == {-0.4, 0.4}
    assert group.error_variance == pytest.approx(0.16)


def test_draw__of_many_exact_trainings_is_what_they_say():
    means = np.linspace(-30, -10, 60)
    group = OrderGroup(ids=np.arange(60), means=means, error_variance=0.0, noise=np.zeros(1))
    np.testing.assert_allclose(draws(group, 5), np.tile(means, (5, 1)))


@pytest.mark.parametrize(("between", "error"), [(3.0, 1.0), (1.0, 2.0), (0.2, 2.0)])
def test_draws__hold_the_truth_as_often_as_they_say(between, error):
    """Truths made as the model has them, read with its error: 90 % intervals of orders and of the best of them."""
    held, best_held, luck, luck_of_draws = [], [], [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth = -20 + between * rng.normal(size=60)
        means = truth + error * rng.normal(size=60)
        drawn = draws(OrderGroup(ids=np.arange(60), means=means, error_variance=error**2, noise=np.zeros(1)), 300)
        low, high = np.quantile(drawn, (0.05, 0.95), axis=0)
        held.append(((low <= truth) & (truth <= high)).mean())
        low, high = np.quantile(drawn.max(axis=1), (0.05, 0.95))
        best_held.append(low <= truth.max() <= high)
        luck.append(means.max() - truth.max())
        luck_of_draws.append(drawn.max(axis=1).mean() - truth.max())
    if between > 0.3 * error:
        assert np.mean(held) == pytest.approx(0.9, abs=0.06)
        assert np.mean(best_held) > 0.75
    assert np.mean(held) > 0.84  # where all lie nearly alike it cannot be told how nearly, and it is too cautious
    # The best mean owes part of its lead to luck; the drawn bests owe it little or nothing.
    assert np.mean(luck) > 0.3
    assert abs(np.mean(luck_of_draws)) < 0.4 * np.mean(luck)


def test_draw__of_orders_that_differ_by_chance_alone_takes_them_for_nearly_alike():
    means = 3.0 * np.random.default_rng(0).normal(size=120)
    group = OrderGroup(ids=np.arange(120), means=means, error_variance=9.0, noise=np.zeros(1))
    assert draws(group, 200).std(axis=1).mean() < 0.5 * means.std()


def test_feasible_orders__are_those_of_which_half_the_trainings_reached_the_threshold():
    table = landscape_table(pair_landscape(0), HALF)
    assert Replay.of(table, 0.95).feasible.tolist() == (HALF >= 0.95).tolist()
    truth = Replay.of(table, 0.95).draw_truth(np.random.default_rng(0))
    assert truth.best == truth.reward[::2].max()
    assert (truth.worth[1::2] == truth.reward[::2].min()).all()
    np.testing.assert_array_equal(truth.worth[::2], truth.reward[::2])


def test_groups__are_told_apart():
    # What cannot be followed lies 50 higher: were the groups one, the feasible orders would be drawn up to it.
    rewards = pair_landscape(0) + 50.0 * (HALF < 0.95)
    replay = Replay.of(landscape_table(rewards, HALF, training_sd=3.0), 0.95)
    assert [group.ids.tolist() for group in replay.groups] == [list(range(0, 120, 2)), list(range(1, 120, 2))]
    truth = replay.draw_truth(np.random.default_rng(0)).reward
    np.testing.assert_allclose(truth, rewards, atol=9)
    assert Replay.of(landscape_table(rewards, training_sd=3.0), 0.95).groups[0].ids.tolist() == list(range(120))


def test_trial__deviates_from_the_truth_as_trainings_do():
    replay = Replay.of(landscape_table(pair_landscape(0), HALF, training_sd=2.0), 0.95)
    truth = replay.draw_truth(np.random.default_rng(1))
    trials = [replay.trial(truth, ALL_ORDERS[3], (), np.random.default_rng(seed)) for seed in range(400)]
    rewards = np.array([trial.reward for trial in trials])
    assert rewards.mean() == pytest.approx(truth.reward[3], abs=4 * 2.0 / 20)
    assert rewards.std() == pytest.approx(2.0, rel=0.15)
    assert {(trial.compliance, trial.reward_se, trial.compliance_se) for trial in trials} == {(0.9, 0.3, 0.003)}
    again = replay.trial(truth, ALL_ORDERS[3], trials[:2], np.random.default_rng(0))
    assert (again.episodes, again.total_episodes) == (1000, 3000)
    assert again.reward == trials[0].reward


def test_replay__refuses_a_landscape_with_holes_or_with_nothing_to_find():
    table = landscape_table(pair_landscape(0), HALF)
    with pytest.raises(UserError, match="of 120 orders with 3 trainings each, 2 trainings are missing"):
        Replay.of(Landscape(ORDERS, table.rows[2:]), 0.95)
    with pytest.raises(UserError, match=r"no order of the landscape reaches a compliance of 0\.98"):
        Replay.of(table, 0.98)


def test_replay__refuses_a_sample_of_the_orders():
    table = landscape_table(pair_landscape(0))
    kept = {ORDERS.unrank(int(rank)) for rank in landscape_ranks(ORDERS, 3)}
    assert len(kept) == 3
    sample = Landscape(ORDERS, tuple(row for row in table.rows if row.order in kept))
    assert sample.is_complete
    with pytest.raises(UserError, match="a sample of the 120 orders"):
        Replay.of(sample, 0.95)
    assert Replay.of(table, 0.95).space == ORDERS  # a whole table is none, whatever a new one would have
