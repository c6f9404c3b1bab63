"""Linear algebra of a few hundred rows in an order of its own: factors, solutions, products, and functions of arrays.

All matrices are float64. Whatever the processor and the number of threads, the same numbers come out to the last bit,
which LAPACK and BLAS do not promise. One row is changed at a time, by rows that stand above it, several in one pass; a
row is as long as it may be, so that whatever is many (orders, draws) belongs along the rows.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cageflow.numerics.elementary import exp, fma, log
from cageflow.numerics.plain import JIT_DISABLED

Floats = NDArray[np.float64]

BLOCK = 512  # columns that are worked through together, so that what is read again is near
_LOG_SQRT_2PI = 0.9189385332046727
_FAR = 3.0  # standard deviations beyond which the continued fraction of the tail is short
_SERIES_TERMS, _FRACTION_TERMS = 40, 60


def cholesky(matrix: Floats) -> Floats:
    """The upper triangular root (n, n) of a symmetric positive definite matrix: root.T @ root gives it back.

    Raises:
        np.linalg.LinAlgError: it is not positive definite.
    """
    root = _copied(matrix)
    if not _eliminate(root, root, np.empty(len(root)), True):
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    return np.triu(root)


def half_solve(root: Floats, right: Floats) -> Floats:
    """X with root.T @ x = right, (n,) or (n, m): its columns' squares add up to right.T @ inverse @ right."""
    x = _copied(right if right.ndim == 2 else right[:, None])
    _eliminate(root, x, np.empty(len(root)), False)
    return x.reshape(right.shape)


def solve(root: Floats, right: Floats) -> Floats:
    """X with matrix @ x = right, (n,) or (n, m), for the matrix of which `root` is the root."""
    turned = half_solve(_contiguous(root[::-1, ::-1].T), half_solve(root, right)[::-1])
    return _contiguous(turned[::-1])


def inverse(root: Floats) -> Floats:
    """The inverse (n, n) of the matrix of which `root` is the root."""
    lower = half_solve(root, np.eye(len(root)))
    return _times(lower.T, lower, True)


def product(a: Floats, b: Floats) -> Floats:
    """A (n, k) times b (k, m) or (k,)."""
    return _times(a, b if b.ndim == 2 else b[:, None], False).reshape(len(a), *b.shape[1:])


def _times(a: Floats, b: Floats, is_upper: bool) -> Floats:
    out = np.zeros((a.shape[0], b.shape[1]))
    _multiply(_contiguous(a), _contiguous(b), out, is_upper)
    return out


def log_determinant(root: Floats) -> float:
    """Natural logarithm of the determinant of the matrix of which `root` is the root."""
    return 2.0 * float(logs(np.diagonal(root)).sum())


def exps(x: Floats) -> Floats:
    """E to the power of each number of an array."""
    out = _copied(x)
    _exp_all(out.reshape(-1))
    return out


def logs(x: Floats) -> Floats:
    """Natural logarithm of each number of an array, none of them subnormal."""
    out = _copied(x)
    _log_all(out.reshape(-1))
    return out


def log_normal_tails(z: Floats) -> Floats:
    """Natural logarithm of the probability that a standard normal number is below each of (N,) numbers.

    Near 0 by the series of odd powers over odd factorials, far off by the continued fraction of Laplace, from its end.
    """
    far = np.minimum(np.abs(z), 1e150)  # whose square is a number
    near = np.minimum(far, _FAR)
    term = total = near
    for odd in range(3, 2 * _SERIES_TERMS + 3, 2):
        term = term * (near * near / odd)
        total = total + term
    below = 0.5 - exps(-0.5 * near * near - _LOG_SQRT_2PI) * total
    beyond = np.maximum(far, _FAR)
    fraction = beyond
    for number in range(_FRACTION_TERMS, 0, -1):
        fraction = beyond + number / fraction
    tail = np.where(far <= _FAR, logs(below), -0.5 * far * far - _LOG_SQRT_2PI - logs(fraction))
    share = exps(tail)
    return np.where(z < 0, tail, np.where(share > 1e-8, logs(1.0 - share), -share))


def _contiguous(x: Floats) -> Floats:
    return np.ascontiguousarray(x, dtype=np.float64)


def _copied(x: Floats) -> Floats:
    return np.array(x, dtype=np.float64, order="C")


@njit(cache=True, nogil=True, error_model="numpy")
def _eliminate(root: Floats, x: Floats, factors: Floats, is_root: bool) -> bool:
    """Solve root.T @ solution = x (n, m), in place.

    Args:
        root: (n, n); what stands below its diagonal is not read.
        x: (n, m).
        factors: (n,) scratch.
        is_root: `root` and `x` are one matrix and its root is wanted in its place, row by row from the diagonal on.

    Returns:
        Whether there is a solution.
    """
    n, width = x.shape
    for start in range(0, width, max(width, 1) if is_root else BLOCK):
        stop = width if is_root else min(start + BLOCK, width)
        for k in range(n):
            for p in range(k):
                factors[p] = -root[p, k]
            first = k if is_root else start
            row = x[k, first:stop]
            _add(row, factors[:k], x, first)
            pivot = math.sqrt(root[k, k]) if is_root else root[k, k]
            if not pivot > 0.0:
                return False
            for j in range(stop - first):
                row[j] /= pivot
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _multiply(a: Floats, b: Floats, out: Floats, is_upper: bool) -> None:
    """Add a @ b to `out`; of an upper triangular `a` the zeros are passed over."""
    width = b.shape[1]
    for start in range(0, width, BLOCK):
        stop = min(start + BLOCK, width)
        for i in range(a.shape[0]):
            first = i if is_upper else 0
            _add(out[i, start:stop], a[i, first:], b[first:], start)


if JIT_DISABLED:  # row by row, which takes a debugger seconds where number by number takes minutes

    def _add(target: Floats, factors: Floats, rows: Floats, at: int) -> None:
        """The same in plain Python: each product rounded before it is added, as `fma` does it there."""
        end = at + len(target)
        for factor, row in zip(factors, rows, strict=False):
            target += factor * row[at:end]

    def _exp_all(x: Floats) -> None:
        np.exp(x, out=x)

    def _log_all(x: Floats) -> None:
        np.log(x, out=x)

else:

    @njit(nogil=True, error_model="numpy")
    def _add(target: Floats, factors: Floats, rows: Floats, at: int) -> None:
        """Add factors (K,) times rows (K, at + N) from the column `at` on to a row (N,), one after the other, fused."""
        n, num_rows = target.shape[0], factors.shape[0]
        k = 0
        while k + 4 <= num_rows:
            f0, f1, f2, f3 = factors[k], factors[k + 1], factors[k + 2], factors[k + 3]
            r0, r1 = rows[k, at : at + n], rows[k + 1, at : at + n]
            r2, r3 = rows[k + 2, at : at + n], rows[k + 3, at : at + n]
            for j in range(n):
                target[j] = fma(f3, r3[j], fma(f2, r2[j], fma(f1, r1[j], fma(f0, r0[j], target[j]))))
            k += 4
        while k < num_rows:
            f0, r0 = factors[k], rows[k, at : at + n]
            for j in range(n):
                target[j] = fma(f0, r0[j], target[j])
            k += 1

    @njit(cache=True, nogil=True, error_model="numpy")
    def _exp_all(x: Floats) -> None:
        for i in range(x.shape[0]):
            x[i] = exp(x[i])

    @njit(cache=True, nogil=True, error_model="numpy")
    def _log_all(x: Floats) -> None:
        for i in range(x.shape[0]):
            x[i] = log(x[i])
