"""Strategies: which workflow order to try next, given the trials so far.

A strategy is a function of the history, of the trials that are still pending and of the random stream it is
handed; it keeps nothing between calls, so a search that is resumed goes on as if it had never stopped. A new one is a
class with `choose` and `belief`, and a line in `registry.STRATEGIES`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search.means import mean_belief
from cageflow.search.rungs import Rungs, check_rungs, next_rung, progress
from cageflow.search.trial import History, TrialRequest, TrialResult

if TYPE_CHECKING:
    from cageflow.search.surrogate import Surrogate

TIE_TOLERANCE = 1e-9
"""Scores this close, in units of the standardised reward, are equal."""
JOINT_ORDERS = 720
"""Orders that are drawn together by `Thompson`: all of them up to six unit types, beyond that the best by UCB."""

Gate = Literal["feasibility", "strict"]
"""How compliance enters a choice; see `StrategySettings.gate`."""


KernelName = Literal["mallows", "position", "pairwise", "evidence"]
"""What a user may ask for: one of `kernels.KERNELS`, or the one for which the data speak most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategySettings:
    """Settings that the strategies share; one that has no model reads only the threshold.

    Attributes:
        beta: weight of the standard deviation, UCB = mean + beta * std, at least 0. BoTorch's own
            UpperConfidenceBound takes the square root of its beta, so 2 here is 4 there.
        gate: with either gate only a trial whose compliance reached the threshold informs the reward model.
            `feasibility`: a second process on the compliance of all trials weighs each order by the probability that it
            reaches the threshold. `strict`: the other trials teach nothing but that the order has failed.
        kernel: how orders correlate in the processes, a name in `kernels.KERNELS`; `evidence`: each process takes the
            one for which its trials speak most, anew at every choice.
        compliance_threshold: least compliance of a feasible trial, 0 to 1.
        rungs: ascending numbers of episodes that each training is judged at, the last being its full budget; empty
            where trials are not in rungs.

    Raises:
        UserError: a setting is out of its range.
    """

    beta: float = 2.0
    gate: Gate = "feasibility"
    kernel: KernelName = "evidence"
    compliance_threshold: float = 0.95
    rungs: Rungs = ()

    def __post_init__(self) -> None:
        if not (np.isfinite(self.beta) and self.beta >= 0):
            raise UserError(f"beta is {self.beta}: it must be a number of at least 0")
        if self.gate not in get_args(Gate):
            raise UserError(f"unknown gate '{self.gate}': possible are {', '.join(get_args(Gate))}")
        if self.kernel not in get_args(KernelName):
            raise UserError(f"unknown kernel '{self.kernel}': possible are {', '.join(get_args(KernelName))}")
        if not 0 <= self.compliance_threshold <= 1:
            raise UserError(f"the compliance threshold is {self.compliance_threshold}: it must lie between 0 and 1")
        check_rungs(self.rungs)

    def reached(self, trial: TrialResult) -> bool:
        """Whether a trial is feasible: its compliance reached the threshold."""
        return trial.compliance >= self.compliance_threshold


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What a model-based strategy thought of every order when it chose; arrays (W,) by the rank of the order.

    Attributes:
        mean: posterior mean of the reward, float64, in the unit of the reward.
        std: posterior standard deviation of the reward.
        ucb: mean + beta * std.
        feasibility: probability that the order reaches the compliance threshold; 1 under the strict gate.
        score: what was maximised; -inf for orders that are set aside.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    ucb: NDArray[np.float64]
    feasibility: NDArray[np.float64]
    score: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """An order to try next, and what led to it: None for a strategy without a model.

    In rungs `training`, from 1, says which of the order's trainings is taken to its next rung; one that there is not
    yet begins anew.
    """

    order: Order
    acquisition: Acquisition | None = None
    training: int = 1


