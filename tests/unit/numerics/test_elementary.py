import numpy as np
import pytest
from numba import njit

from cageflow.numerics.elementary import exp, fma, log, small_exp, small_tanh


@njit
def each_small_exp(x, out):
    for i in range(x.shape[0]):
        out[i] = small_exp(x[i])


@njit
def each_small_tanh(x, out):
    for i in range(x.shape[0]):
        out[i] = small_tanh(x[i])


@njit
def each_exp(x, out):
    for i in range(x.shape[0]):
        out[i] = exp(x[i])


@njit
def each_log(x, out):
    for i in range(x.shape[0]):
        out[i] = log(x[i])


@njit
def fused(a, b, c):
    return fma(a, b, c)


LOOPS = {small_exp: each_small_exp, small_tanh: each_small_tanh, exp: each_exp, log: each_log}


def numbers(kind, least, most):
    """Of all sizes, and evenly spread."""
    rng = np.random.default_rng(0)
    of_all_sizes = rng.choice([-1.0, 1.0], 20_000) * 10.0 ** rng.uniform(-9, 3, 20_000)
    x = np.concatenate([of_all_sizes, rng.uniform(max(least, -50), min(most, 50), 20_000)]).astype(kind)
    return x[(x >= least) & (x <= most)]


@pytest.mark.parametrize(
    ("function", "exact", "x", "most_off"),
    [
        (small_exp, np.exp, numbers(np.float32, -87, 0), 2),
        (small_tanh, np.tanh, numbers(np.float32, -1e3, 1e3), 4),
        (exp, np.exp, numbers(np.float64, -708, 709), 1),
        (log, np.log, np.exp(numbers(np.float64, -700, 700)), 2),
        (log, np.log, 1.0 + 1e-3 * numbers(np.float64, -1, 1), 2),
    ],
)
def test_functions__are_exact_to_their_last_places(function, exact, x, most_off):
    wanted = exact(x.astype(np.longdouble))
    got = np.empty_like(x)
    LOOPS[function](x, got)
    off = np.abs(got.astype(np.longdouble) - wanted) / np.spacing(np.abs(wanted).astype(x.dtype))
    assert off.max() <= most_off
    alone = np.array([function(value) for value in x[:500]], x.dtype)  # and the same alone as eight at a time
    assert np.array_equal(alone, got[:500])


def test_functions__at_the_ends():
    assert [exp(x) for x in (-1e9, -709.0, 0.0, 710.0)] == [0.0, 0.0, 1.0, np.inf]
    assert [log(x) for x in (0.0, 1.0, np.inf)] == [-np.inf, 0.0, np.inf]
    assert [small_exp(np.float32(x)) for x in (-1e9, -88.0, 0.0)] == [0.0, 0.0, 1.0]
    assert [small_tanh(np.float32(x)) for x in (-np.inf, -20.0, 0.0, 20.0)] == [-1.0, -1.0, 0.0, 1.0]
    assert np.isnan(
        [exp(np.nan), log(np.nan), log(-1.0), small_exp(np.float32(np.nan)), small_tanh(np.float32(np.nan))]
    ).all()


def test_fma__rounds_once():
    a = np.float32(1.0 + 2.0**-12)
    assert a * a - np.float32(1.0 + 2.0**-11) == 0.0
    assert fused(a, a, np.float32(-(1.0 + 2.0**-11))) == 2.0**-24
    assert fused(1.0 + 2.0**-30, 1.0 + 2.0**-30, -(1.0 + 2.0**-29)) == 2.0**-60
