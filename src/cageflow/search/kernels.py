"""Covariance functions between workflow orders, for Gaussian processes in GPyTorch.

Orders enter as the positions of their types, (n, 5) float64: column t is where type t stands, 0 (first) to 4 (last).
"""

import math
from collections.abc import Sequence
from typing import Any

import gpytorch
import numpy as np
import torch

from cageflow.workflow.orders import ALL_ORDERS, MAX_KENDALL_DISTANCE, NUM_TYPES, Order, order_id

RATE_PRIOR_MEDIAN = 3.0
RATE_PRIOR_LOG_SD = 0.75


def order_positions(orders: Sequence[Order]) -> torch.Tensor:
    """Positions of the types in each order, (n, 5) float64."""
    ids = [order_id(order) for order in orders]
    permutations = np.asarray(ALL_ORDERS)[ids].reshape(-1, NUM_TYPES)
    return torch.as_tensor(np.argsort(permutations, axis=1), dtype=torch.float64)


class MallowsKernel(gpytorch.kernels.Kernel):
    """exp(-rate * kendall_distance / 10): the correlation of two orders.

    Positive definite for every rate > 0. Code an order by the 10 signs that say which of two types comes first: the
    distance is the number of signs in which two codes differ, so the kernel is a product over the pairs of types of
    [[1, q], [q, 1]] with q = exp(-rate / 10) < 1. Each factor is positive definite, hence so is their product on
    {-1, 1}^10, and the 120 codes of orders are distinct points of that set.

    The rate has a LogNormal prior (median 3, 95 % between 0.7 and 13: neighbours correlate by 0.93 to 0.27 and 0.74 in
    the median). Without it maximum likelihood now and then drives the rate so high that the orders become independent,
    and one trial says nothing about the others.

    Source: Jiao and Vert, "The Kendall and Mallows kernels for permutations", ICML 2015.
    """

    has_lengthscale = False

    def __init__(self) -> None:
        super().__init__()
        self.register_parameter("raw_rate", torch.nn.Parameter(torch.zeros((), dtype=torch.float64)))
        self.register_constraint("raw_rate", gpytorch.constraints.Positive())
        self.register_prior(
            "rate_prior",
            gpytorch.priors.LogNormalPrior(math.log(RATE_PRIOR_MEDIAN), RATE_PRIOR_LOG_SD),
            MallowsKernel._get_rate,
            MallowsKernel._set_rate,
        )
        self.rate = RATE_PRIOR_MEDIAN
        first, second = torch.combinations(torch.arange(NUM_TYPES)).T
        self.register_buffer("_first", first)
        self.register_buffer("_second", second)

    @property
    def rate(self) -> torch.Tensor:
        """How fast the correlation falls with distance, a positive scalar."""
        return self.raw_rate_constraint.transform(self.raw_rate)  # type: ignore[no-any-return]

    @rate.setter
    def rate(self, value: float | torch.Tensor) -> None:
        self._set_rate(value)

    def _get_rate(self) -> torch.Tensor:
        return self.rate

    def _set_rate(self, value: float | torch.Tensor) -> None:
        value = torch.as_tensor(value, dtype=self.raw_rate.dtype)
        self.initialize(raw_rate=self.raw_rate_constraint.inverse_transform(value))

    def forward(self, x1: torch.Tensor, x2: torch.Tensor, diag: bool = False, **params: Any) -> torch.Tensor:
        """Correlations of positions `x1` (..., n, 5) and `x2` (..., m, 5): (..., n, m), or (..., n) if `diag`."""
        signs1, signs2 = self._signs(x1), self._signs(x2)
        agreement = (signs1 * signs2).sum(-1) if diag else signs1 @ signs2.transpose(-1, -2)
        distance = (MAX_KENDALL_DISTANCE - agreement) / 2
        return torch.exp(-self.rate * distance / MAX_KENDALL_DISTANCE)

    def _signs(self, positions: torch.Tensor) -> torch.Tensor:
        """(..., n, 10): -1 where the first type of a pair comes first, else 1."""
        return torch.sign(positions[..., self._first] - positions[..., self._second])
