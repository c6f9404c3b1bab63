"""Normal numbers and orthogonal matrices, made by arithmetic of our own from uniform numbers."""

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cageflow.numerics.elementary import log
from cageflow.numerics.vectors import LANES, dot

Floats = NDArray[np.float64]


def normal_numbers(count: int, uniforms: Callable[[int], Floats]) -> Floats:
    """(count,) float64 of mean 0 and standard deviation 1, by the polar method (Marsaglia & Bray 1964).

    Args:
        uniforms: gives that many independent numbers in [0, 1).
    """
    parts: list[Floats] = []
    missing = count
    while missing > 0:
        x, y = 2.0 * uniforms(2 * (missing // 2 + 8)).reshape(2, -1) - 1.0
        squares = x * x + y * y
        inside = (squares > 0.0) & (squares < 1.0)
        squares = squares[inside]
        factors = np.empty_like(squares)
        _polar_factors(squares, factors)
        parts.append(np.concatenate([x[inside] * factors, y[inside] * factors]))
        missing -= len(parts[-1])
    return np.concatenate(parts)[:count]


def orthogonal_rows(num_rows: int, width: int, uniforms: Callable[[int], Floats]) -> Floats:
    """(num_rows, width) float64, num_rows <= width: orthonormal rows, all such matrices equally likely.

    Args:
        uniforms: as for `normal_numbers`.
    """
    padded = -(-width // LANES) * LANES
    rows = np.zeros((num_rows, padded))
    rows[:, :width] = normal_numbers(num_rows * width, uniforms).reshape(num_rows, width)
    _orthonormalise(rows.reshape(-1), padded)
    return rows[:, :width]


@njit(cache=True, nogil=True, error_model="numpy")
def _polar_factors(squares, factors):
    for i in range(squares.shape[0]):
        factors[i] = np.sqrt(-2.0 * log(squares[i]) / squares[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _orthonormalise(rows, width):
    """Gram and Schmidt's method on rows of `width`, each freed of those before it twice (Giraud & Langou 2005)."""
    for i in range(0, rows.shape[0], width):
        for _ in range(2):
            for j in range(0, i, width):
                share = dot(rows, i, rows, j, width)
                for k in range(width):
                    rows[i + k] -= share * rows[j + k]
        length = np.sqrt(dot(rows, i, rows, i, width))
        for k in range(width):
            rows[i + k] /= length
