"""The model of learning curves against its statement written out in dense NumPy."""

from functools import partial

import numpy as np
import pytest

from cageflow.search.ahead import AheadKernel
from cageflow.search.curve_model import Data, Fit, Params, Points, Process, loss, prior_covariance, priors
from tests.helpers.orders import ORDERS

KERNEL = AheadKernel(5)
BITS = KERNEL.bits(ORDERS)
PARAMS = Params(0.2, 0.4, 0.3, 0.5, 0.25, np.linspace(0.1, 1.0, 10))
WITHOUT = Params(0.2, 0.4, 0.3, 0.0, 0.0, np.zeros(0))


def data(seed=0, size=24):
    """Twelve trainings of ten orders, at up to three lengths."""
    rng = np.random.default_rng(seed)
    training = rng.integers(12, size=size)
    return Data(
        Points(training % 10 * 7, training, rng.choice([0.0, 0.3, 0.9], size=size)),
        rng.normal(size=size),
        rng.uniform(0.01, 0.1, size=size),
    )


def written_out(params, a, b):
    """Prior covariances, point by point."""
    table = np.empty((len(a.order), len(b.order)))
    for i, (v, j, s) in enumerate(zip(a.order, a.training, a.short, strict=True)):
        for k, (w, m, t) in enumerate(zip(b.order, b.training, b.short, strict=True)):
            table[i, k] = 1.0 + 4.0 * (s * t + min(s, t) / 2)
            fade = np.exp(-params.fading * (s + t))
            if params.order:
                alike = KERNEL.correlation(params.rates, BITS[[v]], BITS[[w]])[0, 0]
                table[i, k] += params.order * alike * (fade + params.order_drift * min(s, t))
            if j == m and j >= 0:
                table[i, k] += params.training * (fade + params.training_drift * min(s, t))
    return table


@pytest.mark.parametrize("params", [PARAMS, WITHOUT], ids=["differ", "alike"])
def test_covariance__is_the_one_written_out(params):
    points = data().points
    means = Points(np.array([3, 14]), np.array([-1, -1]), np.array([0.0, 0.3]))
    for a, b in ((points, points), (points, means), (means, means)):
        np.testing.assert_allclose(prior_covariance(KERNEL, BITS, params, a, b), written_out(params, a, b))


@pytest.mark.parametrize("differ", [True, False], ids=["differ", "alike"])
def test_loss__is_the_density_written_out_and_its_gradient_the_numeric_one(differ):
    given = data()
    means, sds = priors(KERNEL, differ)
    numbers = means + 0.4 * np.random.default_rng(1).normal(size=len(means))
    own = BITS[np.unique(given.points.order)]
    apart = np.abs(own.T[:, :, None] - own.T[:, None, :]).reshape(10, -1)
    objective = partial(loss, data=given, kernel=KERNEL, apart=apart, means=means, sds=sds)
    value, gradient = objective(numbers)
    system = written_out(Params.of(numbers), given.points, given.points) + np.diag(given.noise)
    expected = 0.5 * (
        given.value @ np.linalg.solve(system, given.value)
        + np.linalg.slogdet(2 * np.pi * system)[1]
        + (((numbers - means) / sds) ** 2 + np.log(2 * np.pi * sds**2)).sum()
    )
    assert value == pytest.approx(expected)
    numeric = [(objective(numbers + h)[0] - objective(numbers - h)[0]) / 2e-5 for h in 1e-5 * np.eye(len(numbers))]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("params", [PARAMS, WITHOUT], ids=["differ", "alike"])
def test_process__is_the_conditional_normal_written_out(params):
    given = data()
    process = Process.of(KERNEL, BITS, params, given)
    orders = Points(np.arange(120), np.full(120, -1), np.zeros(120))
    system = written_out(params, given.points, given.points) + np.diag(given.noise)
    rows = written_out(params, orders, given.points)
    covariance = written_out(params, orders, orders) - rows @ np.linalg.solve(system, rows.T)
    np.testing.assert_allclose(process.mean, rows @ np.linalg.solve(system, given.value))
    np.testing.assert_allclose(process.variance, np.diagonal(covariance))
    np.testing.assert_allclose(process.covariance(orders, orders), covariance, atol=1e-12)
    np.testing.assert_allclose(process.mean_at(orders), process.mean)


def test_fit__finds_what_the_data_were_drawn_from():
    rng = np.random.default_rng(3)
    order = np.repeat(rng.permutation(120)[:60], 3)
    points = Points(order, np.arange(180), np.tile([0.0, 0.3, 0.9], 60))
    system = prior_covariance(KERNEL, BITS, PARAMS, points, points) + 1e-3 * np.eye(180)
    drawn = Data(points, np.linalg.cholesky(system) @ rng.normal(size=180), np.full(180, 1e-3))
    differ, alike = (Fit.of(KERNEL, BITS, drawn, one) for one in (True, False))
    assert differ.log_evidence > alike.log_evidence + 10
    assert 0.5 < differ.params.order / PARAMS.order < 2.0
    assert 0.5 < differ.params.training / PARAMS.training < 2.0
    likely = differ.likely(200, np.random.default_rng(0).random)
    logs = np.log([[one.training, one.order, *one.rates] for one in likely])
    of_all = np.linalg.inv(differ.root.T @ differ.root)
    places = [0, 3, *range(5, 5 + KERNEL.num_rates)]
    np.testing.assert_allclose(logs.std(axis=0), np.sqrt(np.diagonal(of_all)[places]), rtol=0.2)
    np.testing.assert_allclose(np.diff(logs[[0, 200]], axis=0)[0], 2 * (differ.best[places] - logs[0]), atol=1e-9)
