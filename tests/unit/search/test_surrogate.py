"""The Gaussian process over orders, against linear algebra written out here and against BoTorch."""

import logging
import math

import numpy as np
import pytest

from cageflow.search import TrialResult, surrogate
from cageflow.search.kernels import KERNELS
from cageflow.search.surrogate import (
    COMPLIANCE_PRIOR,
    OUTPUTSCALE_PRIOR,
    REWARD_PRIOR,
    TRAINING_NOISE_PRIOR,
    fit_compliance,
    fit_reward,
    fit_surrogate,
)
from tests.helpers.orders import ALL_ORDERS, KENDALL_MATRIX, ORDERS, ids, order_id
from tests.unit.search.botorch_reference import BotorchReference

THREE = [ids(0, 1, 2, 3, 4), ids(1, 0, 2, 3, 4), ids(4, 3, 2, 1, 0)]


@pytest.fixture
def unfitted(monkeypatch):
    """Keep the hyperparameters where the fit would start: the prior medians."""
    monkeypatch.setattr(surrogate, "BOUND_SDS", 0.0)


def exact_posterior(orders, values, errors, process):
    """Mean and std of all orders by numpy alone, from the hyperparameters of a fitted process."""
    ids = [order_id(order) for order in orders]
    kernel = KERNELS[process.kernel]
    bits = kernel.bits(ORDERS)
    covariance = 1 + process.outputscale * kernel.correlation(process.rates, bits, bits, 5)
    z = (np.asarray(values) - process.offset) / process.scale
    noise = (np.asarray(errors) / process.scale) ** 2 + process.training_noise
    weights = np.linalg.solve(covariance[np.ix_(ids, ids)] + np.diag(noise), covariance[ids])
    variance = np.diagonal(covariance) - (weights * covariance[ids]).sum(axis=0)
    return process.offset + process.scale * (weights.T @ z), process.scale * np.sqrt(variance)


def a_data_set(seed=0, n=25):
    rng = np.random.default_rng(seed)
    ids = rng.integers(120, size=n)
    values = -40 - 3.0 * KENDALL_MATRIX[17, ids] + rng.normal(size=n)
    return [ALL_ORDERS[i] for i in ids], values, rng.uniform(0.2, 2.0, size=n)


