"""Do the orders of a landscape differ, by how much, which precedences carry it, and what is each worth beside none?

Pure functions of the rewards of trainings. Where orders are trained several times, how far trainings of one order lie
apart is known, and all intervals are made of it.

Where orders matter, a training now and then ends in a bad optimum, ten times as bad as a good one, and those of bad
orders lie farther apart than those of good ones. Such rewards are compared by the logarithm of the gap to the best
(`search.scale`), on which their deviations are alike; which scale is right, the trainings say themselves. What is found
there is told in points at the median order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.evaluation.statistics import ALPHA, Estimate, Interval
from cageflow.measure.replay import FEASIBLE_SHARE
from cageflow.scenario.orders import Order, OrderSpace, format_order, pairs_ahead
from cageflow.search.landscape import Landscape
from cageflow.search.scale import Scale as GapScale

Floats = NDArray[np.float64]

CLEARLY, HARDLY = 4.0, 10.0
"""By how much the logarithm of the likelihood must be greater for gaps to be taken to test by, and how much less it may
be where they are taken for the interval of a single order, since good orders' trainings lie nearer together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One-way analysis of variance of trainings by their orders.

    Attributes:
        f, p: of the test that all orders are alike; NaN where no order was trained twice.
        dof: degrees of freedom between and within orders.
        between: standard deviation between orders, 0 where trainings of one order lie as far apart.
        between_interval: its 95 % interval (Williams and Tukey).
        within: standard deviation between trainings of one order.
    """

    f: float
    p: float
    dof: tuple[int, int]
    between: float
    between_interval: Interval
    within: float

    @property
    def differs(self) -> bool:
        """Whether the orders differ by more than chance."""
        return self.p < ALPHA

    def times(self, unit: float) -> Spread:
        """The same in another unit."""
        low, high = self.between_interval
        return replace(
            self,
            between=self.between * unit,
            between_interval=Interval(low * unit, high * unit),
            within=self.within * unit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEffect:
    """What one type before another is worth, averaged over the other places.

    Attributes:
        before, after: the types, the better turn.
        worth: points that orders with it so are better, all other pairs alike.
        p: of the hypothesis that it is worth nothing, after Holm's correction for the number of pairs.
        explained: share of the variance between the orders' means that nothing else explains.
    """

    before: str
    after: str
    worth: Estimate
    p: float
    explained: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPrice:
    """One order.

    Attributes:
        order: it.
        reward: mean of its trainings.
        gain: what it is better than plain PPO; None where that was not trained.
    """

    order: Order
    reward: Estimate
    gain: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What the trainings of the orders of a landscape say.

    Attributes:
        spread: whether and how far the orders differ.
        prices: of each order, the best first.
        pairs: what each pair is worth, the most first.
        explained: share of the variance between the orders' means that the pairs explain together.
        is_log: whether orders and pairs were compared by the logarithm of the gap to the best.
        median: of the orders' means.
        best: what the best order comes to, without the luck that made it look the best: picked by all trainings but
            one, judged by that one, for each in turn; None with one training an order.
        plain: plain PPO; None where it was not trained.
        longer: plain PPO with a greater budget, and how many episodes that is; None where it was not trained.
        by_worth: the order that a person would write by what the types are worth; None where it is not known, or was
            not trained.
    """

    spread: Spread
    prices: tuple[OrderPrice, ...]
    pairs: tuple[PairEffect, ...]
    explained: float
    is_log: bool
    median: float
    best: Estimate | None
    plain: Estimate | None
    longer: tuple[int, Estimate] | None = None
    by_worth: OrderPrice | None = None

    @property
    def best_over_plain(self) -> Estimate | None:
        """What the best order is better than plain PPO."""
        return None if self.best is None or self.plain is None else self.best - self.plain

    def to_json(self) -> dict[str, Any]:
        """Plain data, as `--json` has it."""
        spread = self.spread
        return {
            "orders": len(self.prices),
            "scale": "log" if self.is_log else "points",
            "differ": spread.differs,
            "f": _number(spread.f),
            "p": _number(spread.p),
            "dof": list(spread.dof),
            "between": spread.between,
            "between_interval": [_number(end) for end in spread.between_interval],
            "within": _number(spread.within),
            "best_order": format_order(self.prices[0].order),
            "best": _estimate(self.best),
            "median": self.median,
            "worst": self.prices[-1].reward.mean,
            "plain_ppo": _estimate(self.plain),
            "plain_ppo_long": self.longer and {"episodes": self.longer[0], **(_estimate(self.longer[1]) or {})},
            "by_worth": None if self.by_worth is None else _price(self.by_worth),
            "best_over_plain_ppo": _estimate(self.best_over_plain),
            "explained_by_pairs": self.explained,
            "pairs": [
                {
                    "before": pair.before,
                    "after": pair.after,
                    **(_estimate(pair.worth) or {}),
                    "p": pair.p,
                    "explained": pair.explained,
                }
                for pair in self.pairs
            ],
            "prices": [_price(one) for one in self.prices],
        }


