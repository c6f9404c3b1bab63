"""The Gaussian process over orders, against linear algebra written out here."""

import logging
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cageflow.search import TrialResult, surrogate
from cageflow.search.surrogate import COMPLIANCE_PRIOR, REWARD_PRIOR, fit_compliance, fit_reward, fit_surrogate
from cageflow.workflow import ALL_ORDERS, KENDALL_MATRIX, order_id

THREE = [(0, 1, 2, 3, 4), (1, 0, 2, 3, 4), (4, 3, 2, 1, 0)]


@pytest.fixture
def unfitted(monkeypatch):
    """Keep the hyperparameters where the fit would start: rate 3, outputscale 1, training noise 0.04, level 0."""
    monkeypatch.setattr(surrogate, "fit_gpytorch_mll_scipy", lambda mll: SimpleNamespace(fval=0.0))


def exact_posterior(orders, values, errors, process):
    """Mean and std of all orders by numpy alone, from the hyperparameters of a fitted process."""
    ids = [order_id(order) for order in orders]
    covariance = process.outputscale * np.exp(-process.rate * KENDALL_MATRIX / 10)
    z = (np.asarray(values) - process.offset) / process.scale
    noise = np.maximum((np.asarray(errors) / process.scale) ** 2, 1e-6) + process.training_noise
    weights = np.linalg.solve(covariance[np.ix_(ids, ids)] + np.diag(noise), covariance[ids])
    mean = process.level + weights.T @ (z - process.level)
    variance = process.outputscale - (weights * covariance[ids]).sum(axis=0)
    return process.offset + process.scale * mean, process.scale * np.sqrt(variance)


def a_data_set(seed=0, n=25):
    rng = np.random.default_rng(seed)
    ids = rng.integers(120, size=n)
    values = -40 - 3.0 * KENDALL_MATRIX[17, ids] + rng.normal(size=n)
    return [ALL_ORDERS[i] for i in ids], values, rng.uniform(0.2, 2.0, size=n)


def test_posterior__on_three_points_is_the_one_computed_by_hand(unfitted):
    values, errors = [-10.0, -14.0, -30.0], [1.0, 0.5, 2.0]
    process = fit_surrogate(THREE, values, errors, REWARD_PRIOR)
    assert (process.rate, process.outputscale, process.training_noise, process.level) == pytest.approx(
        (3.0, 1.0, 0.04, 0.0), rel=1e-6
    )
    # Mean -18, deviations 8, 4, -12: sum of squares 224, variance 112.
    assert process.offset == pytest.approx(-18.0)
    assert process.scale == pytest.approx(math.sqrt(112))
    # Distances: 1 between the first two, 10 and 9 from the third; correlations exp(-0.3 d).
    a, b, c = math.exp(-0.3), math.exp(-3.0), math.exp(-2.7)
    system = np.array([[1.04 + 1 / 112, a, b], [a, 1.04 + 0.25 / 112, c], [b, c, 1.04 + 4 / 112]])
    # A new order at distances 1, 2 and 9: types 3 and 4 of the first order swapped.
    k = np.exp(-0.3 * np.array([1, 2, 9]))
    weights = np.linalg.inv(system) @ k
    mean, std = process.posterior([(0, 1, 2, 4, 3)])
    assert mean == pytest.approx([-18 + weights @ [8, 4, -12]], rel=1e-6)
    assert std == pytest.approx([math.sqrt(112 * (1 - weights @ k))], rel=1e-6)


def test_posterior__of_all_orders_is_exact_at_the_fitted_hyperparameters():
    data = a_data_set()
    process = fit_surrogate(*data, REWARD_PRIOR)
    mean, std = exact_posterior(*data, process)
    ours = process.posterior()
    assert ours[0].dtype == ours[1].dtype == np.float64
    np.testing.assert_allclose(ours[0], mean, rtol=1e-6)
    np.testing.assert_allclose(ours[1], std, rtol=1e-5)


def test_posterior__comparison_sees_a_wrong_distance(monkeypatch):
    data = a_data_set()
    process = fit_surrogate(*data, REWARD_PRIOR)
    # The likeliest mistake: an order read as the positions of the types.
    inverse = [order_id(np.argsort(order).tolist()) for order in ALL_ORDERS]
    monkeypatch.setitem(globals(), "KENDALL_MATRIX", KENDALL_MATRIX[np.ix_(inverse, inverse)])
    mean, _ = exact_posterior(*data, process)
    assert np.abs(process.posterior()[0] - mean).max() > 0.1