def test_posterior__on_three_points_is_the_one_computed_by_hand(unfitted):
    values, errors = [-10.0, -14.0, -30.0], [1.0, 0.5, 2.0]
    process = fit_surrogate(ORDERS, THREE, values, errors, REWARD_PRIOR, "mallows")
    assert (*process.rates, process.outputscale, process.training_noise) == pytest.approx((3.0, 1.0, 0.3))
    # Mean -18, deviations 8, 4, -12: sum of squares 224, variance 112.
    assert process.offset == pytest.approx(-18.0)
    assert process.scale == pytest.approx(math.sqrt(112))
    # Distances: 1 between the first two, 10 and 9 from the third; correlations exp(-0.3 d), and 1 for the common level.
    a, b, c = 1 + math.exp(-0.3), 1 + math.exp(-3.0), 1 + math.exp(-2.7)
    system = np.array([[2.3 + 1 / 112, a, b], [a, 2.3 + 0.25 / 112, c], [b, c, 2.3 + 4 / 112]])
    # A new order at distances 1, 2 and 9: types 3 and 4 of the first order swapped.
    k = 1 + np.exp(-0.3 * np.array([1, 2, 9]))
    weights = np.linalg.inv(system) @ k
    mean, std = process.posterior([ids(0, 1, 2, 4, 3)])
    assert mean == pytest.approx([-18 + math.sqrt(1 / 112) * 112**0.5 * (weights @ [8, 4, -12])], rel=1e-9)
    assert std == pytest.approx([math.sqrt(112 * (2 - weights @ k))], rel=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_posterior__of_all_orders_is_exact_at_the_fitted_hyperparameters(kernel):
    data = a_data_set(n=40)  # some orders occur more than once
    process = fit_surrogate(ORDERS, *data, REWARD_PRIOR, kernel)
    assert process.kernel == kernel
    mean, std = exact_posterior(*data, process)
    ours = process.posterior()
    assert ours[0].dtype == ours[1].dtype == np.float64
    np.testing.assert_allclose(ours[0], mean, rtol=1e-9)
    np.testing.assert_allclose(ours[1], std, rtol=1e-9)


def test_posterior__comparison_sees_a_wrong_distance(monkeypatch):
    data = a_data_set()
    process = fit_surrogate(ORDERS, *data, REWARD_PRIOR, "mallows")
    # The likeliest mistake: an order read as the positions of the types.
    inverse = [order_id(ids(*np.argsort(ORDERS.indices(order)))) for order in ALL_ORDERS]
    monkeypatch.setitem(globals(), "order_id", lambda order: inverse[ALL_ORDERS.index(order)])
    mean, _ = exact_posterior(*data, process)
    assert np.abs(process.posterior()[0] - mean).max() > 0.1


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("seed", "n"), [(0, 6), (1, 25), (2, 60)])
def test_fit__is_that_of_botorch(kernel, seed, n):
    """BoTorch, told every trial apart, has the same density of data and hyperparameters and the same maximum."""
    orders, values, errors = a_data_set(seed, n)
    process = fit_surrogate(ORDERS, orders, values, errors, REWARD_PRIOR, kernel)
    reference = BotorchReference(orders, values, errors, process)
    ours = np.log([*process.rates, process.outputscale, process.training_noise])
    assert reference.loss(ours) == pytest.approx(our_loss(orders, values, errors, process, ours), rel=1e-7)
    moved = ours + np.random.default_rng(seed).normal(size=len(ours)) / 2
    assert reference.loss(moved) == pytest.approx(our_loss(orders, values, errors, process, moved), rel=1e-7)
    np.testing.assert_allclose(
        reference.gradient(moved), our_gradient(orders, values, errors, process, moved), rtol=1e-6
    )
    assert reference.fit() > reference.loss(ours) - 1e-6 * abs(reference.loss(ours))  # it finds none that is better
    mean, std = reference.posterior()
    np.testing.assert_allclose(process.posterior()[0], mean, atol=2e-3 * process.scale)
    np.testing.assert_allclose(process.posterior()[1], std, atol=2e-3 * process.scale)


def our_objective(orders, values, errors, process):
    ids = np.array([order_id(order) for order in orders])
    z, variances = (values - process.offset) / process.scale, (errors / process.scale) ** 2
    return surrogate._Fit.of(ORDERS, surrogate._Data.of(ids, z, variances), KERNELS[process.kernel]).objective


def our_loss(orders, values, errors, process, log_params):
    return our_objective(orders, values, errors, process)(log_params)[0]


def our_gradient(orders, values, errors, process, log_params):
    return our_objective(orders, values, errors, process)(log_params)[1]


def test_evidence__is_the_integral_over_the_hyperparameters():
    """Laplace's approximation against a sum over a grid, for the kernel of one rate."""
    orders, values, errors = a_data_set(seed=3)
    process = fit_surrogate(ORDERS, orders, values, errors, REWARD_PRIOR, "mallows")
    objective = our_objective(orders, values, errors, process)
    grid = np.linspace(-3.0, 3.0, 25)
    means = [math.log(3), OUTPUTSCALE_PRIOR[0], TRAINING_NOISE_PRIOR[0]]
    sds = [0.75, OUTPUTSCALE_PRIOR[1], TRAINING_NOISE_PRIOR[1]]
    axes = [mean + sd * grid for mean, sd in zip(means, sds, strict=True)]
    losses = np.array([objective(np.array([a, b, c]))[0] for a in axes[0] for b in axes[1] for c in axes[2]])
    cell = np.prod([axis[1] - axis[0] for axis in axes])
    ids = np.array([order_id(order) for order in orders])
    z, variances = (values - process.offset) / process.scale, (errors / process.scale) ** 2
    ours = surrogate._Fit.of(ORDERS, surrogate._Data.of(ids, z, variances), KERNELS["mallows"]).log_evidence()
    assert ours == pytest.approx(math.log(np.exp(-losses).sum() * cell), abs=0.3)


PLACES = np.argsort(ORDERS.permutations, axis=1)
BEFORE = np.array([order.index("enterprise") < order.index("user") for order in ALL_ORDERS])


