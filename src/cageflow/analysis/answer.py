"""The answer of a search, kept in its folder: what is known of the orders, and what plain PPO comes to beside them.

It is made from the log of the trials and from the trainings of plain PPO in the same folder, so it can be deleted and
is made again; what is asked of it is read from its file where that is still right.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cageflow import __version__
from cageflow.analysis.precedences import (
    OpenPair,
    OrderAnswer,
    Precedence,
    Range,
    find_precedences,
    sample_orders,
)
from cageflow.files import write_whole
from cageflow.runs.saved_run import SavedRun
from cageflow.scenario.orders import OrderSpace
from cageflow.search import TrialResult
from cageflow.search.strategies import KernelName
from cageflow.settings.commands import PolicyConfig, SearchConfig

FILE = "answer.json"
FORM = 5
"""Of the file; another one is made anew."""
DRAWS = 2000
"""Of the posterior; a probability near 95 % is known from them to half a per cent."""
TESTED_FROM = 0.01
"""Fixes an episode in which two types were both to be fixed, from which their turn was put to the test."""
SEED = 0
"""Of the draws: the same trials give the same answer."""
Z = 1.959964
"""Half a 95 % interval of a Normal distribution, in standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainings:
    """What trainings beside a run came to, such as those of plain PPO.

    Attributes:
        rewards: mean reward of fresh episodes of each.
        rewards_se: their standard errors.
        episodes: that each was trained for.
    """

    rewards: tuple[float, ...]
    rewards_se: tuple[float, ...]
    episodes: int

    @property
    def trainings(self) -> int:
        """How many."""
        return len(self.rewards)

    @property
    def mean(self) -> float:
        """Of the rewards."""
        return float(np.mean(self.rewards))

    @property
    def evaluation_se(self) -> float:
        """Standard error of the mean as far as the episodes that judge them go."""
        return math.sqrt(sum(se**2 for se in self.rewards_se)) / self.trainings


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOrder:
    """One sensible order trained throughout: what a search costs that finds nothing better.

    Attributes:
        order: it, as settings write it.
        trainings: each with all the episodes of the search.
    """

    order: str
    trainings: Trainings


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """What the recommended order's policy came to when it had been trained on: mean of fresh episodes, standard error.

    Attributes:
        episodes: of the final training.
        before, before_se: of the policy that the search had left.
        after, after_se: of the one that has taken its place.
    """

    episodes: int
    before: float
    before_se: float
    after: float
    after_se: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What was trained beside a search, each None where it was not.

    Attributes:
        plain: plain PPO with an order's budget.
        plain_long: plain PPO with all the episodes of the search.
        one_order: one order throughout.
    """

    plain: Trainings | None = None
    plain_long: Trainings | None = None
    one_order: OneOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What the recommended order is worth more than plain PPO: mean and 95 % interval, in points."""

    mean: float
    low: float
    high: float

    @property
    def is_better(self) -> bool:
        """Whether the order is better by more than chance."""
        return self.low > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a search has found.

    Attributes:
        made_of: what tells it from another answer: of which trials, which trainings and which version.
        network: which one, as everything that is kept says it.
        orders: what is known of them; None where none that was tried can be followed.
        plain: plain PPO beside the search; None where it was not trained.
        over_plain: the recommended order beside it; None without either.
        one_order: one order trained throughout; None where it was not.
        final: the final training of the recommended order; None without.
        plain_long: plain PPO with all the episodes of the search; None where it was not trained.
    """

    made_of: Mapping[str, Any]
    network: Mapping[str, Any]
    orders: OrderAnswer | None
    plain: Trainings | None
    over_plain: Gain | None
    one_order: OneOrder | None = None
    final: Final | None = None
    plain_long: Trainings | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data; what is infinite, because a turn cannot be followed, is None."""
        content: dict[str, Any] = _finite(asdict(self))
        return content

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Answer:
        """Read what `to_json` wrote; raises `KeyError`, `TypeError` or `ValueError` where it did not."""
        orders, plain, gain, one = data["orders"], data["plain"], data["over_plain"], data["one_order"]
        final, plain_long = data["final"], data["plain_long"]
        return cls(
            made_of=data["made_of"],
            network=data["network"],
            orders=None if orders is None else _orders(orders),
            plain=None if plain is None else _trainings(plain),
            over_plain=None if gain is None else Gain(**gain),
            one_order=None if one is None else OneOrder(order=one["order"], trainings=_trainings(one["trainings"])),
            final=None if final is None else Final(**final),
            plain_long=None if plain_long is None else _trainings(plain_long),
        )


