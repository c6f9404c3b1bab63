"""What is expected of the orders without a model of them: means of their trials."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cageflow.scenario.orders import OrderSpace
from cageflow.search.rungs import Rungs, Training
from cageflow.search.trial import History


def mean_belief(space: OrderSpace, history: History, rungs: Rungs = ()) -> NDArray[np.float64]:
    """(W,) what is expected of the orders without a model of them: the means of their trials at the furthest rung.

    In rungs an order that was not carried to the full budget is taken to gain as much on the rest of its way as the
    others did on average. Of an order without a trial the mean of the others is expected.
    """
    if not rungs:
        by_order: dict[int, list[float]] = {}
        for trial in history:
            by_order.setdefault(space.rank(trial.order), []).append(trial.reward)
        return _filled(space, by_order)
    by_training: dict[Training, dict[int, float]] = {}
    for trial in history:
        by_training.setdefault((trial.order, trial.training), {})[trial.total_episodes] = trial.reward
    ahead = dict.fromkeys(rungs, 0.0)  # what a training gains from a rung to the full budget
    for low, high in reversed([*pairwise(rungs)]):
        gains = [curve[high] - curve[low] for curve in by_training.values() if low in curve and high in curve]
        ahead[low] = ahead[high] + (float(np.mean(gains)) if gains else 0.0)
    furthest: dict[int, tuple[int, list[float]]] = {}
    for (order, _), curve in by_training.items():
        rung, rank = max(curve), space.rank(order)
        known, values = furthest.get(rank, (0, []))
        if rung > known:
            furthest[rank] = (rung, [curve[rung] + ahead[rung]])
        elif rung == known:
            values.append(curve[rung] + ahead[rung])
    return _filled(space, {rank: values for rank, (_, values) in furthest.items()})


def _filled(space: OrderSpace, by_order: dict[int, list[float]]) -> NDArray[np.float64]:
    """(W,) means of the values of each order; of those without any the mean of the others, 0 without any at all."""
    means = {rank: float(np.mean(values)) for rank, values in by_order.items()}
    belief = np.full(len(space), float(np.mean(list(means.values()))) if means else 0.0)
    belief[list(means)] = list(means.values())
    return belief
