from typing import NamedTuple

import numpy as np
from numba import njit

from cageflow.numerics.borrowing import borrowed


class Pair(NamedTuple):
    rows: np.ndarray
    inner: tuple[np.ndarray, int]


@njit
def total_of(pair):
    """The sum of the rows of all, each taken as a view, and a note in the first."""
    pair = borrowed(pair)
    total = 0.0
    for i in range(pair.rows.shape[0]):
        row = pair.rows[i]
        if i % 2:
            row = pair.inner[0][i]
        total += row.sum() * pair.inner[1]
        row[0] = -1.0
    return total


def test_borrowed__is_the_same_memory_and_leaves_the_owner_as_it_was():
    pair = Pair(np.arange(12.0).reshape(4, 3), (np.ones((4, 3)), 2))
    wanted = 2 * (pair.rows[0].sum() + 3.0 + pair.rows[2].sum() + 3.0)
    assert total_of(pair) == wanted
    assert pair.rows[:, 0].tolist() == [-1.0, 3.0, -1.0, 9.0]
    assert pair.inner[0][:, 0].tolist() == [1.0, -1.0, 1.0, -1.0]
    for _ in range(100):
        total_of(pair)
    rows = pair.rows.copy()
    del pair
    assert rows.shape == (4, 3)
