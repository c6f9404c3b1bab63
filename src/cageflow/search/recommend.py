"""What a search recommends: the order with the best belief, and the training whose policy stands for it.

The belief is the strategy's own, and not the best result, which owes the most to luck. Whoever wants to know what the
recommended policy is worth plays it again, on episodes that decided nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from cageflow.search.landscape import LandscapeRow
from cageflow.search.rungs import Training, at_the_furthest, progress
from cageflow.search.strategies import Strategy
from cageflow.search.trial import History, TrialRequest, TrialResult

Judged = TypeVar("Judged", TrialResult, LandscapeRow)
"""What has a reward and a compliance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What a search recommends.

    Attributes:
        trial: the last trial of the training whose policy stands for its order: of that order's trainings the best.
        feasible: whether the trial reached the compliance threshold; if not, no trial has.
        belief: what the strategy expects of the order, reward at the full budget; None where none is feasible.
    """

    trial: TrialResult
    feasible: bool
    belief: float | None


def recommend(strategy: Strategy, history: History) -> Recommendation:
    """The order with the best belief among those with a trial that reached the compliance threshold.

    In rungs only trials at the furthest rung count: those with a policy trained to the full budget. Without any that
    reached the threshold it is the order that came closest.

    Raises:
        ValueError: there is no trial.
    """
    settings = strategy.settings
    judged = at_the_furthest(history) if settings.rungs else history
    best, feasible = best_trial(judged, settings.compliance_threshold)
    if not feasible:
        return Recommendation(trial=best, feasible=False, belief=None)
    belief = strategy.belief(history)
    reached = [trial for trial in judged if settings.reached(trial)]
    order = max((trial.order for trial in reached), key=lambda order: belief[strategy.space.rank(order)])
    best, _ = best_trial([trial for trial in reached if trial.order == order], settings.compliance_threshold)
    return Recommendation(trial=best, feasible=True, belief=float(belief[strategy.space.rank(order)]))


def best_trial(history: Sequence[Judged], compliance_threshold: float) -> tuple[Judged, bool]:
    """The feasible trial with the highest reward, and True; without one that with the highest compliance, and False.

    Of equals the higher reward, then the earlier trial, wins.

    Raises:
        ValueError: there is no trial.
    """
    feasible = [trial for trial in history if trial.compliance >= compliance_threshold]
    if feasible:
        return max(feasible, key=lambda trial: trial.reward), True
    return max(history, key=lambda trial: (trial.compliance, trial.reward)), False


def to_carry(
    strategy: Strategy, history: History, pending: Sequence[TrialRequest], episodes: int
) -> tuple[Training, int] | None:
    """The training to carry to its full budget, and the episodes that it takes: of the order with the best belief.

    Args:
        strategy: whose belief it is; its trials are in rungs.
        history: the trials that have ended; orders without one are not carried.
        pending: those under way, which are taken to end where they are to.
        episodes: that there are; what takes more is not carried.

    Returns:
        None where the best order has a training at the full budget already, or none can be carried so far. An order
        whose trainings at the full budget all missed the compliance threshold is out of it.
    """
    settings = strategy.settings
    full = settings.rungs[-1]
    at_full = [trial for trial in history if trial.total_episodes == full]
    failed = {trial.order for trial in at_full} - {trial.order for trial in at_full if settings.reached(trial)}
    reached = progress(history, pending)
    needed = {one: full - reached[one] for one in progress(history) if one[0] not in failed}
    open_ = [one for one, need in needed.items() if need <= episodes]
    if not open_:
        return None
    belief = strategy.belief(history)
    best = max(open_, key=lambda one: (belief[strategy.space.rank(one[0])], -needed[one]))
    return (best, needed[best]) if needed[best] else None
