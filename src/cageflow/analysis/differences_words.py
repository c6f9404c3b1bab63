"""What a landscape says of its orders, in sentences."""

from __future__ import annotations

import math

from cageflow.analysis.answer_words import MOST_NAMED, points
from cageflow.evaluation.statistics import ALPHA, Estimate
from cageflow.measure.differences import Differences, PairEffect
from cageflow.scenario.orders import show_order

MOST_PAIRS = 4


def heading(found: Differences) -> str:
    """The answer in one line: no order is to be followed for having come out best, where that may be chance."""
    spread = found.spread
    if math.isnan(spread.p):
        return "Whether the orders differ is not known: each was trained once"
    if not spread.differs:
        return "No difference between the orders is shown"
    named = [f"{pair.before} before {pair.after}" for pair in found.pairs if pair.p < ALPHA][:MOST_NAMED]
    return (
        f"The orders differ: fix {', '.join(named)}" if named else "The orders differ, and no pair of types carries it"
    )


def sentences(found: Differences) -> tuple[str, ...]:
    """All that is to be said: whether orders differ, what carries it, the best and the median, and plain PPO."""
    words = [_differ(found)]
    if found.spread.differs or math.isnan(found.spread.p):
        words += _carried(found)
    words.append(_best(found))
    if found.plain is not None:
        words.append(_beside_plain(found))
    words += _more_beside(found)
    return tuple(words)


def _differ(found: Differences) -> str:
    spread = found.spread
    if math.isnan(spread.p):
        return "One training an order: whether orders differ by more than chance is not known."
    low, high = spread.between_interval
    test = f"F({spread.dof[0]}, {spread.dof[1]}) = {spread.f:.2f}, {_p(spread.p)}"
    verdict = "The orders differ" if spread.differs else "No difference between orders is shown"
    where = ", in points at the median order (compared by the logarithm of the gap to the best)" if found.is_log else ""
    return (
        f"{verdict}: {test}; deviation between orders {points(spread.between)} ({points(low)} to {points(high)}), "
        f"between trainings of one order {points(spread.within)}{where}."
    )


def _carried(found: Differences) -> list[str]:
    """The pairs that carry the difference, if any do."""
    named = [pair for pair in found.pairs if pair.p < ALPHA][:MOST_PAIRS]
    if not named:
        return ["No pair of types alone carries it."] if found.pairs and found.spread.differs else []
    listed = ", ".join(map(_pair, named))
    return [f"It is carried by {listed}; the pairs together explain {found.explained:.0%} of it."]


def _pair(pair: PairEffect) -> str:
    low, high = pair.worth.interval()
    return f"{pair.before} before {pair.after} ({points(pair.worth.mean)} points, {points(low)} to {points(high)})"


def _best(found: Differences) -> str:
    best = found.prices[0]
    words = f"Best is {show_order(best.order)}, {best.reward.mean:.2f}"
    if found.best is not None:
        words += f" by the trainings that made it the best and {found.best.mean:.2f} by others{_within(found.best)}"
    return f"{words}; the median order comes to {found.median:.2f}, the worst to {found.prices[-1].reward.mean:.2f}."


def _beside_plain(found: Differences) -> str:
    assert found.plain is not None, "there is plain PPO to stand beside"
    words = f"Plain PPO comes to {found.plain.mean:.2f}{_within(found.plain)}"
    gains = [one.gain for one in found.prices if one.gain is not None]
    better, worse = (
        sum(gain.interval().low > 0 for gain in gains),
        sum(gain.interval().high < 0 for gain in gains),
    )
    words += f": {better} of {len(gains)} orders are better and {worse} are worse by more than chance"
    if found.best_over_plain is not None:
        low, high = found.best_over_plain.interval()
        words += f", and the best is worth {found.best_over_plain.mean:+.2f} ({low:+.2f} to {high:+.2f})"
    return f"{words}."


def _more_beside(found: Differences) -> list[str]:
    """The order by worth, and plain PPO that was trained for longer."""
    words = []
    if found.by_worth is not None:
        reward = found.by_worth.reward
        order, came_to = show_order(found.by_worth.order), f"{reward.mean:.2f}{_within(reward)}"
        better = sum(one.reward.mean > reward.mean for one in found.prices)
        rank = f"{better} of the {len(found.prices)} orders came to more"
        words.append(f"The order by worth, {order}, comes to {came_to}; {rank}.")
    if found.longer is not None:
        episodes, reward = found.longer
        words.append(f"With {episodes:,} episodes plain PPO comes to {reward.mean:.2f}{_within(reward)}.")
    return words


def _within(one: Estimate) -> str:
    return f" (±{points(one.half_width())})" if math.isfinite(one.se) else ""


def _p(p: float) -> str:
    return f"p = {p:.2g}" if p >= 1e-12 else "p < 1e-12"
