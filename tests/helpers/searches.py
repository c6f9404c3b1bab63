"""What a search runs with when a test wants no chance in it: trials one by one, and two orders in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search import Acquisition, Choice, StrategySettings, TrialRequest
from cageflow.search.rungs import progress

SMALL_RUN = {
    **{"max_steps": 4, "episodes_per_update": 4, "evaluation_episodes": 2, "seed": 2},
    "ppo": {"hidden_sizes": [8]},
}
SMALL_SEARCH = {**SMALL_RUN, "executor": "inline", "max_episodes_per_workflow": 8}
SMALL_REWARDED = {**SMALL_SEARCH, "compliance_threshold": 0.0}
"""A search that pays for keeping an order, and takes any that is kept or not."""


def pending_trial(order: Order, training: int = 1, trained: int = 0, rung: int | None = None) -> TrialRequest:
    """A trial that is under way: one that was asked for, in rungs to go from so many episodes of its training on."""
    return TrialRequest(
        trial=0,
        order=order,
        seed=1,
        start=None,
        trained_episodes=trained,
        max_episodes=100 if rung is None else rung - trained,
        cap="episode-cap",
        training=training,
        full_episodes=rung,
    )


class OneByOne(Executor):
    """Runs each task when it is submitted, so that trials end in the order in which they began."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


class Unsteady(ThreadPoolExecutor):
    """Workers that linger before each task for a time drawn from a seed, so that chance says which ends first."""

    def __init__(self, num_workers: int, seed: int) -> None:
        super().__init__(num_workers)
        self._rng = np.random.default_rng(seed)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        seconds = float(self._rng.exponential(0.1))

        def linger() -> Any:
            time.sleep(seconds)
            return function(*args, **kwargs)

        return super().submit(linger)


class Alternating:
    """Two orders in turn, so that learners are gone on with, and an opinion on all. Made as `make_strategy` is called.

    In rungs it takes three trainings of the two orders in turn, each to its full budget.

    Args:
        name: not used.
        space: of at least 32 orders.
        given: of which the rungs are read.
    """

    def __init__(self, name: str, space: OrderSpace, given: StrategySettings | None = None) -> None:
        self.space = space
        self.settings = StrategySettings(compliance_threshold=0.0, rungs=given.rungs if given else ())

    def choose(self, history: Any, pending: list[TrialRequest], rng: np.random.Generator) -> Choice | None:
        opinion = rng.random(len(self.space))
        thought = Acquisition(opinion, opinion, opinion, opinion, opinion)
        turn = len(history) + len(pending)
        if not self.settings.rungs:
            return Choice(self.space.unrank(31 if turn % 2 else 7), thought)
        begun = progress(history, pending)
        busy = [(request.order, request.training) for request in pending]
        trainings = [(self.space.unrank(rank), number) for rank, number in ((7, 1), (31, 1), (7, 2))]
        full = self.settings.rungs[-1]
        open_ = [one for one in trainings if one not in busy and begun.get(one, 0) < full]
        if not open_:
            return None
        order, training = open_[turn % len(open_)]
        return Choice(order, thought, training)

    def belief(self, history: Any) -> np.ndarray[Any, Any]:
        return np.arange(float(len(self.space)))
