"""The outer loop: ask a strategy for an order, have it trained, tell the strategy, until the budget is spent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cageflow.errors import UserError
from cageflow.search.strategies import Choice, Strategy
from cageflow.search.trial import History, TrialRequest, TrialResult
from cageflow.workflow.orders import Order, format_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """When a search ends: at the first of the two that is reached; at least one must be given.

    Attributes:
        episodes: episodes to train in all, as the trials report them; the last trial may train a few more.
        trials: trials to run in all.

    Raises:
        UserError: a number is below 1, or both are missing.
    """

    episodes: int | None = None
    trials: int | None = None

    def __post_init__(self) -> None:
        if self.episodes is None and self.trials is None:
            raise UserError("the search has no budget: give a number of episodes or a number of trials")
        for name, number in (("episodes", self.episodes), ("trials", self.trials)):
            if number is not None and number < 1:
                raise UserError(f"the budget is {number} {name}: it must be at least 1")


@dataclass(frozen=True, slots=True)
class SearchState:
    """All that a search needs to go on: every stream of chance is a function of the seed and of the trial's number.

    Attributes:
        seed: seed of the search, at least 0.
        history: the trials so far.
    """

    seed: int
    history: tuple[TrialResult, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The state as plain data for `json.dump`."""
        return {"seed": self.seed, "trials": [trial.to_json() for trial in self.history]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SearchState":
        """Read what `to_json` wrote.

        Raises:
            ValueError: `data` is not a search state.
        """
        if set(data) != {"seed", "trials"}:
            raise ValueError(f"a search state has the fields seed and trials, got {sorted(data)}")
        return cls(int(data["seed"]), tuple(TrialResult.from_json(trial) for trial in data["trials"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration:
    """One turn of the loop, handed to the callback when its trial has ended.

    Attributes:
        request: what was asked for; `request.trial` is the number of the iteration, from 0.
        choice: the order and, for a strategy with a model, mean, std, UCB and score of all 120 orders.
        result: what came back.
        gp_updated: whether the result informs the reward model: the strategy has one and the threshold was reached.
        episodes: episodes trained in the whole search so far.
        state: the state after this iteration, to be saved.
    """

    request: TrialRequest
    choice: Choice
    result: TrialResult
    gp_updated: bool
    episodes: int
    state: SearchState


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search has found.

    Attributes:
        best: the trial with the highest reward among those that reached the compliance threshold; if none did, the one
            with the highest compliance.
        feasible: whether `best` reached the threshold.
        episodes: episodes trained in all.
        ending: which budget ended the search.
        state: the final state; a search with a larger budget can go on from it.
    """

    best: TrialResult
    feasible: bool
    episodes: int
    ending: Literal["episodes", "trials"]
    state: SearchState


def run_search(
    run_trial: Callable[[TrialRequest], TrialResult],
    strategy: Strategy,
    budget: Budget,
    *,
    seed: int,
    history: History = (),
    on_iteration: Callable[[Iteration], None] | None = None,
) -> SearchResult:
    """Search for the best workflow order.

    The same seed and the same results of trials give the same search. A search that was stopped goes on exactly as it
    would have when it is given its seed and the history of its saved state; the budget counts that history.

    Args:
        run_trial: trains and evaluates one order.
        strategy: chooses the orders; its compliance threshold decides which trials are feasible.
        budget: when to stop.
        seed: at least 0.
        history: trials of the same search before it was stopped.
        on_iteration: called after every trial.

    Raises:
        UserError: the seed is negative.
        RuntimeError: `run_trial` returned another order than it was asked for, or lost count of its episodes.
    """
    if seed < 0:
        raise UserError(f"the seed is {seed}: it must be at least 0")
    trials = list(history)
    while (ending := _spent(budget, trials)) is None:
        number = len(trials)
        choice = strategy.choose(tuple(trials), _stream(seed, number, 0))
        request = TrialRequest(
            trial=number,
            order=choice.order,
            seed=int(_stream(seed, number, 1).integers(2**63)),
            trained_episodes=_trained_episodes(trials, choice.order),
            episodes_left=None if budget.episodes is None else budget.episodes - _total_episodes(trials),
        )
        result = run_trial(request)
        _check(request, result)
        trials.append(result)
        if on_iteration is not None:
            on_iteration(
                Iteration(
                    request=request,
                    choice=choice,
                    result=result,
                    gp_updated=choice.acquisition is not None and strategy.settings.reached(result),
                    episodes=_total_episodes(trials),
                    state=SearchState(seed, tuple(trials)),
                )
            )
    best, feasible = best_trial(trials, strategy.settings.compliance_threshold)
    return SearchResult(
        best=best,
        feasible=feasible,
        episodes=_total_episodes(trials),
        ending=ending,
        state=SearchState(seed, tuple(trials)),
    )


def best_trial(history: History, compliance_threshold: float) -> tuple[TrialResult, bool]:
    """The feasible trial with the highest reward, and True; without one that with the highest compliance, and False.

    Of equals the higher reward, then the earlier trial, wins.

    Raises:
        ValueError: there is no trial.
    """
    feasible = [trial for trial in history if trial.compliance >= compliance_threshold]
    if feasible:
        return max(feasible, key=lambda trial: trial.reward), True
    return max(history, key=lambda trial: (trial.compliance, trial.reward)), False


def _stream(seed: int, trial: int, purpose: int) -> np.random.Generator:
    """The stream of one purpose in one trial: 0 the strategy's choice, 1 the seed of the trial."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(trial, purpose)))


def _spent(budget: Budget, trials: History) -> Literal["episodes", "trials"] | None:
    """Which budget is spent, if any."""
    if budget.episodes is not None and _total_episodes(trials) >= budget.episodes:
        return "episodes"
    if budget.trials is not None and len(trials) >= budget.trials:
        return "trials"
    return None


def _total_episodes(trials: History) -> int:
    return sum(trial.episodes for trial in trials)


def _trained_episodes(trials: History, order: Order) -> int:
    return sum(trial.episodes for trial in trials if trial.order == order)


def _check(request: TrialRequest, result: TrialResult) -> None:
    """Refuse a result that does not answer its request."""
    if result.order != request.order:
        raise RuntimeError(
            f"trial {request.trial} was to train {format_order(request.order)}, its result is on "
            f"{format_order(result.order)}"
        )
    expected = request.trained_episodes + result.episodes
    if result.total_episodes != expected:
        raise RuntimeError(
            f"trial {request.trial} of {format_order(request.order)} reports {result.total_episodes} episodes in all, "
            f"expected {request.trained_episodes} before it and {result.episodes} in it"
        )
