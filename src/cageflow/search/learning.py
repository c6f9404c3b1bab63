"""The strategy that learns from curves: which order, which of its trainings, and thereby how far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search.rungs import next_rung, progress
from cageflow.search.strategies import (
    TIE_TOLERANCE,
    Acquisition,
    Choice,
    StrategySettings,
    upper_confidence_bound,
)
from cageflow.search.trial import History, TrialRequest

if TYPE_CHECKING:
    from cageflow.search.curves import Belief

Floats = NDArray[np.float64]

MOST_TRAININGS = 3
"""Trainings of one order: what a fourth would add to the mean of three is worth less than another order's first."""


@dataclass(frozen=True, slots=True)
class Curves:
    """The order with the highest bound at the full budget, by the step that tells most of it for an episode.

    All trials at all rungs inform one model of learning curves (`curves`), and what is compared is what orders would be
    worth at the full budget. The order is that of the highest mean + beta x deviation on the model's scale, plus the
    logarithm of the probability that it complies: half as likely counts like a gap twice as wide. Then each training of
    it that is not at the end may go on to its next rung, or another may begin; taken is what lessens the variance of
    the order's value most for each of its episodes. So a hopeless order is left after a rung or two, a good one is
    carried on, and one whose training may have been unlucky, or lucky, gets a second.

    Trials under way are taken to come out at their mean, as in `GpUcb`.
    """

    space: OrderSpace
    settings: StrategySettings

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """Fit the model and take the best order that has a step left; ties are broken by one draw."""
        from cageflow.search.curves import enough_to_learn_from, fit_curves  # imports Numba

        steps = _Steps(self.space, self.settings, history, pending)
        allowed = steps.open_orders()
        if not allowed.any():
            return None
        belief = fit_curves(
            self.space, history, self._full_episodes, pending, learn_from=enough_to_learn_from(len(history))
        )
        log_chance, chance = self._feasibility(history)
        value, deviation = belief.values()
        score = np.where(allowed, upper_confidence_bound(value, deviation, self.settings.beta) + log_chance, -np.inf)
        best = np.flatnonzero(score >= score.max() - TIE_TOLERANCE)
        order = self.space.unrank(int(best[rng.integers(len(best))]))
        mean, std = belief.posterior()
        ucb = upper_confidence_bound(mean, std, self.settings.beta)
        return Choice(order, Acquisition(mean, std, ucb, chance, score), steps.most_telling(belief, order))

    def belief(self, history: History) -> Floats:
        """(W,) expected reward of every order at the full budget."""
        from cageflow.search.curves import fit_curves  # imports Numba

        return fit_curves(self.space, history, self._full_episodes).posterior()[0]

    @property
    def _full_episodes(self) -> int | None:
        return self.settings.rungs[-1] if self.settings.rungs else None

    def _feasibility(self, history: History) -> tuple[Floats, Floats]:
        """(W,) logarithm of the probability that an order complies, and it, by the trainings at the full budget.

        While all of them comply, as they must where orders are enforced, nothing is asked.
        """
        full = self._full_episodes
        trials = [trial for trial in history if full is None or trial.total_episodes >= full]
        if self.settings.gate == "strict" or all(map(self.settings.reached, trials)):
            return np.zeros(len(self.space)), np.ones(len(self.space))
        from cageflow.numerics.linear import exps  # imports Numba
        from cageflow.search.surrogate import fit_compliance

        process = fit_compliance(self.space, trials, self.settings.kernel)
        logarithm = process.log_probability_of_reaching(self.settings.compliance_threshold)
        return logarithm, exps(logarithm)


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps that may be taken next: a training of an order to a rung."""

    space: OrderSpace
    settings: StrategySettings
    history: History
    pending: Sequence[TrialRequest]

    def of(self, order: Order) -> list[tuple[int, int, int]]:
        """Of an order: number of the training, episodes that it has, and those at its next rung; 0 and 1 without."""
        rungs = self.settings.rungs
        busy = {request.training for request in self.pending if request.order == order}
        begun = {
            training: episodes
            for (trained, training), episodes in progress(self.history, self.pending).items()
            if trained == order
        }
        if not rungs:  # every trial is a training of its own, which the loop counts on
            return [] if busy else [(1, 0, 1)]
        steps = []
        for training, episodes in begun.items():
            rung = next_rung(rungs, episodes)
            if rung is not None and training not in busy:
                steps.append((training, episodes, rung))
        if len(begun) < MOST_TRAININGS:
            steps.append((max(begun, default=0) + 1, 0, rungs[0]))
        return steps

    def open_orders(self) -> NDArray[np.bool_]:
        """(W,) whether an order has a step left."""
        allowed = np.ones(len(self.space), np.bool_)
        for order in {trial.order for trial in self.history} | {request.order for request in self.pending}:
            allowed[self.space.rank(order)] = bool(self.of(order))
        return allowed

    def most_telling(self, belief: "Belief", order: Order) -> int:
        """The training of the step that lessens the variance of an order's value most for an episode."""
        from cageflow.search.curves import steps_tell  # imports Numba

        steps = self.of(order)
        if len(steps) == 1:
            return steps[0][0]
        told = steps_tell(belief, order, [training for training, _, _ in steps], [rung for _, _, rung in steps])
        costs = np.array([rung - episodes for _, episodes, rung in steps])
        return steps[int((told / costs).argmax())][0]