def find_differences(
    space: OrderSpace,
    rewards: Mapping[Order, Sequence[float]],
    plain: Sequence[float] = (),
    *,
    longer: tuple[int, Sequence[float]] | None = None,
    by_worth: tuple[Order, Sequence[float]] | None = None,
) -> Differences:
    """What trainings say.

    Args:
        space: of the orders.
        rewards: of each order, those of its trainings.
        plain: those of the trainings of plain PPO.
        longer: a greater number of episodes, and those of plain PPO with it.
        by_worth: the order by worth and those of its trainings.

    Raises:
        UserError: there are fewer than two orders.
    """
    if len(rewards) < 2:
        raise UserError(f"{len(rewards)} orders: whether orders differ takes at least two")
    orders = list(rewards)
    groups = [np.asarray(rewards[order], np.float64) for order in orders]
    means = np.array([group.mean() for group in groups])
    median = float(np.median(means))
    scale, local = _Scale.of(groups, median, CLEARLY), _Scale.of(groups, median, -HARDLY)
    scaled = [scale.of_rewards(group) for group in groups]
    spread = analyse(scaled).times(scale.unit)
    noise, dof = local.noise(groups), max(1, spread.dof[1])

    def estimate(mean: float, trainings: int) -> Estimate:
        return Estimate(mean, local.points_at(mean) * noise / math.sqrt(trainings), dof)

    free = _plain(plain, estimate)

    def price(order: Order, trainings: Sequence[float] | Floats) -> OrderPrice:
        reward = estimate(float(np.mean(trainings)), len(trainings))
        return OrderPrice(order=order, reward=reward, gain=None if free is None else reward - free)

    prices = [price(order, group) for order, group in zip(orders, groups, strict=True)]
    more = None if longer is None else _plain(longer[1], estimate)
    long = None if longer is None or more is None else (longer[0], more)
    pairs, explained = pair_effects(space, orders, np.array([group.mean() for group in scaled]), scale.unit)
    honest = _honest_best(groups)
    return Differences(
        spread=spread,
        prices=tuple(sorted(prices, key=lambda one: -one.reward.mean)),
        pairs=pairs,
        explained=explained,
        is_log=scale.gaps is not None,
        median=median,
        best=None if honest is None else estimate(honest, min(map(len, groups))),
        plain=free,
        longer=long,
        by_worth=price(*by_worth) if by_worth is not None and len(by_worth[1]) else None,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """What rewards are compared by.

    Attributes:
        gaps: the logarithm of the gap to the best, as the search has it; None for the reward itself.
        unit: points that make 1 of it at the median order.
    """

    gaps: GapScale | None
    unit: float

    @classmethod
    def of(cls, groups: Sequence[Floats], median: float, clearly: float) -> _Scale:
        """The one on which trainings of one order lie more alike apart: of the two Normal models the likelier.

        Args:
            groups: rewards of the trainings of each order.
            median: of the orders.
            clearly: by how much the logarithm of the likelihood must be greater for gaps to be taken.
        """
        points, everything = cls(None, 1.0), np.concatenate(groups)
        if len(everything) == len(groups):
            return points
        gaps = GapScale.of(everything, np.zeros(len(everything)))
        scaled = [gaps.to_value(group) for group in groups]
        squares, gap_squares = (sum(((one - one.mean()) ** 2).sum() for one in given) for given in (groups, scaled))
        if squares == 0 or gap_squares == 0:
            return points
        gain = len(everything) / 2 * (math.log(squares) - math.log(gap_squares))
        gain += float(np.log(gaps.slope(everything)).sum())
        return cls(gaps, 1 / float(gaps.slope(np.array([median]))[0])) if gain > clearly else points

    def of_rewards(self, rewards: Floats) -> Floats:
        """Rewards on the scale, higher is better."""
        return rewards if self.gaps is None else self.gaps.to_value(rewards)

    def points_at(self, reward: float) -> float:
        """Points that make 1 of the scale at a reward."""
        return 1.0 if self.gaps is None else 1 / float(self.gaps.slope(np.array([reward]))[0])

    def noise(self, groups: Sequence[Floats]) -> float:
        """How far trainings of one order lie apart on the scale; NaN where none was trained twice."""
        spread = [self.of_rewards(group) for group in groups]
        dof = sum(len(group) - 1 for group in groups)
        return math.sqrt(sum(((one - one.mean()) ** 2).sum() for one in spread) / dof) if dof else math.nan


def differences_of(
    landscape: Landscape,
    compliance_threshold: float,
    plain: Sequence[float] = (),
    *,
    longer: tuple[int, Sequence[float]] | None = None,
    by_worth: tuple[Order, Sequence[float]] | None = None,
) -> Differences:
    """What the trainings of a landscape say of the orders that can be followed, as they were judged last.

    Args:
        landscape: the table.
        compliance_threshold: that at least FEASIBLE_SHARE of an order's trainings have to reach; where that leaves
            fewer than two orders, all count.
        plain: rewards of trainings of plain PPO.
        longer, by_worth: as of `find_differences`.

    Raises:
        UserError: there are fewer than two orders.
    """
    rewards: dict[Order, list[float]] = {}
    reached: dict[Order, list[bool]] = {}
    for row in landscape.full.rows:
        rewards.setdefault(row.order, []).append(row.reward)
        reached.setdefault(row.order, []).append(row.compliance >= compliance_threshold)
    followed = {order: values for order, values in rewards.items() if np.mean(reached[order]) >= FEASIBLE_SHARE}
    counted = followed if len(followed) >= 2 else rewards
    return find_differences(landscape.space, counted, plain, longer=longer, by_worth=by_worth)


def analyse(groups: Sequence[Floats]) -> Spread:
    """One-way analysis of variance of groups of numbers; groups may differ in size.

    Source: the interval of the deviation between is that of Williams (1962) and Tukey (1951); with groups of unequal
    sizes, for their mean size, it is nearly right.
    """
    sizes = np.array([len(group) for group in groups])
    total, count = int(sizes.sum()), len(groups)
    means = np.array([group.mean() for group in groups])
    grand = float((sizes * means).sum() / total)
    between_squares = float((sizes * (means - grand) ** 2).sum())
    within_squares = float(sum(((group - mean) ** 2).sum() for group, mean in zip(groups, means, strict=True)))
    dof = count - 1, total - count
    if not dof[1]:
        spread = float(means.std(ddof=1))
        return Spread(
            f=math.nan,
            p=math.nan,
            dof=dof,
            between=spread,
            between_interval=Interval(0.0, math.inf),
            within=math.nan,
        )
    within = within_squares / dof[1]
    usual_size = (total - float((sizes**2).sum()) / total) / dof[0]
    if within == 0 or between_squares == 0:
        f = math.inf if between_squares > 0 else 0.0
        deviation = math.sqrt(between_squares / dof[0] / usual_size)
        return Spread(
            f=f,
            p=0.0 if f == math.inf else 1.0,
            dof=dof,
            between=deviation,
            between_interval=Interval(deviation, deviation),
            within=math.sqrt(within),
        )
    from scipy import stats  # most of a second to load

    f = between_squares / dof[0] / within
    ends = []
    for probability in (1 - ALPHA / 2, ALPHA / 2):
        left = 1 - float(stats.f.ppf(probability, *dof)) / f
        variance = between_squares * left / (usual_size * float(stats.chi2.ppf(probability, dof[0])))
        ends.append(math.sqrt(max(0.0, variance)))
    return Spread(
        f=f,
        p=float(stats.f.sf(f, *dof)),
        dof=dof,
        between=math.sqrt(max(0.0, (between_squares / dof[0] - within) / usual_size)),
        between_interval=Interval(*ends),
        within=math.sqrt(within),
    )


def pair_effects(
    space: OrderSpace, orders: Sequence[Order], means: Floats, unit: float = 1.0
) -> tuple[tuple[PairEffect, ...], float]:
    """What each pair of types is worth: a regression of the orders' means on which of each two stands ahead.

    What the pairs do not explain, be it noise or that pairs matter together, is taken for chance. The worth is told in
    `unit`.

    Returns:
        The effects, the most first, and the share of variance that all explain; no effects where there are too few
        orders to tell the pairs apart.
    """
    pairs = list(combinations(range(len(space.unit_types)), 2))
    ahead = pairs_ahead(space.permutations[[space.rank(order) for order in orders]]) - 0.5
    design = np.column_stack([np.ones(len(orders)), ahead])
    dof = len(orders) - design.shape[1]
    if dof < 1 or np.linalg.matrix_rank(design) < design.shape[1]:
        return (), math.nan
    inverse = np.linalg.inv(design.T @ design)
    weights = inverse @ design.T @ means
    left = float(((means - design @ weights) ** 2).sum())
    total = float(((means - means.mean()) ** 2).sum())
    if total == 0:
        return (), 0.0
    errors = np.sqrt(left / dof * np.diagonal(inverse))[1:]
    worths = [
        Estimate(unit * float(abs(worth)), unit * float(error), dof)
        for worth, error in zip(weights[1:], errors, strict=True)
    ]
    corrected = _holm([worth.p_value() for worth in worths])
    effects = []
    for number, ((a, b), weight) in enumerate(zip(pairs, weights[1:].tolist(), strict=True)):
        before, after = (a, b) if weight >= 0 else (b, a)
        explained = weight**2 / float(inverse[number + 1, number + 1]) / total
        effects.append(
            PairEffect(
                before=space.unit_types[before],
                after=space.unit_types[after],
                worth=worths[number],
                p=corrected[number],
                explained=explained,
            )
        )
    return tuple(sorted(effects, key=lambda one: -one.worth.mean)), 1 - left / total


def _plain(rewards: Sequence[float], as_an_order: Callable[[float, int], Estimate]) -> Estimate | None:
    """Plain PPO: by how far its own trainings lie apart, with fewer than three by those of an order."""
    if not rewards:
        return None
    mean, of_order = float(np.mean(rewards)), as_an_order(float(np.mean(rewards)), len(rewards))
    if len(rewards) < 3 and math.isfinite(of_order.se):
        return of_order
    deviation = float(np.std(rewards, ddof=1)) if len(rewards) > 1 else math.nan
    return Estimate(mean, deviation / math.sqrt(len(rewards)), max(1, len(rewards) - 1))


def _honest_best(groups: Sequence[Floats]) -> float | None:
    """What an order comes to that is the best by all trainings but one, judged by that one, for each in turn."""
    trainings = min(len(group) for group in groups)
    if trainings < 2:
        return None
    judged = []
    for left_out in range(trainings):
        others = [np.delete(group, left_out).mean() for group in groups]
        judged.append(float(groups[int(np.argmax(others))][left_out]))
    return float(np.mean(judged))


def _holm(values: Sequence[float]) -> list[float]:
    """P-values after Holm's correction."""
    corrected, largest = [0.0] * len(values), 0.0
    for place, number in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - place) * values[number]))
        corrected[number] = largest
    return corrected


def _price(one: OrderPrice) -> dict[str, Any]:
    return {
        "order": format_order(one.order),
        "reward": _estimate(one.reward),
        "over_plain_ppo": _estimate(one.gain),
    }


def _estimate(one: Estimate | None) -> dict[str, float | None] | None:
    if one is None:
        return None
    low, high = one.interval()
    return {"mean": one.mean, "low": _number(low), "high": _number(high)}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
