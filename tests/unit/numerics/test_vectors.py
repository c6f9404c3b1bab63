import numpy as np
import pytest
from numba import njit

from cageflow.numerics.vectors import add_masked, add_rows, highest, masked_sums, multiply, sum_of_squares

GENERATOR = np.random.default_rng(0)


def normal(*shape):
    return GENERATOR.normal(size=shape).astype(np.float32)


def in_order(a, b, start):
    """The product by ascending k, each term rounded once: in 64 bits of mantissa the product is exact."""
    total = start.copy()
    for k in range(a.shape[1]):
        total = (a[:, k : k + 1].astype(np.longdouble) * b[k].astype(np.longdouble) + total).astype(np.float32)
    return total


@pytest.mark.parametrize("num_rows", [1, 3, 4, 6, 9])
@pytest.mark.parametrize("width", [8, 16, 24, 40, 72])
def test_multiply__adds_each_product_in_order_with_one_rounding(num_rows, width):
    for num_k in (1, 7, 64):
        a, b, start = normal(num_rows, num_k), normal(num_k, width), normal(num_rows, width)
        wanted = in_order(a, b, start)
        out = np.zeros((num_rows, width), np.float32)
        right = (b.ravel(), 0, width, start.ravel(), 0, width)
        multiply(a.ravel(), 0, num_k, 1, *right, out.ravel(), 0, width, num_rows, width, num_k)
        assert np.array_equal(out, wanted)
        multiply(a.T.ravel(), 0, 1, num_rows, *right, start.ravel(), 0, width, num_rows, width, num_k)
        assert np.array_equal(start, wanted)


def test_multiply__can_fail():
    a, b, start = normal(5, 64), normal(64, 24), normal(5, 24)
    assert not np.array_equal(in_order(a, b, start), in_order(a[:, ::-1], b[::-1], start))


@pytest.mark.parametrize("width", [8, 24, 64, 136])
def test_add_rows__adds_them_in_the_order_of_their_names(width):
    matrix, start = normal(9, width + 8), normal(width)
    idx = np.array([9, 9, 3, 0, 8, 3, 9], np.int32)
    out = normal(width + 4)
    wanted = start.copy()
    for row in (3, 0, 8, 3):
        wanted = wanted + matrix[row, 2 : 2 + width]
    add_rows(matrix.ravel(), 2, width + 8, idx, 2, 6, start, 0, out, 3, width)
    assert np.array_equal(out[3 : 3 + width], wanted)


@njit
def masked(first, second, mask, one, other):
    sums = masked_sums(first, second, 8, mask, 16, 24)
    add_masked(first, one, second, other, 8, mask, 16, 24)
    return sums


def test_masked__sums_and_adds_where_the_mask_allows_and_nowhere_else():
    first, second = normal(40), normal(40)
    mask = np.where(GENERATOR.random(48) < 0.5, -1, 0).astype(np.int8)
    allowed = mask[16:40] != 0
    wanted = [np.concatenate([x[:8], x[8:32] + y * allowed, x[32:]]) for x, y in ((first, 2.0), (second, 3.0))]
    sums = [x[8:32][allowed].sum(dtype=np.float64) for x in (first, second)]
    assert masked(first, second, mask, np.float32(2.0), np.float32(3.0)) == pytest.approx(sums, abs=1e-5)
    assert np.array_equal(first, wanted[0].astype(np.float32))
    assert np.array_equal(second, wanted[1].astype(np.float32))


@njit
def reduced(x):
    return highest(x, 8, 16), sum_of_squares(x)


def test_reductions():
    x = normal(32)
    x[3] = 100.0  # outside
    top, squares = reduced(x)
    assert top == x[8:24].max()
    assert squares == pytest.approx(np.square(x, dtype=np.float64).sum())
