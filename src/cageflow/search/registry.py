"""The strategies by the names that a user gives."""

from collections.abc import Callable

from cageflow.errors import UserError
from cageflow.scenario.orders import OrderSpace
from cageflow.search.halving import Asha
from cageflow.search.learning import Curves
from cageflow.search.strategies import (
    Canonical,
    Exhaustive,
    GpUcb,
    Random,
    RoundRobin,
    Strategy,
    StrategySettings,
    Thompson,
)

STRATEGIES: dict[str, Callable[[OrderSpace, StrategySettings], Strategy]] = {
    "gp-ucb": GpUcb,
    "thompson": Thompson,
    "curves": Curves,
    "asha": Asha,
    "random": Random,
    "round-robin": RoundRobin,
    "canonical": Canonical,
    "exhaustive": Exhaustive,
}
"""All of them."""
IN_RUNGS = frozenset({"asha", "curves"})
"""Those whose trials take a training from rung to rung, and which are given the rungs."""


def make_strategy(name: str, space: OrderSpace, settings: StrategySettings | None = None) -> Strategy:
    """Make a strategy by its name in `STRATEGIES`.

    Raises:
        UserError: there is no such strategy.
    """
    if name not in STRATEGIES:
        raise UserError(f"unknown strategy '{name}': possible are {', '.join(STRATEGIES)}")
    return STRATEGIES[name](space, settings or StrategySettings())
