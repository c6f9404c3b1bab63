"""Successive halving: many orders are begun, and few are carried on."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cageflow.scenario.orders import OrderSpace
from cageflow.search.means import mean_belief
from cageflow.search.rungs import Training, progress
from cageflow.search.strategies import Choice, StrategySettings
from cageflow.search.trial import History, TrialRequest, TrialResult


@dataclass(frozen=True, slots=True)
class Asha:
    """Successive halving without waiting for the others of a rung; knows nothing of which orders are alike.

    Of the trainings that were judged at a rung the best are carried to the next: one of as many as the next rung is
    longer. The highest rung that has one to carry on goes first; where none has, a new order is drawn.

    Source: Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht and Talwalkar, "A system for massively parallel
    hyperparameter tuning", MLSys 2020.
    """

    space: OrderSpace
    settings: StrategySettings

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """The best training of those to be carried on, or one draw among the orders that were not begun.

        When all orders are begun, the best of those that rest anywhere is carried on.
        """
        reached = progress(history, pending)
        judged: dict[int, dict[Training, TrialResult]] = {rung: {} for rung in self.settings.rungs}
        for trial in history:
            judged.get(trial.total_episodes, {})[trial.order, trial.training] = trial
        resting: list[TrialResult] = []
        for low, high in reversed([*pairwise(self.settings.rungs)]):
            ranked = sorted(judged[low].values(), key=self._worth, reverse=True)
            here = [trial for trial in ranked if reached[trial.order, trial.training] == low]
            promoted = ranked[: len(ranked) * low // high]
            for trial in here:
                if trial in promoted:
                    return Choice(trial.order, training=trial.training)
            resting += here
        begun = {self.space.rank(order) for order, _ in reached}
        new = np.setdiff1d(np.arange(len(self.space)), [*begun])
        if len(new):
            return Choice(self.space.unrank(int(new[rng.integers(len(new))])))
        if resting:
            best = max(resting, key=self._worth)
            return Choice(best.order, training=best.training)
        return None

    def belief(self, history: History) -> NDArray[np.float64]:
        """The means of what the orders' trainings came to, with the gain of the others on the way that is left."""
        return mean_belief(self.space, history, self.settings.rungs)

    def _worth(self, trial: TrialResult) -> tuple[bool, float]:
        """What trials of a rung are ranked by: the reward if they comply, else how well they do."""
        feasible = self.settings.reached(trial)
        return feasible, trial.reward if feasible else trial.compliance
