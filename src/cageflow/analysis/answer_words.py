"""The answer of a search in sentences, the same on the command line, in the report and in the model card."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cageflow.analysis.answer import Answer, Final, Gain, OneOrder, Trainings
from cageflow.analysis.precedences import OpenPair, OrderAnswer, Precedence, Range
from cageflow.scenario.orders import read_order, show_order

CERTAIN = 0.995
"""Probability from which it is called certain: to the nearest per cent it is 100."""
MOST_NAMED = 3
"""Precedences in a heading, and pairs that are named one by one."""


def heading(answer: Answer) -> str:
    """The answer in one line."""
    orders, gain = answer.orders, answer.over_plain
    if orders is None:
        return "No order was found that can be followed"
    is_better = gain is None or gain.is_better
    if not orders.precedences:
        return _without_turns(orders) if is_better else "No order was found better than none"
    named = orders.precedences[:MOST_NAMED]
    turns = _listed([f"{one.before} before {one.after}" for one in named])
    more = len(orders.precedences) - len(named)
    if more:
        turns += f", and {more} more"
    return f"Fix {turns}" if is_better else f"No order was found better than none; the best fix {turns}"


def sentences(answer: Answer) -> tuple[str, ...]:
    """All that is to be said, a sentence each: the turns, how many orders are tied, what is likely, and plain PPO."""
    orders = answer.orders
    if orders is None:
        none = "No order that was tried can be followed: none reached the compliance threshold."
        return (none, *_trained_on(answer))
    words = [_turns(orders)]
    if orders.num_orders > 1:
        words.append(tied(orders))
    if orders.tendencies:
        words.append(_tendencies(orders.tendencies))
    if answer.over_plain is not None:
        words.append(_beside_plain(answer, answer.over_plain))
    return (*words, *_trained_on(answer))


def tied(orders: OrderAnswer) -> str:
    """How many orders cannot be told from the best."""
    total = f"{orders.num_orders:,} orders"
    if orders.tied_orders == 1:
        return f"All other of the {total} can be told from the best, {show_order(orders.recommended)} (95 % credible)."
    if orders.tied_orders >= orders.num_orders:
        return f"None of the {total} can be told from the best (95 % credible)."
    number = "About " if orders.tied_orders > len(orders.tied) else ""
    return f"{number}{orders.tied_orders:,} of {total} cannot be told from the best (95 % credible)."


def points(value: float) -> str:
    """An amount of reward: whole from 10 on, two digits below 1."""
    size = abs(value)
    return f"{value:.{0 if size >= 9.95 else 1 if size >= 0.995 else 2}f}"


def one_turn(one: Precedence) -> str:
    """A precedence with its probability and its price."""
    return f"{one.before} before {one.after} ({', '.join(_facts(one))})"


def sureness(probability: float) -> str:
    """A probability in a word or in per cent."""
    return "certain" if probability >= CERTAIN else f"{probability:.0%}"


def price(one: Precedence) -> str:
    """What turning a precedence costs, in short: a figure only where it surely costs something."""
    if one.cost is None or one.cost_low is None or one.cost_high is None:
        return "turned it cannot be followed"
    if one.cost_high <= 0:
        return "among the best orders alone"
    return f"{points(one.cost)} points" if one.cost_low > 0 else "price open"


def _facts(one: Precedence) -> list[str]:
    untested = ["never tested"] if one.tested is False else []
    return [sureness(one.probability), _price_and_interval(one), *untested]


def _price_and_interval(one: Precedence) -> str:
    if one.cost is None or one.cost_low is None or one.cost_high is None or one.cost_high <= 0:
        return price(one)
    ends = f"{points(one.cost_low)} to {points(one.cost_high)}"
    return f"{price(one)}, {ends}" if one.cost_low > 0 else f"what turning it costs is not known: {ends}"


def _turns(orders: OrderAnswer) -> str:
    """Which type comes before which, and what is to be said of the other places."""
    if len(orders.unit_types) == 1:
        return f"There is one unit type, {orders.unit_types[0]}: nothing to put in order."
    rest = _rest(orders)
    if not orders.precedences:
        between = ":" if orders.tied_orders >= orders.num_orders else ";"
        return f"{_without_turns(orders)}{f'{between} {rest}' if rest else ''}."
    turns = ", ".join(map(one_turn, orders.precedences))
    return f"{turns}{f'; {rest}' if rest else ''}."


def _without_turns(orders: OrderAnswer) -> str:
    """What is to be said where the orders that may be the best have no turn in common."""
    if orders.tied_orders < orders.num_orders:
        return "No type is surely to be fixed before another, though some orders are worse than others"
    return "No order was found better than another"


def _rest(orders: OrderAnswer) -> str:
    """What is to be said of the places that are open."""
    places = "the other places" if orders.precedences else "the places"
    alike, unknown, untested = orders.alike, orders.unknown, _untested(orders)
    if not unknown:
        if not alike:
            return f"{places} were never tested: {untested}" if untested else ""
        does_not = f"{places} do not matter (within ±{points(_reach(alike))})"
        return f"{does_not} or were never tested: {untested}" if untested else does_not
    parts = []
    if alike:
        places = "the other places"
        pairs = _pairs([(one.first, one.second) for one in alike])
        parts.append(f"the turn of {pairs} does not matter (within ±{points(_reach(alike))})")
    reach = f" (±{points(_reach(unknown))})" if math.isfinite(_reach(unknown)) else ""
    parts.append(f"whether {places} matter is not known yet{reach}")
    if untested:
        parts.append(f"never tested: {untested}")
    return "; ".join(parts)


def _reach(pairs: Sequence[OpenPair]) -> float:
    """Points within which all of some pairs matter."""
    return max(pair.reach for pair in pairs)


def _untested(orders: OrderAnswer) -> str:
    """Types that were never to be fixed beside another, and pairs of others that never were at once."""
    types = orders.untested_types
    pairs = [pair for pair in orders.untested if not set(pair) & set(types)]
    return ", ".join([*types, *([_pairs(pairs)] if pairs else [])])


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """Pairs of types, and how many more where they are many."""
    named = ", ".join(f"{first} and {second}" for first, second in pairs[:MOST_NAMED])
    more = len(pairs) - MOST_NAMED
    return f"{named}, and {more} more {'pair' if more == 1 else 'pairs'}" if more > 0 else named


def _tendencies(found: Sequence[tuple[tuple[str, str], Range]]) -> str:
    """What holds on average, though not surely in the best orders."""
    named = [
        f"{before} before {after} ({points(one.mean)} points, {points(one.low)} to {points(one.high)})"
        for (before, after), one in found[:MOST_NAMED]
    ]
    more = f", and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"On average over the other places it is better to fix {', '.join(named)}{more}."


def _beside_plain(answer: Answer, gain: Gain) -> str:
    """The best order beside none."""
    plain = answer.plain
    assert plain is not None, "a gain over plain PPO is one over trainings of it"
    interval = f"{gain.low:+.1f} to {gain.high:+.1f}"
    what = f"plain PPO, which came to {plain.mean:.2f} with {plain.episodes:,} episodes"
    if plain.trainings > 1:
        what += f" (mean of {plain.trainings} trainings)"
    if gain.is_better:
        return f"The best order is worth {points(gain.mean)} points ({interval}) more than {what}."
    return f"No order was found better than none: the best is worth {gain.mean:+.1f} points ({interval}) beside {what}."


def _trained_on(answer: Answer) -> list[str]:
    """What became of the recommended order's policy, and what other ways to spend as many episodes came to."""
    words = []
    if answer.final is not None:
        words.append(_final(answer.final, answer.plain_long))
    if answer.one_order is not None:
        words.append(_one_order(answer.one_order))
    return words


def _final(final: Final, plain: Trainings | None) -> str:
    words = (
        f"Trained on with the last {final.episodes:,} episodes, its policy went from {final.before:.2f} ± "
        f"{final.before_se:.2f} to {final.after:.2f} ± {final.after_se:.2f}"
    )
    if plain is None:
        return f"{words}."
    several = f" (mean of {plain.trainings} trainings)" if plain.trainings > 1 else ""
    came = f"{plain.mean:.2f} ± {plain.evaluation_se:.2f}"
    return f"{words}; plain PPO came to {came} with all of {plain.episodes:,} episodes{several}."


def _one_order(one: OneOrder) -> str:
    """The order by worth, for which nothing has to be searched."""
    came = one.trainings
    what = f"One order throughout, {show_order(read_order(one.order))} by worth, came to {came.mean:.2f}"
    several = f" (mean of {came.trainings} trainings)" if came.trainings > 1 else ""
    return f"{what} with all of {came.episodes:,} episodes{several}."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
