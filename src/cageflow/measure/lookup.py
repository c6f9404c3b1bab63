"""A landscape in rungs as a game to replay: the very trainings that it has, looked up rung by rung.

Nothing is drawn but which of an order's trainings is its first, its second and so on. What an order is worth is the
mean of its trainings at the full budget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search.landscape import Landscape
from cageflow.search.rungs import Rungs, next_rung, progress
from cageflow.search.strategies import Strategy
from cageflow.search.trial import History, TrialResult

Floats = NDArray[np.float64]

FEASIBLE_SHARE = 0.5
"""An order is feasible if at least this share of its trainings reached the compliance threshold at the full budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A complete landscape of S trainings an order, each judged at R rungs, as arrays; made by `of`.

    Attributes:
        space: the W orders.
        rungs: R numbers of episodes, the last the full budget.
        reward: (W, S, R).
        reward_se: (W, S, R).
        compliance: (W, S, R).
        compliance_se: (W, S, R).
        feasible: (W,) bool.
    """

    space: OrderSpace
    rungs: Rungs
    reward: Floats
    reward_se: Floats
    compliance: Floats
    compliance_se: Floats
    feasible: NDArray[np.bool_]

    @classmethod
    def of(cls, landscape: Landscape, compliance_threshold: float) -> Lookup:
        """Take a landscape as it is.

        Raises:
            UserError: some order lacks a training or a training a rung, or no order is feasible.
        """
        space, rungs, seeds = landscape.space, landscape.rungs, landscape.seeds
        expected = len(space) * len(seeds) * len(rungs)
        if len(landscape.rows) != expected:
            raise UserError(
                f"the landscape cannot be replayed: {len(space):,} orders with {len(seeds)} trainings each, judged at "
                f"{', '.join(map(str, rungs))} episodes, are {expected:,} rows, and it has {len(landscape.rows):,}"
            )
        tables = {name: np.empty((len(space), len(seeds), len(rungs))) for name in _COLUMNS}
        for row in landscape.rows:
            place = space.rank(row.order), seeds.index(row.seed), rungs.index(row.episodes)
            for name in _COLUMNS:
                tables[name][place] = getattr(row, name)
        feasible = (tables["compliance"][:, :, -1] >= compliance_threshold).mean(axis=1) >= FEASIBLE_SHARE
        if not feasible.any():
            raise UserError(
                f"no order of the landscape reaches a compliance of {compliance_threshold}: there is nothing to find"
            )
        return cls(space=space, rungs=rungs, feasible=feasible, **tables)

    @property
    def worth(self) -> Floats:
        """(W,) what the orders are worth; one that is not feasible is of no use, and counts as the worst that is."""
        full = self.reward[:, :, -1].mean(axis=1)
        return np.asarray(np.where(self.feasible, full, full[self.feasible].min()))

    @property
    def best(self) -> float:
        """The greatest worth."""
        return float(self.worth.max())

    def trial(
        self, order: Order, training: int, history: History, rungs: Rungs, turn: NDArray[np.int64]
    ) -> TrialResult:
        """A training taken to its next rung.

        Args:
            order: to be tried.
            training: which of its trainings, from 1; beyond those that there are they come round again.
            history: the trials so far.
            rungs: those of the strategy: all, or the last alone.
            turn: (S,) in which turn the landscape's trainings of this order come.

        Raises:
            RuntimeError: the training is at the full budget.
        """
        trained = progress(history).get((order, training), 0)
        rung = next_rung(rungs, trained)
        if rung is None:
            raise RuntimeError(f"training {training} of {', '.join(order)} is at the full budget already")
        place = self.space.rank(order), int(turn[(training - 1) % len(turn)]), self.rungs.index(rung)
        return TrialResult(
            order=order,
            reward=float(self.reward[place]),
            reward_se=float(self.reward_se[place]),
            compliance=float(self.compliance[place]),
            compliance_se=float(self.compliance_se[place]),
            episodes=rung - trained,
            total_episodes=rung,
            ending="replay",
            seconds=0.0,
            training=training,
        )


def recommended(strategy: Strategy, history: History) -> Order | None:
    """The order that would be carried to the full budget and followed now: of those tried the one believed best.

    An order whose trainings at the full budget all missed the compliance threshold is out of it.
    """
    settings = strategy.settings
    full = settings.rungs[-1] if settings.rungs else 0
    judged = [trial for trial in history if trial.total_episodes >= full]
    failed = {trial.order for trial in judged} - {trial.order for trial in judged if settings.reached(trial)}
    tried = sorted({strategy.space.rank(trial.order) for trial in history if trial.order not in failed})
    if not tried:
        return None
    belief = strategy.belief(history)
    return strategy.space.unrank(max(tried, key=lambda rank: belief[rank]))


def play(
    lookup: Lookup, strategy: Strategy, trainings: int, stream: Callable[..., np.random.Generator]
) -> tuple[Floats, Floats, Floats]:
    """Replay a strategy on the trainings of a landscape.

    Args:
        lookup: the landscape.
        strategy: who chooses; one without rungs takes a new training to the full budget each time.
        trainings: what may be spent, in episodes of so many whole trainings.
        stream: from a purpose to a stream of chance: 0 with a rank the turn of that order's trainings, 1 with a number
            the choice of that number.

    Returns:
        Simple regret (T,) after as many episodes as 1 to T whole trainings have, the mean regret (T,) of the episodes
        trained on the way there, and the share (T,) of these on orders that are not feasible.
    """
    full, worth, best = lookup.rungs[-1], lookup.worth, lookup.best
    rungs = strategy.settings.rungs or (full,)
    history: list[TrialResult] = []
    nothing = best - float(worth.min())  # no recommendation is as bad as the worst
    simple, regret, wasted = np.full(trainings, nothing), np.zeros(trainings), np.zeros(trainings)

    def follow(marks: slice) -> None:
        order = recommended(strategy, history)
        if order is not None:
            simple[marks] = best - worth[lookup.space.rank(order)]

    spent = 0
    for number in range(trainings * len(lookup.rungs)):
        choice = strategy.choose(tuple(history), (), stream(1, number))
        if choice is None:
            break
        rank = lookup.space.rank(choice.order)
        visits = 1 + sum(trial.order == choice.order for trial in history)
        turn = stream(0, rank).permutation(lookup.reward.shape[1])
        training = choice.training if strategy.settings.rungs else visits
        trial = lookup.trial(choice.order, training, history, rungs, turn)
        ends = spent + trial.episodes
        passed = slice(max(-(-spent // full) - 1, 0), min(-(-ends // full) - 1, trainings))
        if history and passed.start < passed.stop:
            follow(passed)  # by what is known within as many episodes
        if ends > trainings * full:
            break
        share = _shares(spent, trial.episodes, full, trainings)
        regret += share * (best - worth[rank])
        wasted += share * (not lookup.feasible[rank])
        history.append(trial)
        spent = ends
    follow(slice(max(-(-spent // full) - 1, 0), trainings))
    return simple, regret, wasted


def _shares(spent: int, episodes: int, full: int, trainings: int) -> Floats:
    """(T,) which part of each training's worth of episodes a trial takes."""
    starts = full * np.arange(trainings)
    inside = np.minimum(spent + episodes, starts + full) - np.maximum(spent, starts)
    return np.asarray(np.maximum(inside, 0) / full)


_COLUMNS = ("reward", "reward_se", "compliance", "compliance_se")