def test_fit__is_the_most_probable_point_under_the_stated_priors():
    orders, values, errors = a_data_set(seed=3)
    process = fit_surrogate(orders, values, errors, REWARD_PRIOR)
    ids = [order_id(order) for order in orders]
    z = (values - process.offset) / process.scale

    def log_density(rate, outputscale, training_noise, level):
        covariance = outputscale * np.exp(-rate * KENDALL_MATRIX[np.ix_(ids, ids)] / 10)
        covariance += np.diag((errors / process.scale) ** 2 + training_noise)
        likelihood = (
            -0.5 * (z - level) @ np.linalg.solve(covariance, z - level) - 0.5 * np.linalg.slogdet(covariance)[1]
        )
        priors = -0.5 * level**2
        for value, mu, sigma in (
            (rate, math.log(3), 0.75),
            (outputscale, *surrogate.OUTPUTSCALE_PRIOR),
            (training_noise, *surrogate.TRAINING_NOISE_PRIOR),
        ):
            priors += -math.log(value) - 0.5 * ((math.log(value) - mu) / sigma) ** 2
        return likelihood + priors

    fitted = np.array([process.rate, process.outputscale, process.training_noise, process.level])
    best = log_density(*fitted)
    for i in range(4):
        for factor in (0.8, 0.95, 1.05, 1.25):
            moved = fitted.copy()
            moved[i] = moved[i] * factor if i < 3 else moved[i] + (factor - 1)
            assert log_density(*moved) < best


def test_fit__recovers_a_landscape_and_is_surer_where_it_has_seen_trials():
    orders, values, errors = a_data_set(n=40)
    process = fit_surrogate(orders, values, errors, REWARD_PRIOR)
    mean, std = process.posterior()
    truth = -40 - 3.0 * KENDALL_MATRIX[17]
    assert np.corrcoef(mean, truth)[0, 1] > 0.97
    seen = np.isin(np.arange(120), [order_id(order) for order in orders])
    assert std[seen].mean() < std[~seen].mean()


def test_fit__counts_a_noisy_trial_for_less():
    values = [-10.0, -50.0]
    pair = [THREE[0], THREE[0]]
    sure_of_first = fit_surrogate(pair, values, [0.1, 30.0], REWARD_PRIOR).posterior([THREE[0]])[0]
    sure_of_second = fit_surrogate(pair, values, [30.0, 0.1], REWARD_PRIOR).posterior([THREE[0]])[0]
    assert sure_of_first > -25
    assert sure_of_second < -35


def test_fit__does_not_depend_on_unit_and_zero_of_the_reward():
    orders, values, errors = a_data_set()
    mean, std = fit_surrogate(orders, values, errors, REWARD_PRIOR).posterior()
    moved_mean, moved_std = fit_surrogate(orders, 1e-3 * values + 7, 1e-3 * errors, REWARD_PRIOR).posterior()
    np.testing.assert_allclose(moved_mean, 1e-3 * mean + 7, rtol=1e-4)
    np.testing.assert_allclose(moved_std, 1e-3 * std, rtol=1e-3)


def test_fit__same_data_same_process_and_global_random_states_untouched():
    data = a_data_set()
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 (the global one)
    first = fit_surrogate(*data, REWARD_PRIOR).posterior()
    torch.manual_seed(99)
    second = fit_surrogate(*data, REWARD_PRIOR).posterior()
    torch.set_rng_state(torch_before)
    fit_surrogate(*data, REWARD_PRIOR)
    np.testing.assert_array_equal(first, second)
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002 (the global one)


def test_prior__holds_before_any_trial():
    mean, std = fit_reward([]).posterior()
    np.testing.assert_array_equal(mean, np.zeros(120))
    np.testing.assert_allclose(std, np.full(120, 10.0))