class Strategy(Protocol):
    """Chooses the next order to try."""

    @property
    def space(self) -> OrderSpace:
        """The orders that it chooses from."""

    @property
    def settings(self) -> StrategySettings:
        """The settings it was made with."""

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """Choose from what is known.

        Args:
            history: the trials that have ended.
            pending: trials that are still under way; none of their orders is chosen, in rungs none of their trainings.
            rng: the only source of chance.

        Returns:
            The choice, or None if there is nothing to try: with nothing pending the search is over, otherwise there may
            be something when a pending trial has ended.
        """

    def belief(self, history: History) -> NDArray[np.float64]:
        """What it expects of each order, (W,) reward at the full budget; at least one trial reached the threshold."""


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Every order in turn, by rank, from rank 0."""

    space: OrderSpace
    settings: StrategySettings

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """The order whose rank is the number of trials begun so far, modulo W, or the next that is not pending."""
        idle = _idle(self.space, pending)
        if not idle.any():
            return None
        begun = len(history) + len(pending)
        return Choice(self.space.unrank((begun + int(np.roll(idle, -begun).argmax())) % len(self.space)))

    def belief(self, history: History) -> NDArray[np.float64]:
        """The means of the trials that reached the threshold."""
        return _mean_of_feasible(self.space, history, self.settings)


@dataclass(frozen=True, slots=True)
class Exhaustive:
    """Every order once, by rank; in rungs so many trainings of each, one after the other to its full budget.

    A second training of an order begins when all orders have a first.

    Args:
        space: all orders.
        settings: of which the rungs are read.
        repetitions: trainings of each order, in rungs.
        ranks: of the orders to take; None for all.
    """

    space: OrderSpace
    settings: StrategySettings
    repetitions: int = 1
    ranks: NDArray[np.int64] | None = None

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """The training that began first of those that go on, else the next to begin."""
        begun = progress(history)
        busy = {(request.order, request.training) for request in pending}
        for (order, training), episodes in begun.items():
            if (order, training) not in busy and next_rung(self.settings.rungs, episodes) is not None:
                return Choice(order, training=training)
        ranks = np.arange(len(self.space)) if self.ranks is None else self.ranks
        for training in range(1, self.repetitions + 1):
            for order in map(self.space.unrank, ranks.tolist()):
                if (order, training) not in begun and (order, training) not in busy:
                    return Choice(order, training=training)
        return None

    def belief(self, history: History) -> NDArray[np.float64]:
        """The means of the trials that reached the threshold."""
        return _mean_of_feasible(self.space, history, self.settings)


@dataclass(frozen=True, slots=True)
class Random:
    """Any order that is not pending, all equally likely, whatever was tried."""

    space: OrderSpace
    settings: StrategySettings

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """One draw."""
        idle = np.flatnonzero(_idle(self.space, pending))
        return Choice(self.space.unrank(int(idle[rng.integers(len(idle))]))) if len(idle) else None

    def belief(self, history: History) -> NDArray[np.float64]:
        """The means of the trials that reached the threshold."""
        return _mean_of_feasible(self.space, history, self.settings)


@dataclass(frozen=True, slots=True)
class GpUcb:
    """The order with the highest upper confidence bound of the reward, weighed by its probability of feasibility.

    score = UCB + unit * ln P(feasible), where the unit is that in which the reward model standardises its targets: on
    standardised rewards exp(score) is exp(UCB) * P(feasible). The form works for rewards of any sign, does not depend
    on their unit or zero, ranks by UCB among orders that are equally feasible, and by feasibility where UCBs are equal,
    such as before any trial has reached the threshold. Under the strict gate the score is the UCB.

    Pending orders are hallucinated: both processes take it that their trials come out at the mean, which leaves the
    means where they are and shrinks the deviations around, so that the next trial goes where the pending ones do not
    tell what to expect.

    Source: Desautels, Krause and Burdick, "Parallelizing exploration-exploitation tradeoffs in Gaussian process bandit
    optimization", JMLR 2014 (GP-BUCB).
    """

    space: OrderSpace
    settings: StrategySettings

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """Fit the processes and take the best order that is not set aside; ties are broken by one draw."""
        allowed = open_orders(self.space, history, pending, self.settings)
        if not allowed.any():
            return None
        reward, compliance = _fit(self.space, history, pending, self.settings)
        log_feasibility, feasibility = _feasibility(self.space, compliance, self.settings)
        mean, std = reward.posterior()
        ucb = upper_confidence_bound(mean, std, self.settings.beta)
        score = np.where(allowed, ucb + reward.scale * log_feasibility, -np.inf)
        # Orders that lie alike towards all trials differ only by rounding, which must not decide.
        best = np.flatnonzero(score >= score.max() - TIE_TOLERANCE * reward.scale)
        chosen = int(best[rng.integers(len(best))])
        return Choice(self.space.unrank(chosen), Acquisition(mean, std, ucb, feasibility, score))

    def belief(self, history: History) -> NDArray[np.float64]:
        """The mean of the process on reward."""
        return _fit_reward(self.space, history, self.settings).posterior()[0]


@dataclass(frozen=True, slots=True)
class Canonical:
    """The orders that have a name, each once; then as `GpUcb`, which knows their trials."""

    space: OrderSpace
    settings: StrategySettings

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """The first of them that was never tried, with what `GpUcb` would have thought, or the choice of `GpUcb`."""
        choice = GpUcb(self.space, self.settings).choose(history, pending, rng)
        begun = {trial.order for trial in history} | {request.order for request in pending}
        for order in self.space.named.values():
            if choice is not None and order not in begun:
                return Choice(order, choice.acquisition)
        return choice

    def belief(self, history: History) -> NDArray[np.float64]:
        """The mean of the process on reward."""
        return _fit_reward(self.space, history, self.settings).posterior()[0]


@dataclass(frozen=True, slots=True)
class Thompson:
    """The best order of one draw from the joint posterior.

    Under the feasibility gate compliance is drawn jointly as well: the best drawn reward among orders whose drawn
    compliance reaches the threshold, or the highest drawn compliance if none does. Draws differ from one another by
    themselves, so pending orders are only left out.
    """

    space: OrderSpace
    settings: StrategySettings

    def choose(self, history: History, pending: Sequence[TrialRequest], rng: np.random.Generator) -> Choice | None:
        """Fit the processes, draw once and take the best order that is not set aside."""
        allowed = open_orders(self.space, history, pending, self.settings)
        if not allowed.any():
            return None
        reward, compliance = _fit(self.space, history, (), self.settings)
        log_feasibility, feasibility = _feasibility(self.space, compliance, self.settings)
        mean, std = reward.posterior()
        ucb = upper_confidence_bound(mean, std, self.settings.beta)
        ids = _likeliest(np.where(allowed, ucb + reward.scale * log_feasibility, -np.inf))
        drawn, may_win = reward.sample(rng, ids), allowed[ids]
        if compliance is not None:
            drawn_compliance = compliance.sample(rng, ids)
            feasible = may_win & (drawn_compliance >= self.settings.compliance_threshold)
            if feasible.any():
                may_win = feasible
            else:
                drawn = drawn_compliance
        score = np.full(len(self.space), -np.inf)
        score[ids] = np.where(may_win, drawn, -np.inf)
        chosen = self.space.unrank(int(score.argmax()))
        return Choice(chosen, Acquisition(mean, std, ucb, feasibility, score))

    def belief(self, history: History) -> NDArray[np.float64]:
        """The mean of the process on reward."""
        return _fit_reward(self.space, history, self.settings).posterior()[0]


def upper_confidence_bound(mean: NDArray[np.float64], std: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """Mean + beta * std, where BoTorch's UpperConfidenceBound would take the square root of beta."""
    return mean + beta * std


