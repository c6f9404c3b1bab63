import math

import numpy as np
import pytest

from cageflow.learn.advantages import discounted_returns, explained_variance, gae, step_weights


def column(*numbers):
    """A (T, 1) float32 array: one episode."""
    return np.array(numbers, np.float32)[:, None]


def test_discounted_returns__by_hand():
    # 4; 2 + 0.5 * 4 = 4; 1 + 0.5 * 4 = 3
    assert discounted_returns(column(1, 2, 4), np.zeros(1, np.float32), 0.5)[:, 0].tolist() == [3.0, 4.0, 4.0]


def test_discounted_returns__go_on_from_the_final_value():
    # 4 + 0.5 * 8 = 8; 2 + 4 = 6; 1 + 3 = 4
    assert discounted_returns(column(1, 2, 4), np.array([8], np.float32), 0.5)[:, 0].tolist() == [4.0, 6.0, 8.0]


def test_gae__by_hand_with_the_cut_off_rewards_bootstrapped():
    # deltas: 1 + 0.5*4 - 2 = 1; 2 + 0.5*6 - 4 = 1; 4 + 0.5*8 - 6 = 2. Decay 0.5 * 0.5 = 0.25.
    # advantages from the end: 2; 1 + 0.25*2 = 1.5; 1 + 0.25*1.5 = 1.375
    advantages = gae(column(1, 2, 4), column(2, 4, 6), np.array([8], np.float32), 0.5, 0.5)
    assert advantages[:, 0].tolist() == [1.375, 1.5, 2.0]


def test_gae__by_hand_with_nothing_after_the_end():
    # last delta: 4 + 0 - 6 = -2; then 1 + 0.25*-2 = 0.5; 1 + 0.25*0.5 = 1.125
    advantages = gae(column(1, 2, 4), column(2, 4, 6), np.zeros(1, np.float32), 0.5, 0.5)
    assert advantages[:, 0].tolist() == [1.125, 0.5, -2.0]


def test_gae__with_lambda_one_is_the_return_less_the_value_and_with_zero_the_one_step_error():
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=(2, 20, 3)).astype(np.float32)
    final = rng.normal(size=3).astype(np.float32)
    whole = gae(rewards, values, final, 0.9, 1.0)
    assert whole == pytest.approx(discounted_returns(rewards, final, 0.9) - values, abs=1e-5)
    following = np.concatenate([values[1:], final[None]])
    assert gae(rewards, values, final, 0.9, 0.0) == pytest.approx(rewards + 0.9 * following - values, abs=1e-5)


def test_gae__keeps_episodes_apart():
    rng = np.random.default_rng(1)
    rewards, values = rng.normal(size=(2, 10, 4)).astype(np.float32)
    final = rng.normal(size=4).astype(np.float32)
    together = gae(rewards, values, final, 0.99, 0.95)
    for b in range(4):
        alone = gae(rewards[:, [b]], values[:, [b]], final[[b]], 0.99, 0.95)
        assert alone[:, 0].tolist() == together[:, b].tolist()


def test_explained_variance__is_one_for_perfect_zero_for_constant_and_undefined_without_variance():
    returns = column(1, 2, 3)
    assert explained_variance(returns, returns) == 1.0
    assert explained_variance(np.zeros_like(returns), returns) == 0.0
    assert explained_variance(-returns, returns) == pytest.approx(-3.0)
    assert math.isnan(explained_variance(returns, np.ones_like(returns)))


def test_shapes__are_checked_at_the_door():
    flat = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match=r"expected \(T, B\) rewards, got \(3,\)"):
        discounted_returns(flat, flat, 0.9)
    with pytest.raises(ValueError, match=r"expected \(2,\) final_values, got \(3,\)"):
        gae(np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32), flat, 0.9, 0.9)
    with pytest.raises(ValueError, match=r"expected \(3, 3\) values, got \(4, 3\)"):
        gae(np.zeros((3, 3), np.float32), np.zeros((4, 3), np.float32), flat, 0.9, 0.9)


def test_step_weights__count_the_lengths_that_a_step_lies_within():
    assert step_weights((2, 3, 5), 6).tolist() == [3, 3, 2, 1, 1, 0]
    assert step_weights((4,), 3).tolist() == [1, 1, 1]
