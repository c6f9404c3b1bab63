"""The correlation of orders through what stands ahead of each type."""

from itertools import permutations

import numpy as np
import pytest

from cageflow.scenario.orders import OrderSpace
from cageflow.search.ahead import AheadKernel
from tests.helpers.orders import ALL_ORDERS, ORDERS

KERNEL = AheadKernel(5)
BITS = KERNEL.bits(ORDERS)


def test_correlation__is_the_mean_over_types_counted_by_hand():
    rates = np.array([0.3, 1.0, 2.0])  # of the pairs ab, ac and bc
    space, kernel = OrderSpace(tuple("abc")), AheadKernel(3)
    bits = kernel.bits(space)
    abc, bac = bits[[space.rank("abc")]], bits[[space.rank("bac")]]
    # a and b see the pair turned, c does not.
    assert kernel.correlation(rates, abc, bac) == pytest.approx((2 * np.exp(-0.3) + 1) / 3)
    cba = bits[[space.rank("cba")]]
    assert kernel.correlation(rates, abc, cba) == pytest.approx((np.exp(-1.3) + np.exp(-2.3) + np.exp(-3.0)) / 3)


@pytest.mark.parametrize("seed", range(5))
def test_correlation__is_one_of_an_order_with_itself_and_never_negative(seed):
    rates = np.random.default_rng(seed).lognormal(-0.7, 1.5, size=10)
    correlation = KERNEL.correlation(rates, BITS, BITS)
    np.testing.assert_allclose(np.diagonal(correlation), 1.0)
    np.testing.assert_allclose(correlation, correlation.T, atol=1e-15)
    assert np.linalg.eigvalsh(correlation).min() > -1e-12


def test_correlation__does_not_depend_on_the_names_or_the_turn_of_types():
    rates, renamed = np.full(10, 0.4), dict(zip(ORDERS.unit_types, ORDERS.unit_types[::-1], strict=True))
    others = [ORDERS.rank(tuple(renamed[one] for one in order)) for order in ALL_ORDERS]
    correlation = KERNEL.correlation(rates, BITS, BITS)
    np.testing.assert_allclose(correlation[np.ix_(others, others)], correlation)


def test_terms__add_up_to_the_correlation_and_slopes_are_its_derivatives():
    rng = np.random.default_rng(0)
    rates, some = rng.lognormal(-0.7, 0.5, size=10), BITS[rng.integers(120, size=7)]
    apart = np.abs(some.T[:, :, None] - some.T[:, None, :]).reshape(10, -1)
    terms = KERNEL.terms(rates, apart)
    np.testing.assert_allclose(terms.sum(axis=0).reshape(7, 7), KERNEL.correlation(rates, some, some))
    weights = rng.normal(size=49)
    numeric = [
        (weights * (KERNEL.terms(rates - step, apart) - KERNEL.terms(rates + step, apart)).sum(axis=0)).sum() / 2e-5
        for step in 1e-5 * np.eye(10)
    ]
    np.testing.assert_allclose(KERNEL.slopes(terms, apart, weights), numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("num_types", [1, 2, 3])
def test_correlation__of_few_types(num_types):
    space, kernel = OrderSpace(tuple("abc"[:num_types])), AheadKernel(num_types)
    correlation = kernel.correlation(np.full(kernel.num_rates, 1.0), kernel.bits(space), kernel.bits(space))
    assert correlation.shape == (len(list(permutations(range(num_types)))),) * 2
    assert (correlation[0, 1:] < 1).all()
