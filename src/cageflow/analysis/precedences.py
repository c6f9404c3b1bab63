"""Which type comes before which, as far as the trials know: from joint draws of what every order may be worth.

A search rarely knows one best order. It knows that some types come before others, that turning others costs nothing
worth having, and of some it knows nothing. So its answer is a partial order, every part of it with how sure it is and
what turning it costs, and the number of orders that cannot be told from the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cageflow.scenario.orders import Order, OrderSpace, pairs_ahead

Floats = NDArray[np.float64]
Pair = tuple[str, str]

LEVEL = 0.95
"""Probability of everything that is claimed together, and of intervals."""
MARGIN_POINTS, MARGIN_SHARE = 0.5, 0.05
"""What is not worth having: so many points, or that share of the best order's reward where it is more."""
JOINT_ORDERS, RANDOM_ORDERS, BEST_OF_PAIR = 720, 240, 6
"""Orders that are drawn together where there are more than JOINT_ORDERS: the likeliest, some at random, and of each
pair of types the likeliest with either ahead."""


class Range(NamedTuple):
    """A figure in points with its 95 % interval; infinite where one of two turns cannot be followed."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    """One type before another in every order that cannot be told from the best.

    Attributes:
        before, after: the types.
        probability: that the best order has them so.
        cost: points that turning it costs: what the orders that have all precedences are better than those that have
            all but this one, which is turned, on average; None where these cannot be followed.
        cost_low, cost_high: 95 % interval of that.
        tested: whether a fix was ever chosen while both were to be fixed; None where that was not counted.
    """

    before: str
    after: str
    probability: float
    cost: float | None
    cost_low: float | None
    cost_high: float | None
    tested: bool | None

    def to_json(self) -> dict[str, Any]:
        """Plain data, as `search --json` has it."""
        words = {name: getattr(self, name) for name in ("before", "after", "probability", "cost", "cost_low")}
        return {**words, "cost_high": self.cost_high, "tested": self.tested}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPair:
    """Two types whose turn is open.

    Attributes:
        first, second: the types, the recommended order's turn.
        low, high: 95 % interval of what the best order with it so is better than the best with it turned, in points.
        tested: as of `Precedence`.
        average: what the orders that have all precedences are better with it so than with it turned, on average.
    """

    first: str
    second: str
    low: float
    high: float
    tested: bool | None
    average: Range

    @property
    def reach(self) -> float:
        """Points within which its turn matters, either way."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """What is known of the orders of a space.

    Attributes:
        unit_types: n names.
        recommended: the order that is recommended.
        num_orders: that there are.
        tied_orders: how many of them cannot be told from the best, the recommended one included.
        tied: ranks of those of them that were drawn.
        precedences: those in all of these; no one of them follows from others.
        open_pairs: the pairs whose turn neither they nor what follows from them say.
        margin: points that are not worth having.
    """

    unit_types: tuple[str, ...]
    recommended: Order
    num_orders: int
    tied_orders: int
    tied: tuple[int, ...]
    precedences: tuple[Precedence, ...]
    open_pairs: tuple[OpenPair, ...]
    margin: float

    @property
    def untested(self) -> tuple[Pair, ...]:
        """Open pairs that were never to be fixed at once."""
        return tuple((pair.first, pair.second) for pair in self.open_pairs if pair.tested is False)

    @property
    def alike(self) -> tuple[OpenPair, ...]:
        """Open pairs that the data may have tested and whose turn does not matter: within the margin."""
        return tuple(pair for pair in self.open_pairs if pair.tested is not False and pair.reach <= self.margin)

    @property
    def unknown(self) -> tuple[OpenPair, ...]:
        """Open pairs of which neither can be said."""
        return tuple(pair for pair in self.open_pairs if pair.tested is not False and pair.reach > self.margin)

    @property
    def tendencies(self) -> tuple[tuple[Pair, Range], ...]:
        """Unknown pairs that matter on average over the open places, the better turn first, the costliest first.

        In the best orders they may not matter, or the other way round.
        """
        found: list[tuple[Pair, Range]] = []
        for pair in self.unknown:
            mean, low, high = pair.average
            if not np.isfinite(mean):
                continue
            if low > 0:
                found.append(((pair.first, pair.second), pair.average))
            elif high < 0:
                found.append(((pair.second, pair.first), Range(-mean, -high, -low)))
        return tuple(sorted(found, key=lambda one: -one[1].mean))

    @property
    def untested_types(self) -> tuple[str, ...]:
        """Types that were never to be fixed at once with any other."""
        untested = {frozenset(pair) for pair in self.untested}
        return tuple(
            one
            for one in self.unit_types
            if len(self.unit_types) > 1
            and all(frozenset((one, other)) in untested for other in self.unit_types if other != one)
        )


@dataclass(frozen=True, slots=True)
class OrderSample:
    """Orders that are drawn together.

    Attributes:
        ids: (K,) ranks, ascending.
        weights: (K,) for how many orders each stands.
    """

    ids: NDArray[np.int64]
    weights: Floats


def sample_orders(space: OrderSpace, mean: Floats, std: Floats, seed: int = 0) -> OrderSample:
    """The orders whose values are to be drawn together: all of them, or of many those that can decide the answer.

    Args:
        space: W orders.
        mean: (W,) what is believed of each.
        std: (W,) how surely.
        seed: of those that are taken by chance, which stand for all that are left out.
    """
    num_orders = len(space)
    if num_orders <= JOINT_ORDERS:
        return OrderSample(np.arange(num_orders), np.ones(num_orders))
    score = mean + 2 * std
    likeliest = np.argpartition(-score, JOINT_ORDERS)[:JOINT_ORDERS]
    chosen = np.zeros(num_orders, np.bool_)
    chosen[likeliest] = True
    ahead = pairs_ahead(space.permutations)
    for pair in range(ahead.shape[1]):
        for stands in (True, False):
            ids = np.flatnonzero(ahead[:, pair] == stands)
            chosen[ids[np.argpartition(-score[ids], BEST_OF_PAIR)[:BEST_OF_PAIR]]] = True
    others = np.flatnonzero(~chosen)
    drawn = np.random.default_rng(seed).choice(others, min(RANDOM_ORDERS, len(others)), replace=False)
    weights = np.zeros(num_orders)
    weights[chosen], weights[drawn] = 1.0, len(others) / len(drawn)
    ids = np.flatnonzero(weights)
    return OrderSample(ids, weights[ids])


def find_precedences(
    space: OrderSpace,
    ids: NDArray[np.int64],
    draws: Floats,
    *,
    recommended: int | None = None,
    feasible: NDArray[np.bool_] | None = None,
    contests: NDArray[np.float64] | None = None,
    weights: Floats | None = None,
    price_draws: Floats | None = None,
    margin: float | None = None,
) -> OrderAnswer:
    """What joint draws say of which type comes before which.

    *Precedences.* In each draw one order is the best. A pair of types has the turn of the recommended order with the
    probability that the best order has it so. The surest are claimed first, pairs that were tested before those that
    were not, as long as the best order has **all** that is claimed with a probability of at least LEVEL.

    *Orders that cannot be told from the best* are those with all of these turns that are as likely as 1 - LEVEL to be
    at least as good as the recommended order, and as many more of the likeliest to be the best as are needed to hold
    the best with LEVEL. The first rule alone loses the best order where many are each a little likely to be it; the
    second alone drops some of many that are alike. What is common to all of them is what is claimed.

    *What turning a precedence costs* is the average of the orders that have all of them less that of those that have
    all but this one, which is turned: what is lost by who keeps to the rest. (The best order less the best with it
    turned would say what is lost by who is free in all else, but the best of many uncertain orders always looks good.)

    *An open pair* does not matter where the best order with it so and the best with it turned are alike, either way.

    Args:
        space: all orders.
        ids: (K,) ranks of those that were drawn.
        draws: (S, K) joint draws of their values, higher is better.
        recommended: rank of the order that is recommended, one of `ids`; None for the one of the highest mean.
        feasible: (S, K) whether they can be followed; None where all can.
        contests: (n, n) how often a fix was chosen while two types were both to be fixed; None where not counted.
        weights: (K,) for how many orders each stands; None for one each.
        price_draws: (S, K) draws of the values that say how sure prices are, which need not be as sure as those that
            say which order is the best; None for `draws`.
        margin: points that are not worth having; None for MARGIN_POINTS or MARGIN_SHARE.

    Raises:
        ValueError: a shape is wrong, or no draw has an order that can be followed.
    """
    if draws.ndim != 2 or draws.shape[1] != len(ids) or not len(draws):
        raise ValueError(f"expected draws (S, {len(ids)}), got {draws.shape}")
    priced = draws if price_draws is None else price_draws
    values = draws if feasible is None else np.where(feasible, draws, -np.inf)
    values = values[np.isfinite(values).any(axis=1)]
    if not len(values):
        raise ValueError("no order can be followed in any of the draws")
    stands_for = np.ones(len(ids)) if weights is None else weights
    best_of_all = int(_means(values).argmax()) if recommended is None else _column(ids, recommended)
    unit_types = space.unit_types
    pairs = list(combinations(range(len(unit_types)), 2))
    ahead = pairs_ahead(space.permutations[ids])
    agrees = ahead == ahead[best_of_all]  # (K, P) whether an order has a pair as the recommended one has it
    tested = [None if contests is None else bool(contests[a, b] + contests[b, a] > 0) for a, b in pairs]

    best = values.argmax(axis=1)
    claimed = _claims(agrees[best], tested)
    fits = agrees[:, claimed].all(axis=1)
    tied = _tied(values, best, best_of_all, fits)
    common = agrees[tied].all(axis=0)

    num_types = len(unit_types)
    known = np.zeros((num_types, num_types), np.bool_)
    for pair, (a, b) in enumerate(pairs):
        if common[pair]:
            known[(a, b) if ahead[best_of_all, pair] else (b, a)] = True
    closure = _closure(known)
    tied_like = agrees[:, common].all(axis=1)
    precedences, open_pairs, edges = [], [], []
    for pair, (a, b) in enumerate(pairs):
        before, after = (a, b) if ahead[best_of_all, pair] else (b, a)
        names = unit_types[before], unit_types[after]
        if closure[before, after] and (closure[before] & closure[:, after]).any():
            continue  # it follows from others
        if closure[before, after]:
            probability = float(agrees[best, pair].mean())
            edges.append((pair, names, probability))
            continue
        _, low, high = _best_apart(values, agrees[:, pair])
        average = _average(priced, tied_like & agrees[:, pair], tied_like & ~agrees[:, pair], stands_for)
        open_pairs.append(
            OpenPair(first=names[0], second=names[1], low=low, high=high, tested=tested[pair], average=average)
        )
    turned_edges = [pair for pair, _, _ in edges]
    for pair, names, probability in edges:
        others = [one for one in turned_edges if one != pair]
        turned = agrees[:, others].all(axis=1) & ~agrees[:, pair]
        if not turned.any():  # none of these was drawn
            turned = ~agrees[:, pair]
        can = feasible is None or bool(feasible[:, turned].mean() >= 0.5)
        cost = _average(priced, tied_like, turned, stands_for) if can else None
        precedences.append(_precedence(names, probability, cost, tested[pair]))
    level = float(_means(values)[best_of_all])
    order = space.unrank(int(ids[best_of_all]))
    return OrderAnswer(
        unit_types=unit_types,
        recommended=order,
        num_orders=len(space),
        tied_orders=min(len(space), round(float(stands_for[tied].sum()))),  # the drawn stand for the others by estimate
        tied=tuple(ids[tied].tolist()),
        precedences=tuple(sorted(precedences, key=lambda one: _by_worth(one, order))),
        open_pairs=tuple(open_pairs),
        margin=max(MARGIN_POINTS, MARGIN_SHARE * abs(level)) if margin is None else margin,
    )


def _claims(agrees: NDArray[np.bool_], tested: Sequence[bool | None]) -> list[int]:
    """The pairs (S, P) that are claimed: the surest that the best order has together with probability LEVEL."""
    shares = agrees.mean(axis=0)
    together, claimed = np.ones(len(agrees), np.bool_), []
    for pair in sorted(range(len(shares)), key=lambda pair: (tested[pair] is False, -shares[pair])):
        if (together & agrees[:, pair]).mean() >= LEVEL:
            together &= agrees[:, pair]
            claimed.append(pair)
    return claimed


def _tied(values: Floats, best: NDArray[np.intp], recommended: int, fits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(K,) which orders cannot be told from the best, of those that have what is claimed."""
    as_good = (values >= values[:, [recommended]]).mean(axis=0) > 1 - LEVEL
    chances = np.where(fits, np.bincount(best, minlength=values.shape[1]) / len(values), 0.0)
    likeliest = np.argsort(-chances, kind="stable")
    needed = int(np.searchsorted(np.cumsum(chances[likeliest]), LEVEL - 1e-9)) + 1
    tied: NDArray[np.bool_] = as_good & fits
    tied[likeliest[:needed]] = fits[likeliest[:needed]]
    tied[recommended] = True
    return tied