def test_one_trial__draws_its_neighbours_to_it_and_leaves_the_far_end_open():
    process = fit_surrogate([THREE[0]], [-30.0], [1.0], REWARD_PRIOR)
    mean, std = process.posterior()
    np.testing.assert_allclose(mean, np.full(120, -30.0))
    by_distance = [std[KENDALL_MATRIX[0] == d].mean() for d in range(11)]
    assert by_distance == sorted(by_distance)
    assert 5 < by_distance[10] < 20


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ([-18.0] * 6, [0.0] * 6),
        ([-18.0] * 6, [0.5] * 6),
        ([1e12, 1e12 + 5, 1e12 - 3, 1e12, 1e12 + 1, 1e12], [0.0] * 6),
        ([-1e300, 1e300, 0.0, 1.0, 2.0, 3.0], [0.0] * 6),
        ([1e-12, 2e-12, 3e-12, 2e-12, 1e-12, 0.0], [0.0] * 6),
        ([-18.0, -17.0, -19.0, -18.5, -17.5, -18.0], [1e9, 0.0, 1.0, 1e-9, 100.0, 0.5]),
        ([-18.0, -17.0, -19.0, -18.5, -17.5, -1e6], [0.5] * 6),
    ],
    ids=["equal and exact", "equal", "huge level", "huge spread", "tiny", "wild errors", "outlier"],
)
@pytest.mark.parametrize("orders", [ALL_ORDERS[::20], [ALL_ORDERS[5]] * 6], ids=["apart", "one order"])
def test_fit__stands_odd_data(values, errors, orders, caplog):
    mean, std = fit_surrogate(orders, values, errors, REWARD_PRIOR).posterior()
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()
    assert (std >= 0).all()
    spread = max(values) - min(values)
    assert (mean >= min(values) - 2 * spread - 1e-9 * abs(min(values))).all()
    assert (mean <= max(values) + 2 * spread + 1e-9 * abs(max(values))).all()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_noise_larger_than_the_spread__does_not_make_the_process_sure():
    process = fit_surrogate(THREE, [-18.0, -18.01, -17.99], [2.0] * 3, REWARD_PRIOR)
    assert process.posterior()[1].min() > 0.5


@pytest.mark.parametrize(
    ("values", "errors", "message"),
    [
        ([1.0, 2.0], [0.0] * 3, "expected as many values"),
        ([1.0, 2.0, math.nan], [0.0] * 3, "must be finite"),
        ([1.0, 2.0, 3.0], [0.0, 0.0, math.inf], "must be finite"),
        ([1.0, 2.0, 3.0], [0.0, 0.0, -1.0], "not negative"),
    ],
)
def test_fit__refuses_what_is_no_data(values, errors, message):
    with pytest.raises(ValueError, match=message):
        fit_surrogate(THREE, values, errors, REWARD_PRIOR)


def test_fit__that_fails_keeps_its_start_and_says_so(monkeypatch, caplog):
    def spoil(mll):
        for parameter in mll.parameters():
            parameter.data.fill_(math.nan)
        return SimpleNamespace(fval=math.nan)

    monkeypatch.setattr(surrogate, "fit_gpytorch_mll_scipy", spoil)
    data = a_data_set()
    process = fit_surrogate(*data, REWARD_PRIOR)
    assert "the Gaussian process on reward could not be fitted to 25 observations" in caplog.text
    assert (process.rate, process.outputscale, process.training_noise) == pytest.approx((3.0, 1.0, 0.04), rel=1e-6)
    np.testing.assert_allclose(process.posterior()[0], exact_posterior(*data, process)[0], rtol=1e-6)


def test_fit__that_fails_from_one_start_uses_the_other(monkeypatch, caplog):
    losses = iter([math.nan, 0.0])
    monkeypatch.setattr(surrogate, "fit_gpytorch_mll_scipy", lambda mll: SimpleNamespace(fval=next(losses)))
    process = fit_surrogate(*a_data_set(), REWARD_PRIOR)
    assert (process.rate, process.training_noise) == pytest.approx(surrogate.STARTS[1], rel=1e-6)
    assert not caplog.records


def test_sample__draws_from_the_joint_posterior():
    process = fit_surrogate(*a_data_set(), REWARD_PRIOR)
    mean, std = process.posterior()
    rng = np.random.default_rng(0)
    draws = (np.stack([process.sample(rng) for _ in range(400)]) - mean) / std
    # Over 400 draws: standardised means within 5 / sqrt(400), mean square of all 120 close to 1.
    assert np.abs(draws.mean(axis=0)).max() < 0.25
    assert 0.9 < (draws**2).mean() < 1.1
    # Neighbours move together: a draw of independent values would give a correlation near 0.
    neighbours = [(i, j) for i in range(120) for j in range(i) if KENDALL_MATRIX[i, j] == 1]
    assert np.mean([(draws[:, i] * draws[:, j]).mean() for i, j in neighbours]) > 0.2


