"""The outer loop: ask a strategy for an order, have it trained, tell the strategy, until the budget is spent.

Several trials may be under way at once: whenever one ends, the next order is chosen from what has ended and in the
knowledge of what has not. Which ends first is for the episodes to say and not for the wall clock, see `clock`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from cageflow.errors import UserError
from cageflow.scenario.orders import Order, show_order
from cageflow.search.clock import EpisodeClock
from cageflow.search.initial import from_scratch
from cageflow.search.recommend import Recommendation, recommend, to_carry
from cageflow.search.rungs import next_rung, progress
from cageflow.search.strategies import Choice, Strategy
from cageflow.search.trial import Cap, History, TrialRequest, TrialResult, check_fields

SearchEnding = Literal["budget", "trials", "exhausted"]
"""Why a search ended: one of its budgets was spent, or its strategy had nothing left to try."""


@dataclass(frozen=True, slots=True)
class TrialNews:
    """How far a trial has come.

    Attributes:
        trial: its number.
        episodes: that it has trained so far.
        result: what came of it; None while it goes on, so that it will train more episodes than these.
    """

    trial: int
    episodes: int
    result: TrialResult | None


class TrialRunner(Protocol):
    """Who trains the orders, one or several at once, here or elsewhere."""

    def submit(self, request: TrialRequest) -> None:
        """Have a trial run."""

    def next_news(self) -> TrialNews:
        """Wait for news of a submitted trial: its result, once, and how far it has come before, as often as is known.

        The more often that is told, the less a trial that has ended waits for another to get as far.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """When a search ends: at the first of `episodes` and `trials` that is reached; at least one must be given.

    Attributes:
        episodes: episodes to train in all. Trials under way count with all that they may train, so the search never
            trains more.
        trials: trials to run in all.
        episodes_per_trial: episodes that one trial may train; None without a bound, for one trial at a time only.

    Raises:
        UserError: a number is below 1, or both budgets are missing.
    """

    episodes: int | None = None
    trials: int | None = None
    episodes_per_trial: int | None = None

    def __post_init__(self) -> None:
        if self.episodes is None and self.trials is None:
            raise UserError("the search has no budget: give a number of episodes or a number of trials")
        for name, number in (
            ("episodes", self.episodes),
            ("trials", self.trials),
            ("episodes a trial", self.episodes_per_trial),
        ):
            if number is not None and number < 1:
                raise UserError(f"the budget is {number} {name}: it must be at least 1")

    def spent(
        self, history: History, pending: Sequence[TrialRequest] = (), *, in_rungs: bool = False
    ) -> Literal["budget", "trials"] | None:
        """Which budget leaves no room for another trial, if any.

        While trials are pending, there must be room for a whole one: one that is cut short by what the others may need,
        and mostly do not, would say little about its order. Trials in rungs are never cut.
        """
        if self.trials is not None and len(history) + len(pending) >= self.trials:
            return "trials"
        left = self.episodes_left(history, pending)
        needed = (self.episodes_per_trial or 1) if pending and not in_rungs else 1
        return "budget" if left is not None and left < needed else None

    def share(self, history: History, pending: Sequence[TrialRequest]) -> tuple[int | None, Cap]:
        """Episodes that the next trial may train, and what bounds them."""
        left, cap = self.episodes_left(history, pending), self.episodes_per_trial
        if left is not None and (cap is None or left < cap):
            return left, "budget"
        return cap, "episode-cap"

    def episodes_left(self, history: History, pending: Sequence[TrialRequest]) -> int | None:
        """Episodes that are neither trained nor promised; None without such a budget."""
        if self.episodes is None:
            return None
        promised = [request.max_episodes for request in pending]
        return self.episodes - _total_episodes(history) - sum(number or 0 for number in promised)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTrial:
    """A trial that has begun and not ended.

    Attributes:
        request: what is asked for.
        ucb: upper confidence bound of the order's reward when it was chosen; None for a strategy without a model.
        began: at which time of the search's clock, in episodes.
    """

    request: TrialRequest
    ucb: float | None
    began: int = 0

    def to_json(self) -> dict[str, Any]:
        """The trial as plain data for `json.dump`."""
        return {"request": self.request.to_json(), "ucb": self.ucb, "began": self.began}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "PendingTrial":
        """Read what `to_json` wrote.

        Raises:
            ValueError: `data` is no pending trial.
        """
        data = {"began": 0, **data}  # which searches did not say before
        check_fields("a pending trial", cls, data)
        return cls(request=TrialRequest.from_json(data["request"]), ucb=data["ucb"], began=int(data["began"]))