def saved_answer(run: SavedRun, beside: Beside) -> Answer:
    """The answer of a search: the one in its folder where that is still right, else a new one, which is kept there.

    Args:
        run: the search.
        beside: what was trained beside it.

    Raises:
        OSError: a new one cannot be written.
    """
    path, made_of = run.path / FILE, _made_of(run, beside)
    kept = _read(path)
    if kept is not None and kept.made_of == made_of:
        return kept
    answer = make_answer(run, beside, made_of)
    write_whole(path, (json.dumps(answer.to_json(), separators=(",", ":")) + "\n").encode())
    return answer


def make_answer(run: SavedRun, beside: Beside, made_of: Mapping[str, Any] | None = None) -> Answer:
    """The answer of a search, from its trials."""
    plain = beside.plain
    results = [trial.result for trial in run.trials]
    belief = _draw(run, results)
    orders, gain = None, None
    if belief is not None and run.best is not None:
        recommended = run.orders.rank(run.best.order)
        orders = find_precedences(
            run.orders,
            belief.ids,
            belief.draws,
            recommended=recommended,
            feasible=belief.feasible,
            contests=_contests(results),
            weights=belief.weights,
            price_draws=belief.price_draws,
        )
        gain = None if plain is None else over_plain(belief, recommended, plain)
    return Answer(
        made_of=made_of or {},
        network=run.config.game().network.identity.to_json(),
        orders=orders,
        plain=plain,
        over_plain=gain,
        one_order=beside.one_order,
        final=_final(run),
        plain_long=beside.plain_long,
    )


def _final(run: SavedRun) -> Final | None:
    if run.recommendation is None or run.recommendation.final is None:
        return None
    before, final = run.recommendation.evaluation, run.recommendation.final
    after = final.evaluation
    return Final(
        episodes=final.episodes,
        before=before.reward,
        before_se=before.reward_se,
        after=after.reward,
        after_se=after.reward_se,
    )