def open_orders(
    space: OrderSpace, history: History, pending: Sequence[TrialRequest], settings: StrategySettings
) -> NDArray[np.bool_]:
    """Which orders may be chosen by a strategy with a model: not pending, and not set aside after failing.

    The n-th trial in a row in which an order misses the compliance threshold sets it aside until 2^(n+1) further trials
    of the search have ended: 4, 8, 16, ... A failure teaches the reward model nothing, and a compliance just below the
    threshold teaches the compliance model little, so without this rule an order that looks good and never complies
    would be chosen again and again. It comes back because training goes on from its policy, and may then comply.
    Pending trials do not count towards its return: they have taught nothing yet.

    Returns:
        (W,) bool. If all orders that are not pending are set aside, those that would come back first are open; all
        False only if all are pending.
    """
    failures = np.zeros(len(space), dtype=np.int64)
    back_at = np.zeros(len(space), dtype=np.int64)  # so many trials must have ended before the order is tried again
    for i, trial in enumerate(history):
        order = space.rank(trial.order)
        failures[order] = 0 if settings.reached(trial) else failures[order] + 1
        back_at[order] = i + 1 + 2 ** (int(failures[order]) + 1) if failures[order] else 0
    idle = _idle(space, pending)
    if not idle.any():
        return idle
    return idle & (back_at <= max(len(history), int(back_at[idle].min())))


def _idle(space: OrderSpace, pending: Sequence[TrialRequest]) -> NDArray[np.bool_]:
    """(W,) which orders are not pending."""
    idle = np.ones(len(space), dtype=np.bool_)
    idle[[space.rank(request.order) for request in pending]] = False
    return idle


def _likeliest(score: NDArray[np.float64]) -> NDArray[np.int64]:
    """(K,) ranks, ascending, of the JOINT_ORDERS orders with the highest of (W,) scores, or of all where W is less."""
    if len(score) <= JOINT_ORDERS:
        return np.arange(len(score))
    return np.sort(np.argpartition(-score, JOINT_ORDERS)[:JOINT_ORDERS])


def _fit(
    space: OrderSpace, history: History, pending: Sequence[TrialRequest], settings: StrategySettings
) -> "tuple[Surrogate, Surrogate | None]":
    """The process on reward, of the trials that reached the threshold, and the one on compliance, of all of them.

    Pending orders are hallucinated in both.
    """
    from cageflow.search import surrogate  # imports Numba

    orders = [request.order for request in pending]
    reward = _fit_reward(space, history, settings).hallucinate(orders)
    if settings.gate == "strict":
        return reward, None
    return reward, surrogate.fit_compliance(space, history, settings.kernel).hallucinate(orders)


def _fit_reward(space: OrderSpace, history: History, settings: StrategySettings) -> "Surrogate":
    """The process on reward, of the trials that reached the threshold."""
    from cageflow.search import surrogate  # imports Numba

    return surrogate.fit_reward(space, [trial for trial in history if settings.reached(trial)], settings.kernel)


def _mean_of_feasible(space: OrderSpace, history: History, settings: StrategySettings) -> NDArray[np.float64]:
    """(W,) means of the trials that reached the threshold."""
    return mean_belief(space, [trial for trial in history if settings.reached(trial)], settings.rungs)


def _feasibility(
    space: OrderSpace, compliance: "Surrogate | None", settings: StrategySettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(W,) logarithm of the probability that the compliance reaches the threshold, and it; 1 under the strict gate."""
    if compliance is None:
        return np.zeros(len(space)), np.ones(len(space))
    from cageflow.numerics.linear import exps  # imports Numba

    logarithm = compliance.log_probability_of_reaching(settings.compliance_threshold)
    return logarithm, exps(logarithm)