def _best_apart(values: Floats, agrees: NDArray[np.bool_]) -> Range:
    """What the best order with a pair so is better than the best with it turned; infinite where only one can be."""
    if agrees.all():
        return Range(np.inf, np.inf, np.inf)
    return _range(values[:, agrees].max(axis=1) - values[:, ~agrees].max(axis=1))


def _average(draws: Floats, better: NDArray[np.bool_], worse: NDArray[np.bool_], weights: Floats) -> Range:
    """What some orders (K,) are better than others (K,) on average, followed or not; infinite where there are none."""
    if not (better.any() and worse.any()):
        return Range(np.inf, np.inf, np.inf)
    shares = [np.where(group, weights, 0.0) / weights[group].sum() for group in (better, worse)]
    return _range(draws @ (shares[0] - shares[1]))


def _range(difference: Floats) -> Range:
    """Mean and interval of a difference, of whose draws some may be infinite."""
    low, high = np.quantile(difference, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    finite = difference[np.isfinite(difference)]
    mean = float(finite.mean()) if 2 * len(finite) >= len(difference) else float(np.median(difference))
    return Range(mean, float(low), float(high))


def _precedence(names: Pair, probability: float, cost: Range | None, tested: bool | None) -> Precedence:
    mean, low, high = (None, None, None) if cost is None else cost
    return Precedence(
        before=names[0],
        after=names[1],
        probability=probability,
        cost=mean,
        cost_low=low,
        cost_high=high,
        tested=tested,
    )


def _by_worth(one: Precedence, order: Order) -> tuple[float, int, int]:
    """The costliest first; of equals, as in the order."""
    return (-np.inf if one.cost is None else -one.cost), order.index(one.before), order.index(one.after)


def _closure(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n, n) what follows from who is known to come before whom."""
    closure = known.copy()
    for middle in range(len(known)):
        closure |= np.outer(closure[:, middle], closure[middle])
    return closure


def _means(values: Floats) -> Floats:
    """(K,) means of the draws in which an order can be followed; -inf where it mostly cannot."""
    can = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(can, values, 0.0).sum(axis=0) / can.sum(axis=0)
    return np.asarray(np.where(can.mean(axis=0) >= 0.5, means, -np.inf))


def _column(ids: NDArray[np.int64], rank: int) -> int:
    found = np.flatnonzero(ids == rank)
    if not len(found):
        raise ValueError(f"order {rank} is recommended, but was not drawn")
    return int(found[0])