@pytest.mark.parametrize(
    ("truth", "kernel"),
    [
        (-3.0 * KENDALL_MATRIX[17], "mallows"),
        (
            np.array([-2.0 * order.index("defender") - abs(order.index("op_host") - 2) for order in ALL_ORDERS]),
            "position",
        ),
        (np.where(BEFORE, 0.96, 0.8), "pairwise"),
    ],
    ids=["distance", "places", "one pair"],
)
def test_evidence__finds_the_kernel_that_made_the_data(truth, kernel, caplog):
    chosen = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        ids = rng.permutation(120)[:40]
        values = truth[ids] + 0.1 * truth.std() * rng.normal(size=40)
        with caplog.at_level(logging.INFO, logger="cageflow.search.surrogate"):
            chosen.append(
                fit_surrogate(ORDERS, [ALL_ORDERS[i] for i in ids], values, np.zeros(40), REWARD_PRIOR).kernel
            )
    assert chosen.count(kernel) >= 4
    assert f"reward of 40 trials: kernel {chosen[-1]}, log evidence {{'mallows': " in caplog.records[-1].message


def test_evidence__one_trial_speaks_for_no_kernel_and_the_first_is_kept():
    assert fit_surrogate(ORDERS, [THREE[0]], [-30.0], [1.0], REWARD_PRIOR).kernel == "mallows"
    assert fit_reward(ORDERS, []).kernel == "mallows"
    assert fit_reward(ORDERS, [], "position").kernel == "position"


def test_pairwise__learns_a_cliff_at_one_pair_from_a_dozen_trials():
    """As compliance has it where one type before another decides; Mallows takes the rest for graded."""
    rng = np.random.default_rng(0)
    wrong = {"mallows": 0, "pairwise": 0}
    for _ in range(10):
        ids = rng.permutation(120)[:12]
        values = np.where(BEFORE, 0.96, 0.85)[ids] + 0.005 * rng.normal(size=12)
        for kernel in wrong:
            process = fit_surrogate(
                ORDERS, [ALL_ORDERS[i] for i in ids], values, np.full(12, 0.003), COMPLIANCE_PRIOR, kernel
            )
            wrong[kernel] += int(((process.posterior()[0] > 0.905) != BEFORE).sum())
    assert wrong["pairwise"] < 0.4 * wrong["mallows"]


def test_fit__recovers_a_landscape_and_is_surer_where_it_has_seen_trials():
    orders, values, errors = a_data_set(n=40)
    process = fit_surrogate(ORDERS, orders, values, errors, REWARD_PRIOR)
    mean, std = process.posterior()
    truth = -40 - 3.0 * KENDALL_MATRIX[17]
    assert np.corrcoef(mean, truth)[0, 1] > 0.97
    seen = np.isin(np.arange(120), [order_id(order) for order in orders])
    assert std[seen].mean() < std[~seen].mean()


def test_fit__counts_a_noisy_trial_for_less():
    values = [-10.0, -50.0]
    pair = [THREE[0], THREE[0]]
    sure_of_first = fit_surrogate(ORDERS, pair, values, [0.1, 30.0], REWARD_PRIOR).posterior([THREE[0]])[0]
    sure_of_second = fit_surrogate(ORDERS, pair, values, [30.0, 0.1], REWARD_PRIOR).posterior([THREE[0]])[0]
    assert sure_of_first > -25
    assert sure_of_second < -35


def test_fit__does_not_depend_on_unit_and_zero_of_the_reward():
    orders, values, errors = a_data_set()
    mean, std = fit_surrogate(ORDERS, orders, values, errors, REWARD_PRIOR).posterior()
    moved_mean, moved_std = fit_surrogate(ORDERS, orders, 1e-3 * values + 7, 1e-3 * errors, REWARD_PRIOR).posterior()
    np.testing.assert_allclose(moved_mean, 1e-3 * mean + 7, rtol=1e-4)
    np.testing.assert_allclose(moved_std, 1e-3 * std, rtol=1e-3)