def test_sample__of_the_prior_has_its_covariance():
    rng = np.random.default_rng(0)
    process = fit_reward([])
    draws = np.stack([process.sample(rng, THREE) for _ in range(2000)])
    expected = 100 * np.exp(-0.3 * np.array([[0, 1, 10], [1, 0, 9], [10, 9, 0]]))
    # Standard error of an entry: at most 100 * sqrt(2 / 2000) = 3.2.
    np.testing.assert_allclose(draws.T @ draws / 2000, expected, atol=13)


def test_hallucinate__is_an_observation_at_the_mean_with_the_usual_noise():
    orders, values, errors = a_data_set()
    process = fit_surrogate(orders, values, errors, REWARD_PRIOR)
    pending = [ALL_ORDERS[17], ALL_ORDERS[80], ALL_ORDERS[17]]
    fantasy = process.hallucinate(pending)
    mean, std = process.posterior()
    # The same by numpy with the three as data; the hallucinated errors are the median of those observed.
    guesses = [mean[order_id(order)] for order in pending]
    expected = exact_posterior(
        [*orders, *pending], [*values, *guesses], [*errors, *np.repeat(np.median(errors), 3)], process
    )
    np.testing.assert_allclose(fantasy.posterior()[0], mean, rtol=1e-12)
    np.testing.assert_allclose(fantasy.posterior()[0], expected[0], rtol=1e-5)
    np.testing.assert_allclose(fantasy.posterior()[1], expected[1], rtol=1e-4)
    assert (fantasy.posterior()[1] <= std + 1e-12).all()
    assert fantasy.posterior()[1][80] < 0.8 * std[80]
    assert process.hallucinate([]) is process


def test_hallucinate__without_observations_shrinks_the_prior():
    std = fit_reward([]).hallucinate([THREE[0]]).posterior()[1]
    assert std[0] == pytest.approx(10 * math.sqrt(1 - 1 / 1.04))
    assert std[119] == pytest.approx(10 * math.sqrt(1 - math.exp(-6) / 1.04))


def test_fit__leaves_the_threads_of_torch_as_they_were():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        fit_surrogate(*a_data_set(), REWARD_PRIOR).posterior()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_probability_of_reaching__is_the_normal_tail():
    process = fit_surrogate(THREE, [0.9, 0.97, 0.3], [0.01] * 3, COMPLIANCE_PRIOR)
    mean, std = process.posterior()
    tail = [0.5 * math.erfc((0.95 - m) / s / math.sqrt(2)) for m, s in zip(mean, std, strict=True)]
    np.testing.assert_allclose(np.exp(process.log_probability_of_reaching(0.95)), tail, rtol=1e-9)
    # Far in the tail the logarithm stays finite, so orders can still be ranked.
    assert np.isfinite(process.log_probability_of_reaching(100.0)).all()


def trial(order, **changes):
    facts = {
        "order": order,
        "reward": -20.0,
        "reward_se": 1.0,
        "compliance": 0.96,
        "episodes": 10,
        "total_episodes": 10,
        "ending": "patience",
        "seconds": 1.0,
    }
    return TrialResult(**(facts | changes))


def test_fit_reward_and_compliance__read_their_own_columns():
    trials = [
        trial(THREE[0], reward=-10.0, reward_se=0.3, compliance=0.2, compliance_se=0.05),
        trial(THREE[2], reward=-90.0, reward_se=0.4, compliance=0.9, compliance_se=None),
    ]
    reward = fit_surrogate([THREE[0], THREE[2]], [-10.0, -90.0], [0.3, 0.4], REWARD_PRIOR)
    compliance = fit_surrogate([THREE[0], THREE[2]], [0.2, 0.9], [0.05, 0.0], COMPLIANCE_PRIOR)
    np.testing.assert_array_equal(fit_reward(trials).posterior(), reward.posterior())
    np.testing.assert_array_equal(fit_compliance(trials).posterior(), compliance.posterior())
