"""Rewards as negative logarithms of what they fall short, and back."""

import numpy as np
import pytest

from cageflow.search.scale import UNIT_WITHOUT_DATA, Scale


def test_scale__counts_in_points_near_the_best_and_in_factors_far_off():
    scale = Scale(best=-20.0, unit=5.0)
    value = scale.to_value(np.array([-20.0, -20.1, -25.0, -70.0, -125.0, -15.0]))
    np.testing.assert_allclose(value, [0, -np.log(1.02), -np.log(2), -np.log(11), -np.log(22), 1.0])


@pytest.mark.parametrize("reward", [-20.0, -24.0, -200.0])
def test_scale__takes_values_back_and_errors_along(reward):
    scale = Scale(best=-20.0, unit=5.0)
    value = scale.to_value(np.array([reward]))
    mean, std = scale.to_reward(value, np.zeros(1))
    assert mean == pytest.approx([reward])
    assert std == pytest.approx([0.0])
    numeric = (scale.to_value(np.array([reward - 1e-6])) - value) / -1e-6
    assert scale.slope(np.array([reward])) == pytest.approx(numeric, rel=1e-5)


def test_to_reward__is_the_mean_of_rewards_whose_values_are_normal():
    scale = Scale(best=-20.0, unit=5.0)
    drawn = np.random.default_rng(0).normal(-1.5, 0.4, size=400_000)
    rewards = scale.best + scale.unit * (1 - np.exp(-drawn))
    mean, std = scale.to_reward(np.array([-1.5]), np.array([0.16]))
    assert mean == pytest.approx([rewards.mean()], abs=0.06)
    assert std == pytest.approx([rewards.std()], rel=0.01)


def test_scale__does_not_depend_on_the_zero_and_the_unit_of_rewards():
    rewards, errors = np.random.default_rng(0).normal(-40, 8, size=20), np.full(20, 0.4)
    one, other = Scale.of(rewards, errors), Scale.of(1000 + 3 * rewards, 3 * errors)
    np.testing.assert_allclose(one.to_value(rewards), other.to_value(1000 + 3 * rewards))


def test_scale__is_no_finer_than_the_noise_and_has_a_unit_without_data():
    assert Scale.of(np.array([]), np.array([])) == Scale(0.0, UNIT_WITHOUT_DATA)
    assert Scale.of(np.array([-30.0]), np.array([0.0])) == Scale(-30.0, UNIT_WITHOUT_DATA)
    assert Scale.of(np.array([-30.0, -30.01]), np.array([0.5, 0.5])) == Scale(-30.0, 1.0)
    assert Scale.of(np.array([-10.0, -12.0, -14.0, -20.0, -95.0]), np.zeros(5)).unit == 4.0
