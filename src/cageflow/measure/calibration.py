"""Whether the process knows how much it does not know: held-out orders of a landscape against its predictions."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.measure.replay import Replay
from cageflow.search.landscape import Landscape
from cageflow.search.strategies import KernelName
from cageflow.search.trial import TrialResult
from cageflow.work.pool import do_all

Quantity = Literal["reward", "compliance", "log-gap"]
"""What is foretold; `log-gap` is the reward on the scale of the model of curves, see `search.scale`."""
CURVES = "curves"
"""Stands for the model of curves where a kernel is named."""

TRAINING_SIZES = (10, 20, 40, 80)
"""Orders that the process is told of, as far as the landscape has so many and five more."""
LEAST_HELD_OUT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How often held-out orders lay where the process expected them.

    A Normal distribution has 68.3 % within one deviation and 95.4 % within two.

    Attributes:
        quantity: what was foretold: the reward of feasible orders, in points or on a scale, or the compliance of all.
        kernel: of the process, as asked for; CURVES for the model of curves.
        training_orders: orders that it was told of, with one training each.
        held_out: orders that it was asked about in each split.
        splits: how often the orders were split anew, at random.
        within_1: share of observed values within one predictive deviation, the noise of a training included.
        within_2: within two.
        mean_within_1: the same for the means of the orders' trainings, whose noise is less.
        mean_within_2: within two.
        explained: 1 - mean square error / variance of the held-out means; 0 or less if it knows nothing of new orders.
    """

    quantity: Quantity
    kernel: str
    training_orders: int
    held_out: int
    splits: int
    within_1: float
    within_2: float
    mean_within_1: float
    mean_within_2: float
    explained: float

    def error(self, share: float) -> float:
        """Binomial standard error of a share. Splits reuse the same orders, so only the orders of one of them count."""
        return float(np.sqrt(share * (1 - share) / self.held_out))


def measure_calibration(
    landscape: Landscape,
    kernels: Sequence[KernelName],
    *,
    compliance_threshold: float,
    splits: int,
    seed: int,
    curves: bool = False,
    executor: Executor | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Calibration]:
    """Fit the process to one training of some orders, and compare what it says of the others with what they came to.

    All figures are of the landscape itself: nothing is drawn but which orders are told and which of their trainings.
    The process on reward sees feasible orders only, as it does in a search. Of a landscape in rungs the last counts.

    Args:
        landscape: complete.
        kernels: kernels to compare.
        compliance_threshold: for which orders are feasible.
        splits: how often orders are split at random, at least 1.
        seed: at least 0.
        curves: measure the model of curves, too, on rewards: in points, and on its scale.
        executor: who does the work; None to do it here.
        on_progress: called with the parts done and to be done in all.

    Raises:
        UserError: a number is out of its range, or the landscape cannot be replayed.
        WorkerError: workers died again and again.
    """
    if splits < 1:
        raise UserError(f"splits is {splits}: it must be at least 1")
    replay = Replay.of(landscape, compliance_threshold)
    feasible = np.flatnonzero(replay.feasible)
    pools: list[tuple[Quantity, NDArray[np.int64], Sequence[str]]] = [
        ("reward", feasible, [*kernels, CURVES] if curves else kernels),
        ("log-gap", feasible, [CURVES] if curves else []),
        ("compliance", np.arange(len(replay.space)), kernels),
    ]
    tasks = [
        (replay, quantity, kernel, pool, size, splits, seed)
        for quantity, pool, models in pools
        for size in TRAINING_SIZES
        if size + LEAST_HELD_OUT <= len(pool)
        for kernel in models
    ]
    return do_all(_calibrate, tasks, _name, executor, on_progress)


_Task = tuple[Replay, Quantity, str, NDArray[np.int64], int, int, int]
"""The landscape, what of it is foretold, by which model, of which orders, how many it is told, how often, the seed."""


def _name(task: _Task) -> str:
    _, quantity, kernel, _, size, _, _ = task
    return f"the calibration of {kernel} on the {quantity} of {size} orders"


