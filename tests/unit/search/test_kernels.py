"""The Mallows kernel: its values by hand, and that it is a covariance."""

import math

import numpy as np
import pytest
import torch

from cageflow.search.kernels import MallowsKernel, order_positions
from cageflow.workflow import ALL_ORDERS, KENDALL_MATRIX


def gram(rate, orders=ALL_ORDERS):
    kernel = MallowsKernel()
    kernel.rate = rate
    positions = order_positions(orders)
    with torch.no_grad():
        return kernel(positions, positions).to_dense().numpy()


def test_order_positions__say_where_each_type_stands():
    positions = order_positions([(0, 1, 2, 3, 4), (2, 0, 1, 4, 3)])
    assert positions.dtype == torch.float64
    assert positions.tolist() == [[0, 1, 2, 3, 4], [1, 2, 0, 4, 3]]


def test_mallows__is_the_exponential_of_the_kendall_distance():
    orders = [(0, 1, 2, 3, 4), (1, 0, 2, 3, 4), (1, 2, 0, 3, 4), (4, 3, 2, 1, 0)]
    distances = np.array([[0, 1, 2, 10], [1, 0, 1, 9], [2, 1, 0, 8], [10, 9, 8, 0]])
    np.testing.assert_allclose(gram(2.5, orders), np.exp(-0.25 * distances), rtol=1e-14)
    np.testing.assert_allclose(gram(4.0), np.exp(-0.4 * KENDALL_MATRIX), rtol=1e-14)


@pytest.mark.parametrize("rate", [0.1, 1.0, 3.0, 10.0, 100.0])
def test_mallows__is_positive_definite_on_all_120_orders(rate):
    matrix = gram(rate)
    assert (matrix == matrix.T).all()
    # The least eigenvalue is at least that of the kernel on all of {-1, 1}^10: (1 - q)^10, below rounding for rate 0.1.
    least = (1 - math.exp(-rate / 10)) ** 10
    assert np.linalg.eigvalsh(matrix).min() > least * (1 - 1e-9) - 1e-12


def test_positive_definiteness__is_not_a_matter_of_course():
    # The same test refuses a similarity that looks just as natural: 1 - d / 5, from 1 to -1 but cut off at 0.
    assert np.linalg.eigvalsh(np.maximum(1 - KENDALL_MATRIX / 5, 0.0)).min() < -1e-3


def test_mallows__diagonal_agrees_with_the_full_matrix():
    kernel = MallowsKernel()
    first, second = order_positions(ALL_ORDERS[:30]), order_positions(ALL_ORDERS[30:60])
    with torch.no_grad():
        full = kernel(first, second).to_dense()
        diagonal = kernel(first, second, diag=True)
    np.testing.assert_array_equal(np.diagonal(full.numpy()), diagonal.numpy())


def test_mallows__rate_has_the_prior_that_its_docstring_states():
    (_, _, prior, closure, _) = next(iter(MallowsKernel().named_priors()))
    kernel = MallowsKernel()
    kernel.rate = 7.0
    assert closure(kernel).item() == pytest.approx(7.0)
    assert prior.icdf(torch.tensor([0.025, 0.5, 0.975])).numpy() == pytest.approx([0.69, 3.0, 13.05], abs=0.01)