def _draw(run: SavedRun, results: Sequence[TrialResult]) -> Drawn | None:
    config = run.config
    full_episodes = config.planned_episodes if isinstance(config, PolicyConfig) else None
    kernel = config.strategy_options().kernel if isinstance(config, SearchConfig) else "evidence"
    return draw_orders(
        run.orders,
        results,
        config.compliance_threshold,
        kernel,
        full_episodes=full_episodes,
        in_rungs=bool(config.ladder),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Joint draws of what orders are worth at the full budget.

    Attributes:
        ids: (K,) ranks of the orders.
        weights: (K,) for how many each stands.
        draws: (S, K) values.
        price_draws: (S, K) values with the parameters of the model taken for uncertain, of which prices are made.
        feasible: (S, K) whether they can be followed; None where that is not in doubt.
        training_sd: how far trainings that come to a reward lie apart, a function of it.
    """

    ids: NDArray[np.int64]
    weights: NDArray[np.float64]
    draws: NDArray[np.float64]
    price_draws: NDArray[np.float64]
    feasible: NDArray[np.bool_] | None
    training_sd: Callable[[float], float]


def draw_orders(
    space: OrderSpace,
    results: Sequence[TrialResult],
    threshold: float,
    kernel: KernelName = "evidence",
    *,
    full_episodes: int | None = None,
    in_rungs: bool = False,
) -> Drawn | None:
    """Draw from what trials say of the orders; None where none of them reached the compliance threshold.

    Args:
        space: all orders.
        results: of the trials.
        threshold: of compliance.
        kernel: of the process on compliance.
        full_episodes: the full budget of an order; None to count every trial as a training of it.
        in_rungs: whether trainings are judged on their way, where they need not comply yet.
    """
    from cageflow.search.curves import fit_curves  # imports Numba
    from cageflow.search.surrogate import fit_compliance

    judged = [trial for trial in results if not in_rungs or trial.total_episodes >= (full_episodes or 0)] or results
    reached = [trial for trial in judged if trial.compliance >= threshold]
    if not reached:
        return None
    rng = np.random.default_rng(SEED)
    told = results if in_rungs else reached
    belief = fit_curves(space, told, full_episodes)
    weighed = fit_curves(space, told, full_episodes, weigh_parameters=True)
    chosen = sample_orders(space, *belief.posterior())
    tried = np.array([space.rank(trial.order) for trial in reached])
    ids = np.union1d(chosen.ids, tried)
    weights = np.ones(len(ids))
    weights[np.searchsorted(ids, chosen.ids)] = chosen.weights
    feasible = None
    if len(reached) < len(judged):
        feasible = fit_compliance(space, judged, kernel).sample(rng, ids, DRAWS) >= threshold
        feasible[:, np.searchsorted(ids, tried)] = True  # that they can be followed has been seen

    def training_sd(reward: float) -> float:
        return math.sqrt(belief.training_variance) / float(belief.scale.slope(np.array([reward]))[0])

    return Drawn(
        ids=ids,
        weights=weights,
        draws=belief.sample(rng, ids, DRAWS),
        price_draws=weighed.sample(np.random.default_rng(SEED), ids, DRAWS),
        feasible=feasible,
        training_sd=training_sd,
    )


def over_plain(belief: Drawn, recommended: int, plain: Trainings) -> Gain:
    """What an order is worth more than plain PPO.

    Of the order it is known what its trainings come to on average; of plain PPO there are some trainings, which are
    taken to lie as far apart as those of an order.
    """
    values = belief.draws[:, np.flatnonzero(belief.ids == recommended)[0]]
    variance = values.var() + belief.training_sd(plain.mean) ** 2 / plain.trainings + plain.evaluation_se**2
    mean, half = float(values.mean() - plain.mean), Z * math.sqrt(variance)
    return Gain(mean=mean, low=mean - half, high=mean + half)


def _contests(results: Sequence[TrialResult]) -> NDArray[np.float64] | None:
    """(n, n) how often an episode a fix was chosen while two types were to be fixed, on average over the trials.

    What happens less often than TESTED_FROM counts as never. None where it was not counted.
    """
    counted = [trial.contests for trial in results if trial.contests is not None]
    if not counted:
        return None
    contests = np.mean(np.array(counted, np.float64), axis=0)
    return np.where(contests + contests.T >= TESTED_FROM, contests, 0.0)


def _made_of(run: SavedRun, beside: Beside) -> dict[str, Any]:
    trials = [(trial.number, {**trial.result.to_json(), "seconds": None}) for trial in run.trials]
    best = None if run.best is None else list(run.best.order)
    final = None if run.final is None else asdict(run.final)
    content = json.dumps([trials, best, final, asdict(beside)], default=_plain_data)
    return {"version": __version__, "form": FORM, "sha256": hashlib.sha256(content.encode()).hexdigest()}


def _plain_data(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _read(path: Path) -> Answer | None:
    """The answer in a file, None where there is none that can be read."""
    try:
        return Answer.from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _finite(value: Any) -> Any:
    """Plain data without what JSON has no number for."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _trainings(data: Mapping[str, Any]) -> Trainings:
    return Trainings(**{**data, **_tuples(data, "rewards", "rewards_se")})


def _orders(data: Mapping[str, Any]) -> OrderAnswer:
    precedences = [Precedence(**one) for one in data["precedences"]]
    open_pairs = []
    for one in data["open_pairs"]:
        _, low, high = _range(None, one["low"], one["high"])
        open_pairs.append(OpenPair(**{**one, "low": low, "high": high, "average": _range(*one["average"])}))
    lists = _tuples(data, "unit_types", "recommended", "tied")
    return OrderAnswer(**{**data, **lists, "precedences": tuple(precedences), "open_pairs": tuple(open_pairs)})


def _range(mean: float | None, low: float | None, high: float | None) -> Range:
    return Range(
        *(end if figure is None else figure for figure, end in ((mean, math.inf), (low, -math.inf), (high, math.inf)))
    )


def _tuples(data: Mapping[str, Any], *names: str) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(data[name]) for name in names}
