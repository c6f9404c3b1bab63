"""The kernels between orders: their values by hand, and that they are covariances."""

import math

import numpy as np
import pytest

from cageflow.scenario.orders import OrderSpace
from cageflow.search.kernels import KERNELS
from tests.helpers.orders import ALL_ORDERS, KENDALL_MATRIX, ORDERS, ids

NUM_TYPES = len(ORDERS.unit_types)


def correlation(name, rates, orders=ALL_ORDERS, space=ORDERS):
    kernel = KERNELS[name]
    bits = kernel.bits(space)[[space.rank(order) for order in orders]]
    return kernel.correlation(np.asarray(rates, dtype=float), bits, bits, len(space.unit_types))


def test_mallows__is_the_exponential_of_the_kendall_distance():
    orders = [ids(0, 1, 2, 3, 4), ids(1, 0, 2, 3, 4), ids(1, 2, 0, 3, 4), ids(4, 3, 2, 1, 0)]
    distances = np.array([[0, 1, 2, 10], [1, 0, 1, 9], [2, 1, 0, 8], [10, 9, 8, 0]])
    np.testing.assert_allclose(correlation("mallows", [2.5], orders), np.exp(-0.25 * distances), rtol=1e-14)
    np.testing.assert_allclose(correlation("mallows", [4.0]), np.exp(-0.4 * KENDALL_MATRIX), rtol=1e-14)


def test_position__counts_how_far_each_type_moves_at_its_own_rate():
    # Type 2 goes from place 2 to 0, types 0 and 1 from 0 and 1 to 1 and 2, each over 4 at most.
    orders = [ids(0, 1, 2, 3, 4), ids(2, 0, 1, 3, 4)]
    expected = math.exp(-(1.0 * 1 + 2.0 * 1 + 4.0 * 2) / 4)
    assert correlation("position", [1.0, 2.0, 4.0, 8.0, 16.0], orders)[0, 1] == pytest.approx(expected, rel=1e-14)
    # Only where type 4 stands matters: orders that agree in that are alike.
    last = [order[4] == "user" for order in ALL_ORDERS]
    assert (correlation("position", [0, 0, 0, 0, 3.0])[0] == 1).tolist() == last


def test_pairwise__counts_which_pairs_are_ranked_unlike_at_their_own_rates():
    # The pairs in their order are 01 02 03 04 12 13 14 23 24 34; moving type 2 to the front turns 02 and 12.
    rates = np.arange(1.0, 11.0)
    moved = correlation("pairwise", rates, [ids(0, 1, 2, 3, 4), ids(2, 0, 1, 3, 4)])[0, 1]
    assert moved == pytest.approx(math.exp(-(2 + 5)), rel=1e-14)
    np.testing.assert_allclose(correlation("pairwise", np.full(10, 0.3)), correlation("mallows", [3.0]), rtol=1e-12)


def many_rates(name):
    """Equal rates, one rate that rules, and draws from eight times the spread of the prior."""
    kernel = KERNELS[name]
    num_rates = kernel.num_rates(NUM_TYPES)
    yield from (np.full(num_rates, rate) for rate in (0.05, 0.5, 3.0, 50.0))
    yield np.r_[np.full(num_rates - 1, 1e-3), 10.0]
    rng = np.random.default_rng(0)
    for _ in range(40):
        yield np.exp(kernel.log_median_rate + 8 * kernel.log_rate_sd * rng.uniform(-1, 1, size=num_rates))


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel__is_positive_definite_on_all_120_orders(name):
    for rates in many_rates(name):
        matrix = correlation(name, rates)
        np.testing.assert_allclose(matrix, matrix.T, rtol=1e-12)
        np.testing.assert_allclose(np.diagonal(matrix), np.ones(120), rtol=1e-12)
        least = np.linalg.eigvalsh(matrix).min()
        assert least > -1e-12  # where rates are small the true value lies below rounding
        if rates.min() > 0.3:
            assert least > 1e-7


@pytest.mark.parametrize(("name", "pairs_of_rate"), [("mallows", 10), ("pairwise", 1)])
def test_kernels_on_pairs__have_the_eigenvalues_that_theory_bounds(name, pairs_of_rate):
    # On all of {0, 1}^10 the kernel is a product of [[1, q], [q, 1]], whose least eigenvalue is 1 - q.
    for rates in many_rates(name):
        per_pair = np.repeat(rates / pairs_of_rate, pairs_of_rate)
        least = np.prod(-np.expm1(-per_pair))
        assert np.linalg.eigvalsh(correlation(name, rates)).min() > least * (1 - 1e-9) - 1e-12


def test_positive_definiteness__is_not_a_matter_of_course():
    # The same check refuses similarities that look just as natural: 1 - d / 5 cut off at 0, and the exponential of the
    # squared Kendall distance.
    assert np.linalg.eigvalsh(np.maximum(1 - KENDALL_MATRIX / 5, 0.0)).min() < -1e-3
    assert np.linalg.eigvalsh(np.exp(-0.02 * KENDALL_MATRIX.astype(float) ** 2)).min() < -1e-3


@pytest.mark.parametrize("name", KERNELS)
def test_distances__are_what_the_correlations_are_made_of(name):
    kernel, space = KERNELS[name], OrderSpace(("a", "b", "c", "d", "e", "f"))
    some = np.random.default_rng(0).choice(720, 30, replace=False)
    bits, rates = kernel.bits(space)[some], np.linspace(0.1, 2.0, kernel.num_rates(6))
    expected = np.exp(-np.tensordot(rates, kernel.distances(bits, 6), axes=1))
    np.testing.assert_allclose(kernel.correlation(rates, bits, bits, 6), expected, rtol=1e-12)


@pytest.mark.parametrize("num_types", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel__is_positive_definite_on_the_orders_of_fewer_and_more_types(name, num_types):
    kernel, space = KERNELS[name], OrderSpace(tuple("abcdef"[:num_types]))
    orders = [space.unrank(i) for i in range(0, len(space), max(len(space) // 120, 1))]
    matrix = correlation(name, np.full(kernel.num_rates(num_types), 1.0), orders, space)
    np.testing.assert_allclose(np.diagonal(matrix), np.ones(len(orders)), rtol=1e-12)
    assert np.linalg.eigvalsh(matrix).min() > 1e-7


@pytest.mark.parametrize("name", KERNELS)
def test_bits__cannot_be_changed_from_outside(name):
    with pytest.raises(ValueError, match="read-only"):
        KERNELS[name].bits(ORDERS)[0, 0] = 1.0


def test_medians__are_those_that_the_docstring_states():
    neighbours = [
        correlation(name, np.full(kernel.num_rates(NUM_TYPES), kernel.median_rate))[0, 1]
        for name, kernel in KERNELS.items()
    ]
    assert neighbours == pytest.approx([0.74, 0.78, 0.86], abs=0.005)
    low, high = (3.0 * math.exp(sign * 1.96 * KERNELS["mallows"].log_rate_sd) for sign in (-1, 1))
    assert [math.exp(-low / 10), math.exp(-high / 10)] == pytest.approx([0.93, 0.27], abs=0.005)
