"""Linear algebra in an order of its own, against NumPy's, SciPy's and sums written out here."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.special import log_ndtr

from cageflow.numerics.linear import (
    cholesky,
    exps,
    half_solve,
    inverse,
    log_determinant,
    log_normal_tails,
    logs,
    product,
    solve,
)

GENERATOR = np.random.default_rng(0)


def definite(n):
    a = GENERATOR.normal(size=(n, n))
    return a @ a.T + np.eye(n)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 9, 40])
def test_root__gives_determinant_inverse_and_solutions(n):
    matrix, right = definite(n), GENERATOR.normal(size=(n, 1100))  # more columns than a block
    before = matrix.copy(), right.copy()
    root = cholesky(matrix)
    np.testing.assert_allclose(root, np.linalg.cholesky(matrix).T, rtol=1e-11, atol=1e-12)
    assert log_determinant(root) == pytest.approx(np.linalg.slogdet(matrix)[1], abs=1e-10)
    np.testing.assert_allclose(inverse(root) @ matrix, np.eye(n), atol=1e-9)
    np.testing.assert_allclose(matrix @ solve(root, right), right, atol=1e-9)
    np.testing.assert_allclose(solve(root, right[:, 3]), solve(root, right)[:, 3], rtol=1e-12)
    half = half_solve(root, right)
    np.testing.assert_allclose((half**2).sum(axis=0), np.einsum("nw,nw->w", right, solve(root, right)), rtol=1e-8)
    np.testing.assert_array_equal(before[0], matrix)
    np.testing.assert_array_equal(before[1], right)


@pytest.mark.parametrize("matrix", [[[1.0, 2.0], [2.0, 1.0]], [[0.0]], [[-1.0]], [[math.nan]]])
def test_root__of_what_has_none_is_refused(matrix):
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        cholesky(np.array(matrix))


def added_in_order(a, b):
    """The product by ascending k, each term rounded once."""
    total = np.zeros((len(a), b.shape[1]))
    for k in range(a.shape[1]):
        total = (a[:, k : k + 1].astype(np.longdouble) * b[k].astype(np.longdouble) + total).astype(np.float64)
    return total


def whole(*shape):
    """Numbers of 26 bits, whose products are exact in a long double."""
    return np.round(GENERATOR.normal(size=shape) * 2**20) / 2**20


@pytest.mark.parametrize("num_k", [0, 1, 3, 4, 9])
def test_product__adds_in_order_with_one_rounding(num_k):
    a, b = whole(5, num_k), whole(num_k, 1031)
    np.testing.assert_array_equal(product(a, b), added_in_order(a, b))
    np.testing.assert_array_equal(product(a, b[:, 7]), added_in_order(a, b)[:, 7])
    np.testing.assert_array_equal(product(np.asfortranarray(a), b[:, ::-1]), added_in_order(a, b[:, ::-1]))


def test_product__in_another_order_is_another():
    a, b = whole(5, 9) / 3, whole(9, 1031)
    assert not np.array_equal(product(a, b), product(a[:, ::-1], b[::-1]))


def test_functions_of_arrays__are_those_of_their_numbers():
    x = np.linspace(0.1, 30.0, 24).reshape(2, 3, 4)
    np.testing.assert_allclose(exps(-x), np.exp(-x), rtol=1e-15)
    np.testing.assert_allclose(logs(x), np.log(x), rtol=1e-15, atol=1e-16)
    np.testing.assert_allclose(exps(x[:, 1, ::2]), np.exp(x[:, 1, ::2]), rtol=1e-15)


def test_tails__are_those_of_the_normal_distribution():
    z = np.concatenate([np.linspace(-40.0, 8.0, 4801), -np.logspace(-8, 8, 50), [0.0]])
    np.testing.assert_allclose(log_normal_tails(z), log_ndtr(z), rtol=2e-13, atol=1e-15)
    assert log_normal_tails(np.array([40.0, 1e200])).tolist() == [0.0, 0.0]
    assert np.isfinite(log_normal_tails(np.array([-1e200]))).all()


PLAIN = """
import numpy as np, sys, time
from cageflow.numerics.linear import cholesky, exps, logs, product, solve
rng = np.random.default_rng(0)
a = rng.normal(size=(300, 300))
matrix = a @ a.T + np.eye(300)
started = time.process_time()
root = cholesky(matrix)
np.testing.assert_allclose(product(root.T, root), matrix, rtol=1e-9, atol=1e-9)
np.testing.assert_allclose(matrix @ solve(root, matrix[:, :5]), matrix[:, :5], atol=1e-6)
np.testing.assert_allclose(logs(exps(a)), a, atol=1e-12)
assert time.process_time() - started < 10, "number by number it takes minutes"
"""


def test_plain_python__works_row_by_row():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    ran = subprocess.run([sys.executable, "-c", PLAIN], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