@dataclass(frozen=True, slots=True)
class _Foretold:
    """What a model says of all orders.

    Attributes:
        values: (W, S) what they came to, in the unit that is foretold.
        errors: (W, S) standard errors of these.
        mean: (W,) of the true values.
        std: (W,) of the same.
        training_noise: (W,) variance between trainings of an order.
    """

    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    training_noise: NDArray[np.float64]


def _calibrate(task: _Task) -> Calibration:
    replay, quantity, kernel, pool, size, splits, seed = task
    num_seeds = replay.reward.shape[1]
    one, many, residuals, spreads = [], [], [], []
    for split in range(splits):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(split, size)))
        order = rng.permutation(pool)
        seeds = rng.integers(num_seeds, size=len(replay.space))
        told, asked = order[:size], order[size:]
        model = _foretell(replay, quantity, kernel, told, seeds[told])
        mean, std = model.mean[asked], model.std[asked]
        training_noise = model.training_noise[asked]
        noise = training_noise + model.errors[asked, seeds[asked]] ** 2
        noise_of_mean = (training_noise + (model.errors[asked] ** 2).mean(axis=1)) / num_seeds
        means = model.values[asked].mean(axis=1)
        one.append(np.abs(model.values[asked, seeds[asked]] - mean) / np.sqrt(std**2 + noise))
        many.append(np.abs(means - mean) / np.sqrt(std**2 + noise_of_mean))
        residuals.append((means - mean) ** 2)
        spreads.append((means - means.mean()) ** 2)
    return Calibration(
        quantity=quantity,
        kernel=kernel,
        training_orders=size,
        held_out=len(pool) - size,
        splits=splits,
        within_1=float((np.concatenate(one) <= 1).mean()),
        within_2=float((np.concatenate(one) <= 2).mean()),
        mean_within_1=float((np.concatenate(many) <= 1).mean()),
        mean_within_2=float((np.concatenate(many) <= 2).mean()),
        explained=1 - float(np.sum(residuals)) / max(float(np.sum(spreads)), np.finfo(float).tiny),
    )


def _foretell(
    replay: Replay, quantity: Quantity, kernel: str, told: NDArray[np.int64], seeds: NDArray[np.int64]
) -> _Foretold:
    """Fit a model to one training each of some orders."""
    from cageflow.search import surrogate  # imports Numba

    values = replay.compliance if quantity == "compliance" else replay.reward
    errors = replay.compliance_se if quantity == "compliance" else replay.reward_se
    orders = [replay.space.unrank(int(i)) for i in told]
    if kernel != CURVES:
        process = surrogate.fit_surrogate(
            replay.space,
            orders,
            values[told, seeds].tolist(),
            errors[told, seeds].tolist(),
            surrogate.COMPLIANCE_PRIOR if quantity == "compliance" else surrogate.REWARD_PRIOR,
            cast(KernelName, kernel),
        )
        mean, std = process.posterior()
        noise = np.full(len(mean), process.scale**2 * process.training_noise)
        return _Foretold(values, errors, mean, std, noise)
    from cageflow.numerics.linear import exps
    from cageflow.search.curves import fit_curves

    belief = fit_curves(
        replay.space,
        [
            TrialResult(
                order=order,
                reward=float(values[i, seed]),
                reward_se=float(errors[i, seed]),
                compliance=1.0,
                episodes=1,
                total_episodes=1,
                ending="replay",
                seconds=0.0,
            )
            for order, i, seed in zip(orders, told, seeds, strict=True)
        ],
        full_episodes=None,
    )
    value, deviation = belief.values()
    scale, noise = belief.scale, np.full(len(value), belief.training_variance)
    if quantity == "log-gap":
        return _Foretold(scale.to_value(values), errors * scale.slope(values), value, deviation, noise)
    mean, std = belief.posterior()
    gap = scale.best + scale.unit - mean  # trainings differ by factors of it
    return _Foretold(values, errors, mean, std, gap**2 * (exps(noise) - 1))
