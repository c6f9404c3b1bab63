"""A correlation of orders that act through what stands ahead of each unit type."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cageflow.numerics.linear import exps, product
from cageflow.scenario.orders import OrderSpace
from cageflow.search.kernels import KERNELS, weighted_difference

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AheadKernel:
    """One rate for each pair of types, and an order is alike another as far as it is to the types, each by itself.

        correlation = mean over types x of exp(-sum over the others y of rate_xy [the orders rank x and y apart])

    So what an order is worth is a sum of n functions, each of which sees only which types stand ahead of one of them:
    whose fixes a fix of that type waits for. Two orders that differ among the types ahead of x, or among those behind
    it, are alike to x, and so are those that differ in a pair without x. Every term is a product of Laplace kernels on
    bits, hence positive semidefinite, and so is their mean.

    Args:
        num_types: n.
    """

    num_types: int

    @property
    def num_rates(self) -> int:
        """P = n (n - 1) / 2, in the order of `pairs_ahead`."""
        return self.num_types * (self.num_types - 1) // 2

    def bits(self, space: OrderSpace) -> Floats:
        """(W, P) float64 of 0 and 1, read-only: which type of each pair stands ahead, of all orders by rank."""
        return KERNELS["pairwise"].bits(space)

    @property
    def pairs_of(self) -> NDArray[np.bool_]:
        """(n, P) bool, whether a type is one of a pair."""
        pairs = list(combinations(range(self.num_types), 2))
        return np.array([[x in pair for pair in pairs] for x in range(self.num_types)], bool).reshape(
            self.num_types, len(pairs)
        )

    def correlation(self, rates: Floats, a: Floats, b: Floats) -> Floats:
        """(N, K) correlations of orders with bits (N, P) with others of bits (K, P), for rates (P,) above 0."""
        total = np.zeros((len(a), len(b)))
        for pairs in self.pairs_of:
            total += exps(-weighted_difference(a[:, pairs], b[:, pairs], rates[pairs]))
        return total / self.num_types

    def terms(self, rates: Floats, apart: Floats) -> Floats:
        """(n, N) the terms of the mean, by which pairs are apart, (P, N) of 0 and 1; their sum is the correlation."""
        return exps(-product(self.pairs_of * rates, apart)) / self.num_types

    def slopes(self, terms: Floats, apart: Floats, weights: Floats) -> Floats:
        """(P,) minus the derivatives by the rates of sum(weights * correlation), for `terms` (n, N), weights (N,)."""
        by_type = product(terms * weights, apart.T)
        slopes: Floats = (self.pairs_of * by_type).sum(axis=0)
        return slopes
