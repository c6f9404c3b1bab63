"""The equilibrium of a game that two play with mixed strategies, one winning what the other loses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

LEAST_SHARE = 0.005
"""Shares below it are taken for none: they come from rounding, or say nothing."""


class Equilibrium(NamedTuple):
    """What neither side can better by another mixture of what there is.

    Attributes:
        rows: (N,) shares of the strategies of who gets the payoff.
        columns: (M,) shares of those of who pays it.
        value: the payoff.
    """

    rows: npt.NDArray[np.float64]
    columns: npt.NDArray[np.float64]
    value: float


def solve(payoffs: npt.NDArray[np.float64]) -> Equilibrium:
    """The equilibrium, by two linear programs: each side's best mixture against the worst that it can meet.

    Args:
        payoffs: (N, M) finite numbers, what who chooses the row gets from who chooses the column.

    Raises:
        ValueError: they are no such table.
    """
    if payoffs.ndim != 2 or payoffs.size == 0 or not np.isfinite(payoffs).all():
        raise ValueError(f"expected (N, M) finite payoffs, got {payoffs.shape}")
    rows = _safest(payoffs)
    columns = _safest(-payoffs.T)
    return Equilibrium(rows, columns, float(rows @ payoffs @ columns))


def _safest(payoffs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N,) shares of the rows whose payoff is the highest in the column where it is lowest."""
    num_rows, num_columns = payoffs.shape
    result = linprog(
        np.append(np.zeros(num_rows), -1.0),  # the last variable is the payoff, which is to be high
        A_ub=np.column_stack([-payoffs.T, np.ones(num_columns)]),
        b_ub=np.zeros(num_columns),
        A_eq=np.append(np.ones(num_rows), 0.0)[None],
        b_eq=np.ones(1),
        bounds=[(0.0, None)] * num_rows + [(None, None)],
        method="highs",
    )
    assert result.status == 0, result.message  # there always is a solution
    shares = np.where(result.x[:-1] < LEAST_SHARE, 0.0, result.x[:-1])
    safest: npt.NDArray[np.float64] = shares / shares.sum()
    return safest
