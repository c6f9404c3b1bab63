import numpy as np
import pytest

from cageflow.learn.sampling import best_actions, cumulate_row, sample_actions, sample_masked_actions, softmax_row

BELOW_ONE = 1.0 - 2.0**-53


def sample(log_probs, cumulative, rows, uniforms):
    actions = np.empty(len(rows), np.int64)
    chosen = np.empty(len(rows), np.float32)
    sample_actions(np.array(rows, np.int32), log_probs, cumulative, np.array(uniforms), actions, chosen)
    return actions.tolist(), chosen


def test_softmax_row__by_hand():
    log_probs = np.log(np.array([2.0, 1.0, 1.0], np.float32)) + np.float32(30.0)
    probs = np.empty(3, np.float32)
    softmax_row(log_probs, probs)
    assert probs == pytest.approx([0.5, 0.25, 0.25], abs=1e-6)
    assert log_probs == pytest.approx(np.log([0.5, 0.25, 0.25]), abs=1e-5)


def test_softmax_row__survives_logits_far_apart():
    log_probs = np.array([1000.0, 0.0, -1e9], np.float32)
    probs = np.empty(3, np.float32)
    softmax_row(log_probs, probs)
    assert probs.tolist() == [1.0, 0.0, 0.0]
    assert log_probs == pytest.approx([0.0, -1000.0, -1e9], rel=1e-5)


def test_sample_actions__inverts_the_cumulative_distribution_with_borders_to_the_right():
    probs = np.array([[0.5, 0.25, 0.25]], np.float32)
    log_probs = np.log(probs)
    cumulate_row(probs[0])
    uniforms = [0.0, 0.499, 0.5, 0.749, 0.75, BELOW_ONE]
    actions, chosen = sample(log_probs, probs, [0] * 6, uniforms)
    assert actions == [0, 0, 1, 1, 2, 2]
    assert chosen.tolist() == log_probs[0, actions].tolist()


def test_sample_actions__reads_each_environments_own_row():
    cumulative = np.array([[1.0, 1.0], [0.0, 1.0]], np.float32)
    log_probs = np.array([[0.0, -9.0], [-8.0, 0.0]], np.float32)
    actions, chosen = sample(log_probs, cumulative, [1, 0, 1], [0.3, 0.3, 0.3])
    assert actions == [1, 0, 1]
    assert chosen.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("uniform", [0.0, 0.3, BELOW_ONE])
def test_sample_actions__never_takes_an_action_without_probability(uniform):
    probs = np.array([[0.0, 0.6, 0.0, 0.4, 0.0]], np.float32)
    with np.errstate(divide="ignore"):
        log_probs = np.log(probs)
    cumulate_row(probs[0])
    actions, _ = sample(log_probs, probs, [0], [uniform])
    assert actions[0] in (1, 3)


def test_sample_actions__frequencies_are_the_probabilities():
    rng = np.random.default_rng(5)
    logits = rng.normal(size=145).astype(np.float32)
    probs = np.empty((1, 145), np.float32)
    softmax_row(logits, probs[0])
    wanted = probs[0].copy()
    cumulate_row(probs[0])
    num = 200_000
    actions, _ = sample(logits[None], probs, [0] * num, (np.arange(num) + 0.5) / num)
    assert np.bincount(actions, minlength=145) / num == pytest.approx(wanted, abs=2e-5)


def test_sample_masked_actions__shares_the_probability_among_the_allowed():
    probs = np.array([[0.5, 0.2, 0.1, 0.2]], np.float32)
    log_probs = np.log(probs)
    masks = np.tile(np.array([0, 1, 1, 0], np.uint8), (4, 1))
    actions = np.empty(4, np.int64)
    chosen = np.empty(4, np.float32)
    rows = np.zeros(4, np.int32)
    uniforms = np.array([0.0, 0.66, 0.67, BELOW_ONE])
    assert sample_masked_actions(rows, log_probs, probs, masks, uniforms, actions, chosen) == -1
    assert actions.tolist() == [1, 1, 2, 2]
    assert chosen == pytest.approx(np.log([2 / 3, 2 / 3, 1 / 3, 1 / 3]), abs=1e-6)


def test_sample_masked_actions__names_the_environment_that_may_do_nothing():
    probs = np.full((1, 2), 0.5, np.float32)
    masks = np.array([[1, 1], [0, 0]], np.uint8)
    actions = np.empty(2, np.int64)
    chosen = np.empty(2, np.float32)
    rows = np.zeros(2, np.int32)
    assert sample_masked_actions(rows, np.log(probs), probs, masks, np.zeros(2), actions, chosen) == 1


def test_best_actions__takes_the_first_of_the_likeliest_allowed():
    log_probs = np.array([[-3.0, -1.0, -1.0, -0.5]], np.float32)
    rows = np.zeros(2, np.int32)
    actions = np.empty(2, np.int64)
    assert best_actions(rows, log_probs, np.empty((0, 4), np.uint8), actions) == -1
    assert actions.tolist() == [3, 3]
    assert best_actions(rows, log_probs, np.array([[1, 1, 1, 0], [1, 0, 0, 0]], np.uint8), actions) == -1
    assert actions.tolist() == [1, 0]
    assert best_actions(rows, log_probs, np.array([[1, 1, 1, 0], [0, 0, 0, 0]], np.uint8), actions) == 1


def test_best_actions__stay_with_the_first_where_no_later_one_is_likelier():
    log_probs = np.array([[-0.5, -1.0, -0.7]], np.float32)
    actions = np.empty(1, np.int64)
    assert best_actions(np.zeros(1, np.int32), log_probs, np.empty((0, 3), np.uint8), actions) == -1
    assert actions.tolist() == [0]


def test_sample_masked_actions__frequencies_are_the_probabilities_of_the_allowed():
    rng = np.random.default_rng(6)
    probs = rng.dirichlet(np.full(21, 0.3), 1).astype(np.float32)
    mask = (rng.random(21) < 0.5).astype(np.uint8)
    num = 100_000
    actions, chosen = np.empty(num, np.int64), np.empty(num, np.float32)
    uniforms = (np.arange(num) + 0.5) / num
    rows, masks = np.zeros(num, np.int32), np.tile(mask, (num, 1))
    assert sample_masked_actions(rows, np.log(probs), probs, masks, uniforms, actions, chosen) == -1
    wanted = probs[0] * mask / (probs[0] * mask).sum()
    assert np.bincount(actions, minlength=21) / num == pytest.approx(wanted, abs=4e-5)
    assert (np.diff(actions) >= 0).all()
    assert np.exp(chosen) == pytest.approx(wanted[actions], rel=1e-5)
