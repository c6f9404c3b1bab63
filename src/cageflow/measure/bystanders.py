"""Contenders that know what a search has to find out: what it is measured against."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search.means import mean_belief
from cageflow.search.strategies import Choice, StrategySettings
from cageflow.search.trial import History, TrialRequest


@dataclass(frozen=True, slots=True)
class RandomAmong:
    """Any of some orders, all equally likely: chance for one who knows which orders can be followed.

    Args:
        space: all orders.
        settings: of which the rungs are read.
        ranks: of the orders to draw from.
    """

    space: OrderSpace
    settings: StrategySettings
    ranks: NDArray[np.int64]

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """One draw."""
        return Choice(self.space.unrank(int(self.ranks[rng.integers(len(self.ranks))])))

    def belief(self, history: History) -> NDArray[np.float64]:
        """The means of the orders' trials."""
        return mean_belief(self.space, history, self.settings.rungs)


@dataclass(frozen=True, slots=True)
class OneOrder:
    """One order throughout: common sense that needs no search."""

    space: OrderSpace
    settings: StrategySettings
    order: Order

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """The order."""
        return Choice(self.order)

    def belief(self, history: History) -> NDArray[np.float64]:
        """The means of the orders' trials."""
        return mean_belief(self.space, history, self.settings.rungs)