@dataclass(frozen=True, slots=True)
class SearchState:
    """All that a search needs to go on: every stream of chance is a function of the seed and of the trial's number.

    Attributes:
        seed: seed of the search, at least 0.
        history: the trials that have ended, in the order in which they did.
        pending: the trials under way, in the order in which they began; they begin again when the search goes on.
        clock: the time at which the last of the ended ones did, in episodes.
    """

    seed: int
    history: tuple[TrialResult, ...] = ()
    pending: tuple[PendingTrial, ...] = ()
    clock: int = 0

    def to_json(self) -> dict[str, Any]:
        """The state as plain data for `json.dump`."""
        return {
            "seed": self.seed,
            "history": [trial.to_json() for trial in self.history],
            "pending": [trial.to_json() for trial in self.pending],
            "clock": self.clock,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SearchState":
        """Read what `to_json` wrote.

        Raises:
            ValueError: `data` is not a search state.
        """
        data = {"clock": 0, **data}  # which searches did not say before
        check_fields("a search state", cls, data)
        return cls(
            int(data["seed"]),
            tuple(TrialResult.from_json(trial) for trial in data["history"]),
            tuple(PendingTrial.from_json(trial) for trial in data["pending"]),
            int(data["clock"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """The beginning of a trial, handed to a callback before it is submitted.

    Attributes:
        request: what will be asked for; `request.trial` is the number of the iteration, from 0.
        choice: the order and, for a strategy with a model, mean, std, UCB and score of all orders.
        state: the state with this trial pending.
    """

    request: TrialRequest
    choice: Choice
    state: SearchState


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration:
    """The end of a trial, handed to a callback.

    Attributes:
        request: what was asked for.
        ucb: upper confidence bound of the order's reward when it was chosen; None for a strategy without a model.
        result: what came back.
        gp_updated: whether the result informs the reward model: the strategy has one and the threshold was reached.
        episodes: episodes trained in the whole search so far.
        state: the state after this trial, to be saved.
    """

    request: TrialRequest
    ucb: float | None
    result: TrialResult
    gp_updated: bool
    episodes: int
    state: SearchState


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search has found.

    Attributes:
        recommended: the order with the best belief, and the training whose policy stands for it.
        episodes: episodes trained in all.
        ending: why it ended.
        state: the final state; a search with a larger budget can go on from it.
    """

    recommended: Recommendation
    episodes: int
    ending: SearchEnding
    state: SearchState


def run_search(
    runner: TrialRunner,
    strategy: Strategy,
    budget: Budget,
    *,
    state: SearchState,
    parallel: int = 1,
    start: Callable[[Order, History], Order | None] = from_scratch,
    on_launch: Callable[[Launch], None] | None = None,
    on_iteration: Callable[[Iteration], None] | None = None,
) -> SearchResult:
    """Search for the best workflow order.

    In rungs a trial takes one training of an order to its next rung, whole or not at all. So much of the budget is kept
    back that the order with the best belief can be carried to the full budget of a training, and when nothing else can
    be paid for, it is.

    The same seed, the same number of trials at once and the same results of trials give the same search, wherever and
    however fast they are trained. A search that was stopped goes on from its saved state exactly as it would have; the
    budget counts what the state holds.

    Args:
        runner: trains and evaluates orders.
        strategy: chooses the orders; its compliance threshold decides which trials are feasible.
        budget: when to stop.
        state: where to begin: a seed alone, or what an earlier part of the search has left.
        parallel: trials that may be under way at once, at least 1.
        start: from whose learner the training of an order goes on, a rule of `initial`.
        on_launch: called before each trial.
        on_iteration: called after each trial.

    Raises:
        UserError: the seed is negative, or `parallel` is below 1.
        RuntimeError: the runner returned another order than it was asked for, or lost count of its episodes.
    """
    if state.seed < 0:
        raise UserError(f"the seed is {state.seed}: it must be at least 0")
    if parallel < 1:
        raise UserError(f"{parallel} trials at once: it must be at least 1")
    history = list(state.history)
    pending = {trial.request.trial: trial for trial in state.pending}
    clock = EpisodeClock(state.clock, {number: trial.began for number, trial in pending.items()})

    def present() -> SearchState:
        return SearchState(state.seed, tuple(history), tuple(pending.values()), clock.now)

    for trial in state.pending:
        runner.submit(trial.request)
    ending: SearchEnding = "exhausted"
    while True:
        requests = [trial.request for trial in pending.values()]
        step: _Step = None
        if len(pending) < parallel:
            step = _next_step(strategy, budget, state.seed, tuple(history), requests, start)
        if isinstance(step, tuple):
            choice, request = step
            number = request.trial
            ucb = (
                None if choice.acquisition is None else float(choice.acquisition.ucb[strategy.space.rank(choice.order)])
            )
            pending[number] = PendingTrial(request=request, ucb=ucb, began=clock.begin(number))
            if on_launch is not None:
                on_launch(Launch(request=request, choice=choice, state=present()))
            runner.submit(request)
            continue
        ending = step or ending
        if not pending:
            break
        while (ended_now := clock.end()) is None:
            news = runner.next_news()
            if news.result is not None:
                _check(pending[news.trial].request, news.result)
            clock.tell(news.trial, news.episodes, news.result)
        number, result = ended_now
        ended = pending.pop(number)
        history.append(result)
        if on_iteration is not None:
            on_iteration(
                Iteration(
                    request=ended.request,
                    ucb=ended.ucb,
                    result=result,
                    gp_updated=ended.ucb is not None and strategy.settings.reached(result),
                    episodes=_total_episodes(history),
                    state=present(),
                )
            )
    return SearchResult(
        recommended=recommend(strategy, history),
        episodes=_total_episodes(history),
        ending=ending,
        state=present(),
    )


_Step = tuple[Choice, TrialRequest] | SearchEnding | None
"""A trial to begin, or why there is none: a budget is spent, or the strategy has nothing to try."""


def _next_step(
    strategy: Strategy,
    budget: Budget,
    seed: int,
    history: History,
    pending: Sequence[TrialRequest],
    start: Callable[[Order, History], Order | None],
) -> _Step:
    """What to begin beside the trials that are pending."""
    if (spent := budget.spent(history, pending, in_rungs=bool(strategy.settings.rungs))) is not None:
        return spent
    number = len(history) + len(pending)
    choice = strategy.choose(history, pending, _stream(seed, number, 0))
    if not strategy.settings.rungs:
        if choice is None:
            return "exhausted"
        return choice, _request(choice.order, number, seed, budget, history, pending, start)
    ending: SearchEnding = "exhausted"
    left = budget.episodes_left(history, pending)
    if choice is not None:
        request = _request_in_rungs(choice, number, seed, strategy, history, pending, start)
        if left is None or _may_begin(request, left, strategy, history, pending):
            return choice, request
        ending = "budget"
    if pending or left is None or (last := to_carry(strategy, history, (), left)) is None:
        return ending
    (order, training), _ = last
    choice = Choice(order, training=training)
    return choice, _request_in_rungs(choice, number, seed, strategy, history, pending, start)


def _may_begin(
    request: TrialRequest, left: int, strategy: Strategy, history: History, pending: Sequence[TrialRequest]
) -> bool:
    """Whether a trial in rungs leaves enough of the `left` episodes to carry the best training to its full budget.

    Which training that would be is asked for only when not every one could be.
    """
    rungs = strategy.settings.rungs
    left_after = left - (request.max_episodes or 0)
    if left_after >= rungs[-1] - rungs[0]:
        return True
    if left_after < 0 or not history:
        return False
    carried = to_carry(strategy, history, pending, left)
    if carried is None:  # it is there, if there is one
        return any(trial.total_episodes == rungs[-1] for trial in history)
    best, needed = carried
    return best == (request.order, request.training) or left_after >= needed


def _request(
    order: Order,
    number: int,
    seed: int,
    budget: Budget,
    history: History,
    pending: Sequence[TrialRequest],
    start: Callable[[Order, History], Order | None],
) -> TrialRequest:
    origin = start(order, history)
    max_episodes, cap = budget.share(history, pending)
    return TrialRequest(
        trial=number,
        order=order,
        seed=int(_stream(seed, number, 1).integers(2**63)),
        start=origin,
        trained_episodes=sum(trial.episodes for trial in history if trial.order == order) if origin == order else 0,
        max_episodes=max_episodes,
        cap=cap,
    )


def _request_in_rungs(
    choice: Choice,
    number: int,
    seed: int,
    strategy: Strategy,
    history: History,
    pending: Sequence[TrialRequest],
    start: Callable[[Order, History], Order | None],
) -> TrialRequest:
    """The trial that takes a training to its next rung.

    A training that begins anew is independent of the other trainings of its order, so it begins with none of them.

    Raises:
        RuntimeError: the training is under way already, or at its full budget.
    """
    order, training, rungs = choice.order, choice.training, strategy.settings.rungs
    begun = progress(history)
    episodes = begun.get((order, training), 0)
    rung = next_rung(rungs, episodes)
    if rung is None or any((one.order, one.training) == (order, training) for one in pending):
        raise RuntimeError(
            f"training {training} of {show_order(order)} was chosen, which is under way or at its {rungs[-1]} episodes"
        )
    origin, of_training = None, 1
    if episodes:
        origin, of_training = order, training
    elif all(trained != order for trained, _ in begun):
        origin = start(order, history)
        of_training = next((trial.training for trial in reversed(history) if trial.order == origin), 1)
    return TrialRequest(
        trial=number,
        order=order,
        seed=int(_stream(seed, strategy.space.rank(order), training, 2).integers(2**63)),
        start=origin,
        start_training=of_training,
        trained_episodes=episodes,
        max_episodes=rung - episodes,
        cap="episode-cap",
        training=training,
        full_episodes=rungs[-1],
    )


def _stream(seed: int, *key: int) -> np.random.Generator:
    """The stream of one purpose: of a trial 0 the strategy's choice and 1 its seed, of an order's training 2 its seed.

    Args:
        seed: of the search.
        key: number of the trial, or rank of the order and number of the training; and the purpose.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _total_episodes(trials: History) -> int:
    return sum(trial.episodes for trial in trials)


def _check(request: TrialRequest, result: TrialResult) -> None:
    """Refuse a result that does not answer its request."""
    if (result.order, result.training) != (request.order, request.training):
        raise RuntimeError(
            f"trial {request.trial} was to train {show_order(request.order)}, training {request.training}, its result "
            f"is on {show_order(result.order)}, training {result.training}"
        )
    if request.rung is not None and result.total_episodes != request.rung:
        raise RuntimeError(
            f"trial {request.trial} of {show_order(request.order)} was to reach the rung of {request.rung} episodes, "
            f"and has {result.total_episodes}"
        )
    expected = request.trained_episodes + result.episodes
    if result.total_episodes != expected:
        raise RuntimeError(
            f"trial {request.trial} of {show_order(request.order)} reports {result.total_episodes} episodes in all, "
            f"expected {request.trained_episodes} before it and {result.episodes} in it"
        )
