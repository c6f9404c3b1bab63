"""Replayed landscapes: what they hold to be possible, and trials that are like their trainings."""

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.search import Landscape
from cageflow.search.replay import Replay
from cageflow.workflow import ALL_ORDERS
from tests.unit.search.landscapes import landscape_table, pair_landscape

HALF = np.where(np.arange(120) % 2 == 0, 0.97, 0.9)


def test_estimate__is_the_analysis_of_variance_by_hand():
    # Two levels, 10 apart; the trainings of an order deviate by -1, 0 and 1.
    rewards = np.where(np.arange(120) < 60, -10.0, -20.0)
    table = landscape_table(rewards, training_sd=0.0)
    rows = [
        type(row)(**{name: getattr(row, name) for name in row.__slots__} | {"reward": row.reward + row.seed - 2})
        for row in table.rows
    ]
    replay = Replay.of(Landscape(tuple(rows)), 0.95)
    within = 2 / 3 * 3 / 2 / 3  # mean square of -1, 0, 1, for the mean taken from three, of a mean of three: 1 / 3
    between = 25 * 120 / 119 - within
    kept = between / (between + within)
    np.testing.assert_allclose(replay.mean, -15 + kept * (rewards + 15))
    np.testing.assert_allclose(replay.std, np.sqrt(kept * within))
    np.testing.assert_allclose(np.unique(replay.noise[0]), np.array([-1, 0, 1]) * np.sqrt(1.5), atol=1e-12)


def test_estimate__recovers_the_noise_and_takes_back_the_luck_of_the_best():
    truth = 0.3 * pair_landscape(0)
    table = landscape_table(truth, training_sd=4.0)
    replay = Replay.of(table, 0.95)
    assert replay.noise[0].std() == pytest.approx(4.0, rel=0.1)
    observed = replay.reward.mean(axis=1)
    curse = observed.max() - truth.max()
    assert curse > 2
    drawn = [replay.draw_truth(np.random.default_rng(seed)) for seed in range(200)]
    assert truth.max() - curse < np.mean([one.best for one in drawn]) < truth.max() + 0.5 * curse
    inside = [np.abs(replay.mean - truth) <= factor * replay.std for factor in (1, 2)]
    assert [share.mean() for share in inside] == pytest.approx([0.68, 0.95], abs=0.1)


def test_estimate__of_orders_that_differ_by_chance_alone_takes_them_for_alike():
    replay = Replay.of(landscape_table(np.full(120, -20.0), training_sd=3.0, seed=4), 0.95)
    assert replay.mean.std() < 0.4 * replay.reward.mean(axis=1).std()


def test_one_training_an_order__leaves_the_evaluation_as_the_only_noise():
    replay = Replay.of(landscape_table(pair_landscape(1), seeds=1, reward_se=0.4), 0.95)
    assert set(np.round(replay.noise[5], 12)) == {-0.4, 0.4}


def test_feasible_orders__are_those_of_which_half_the_trainings_reached_the_threshold():
    table = landscape_table(pair_landscape(0), HALF)
    assert Replay.of(table, 0.95).feasible.tolist() == (HALF >= 0.95).tolist()
    truth = Replay.of(table, 0.95).draw_truth(np.random.default_rng(0))
    assert truth.best == truth.reward[::2].max()
    assert (truth.worth[1::2] == truth.reward[::2].min()).all()
    np.testing.assert_array_equal(truth.worth[::2], truth.reward[::2])


def test_groups__are_estimated_apart():
    # What cannot be followed lies 50 higher: were the groups one, the feasible orders would be drawn up to it.
    rewards = pair_landscape(0) + 50.0 * (HALF < 0.95)
    replay = Replay.of(landscape_table(rewards, HALF, training_sd=3.0), 0.95)
    assert replay.mean[::2].mean() == pytest.approx(replay.reward[::2].mean())
    assert replay.mean[::2].max() < replay.mean[1::2].min() + 25


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
        Replay.of(Landscape(table.rows[2:]), 0.95)
    with pytest.raises(UserError, match=r"no order of the landscape reaches a compliance of 0\.98"):
        Replay.of(table, 0.98)
