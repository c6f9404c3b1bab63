"""What the orders came to, and what the best one beats. Pure functions of trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np
import numpy.typing as npt

from cageflow.evaluation.statistics import Estimate, summarize
from cageflow.runs.saved_run import SavedRun
from cageflow.scenario.orders import Order
from cageflow.search import TrialResult, best_trial
from cageflow.training.trainer import FreshEvaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderResult:
    """What one order came to.

    Attributes:
        order: the order.
        estimate: of its reward.
        compliance: mean.
        feasible: whether it reached the threshold.
        trials: that it had.
        episodes: trained on it in all.
        ending: of the trial that counts.
    """

    order: Order
    estimate: Estimate
    compliance: float
    feasible: bool
    trials: int
    episodes: int
    ending: str


def measured_estimate(run: SavedRun, result: TrialResult | FreshEvaluation) -> Estimate:
    """A trial's reward, or the policy's at the end; the standard error is that of the run's evaluation episodes."""
    return Estimate(result.reward, result.reward_se, max(1, run.config.evaluation_episodes - 1))


def order_results(run: SavedRun) -> list[OrderResult]:
    """One result for each order that was tried, the best first: feasible ones by reward, then others by compliance.

    Of the trials of a search the best of an order counts. The trainings of a landscape are alike, so their mean does;
    where orders were trained several times, its standard error is made from how far trainings of the same order lie
    apart, the same for all orders.
    """
    by_order: dict[Order, list[TrialResult]] = {}
    for trial in run.comparable:
        by_order.setdefault(trial.result.order, []).append(trial.result)
    spread = None
    if run.config.trains_anew:
        spread = training_spread([[trial.reward for trial in trials] for trials in by_order.values()])
    results = [_order_result(run, trials, spread) for trials in by_order.values()]
    return sorted(
        results,
        key=lambda one: (one.feasible, one.estimate.mean if one.feasible else one.compliance, one.estimate.mean),
        reverse=True,
    )


def training_spread(rewards: Sequence[Sequence[float]]) -> tuple[float, int] | None:
    """Standard deviation of trainings of the same order, pooled over all orders.

    Args:
        rewards: of each order, those of its trainings.

    Returns:
        The deviation and its degrees of freedom; None where no order was trained twice.
    """
    dof = sum(len(one) - 1 for one in rewards)
    if dof == 0:
        return None
    return math.sqrt(sum((len(one) - 1) * variance(one) for one in rewards if len(one) > 1) / dof), dof


def _order_result(run: SavedRun, trials: Sequence[TrialResult], spread: tuple[float, int] | None) -> OrderResult:
    threshold = run.config.compliance_threshold
    best, _ = best_trial(trials, threshold)
    estimate, compliance = measured_estimate(run, best), best.compliance
    if spread is not None:
        deviation, dof = spread
        estimate = Estimate(fmean(trial.reward for trial in trials), deviation / math.sqrt(len(trials)), dof)
        compliance = fmean(trial.compliance for trial in trials)
    return OrderResult(
        order=best.order,
        estimate=estimate,
        compliance=compliance,
        feasible=compliance >= threshold,
        trials=len(trials),
        episodes=sum(trial.episodes for trial in trials),
        ending=best.ending,
    )


def position_means(
    unit_types: Sequence[str], results: Sequence[OrderResult]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Mean reward of the tried orders that have a unit type at a position, and how many these are.

    Returns:
        (n, n) float64 by type and position, NaN where no order was tried, and (n, n) int64.
    """
    sums = np.zeros((len(unit_types), len(unit_types)))
    counts = np.zeros(sums.shape, np.int64)
    for result in results:
        for position, name in enumerate(result.order):
            sums[unit_types.index(name), position] += result.estimate.mean
            counts[unit_types.index(name), position] += 1
    with np.errstate(invalid="ignore"):
        return np.where(counts > 0, sums / counts, np.nan), counts


def best_so_far(run: SavedRun) -> list[float]:
    """Best reward of a feasible trial up to each trial, NaN before the first; of the trials that can be compared."""
    best, path = math.nan, []
    comparable = {trial.number for trial in run.comparable}
    for trial in run.trials:
        reward = trial.result.reward
        is_feasible = trial.result.compliance >= run.config.compliance_threshold
        if trial.number in comparable and is_feasible and not reward <= best:
            best = reward
        path.append(best)
    return path


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """Mean difference of returns that were played with the same episode seeds."""
    return summarize(np.asarray(ours) - np.asarray(theirs)).estimate


def num_clearly_beaten(one: OrderResult, others: Sequence[OrderResult]) -> int:
    """How many of the others an order beats by more than chance: the interval of the difference lies above 0."""
    return sum((one.estimate - other.estimate).interval().low > 0.0 for other in others)
