"""How much worse than the best order a strategy's picks are: strategies replayed on a landscape, many times over."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.measure.bystanders import OneOrder, RandomAmong
from cageflow.measure.lookup import Lookup, play
from cageflow.measure.replay import Replay
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search.landscape import Landscape
from cageflow.search.registry import IN_RUNGS, STRATEGIES, make_strategy
from cageflow.search.rungs import Rungs
from cageflow.search.strategies import Choice, KernelName, Strategy, StrategySettings
from cageflow.search.trial import History, TrialResult
from cageflow.work.pool import do_all

Floats = NDArray[np.float64]

PLAIN = "plain-ppo"
BYSTANDERS = ("random-feasible", "one-order", PLAIN)
"""Contenders that do not search: who knows which orders can be followed, or which one to take, and who follows none."""
REPLAYED = (*(name for name in STRATEGIES if name != "exhaustive"), *BYSTANDERS)
"""Contenders: up to a trial of each order `exhaustive` is `round-robin`, and then it ends."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A strategy with its settings, under the label that tables and plots give it.

    Attributes:
        label: for people.
        strategy: its name.
        settings: its settings, but for the rungs, which are the landscape's.
        order: of `one-order`.
        plain: of PLAIN, what its trainings came to.
    """

    label: str
    strategy: str
    settings: StrategySettings
    order: Order | None = None
    plain: tuple[float, ...] = ()

    def make(self, space: OrderSpace, feasible: NDArray[np.bool_], rungs: Rungs) -> Strategy:
        """The strategy, for a landscape with these feasible orders (W,) and rungs."""
        settings = replace(self.settings, rungs=rungs if self.strategy in IN_RUNGS else ())
        if self.strategy == "random-feasible":
            return RandomAmong(space, settings, np.flatnonzero(feasible))
        if self.order is not None:
            return OneOrder(space, settings, self.order)
        return make_strategy(self.strategy, space, settings)


@dataclass(frozen=True, slots=True)
class Regrets:
    """What one contender's replays came to.

    Attributes:
        contender: who was replayed.
        simple: (R, T) float32: after each trial of each repetition, the best true reward less the worth of the order
            that would be recommended then. On a landscape in rungs a trial is as many episodes as a whole training.
        instantaneous: (R, T) float32: the best true reward less the worth of the order that the trial was on, or of the
            orders that its episodes were on, in the mean.
        wasted: (R, T) float32: the share of the trial that was on orders that cannot be followed.
    """

    contender: Contender
    simple: NDArray[np.float32]
    instantaneous: NDArray[np.float32]
    wasted: NDArray[np.float32]

    @property
    def cumulative(self) -> NDArray[np.float32]:
        """(R, T) sum of the instantaneous regret so far."""
        cumulative: NDArray[np.float32] = self.instantaneous.cumsum(axis=1)
        return cumulative

    def trials_to_within(self, tolerance: float) -> Floats:
        """(R,) trials after which the simple regret stays within `tolerance` to the end; infinite if it never does."""
        above = self.simple > tolerance
        last = above.shape[1] - above[:, ::-1].argmax(axis=1)  # trials up to the last that is above
        return np.where(above.any(axis=1), np.where(above[:, -1], np.inf, last + 1), 1.0)


def make_contenders(
    strategies: Sequence[str],
    kernels: Sequence[KernelName],
    settings: StrategySettings,
    order: Order | None = None,
    plain: Sequence[float] = (),
) -> list[Contender]:
    """One contender for each strategy, and gp-ucb once for each kernel; the others take the first kernel.

    Args:
        strategies: their names, and those of bystanders.
        kernels: to replay with.
        settings: of all, but for the kernel.
        order: of `one-order`.
        plain: rewards of trainings of plain PPO, of PLAIN.

    Raises:
        UserError: a strategy or a kernel is unknown or none is given, or the strategy cannot be replayed, or there is
            no order for `one-order` or no training for PLAIN.
    """
    if order is None and "one-order" in strategies:
        raise UserError("one-order is a contender that trains one order throughout: say which by --workflow")
    if not plain and PLAIN in strategies:
        raise UserError(f"{PLAIN} is a contender, but no training of plain PPO stands beside the landscape")
    if not kernels:
        raise UserError(f"no kernel to replay with: possible are {', '.join(get_args(KernelName))}")
    contenders = []
    for name in dict.fromkeys(strategies):
        if name not in REPLAYED:
            raise UserError(f"unknown strategy '{name}': those that can be replayed are {', '.join(REPLAYED)}")
        for kernel in dict.fromkeys(kernels if name == "gp-ucb" else kernels[:1]):
            with_kernel = replace(settings, kernel=kernel)  # refuses an unknown one
            label = f"{name} {kernel}" if name == "gp-ucb" and len(kernels) > 1 else name
            own = {"order": order} if name == "one-order" else {"plain": tuple(plain)} if name == PLAIN else {}
            contenders.append(Contender(label, name, with_kernel, **own))
    return contenders


def measure_regret(
    landscape: Landscape,
    contenders: Sequence[Contender],
    *,
    repetitions: int,
    trials: int,
    seed: int,
    executor: Executor | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Regrets]:
    """Replay strategies on a landscape.

    In one repetition all contenders meet the same truth, and the n-th trial of an order has the same result for all, so
    differences between them are not those of their luck. The figures depend on the seed alone, not on the executor.

    Args:
        landscape: complete.
        contenders: whom to replay.
        repetitions: R, at least 2.
        trials: T, at least 1.
        seed: at least 0.
        executor: who does the work, such as a pool of processes; None to do it here.
        on_progress: called with the repetitions done and to be done in all, of all contenders.

    Raises:
        UserError: a number is out of its range, or the landscape cannot be replayed.
        WorkerError: workers died again and again.
    """
    for name, number, least in (("repetitions", repetitions, 2), ("trials", trials, 1), ("the seed", seed, 0)):
        if number < least:
            raise UserError(f"{name} is {number}: it must be at least {least}")
    if not contenders:
        raise UserError(f"no strategy to replay: possible are {', '.join(REPLAYED)}")
    for contender in contenders:
        if contender.order is not None:
            landscape.space.rank(contender.order)  # refuses one of other types
    game = Lookup if len(landscape.rungs) > 1 else Replay
    replays = {
        threshold: game.of(landscape, threshold)
        for threshold in {contender.settings.compliance_threshold for contender in contenders}
    }
    tasks = [
        (replays[contender.settings.compliance_threshold], contender, trials, seed, repetition)
        for contender in contenders
        for repetition in range(repetitions)
    ]
    results = do_all(_repetition, tasks, _name, executor, on_progress)
    return [
        Regrets(
            contender, *(np.stack(column) for column in zip(*results[i * repetitions :][:repetitions], strict=True))
        )
        for i, contender in enumerate(contenders)
    ]


def recommend(space: OrderSpace, history: History, mean: Floats, settings: StrategySettings) -> Order | None:
    """The order to follow after a search: of those with a trial that reached the threshold the one with the best mean.

    The mean is the reward process's own, and not the best result, which owes the most to luck.

    Args:
        space: all orders.
        history: the trials so far.
        mean: (W,) posterior mean of the reward after them.
        settings: for the threshold.

    Returns:
        The order; None while no trial has reached the threshold.
    """
    reached = sorted({space.rank(trial.order) for trial in history if settings.reached(trial)})
    return space.unrank(max(reached, key=lambda i: mean[i])) if reached else None


ONE_RUNG = (1,)
"""Where a landscape has none: every trial is a training at its full budget."""

_Task = tuple[Replay | Lookup, Contender, int, int, int]
"""What is replayed, by whom, for how many trials, with which seed, and the number of the repetition."""


def _name(task: _Task) -> str:
    _, contender, _, _, repetition = task
    return f"replay {repetition + 1} of {contender.label}"


def _repetition(task: _Task) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Simple regret (T,), instantaneous regret (T,) and the wasted share (T,) of the trials of one replay."""
    replay, contender, trials, seed, repetition = task
    if contender.plain:
        best = (replay if isinstance(replay, Lookup) else replay.draw_truth(_stream(seed, repetition, 0))).best
        same = np.full(trials, best - np.mean(contender.plain), np.float32)
        return same, same, np.zeros(trials, np.float32)
    if isinstance(replay, Lookup):
        strategy = contender.make(replay.space, replay.feasible, replay.rungs)
        figures = play(replay, strategy, trials, partial(_stream, seed, repetition))
        return figures[0].astype(np.float32), figures[1].astype(np.float32), figures[2].astype(np.float32)
    truth = replay.draw_truth(_stream(seed, repetition, 0))
    worth, best = truth.worth, truth.best
    space = replay.space
    strategy = contender.make(space, truth.feasible, ONE_RUNG)
    history: list[TrialResult] = []
    picked, recommended, trained = np.zeros(trials, dtype=np.int64), np.full(trials, -1), trials
    for t in range(trials + 1):
        choice = strategy.choose(history, (), _stream(seed, repetition, 1, t))
        if t > 0:
            mean = strategy.belief(history) if choice is None else _reward_mean(strategy, choice, history)
            order = recommend(space, history, mean, contender.settings)
            recommended[t - 1 :] = -1 if order is None else space.rank(order)
        if choice is None:  # it has tried all that it would, and recommends that to the end
            trained = t
            break
        if t < trials:
            i = picked[t] = space.rank(choice.order)
            visit = sum(trial.order == choice.order for trial in history)
            trial = replay.trial(truth, choice.order, history, _stream(seed, repetition, 2, int(i), visit))
            if strategy.settings.rungs:
                trial = replace(trial, training=choice.training, episodes=ONE_RUNG[-1], total_episodes=ONE_RUNG[-1])
            history.append(trial)
    nothing = best - worth.min()  # no recommendation is as bad as the worst
    simple = np.where(recommended >= 0, best - worth[recommended], nothing)
    took_place = np.arange(trials) < trained
    instantaneous, wasted = took_place * (best - worth[picked]), took_place & ~truth.feasible[picked]
    return simple.astype(np.float32), instantaneous.astype(np.float32), wasted.astype(np.float32)


def _reward_mean(strategy: Strategy, choice: Choice, history: History) -> Floats:
    """(W,) mean of the reward process: that of the choice, or for a strategy without one that of the same history."""
    if choice.acquisition is not None:
        return choice.acquisition.mean
    from cageflow.search import surrogate  # imports Numba

    reached = [trial for trial in history if strategy.settings.reached(trial)]
    return surrogate.fit_reward(strategy.space, reached, strategy.settings.kernel).posterior()[0]


def _stream(seed: int, *key: int) -> np.random.Generator:
    """The stream of one purpose: of a repetition 0 the truth, 1 a choice, 2 a trial by its order and its visit."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
