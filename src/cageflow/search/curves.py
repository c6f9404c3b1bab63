"""What trainings of different lengths say of every order at the full budget.

Rewards are taken on a scale of factors (`scale`), and their learning curves by a Gaussian model (`curve_model`).
Whether orders differ at all is left open: a model in which they do and one in which they do not are both set to the
data, and what is believed is their mixture, weighed by the probability of the data under each.

Importing this module imports Numba, so the rest of the search imports it where it is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cageflow.numerics.chance import normal_numbers
from cageflow.numerics.linear import cholesky, exps, logs, product
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search.ahead import AheadKernel
from cageflow.search.curve_model import Data, Fit, Params, Points, Process, priors
from cageflow.search.scale import Scale
from cageflow.search.trial import History, TrialRequest, TrialResult

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PRIOR_OF_DIFFERENCE = 0.4
"""Probability that orders differ before any trial has told."""
LEAST_WEIGHT = 1e-6
"""A model less probable than that is left out."""
LEAST_NOISE = 1e-6
"""Variance of the evaluation noise that is taken where a standard error is 0."""
SAMPLE_JITTER = 1e-9
"""Added to variances before a joint draw, whose covariance may be singular to rounding."""
PARAMETER_PAIRS, PARAMETER_SEED = 8, 0
"""Pairs of likely parameters that stand for all, and what they are drawn with."""
RELEARN_FROM, RELEARN_EACH = 12, 1.12
"""Parameters are set anew after each trial up to the twelfth, and then whenever there are an eighth more."""

Models = tuple[tuple[Params, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What is believed of every order's reward at the full budget, in the mean over its trainings.

    Attributes:
        space: the W orders.
        scale: between rewards and values.
        center: value that the processes count from.
        full_episodes: the full budget; None where every trial counts as being at it.
        processes: the models that are left, given the data.
        weights: their probabilities.
    """

    space: OrderSpace = field(repr=False)
    scale: Scale
    center: float
    full_episodes: int | None
    processes: tuple[Process, ...] = field(repr=False)
    weights: tuple[float, ...]

    def posterior(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation (W,) of the rewards, float64, in points. Without trials: the prior."""
        parts = [
            self.scale.to_reward(self.center + one.mean - one.params.training / 2, one.variance)
            for one in self.processes
        ]
        return _mixed(self.weights, [mean for mean, _ in parts], [std * std for _, std in parts])

    def values(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation (W,) of the values on the scale, without the noise of a training."""
        return _mixed(
            self.weights, [self.center + one.mean for one in self.processes], [one.variance for one in self.processes]
        )

    @property
    def training_variance(self) -> float:
        """Variance between trainings of an order at the full budget, on the scale."""
        return sum(w * one.params.training for w, one in zip(self.weights, self.processes, strict=True))

    def sample(self, rng: np.random.Generator, ids: Ints, size: int | None = None) -> Floats:
        """Draw the rewards of the orders of ranks (K,) together: (K,), or (size, K) of several draws, in points."""
        count = 1 if size is None else size
        points = Points(np.asarray(ids), np.full(len(ids), -1), np.zeros(len(ids)))
        shares = np.cumsum(self.weights)
        which = np.minimum(np.searchsorted(shares, rng.random(count)), len(self.processes) - 1)
        chance = normal_numbers(count * len(ids), rng.random).reshape(count, len(ids))
        draws = np.empty((count, len(ids)))
        for number, process in enumerate(self.processes):
            drawn = which == number
            if drawn.any():
                covariance = process.covariance(points, points)
                root = cholesky((covariance + covariance.T) / 2 + SAMPLE_JITTER * np.eye(len(ids)))
                value = self.center + process.mean[ids] + product(chance[drawn], root)
                draws[drawn] = self.scale.to_reward(value - process.params.training / 2, np.zeros_like(value))[0]
        return draws[0] if size is None else draws


def fit_curves(
    space: OrderSpace,
    history: History,
    full_episodes: int | None,
    pending: Sequence[TrialRequest] = (),
    learn_from: int | None = None,
    weigh_parameters: bool = False,
) -> Belief:
    """What trials say of all orders. The same trials give the same belief.

    Args:
        space: all orders that there are.
        history: the trials that have ended, at whatever lengths.
        full_episodes: the length that is judged, at least 1; None to count every trial as a training of that length.
        pending: trials under way: it is taken that they come out at their mean, so that only deviations change.
        learn_from: how many of the first trials the parameters are set by; None for all. See `enough_to_learn_from`.
        weigh_parameters: to believe the mixture over PARAMETER_PAIRS x 2 likely parameters of each model, and not the
            most probable alone. It costs as many times as much, so a search chooses without; what is said in the end
            of how sure one is needs it.
    """
    history = tuple(history)
    kernel = AheadKernel(len(space.unit_types))
    bits = kernel.bits(space)
    scale = _scale(history)
    data, center = _data(space, history, full_episodes, scale)
    params = _params(space, history[:learn_from], full_episodes, weigh_parameters)
    processes = [Process.of(kernel, bits, one, data) for one, _ in params]
    if pending:
        waiting = _waiting(space, pending, full_episodes)
        noise = np.full(len(pending), float(np.median(data.noise)) if len(data.noise) else LEAST_NOISE)
        points, noise = data.points.then(waiting), np.concatenate([data.noise, noise])
        processes = [
            Process.of(
                kernel,
                bits,
                one.params,
                Data(points, np.concatenate([data.value, one.mean_at(waiting)]), noise),
            )
            for one in processes
        ]
    return Belief(
        space=space,
        scale=scale,
        center=center,
        full_episodes=full_episodes,
        processes=tuple(processes),
        weights=tuple(weight for _, weight in params),
    )


def steps_tell(belief: Belief, order: Order, trainings: Sequence[int], episodes: Sequence[int]) -> Floats:
    """(K,) how much the variance of an order's value at the full budget lessens by judging trainings of it.

    Args:
        belief: of all orders.
        order: whose value it is.
        trainings: (K,) which of its trainings; one that there is not yet begins.
        episodes: (K,) at what length each is judged.
    """
    rank = belief.space.rank(order)
    one = np.array([rank])
    sought = Points(one, np.array([-1]), np.zeros(1))
    told = np.zeros(len(trainings))
    for weight, process in zip(belief.weights, belief.processes, strict=True):
        for i, (training, length) in enumerate(zip(trainings, episodes, strict=True)):
            step = Points(one, np.array([training_number(rank, training)]), shortness([length], belief.full_episodes))
            of_step = float(process.covariance(step, step)[0, 0]) + LEAST_NOISE
            told[i] += weight * float(process.covariance(sought, step)[0, 0]) ** 2 / of_step
    return told


def enough_to_learn_from(num_trials: int) -> int:
    """How many of so many trials the parameters are to be set by, so that they are set again only now and then.

    A function of the number alone, so that a search that is resumed goes on as it would have.
    """
    enough = RELEARN_FROM
    while num_trials > enough and int(enough * RELEARN_EACH) + 1 <= num_trials:
        enough = int(enough * RELEARN_EACH) + 1
    return min(enough, num_trials)


def shortness(episodes: Sequence[int], full_episodes: int | None) -> Floats:
    """(N,) decades that numbers of episodes are below the full budget, 0 from it on."""
    if full_episodes is None:
        return np.zeros(len(episodes))
    share = np.minimum(np.asarray(episodes, np.float64) / full_episodes, 1.0)
    return -logs(share) / float(logs(np.array([10.0]))[0])


def training_number(rank: int, training: int) -> int:
    """One number for a training of an order."""
    return (rank << 20) + training


def _differ(kernel: AheadKernel) -> tuple[bool, ...]:
    """Of each model, whether orders differ in it: where there is but one order they cannot."""
    return (True, False) if kernel.num_rates else (False,)


@lru_cache(maxsize=32)
def _params(
    space: OrderSpace, history: tuple[TrialResult, ...], full_episodes: int | None, weigh_parameters: bool
) -> Models:
    """The parameters of the models that are left, each with its probability."""
    if not history:
        kernel = AheadKernel(len(space.unit_types))
        differ = _differ(kernel)
        shares = [PRIOR_OF_DIFFERENCE, 1 - PRIOR_OF_DIFFERENCE][-len(differ) :]
        return tuple(
            (Params.of(priors(kernel, one)[0]), share / sum(shares)) for one, share in zip(differ, shares, strict=True)
        )
    fits = _fits(space, history, full_episodes)
    weights = [1.0]
    if len(fits) > 1:
        odds = PRIOR_OF_DIFFERENCE / (1 - PRIOR_OF_DIFFERENCE)
        log_ratio = min(max(fits[1].log_evidence - fits[0].log_evidence, -600.0), 600.0)
        share = float(odds / (odds + exps(np.array([log_ratio]))[0]))
        weights = [share, 1 - share]
    left = [(fit, weight) for fit, weight in zip(fits, weights, strict=True) if weight > LEAST_WEIGHT]
    kept: list[tuple[Params, float]] = []
    for fit, weight in left:
        rng = np.random.default_rng(PARAMETER_SEED)
        params = fit.likely(PARAMETER_PAIRS, rng.random) if weigh_parameters else (fit.params,)
        kept += [(one, weight / len(params)) for one in params]
    return tuple((one, weight / sum(w for _, w in kept)) for one, weight in kept)


@lru_cache(maxsize=32)
def _fits(space: OrderSpace, history: tuple[TrialResult, ...], full_episodes: int | None) -> tuple[Fit, ...]:
    """The models, each at its most probable parameters: the dear part of both beliefs that an answer is made of."""
    kernel = AheadKernel(len(space.unit_types))
    data, _ = _data(space, history, full_episodes, _scale(history))
    return tuple(Fit.of(kernel, kernel.bits(space), data, one) for one in _differ(kernel))


def _scale(history: History) -> Scale:
    """From how the trainings were judged last."""
    latest = list({(trial.order, trial.training): trial for trial in history}.values())
    return Scale.of(np.array([trial.reward for trial in latest]), np.array([trial.reward_se for trial in latest]))


def _data(space: OrderSpace, history: History, full_episodes: int | None, scale: Scale) -> tuple[Data, float]:
    """Trials as observations, and the mean that their values are less."""
    ranks = [space.rank(trial.order) for trial in history]
    numbers = [
        i if full_episodes is None else training_number(rank, trial.training)
        for i, (rank, trial) in enumerate(zip(ranks, history, strict=True))
    ]
    short = shortness([trial.total_episodes for trial in history], full_episodes)
    rewards = np.array([trial.reward for trial in history])
    errors = np.array([trial.reward_se for trial in history])
    values = scale.to_value(rewards)
    center = float(values.mean()) if len(values) else 0.0
    noise = (errors * scale.slope(rewards)) ** 2 + LEAST_NOISE
    return Data(Points(np.array(ranks, np.int64), np.array(numbers, np.int64), short), values - center, noise), center


def _waiting(space: OrderSpace, pending: Sequence[TrialRequest], full_episodes: int | None) -> Points:
    """Where trials under way will end."""
    ranks = [space.rank(request.order) for request in pending]
    numbers = [training_number(rank, one.training) for rank, one in zip(ranks, pending, strict=True)]
    ends = [one.trained_episodes + (one.max_episodes or full_episodes or 0) for one in pending]
    return Points(np.array(ranks, np.int64), np.array(numbers, np.int64), shortness(ends, full_episodes))


def _mixed(weights: Sequence[float], means: Sequence[Floats], variances: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Mean and standard deviation (W,) of a mixture."""
    mean = np.zeros_like(means[0])
    for weight, one in zip(weights, means, strict=True):
        mean = mean + weight * one
    square = np.zeros_like(mean)
    for weight, one, variance in zip(weights, means, variances, strict=True):
        square = square + weight * (variance + (one - mean) ** 2)
    return mean, np.sqrt(square)