def test_fit__same_data_same_process_and_global_random_state_untouched():
    data = a_data_set()
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (the global one)
    first = fit_surrogate(ORDERS, *data, REWARD_PRIOR).posterior()
    second = fit_surrogate(ORDERS, *data, REWARD_PRIOR).posterior()
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002 (the global one)


def test_prior__holds_before_any_trial():
    mean, std = fit_reward(ORDERS, []).posterior()
    np.testing.assert_array_equal(mean, np.zeros(120))
    np.testing.assert_allclose(std, np.full(120, 10.0))


def test_one_trial__draws_its_neighbours_to_it_and_leaves_the_far_end_open():
    process = fit_surrogate(ORDERS, [THREE[0]], [-30.0], [1.0], REWARD_PRIOR)
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
    mean, std = fit_surrogate(ORDERS, orders, values, errors, REWARD_PRIOR).posterior()
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()
    assert (std >= 0).all()
    spread = max(values) - min(values)
    assert (mean >= min(values) - 2 * spread - 1e-9 * abs(min(values))).all()
    assert (mean <= max(values) + 2 * spread + 1e-9 * abs(max(values))).all()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_noise_larger_than_the_spread__does_not_make_the_process_sure():
    process = fit_surrogate(ORDERS, THREE, [-18.0, -18.01, -17.99], [2.0] * 3, REWARD_PRIOR)
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
        fit_surrogate(ORDERS, THREE, values, errors, REWARD_PRIOR)


def test_sample__draws_from_the_joint_posterior():
    process = fit_surrogate(ORDERS, *a_data_set(), REWARD_PRIOR)
    mean, std = process.posterior()
    rng = np.random.default_rng(0)
    draws = (np.stack([process.sample(rng, np.arange(120)) for _ in range(400)]) - mean) / std
    # Over 400 draws: standardised means within 5 / sqrt(400), mean square of all 120 close to 1.
    assert np.abs(draws.mean(axis=0)).max() < 0.25
    assert 0.9 < (draws**2).mean() < 1.1
    # Neighbours move together: a draw of independent values would give a correlation near 0.
    neighbours = [(i, j) for i in range(120) for j in range(i) if KENDALL_MATRIX[i, j] == 1]
    assert np.mean([(draws[:, i] * draws[:, j]).mean() for i, j in neighbours]) > 0.2


def test_sample__of_the_prior_has_its_covariance():
    rng = np.random.default_rng(0)
    process = fit_reward(ORDERS, [])
    draws = np.stack([process.sample(rng, np.array([order_id(order) for order in THREE])) for _ in range(2000)])
    expected = 50 + 50 * np.exp(-0.3 * np.array([[0, 1, 10], [1, 0, 9], [10, 9, 0]]))
    # Standard error of an entry: at most 100 * sqrt(2 / 2000) = 3.2.
    np.testing.assert_allclose(draws.T @ draws / 2000, expected, atol=13)


def test_hallucinate__is_an_observation_at_the_mean_with_the_usual_noise():
    orders, values, errors = a_data_set()
    process = fit_surrogate(ORDERS, orders, values, errors, REWARD_PRIOR)
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
    std = fit_reward(ORDERS, []).hallucinate([THREE[0]]).posterior()[1]
    assert std[0] == pytest.approx(10 * math.sqrt(1 - 1 / 1.15))
    assert std[119] == pytest.approx(10 * math.sqrt(1 - (0.5 + 0.5 * math.exp(-3)) ** 2 / 1.15))


def test_probability_of_reaching__is_the_normal_tail():
    process = fit_surrogate(ORDERS, THREE, [0.9, 0.97, 0.3], [0.01] * 3, COMPLIANCE_PRIOR)
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
    reward = fit_surrogate(ORDERS, [THREE[0], THREE[2]], [-10.0, -90.0], [0.3, 0.4], REWARD_PRIOR)
    compliance = fit_surrogate(ORDERS, [THREE[0], THREE[2]], [0.2, 0.9], [0.05, 0.0], COMPLIANCE_PRIOR)
    np.testing.assert_array_equal(fit_reward(ORDERS, trials).posterior(), reward.posterior())
    np.testing.assert_array_equal(fit_compliance(ORDERS, trials).posterior(), compliance.posterior())
