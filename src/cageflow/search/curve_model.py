"""The Gaussian model of learning curves over orders: its parts, its parameters, and how they are set.

    value of a training of an order after n episodes = level + gain + order + training + evaluation noise

| part | prior covariance of two points of shortness s and t |
|---|---|
| level | LEVEL_VARIANCE |
| gain, the curve that all orders share | GAIN_VARIANCE (s t + min(s, t) / 2): a line with steps, 0 at the full budget |
| order | variance x correlation of the two orders x (exp(-fading (s + t)) + drift min(s, t)) |
| training, of the same training only | variance x (exp(-fading (s + t)) + drift min(s, t)) |

The shortness is the number of decades that a training is short of the full budget. Differences fade towards the
beginning, where all are alike bad, or grow, by `fading`; what else they are early than in the end wanders off from the
end, by `drift`. Source: Swersky, Snoek and Adams, "Freeze-thaw Bayesian optimization", arXiv:1406.3896, for a process
over the ends of curves; their sums of exponentials are replaced by Brownian paths back from the end, which ask for no
shape.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cageflow.numerics.chance import normal_numbers
from cageflow.numerics.linear import cholesky, exps, inverse, log_determinant, logs, product, solve
from cageflow.numerics.minimum import minimise
from cageflow.search.ahead import AheadKernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL_VARIANCE = 1.0
"""Prior variance of the level around the mean of the observed values: a factor of e in the gap."""
GAIN_VARIANCE = 4.0
"""Prior variance of the common gain over a decade of episodes; wide, since every training tells of it."""
TRAINING_PRIOR = (-2.12, 1.25)
"""Mean and deviation of the logarithm of the variance between trainings of an order at the full budget; median 0.12."""
ORDER_PRIOR = (-2.12, 1.0)
"""The same of the variance between orders, where they differ."""
DRIFT_PRIOR = (-1.2, 1.0)
"""The same of a drift per decade, in parts of the variance at the full budget; median 0.3."""
FADING_PRIOR = (0.6, 0.6)
"""Mean and deviation of the fading per decade."""
RATE_PRIOR = (-0.69, 1.0)
"""Mean and deviation of the logarithm of each rate of the kernel; median 0.5."""
BOUND_SDS = 4.0
"""Parameters stay within so many prior deviations, which keeps every matrix well conditioned."""
HESSIAN_STEP = 1e-4
LOG_2_PI = 1.8378770664093453
MOST_INFLATED = 2.0
"""A variance is raised by this factor at most for being known badly."""


@dataclass(frozen=True, slots=True)
class Points:
    """N places that have a value: a training at some length, or an order in the mean of all its trainings.

    Attributes:
        order: (N,) ranks of the orders.
        training: (N,) numbers, the same for the same training; -1 for the mean over trainings.
        short: (N,) shortness, decades of episodes below the full budget, 0 or more.
    """

    order: Ints
    training: Ints
    short: Floats

    def then(self, other: "Points") -> "Points":
        """These and others behind them."""
        return Points(
            np.concatenate([self.order, other.order]),
            np.concatenate([self.training, other.training]),
            np.concatenate([self.short, other.short]),
        )


@dataclass(frozen=True, slots=True)
class Data:
    """What was observed.

    Attributes:
        points: N of them.
        value: (N,) less their mean.
        noise: (N,) variances of their evaluation noise, above 0.
    """

    points: Points
    value: Floats
    noise: Floats


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of the model.

    Attributes:
        training: variance between trainings of an order at the full budget.
        training_drift: in parts of it, per decade.
        fading: per decade.
        order: variance between orders; 0 where they do not differ.
        order_drift: in parts of it, per decade.
        rates: (P,) of the kernel; (0,) where orders do not differ.
    """

    training: float
    training_drift: float
    fading: float
    order: float
    order_drift: float
    rates: Floats

    @classmethod
    def of(cls, numbers: Floats) -> "Params":
        """From fading and the logarithms of the others, as `priors` has them."""
        training, drift = exps(numbers[:2]).tolist()
        order, order_drift = exps(numbers[3:5]).tolist() if len(numbers) > 3 else (0.0, 0.0)
        return cls(training, drift, float(numbers[2]), order, order_drift, exps(numbers[5:]))


def priors(kernel: AheadKernel, differ: bool) -> tuple[Floats, Floats]:
    """Means and deviations of the numbers that the parameters are made from, for orders that differ or do not."""
    rows = [TRAINING_PRIOR, DRIFT_PRIOR, FADING_PRIOR]
    if differ:
        rows += [ORDER_PRIOR, DRIFT_PRIOR, *[RATE_PRIOR] * kernel.num_rates]
    means, sds = np.array(rows).T
    return means, sds


def common(a: Floats, b: Floats) -> Floats:
    """(N, K) prior covariance of level and gain at shortnesses (N,) and (K,)."""
    return np.asarray(LEVEL_VARIANCE + GAIN_VARIANCE * (np.multiply.outer(a, b) + 0.5 * np.minimum.outer(a, b)))


def course(fading: float, drift: float, a: Floats, b: Floats) -> Floats:
    """(N, K) covariance in time of what an order or a training adds, 1 at the full budget."""
    return np.asarray(exps(-fading * np.add.outer(a, b)) + drift * np.minimum.outer(a, b))


def prior_covariance(kernel: AheadKernel, bits: Floats, params: Params, a: Points, b: Points) -> Floats:
    """(N, K) prior covariance of the values at points; `bits` (W, P) are those of all orders."""
    total = common(a.short, b.short)
    if params.order:
        of_a, in_a = np.unique(a.order, return_inverse=True)
        of_b, in_b = np.unique(b.order, return_inverse=True)
        correlation = kernel.correlation(params.rates, bits[of_a], bits[of_b])[np.ix_(in_a, in_b)]
        total += params.order * correlation * course(params.fading, params.order_drift, a.short, b.short)
    same = (a.training[:, None] == b.training) & (a.training[:, None] >= 0)
    total += params.training * same * course(params.fading, params.training_drift, a.short, b.short)
    return total


@dataclass(frozen=True, slots=True)
class Fit:
    """Parameters set to data.

    Attributes:
        params: the parameters.
        log_evidence: logarithm of the density of the data, parameters integrated out by Laplace's approximation.
        best: (M,) the most probable numbers, as in `priors`, which `params` are made from.
        root: (M, M) of the Hessian there.
        lowest, highest: (M,) their bounds.
    """

    params: Params
    log_evidence: float
    best: Floats
    root: Floats
    lowest: Floats
    highest: Floats

    @classmethod
    def of(cls, kernel: AheadKernel, bits: Floats, data: Data, differ: bool) -> "Fit":
        """The most probable parameters; the two variances are then raised to about their posterior means.

        A variance that few data tell of may well be larger than the most probable one, which would make the model too
        sure of itself. The logarithm has a posterior deviation d, and the mean of a LogNormal number is exp(d^2 / 2)
        times its median.
        """
        means, sds = priors(kernel, differ)
        own = bits[np.unique(data.points.order)]
        apart = np.abs(own.T[:, :, None] - own.T[:, None, :]).reshape(kernel.num_rates, len(own) ** 2)
        objective = partial(loss, data=data, kernel=kernel, apart=apart, means=means, sds=sds)
        lowest, highest = means - BOUND_SDS * sds, means + BOUND_SDS * sds
        best, value = minimise(objective, means, lowest, highest, sds)
        here = objective(best)[1]
        steps = HESSIAN_STEP * np.eye(len(best))
        hessian = np.stack([objective(best + step)[1] - here for step in steps]) / HESSIAN_STEP
        root = _root((hessian + hessian.T) / 2, sds)
        log_evidence = -value + 0.5 * (len(best) * LOG_2_PI - log_determinant(root))
        spread = np.diagonal(inverse(root))
        raised = best.copy()
        for i in (0, 3) if differ else (0,):
            raised[i] += min(0.5 * float(spread[i]), float(logs(np.array([MOST_INFLATED]))[0]))
        return cls(Params.of(raised), log_evidence, best, root, lowest, highest)

    def likely(self, pairs: int, uniforms: Callable[[int], Floats]) -> tuple[Params, ...]:
        """Twice so many parameters that are as likely as not, each draw with the one opposite to it.

        By Laplace's approximation, within the bounds. They stand for what the most probable ones hide: few trials leave
        open how much a pair of types matters, and what depends on it is less sure than it seems.

        Args:
            pairs: at least 1.
            uniforms: gives that many independent numbers in [0, 1).
        """
        size = len(self.best)
        covariance = inverse(self.root)
        chance = product(
            normal_numbers(pairs * size, uniforms).reshape(pairs, size), cholesky((covariance + covariance.T) / 2)
        )
        drawn = np.clip(self.best + np.concatenate([chance, -chance]), self.lowest, self.highest)
        return tuple(map(Params.of, drawn))


def _root(hessian: Floats, sds: Floats) -> Floats:
    """The root of a Hessian. On a bound it need not be positive definite: then the prior's is added until it is."""
    prior, weight = np.diag(1.0 / (sds * sds)), 0.0
    while True:
        try:
            return cholesky(hessian + weight * prior)
        except np.linalg.LinAlgError:
            weight = 2.0 * weight + 1.0


def loss(
    numbers: Floats, data: Data, kernel: AheadKernel, apart: Floats, means: Floats, sds: Floats
) -> tuple[float, Floats]:
    """Negative logarithm of the density of data and parameters, and its gradient.

    Args:
        numbers: (M,) as in `priors`.
        data: N observations of m distinct orders.
        kernel: of the orders.
        apart: (P, m * m) of 0 and 1: which distinct orders, by rank, turn which pairs.
        means: (M,) of the prior.
        sds: (M,) of the prior.
    """
    params = Params.of(numbers)
    short, training = data.points.short, data.points.training
    size = len(short)
    least, faded = np.minimum.outer(short, short), exps(-params.fading * np.add.outer(short, short))
    same = (training[:, None] == training) * params.training
    of_training = same * (faded + params.training_drift * least)
    system = common(short, short) + of_training
    if params.order:
        _, index = np.unique(data.points.order, return_inverse=True)
        terms = kernel.terms(params.rates, apart)
        m = int(index.max()) + 1
        correlation = terms.sum(axis=0).reshape(m, m)[np.ix_(index, index)] * params.order
        of_order = correlation * (faded + params.order_drift * least)
        system = system + of_order
    system.flat[:: size + 1] += data.noise
    root = cholesky(system)
    solution = solve(root, data.value)
    surprise = (numbers - means) / sds
    value = 0.5 * (
        (data.value * solution).sum()
        + log_determinant(root)
        + (surprise * surprise).sum()
        + 2.0 * logs(sds).sum()
        + (size + len(sds)) * LOG_2_PI
    )
    by_system = 0.5 * (inverse(root) - np.multiply.outer(solution, solution))
    gradient = np.empty_like(numbers)
    by_faded = by_system * faded * same
    gradient[0] = (by_system * of_training).sum()
    gradient[1] = (by_system * same * least).sum() * params.training_drift
    if params.order:
        by_faded = by_faded + by_system * faded * correlation
        gradient[3] = (by_system * of_order).sum()
        gradient[4] = (by_system * correlation * least).sum() * params.order_drift
        of_pairs = by_system * params.order * (faded + params.order_drift * least)
        places = (index[:, None] * m + index).ravel()
        by_correlation = np.bincount(places, of_pairs.ravel(), m * m).astype(np.float64, copy=False)
        gradient[5:] = -params.rates * kernel.slopes(terms, apart, by_correlation)
    gradient[2] = -(by_faded * np.add.outer(short, short)).sum()
    return float(value), gradient + surprise / sds


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The model with its parameters, given data.

    Attributes:
        kernel: of the orders.
        bits: (W, P) of all orders.
        params: the parameters.
        data: what was observed.
        precision: (N, N) inverse of the covariance of what was observed.
        mean: (W,) of every order's value at the full budget, less the mean that the data were less.
        variance: (W,) of the same, without the noise of a training.
    """

    kernel: AheadKernel
    bits: Floats
    params: Params
    data: Data
    precision: Floats
    mean: Floats
    variance: Floats

    @classmethod
    def of(cls, kernel: AheadKernel, bits: Floats, params: Params, data: Data) -> "Process":
        """Condition on data, of which there may be none.

        An order at the full budget covaries with an observation by LEVEL_VARIANCE + order x correlation x
        exp(-fading x shortness), so all that is needed of all orders is their correlation with the distinct (m, W).
        """
        points, size = data.points, len(data.value)
        system = prior_covariance(kernel, bits, params, points, points)
        system.flat[:: size + 1] += data.noise
        precision = inverse(cholesky(system)) if size else system
        of_level = LEVEL_VARIANCE * precision.sum(axis=1)
        mean = np.full(len(bits), (of_level * data.value).sum())
        variance = np.full(len(bits), LEVEL_VARIANCE + params.order - LEVEL_VARIANCE * of_level.sum())
        if params.order and size:
            distinct, index = np.unique(points.order, return_inverse=True)
            spread = np.zeros((len(distinct), size))
            spread[index, np.arange(size)] = params.order * exps(-params.fading * points.short)
            correlation = kernel.correlation(params.rates, bits[distinct], bits)
            weights = product(spread, precision)
            mean += product((weights * data.value).sum(axis=1)[None], correlation)[0]
            variance -= product(2.0 * (spread * of_level).sum(axis=1)[None], correlation)[0]
            variance -= (correlation * product(product(weights, spread.T), correlation)).sum(axis=0)
        return cls(
            kernel=kernel,
            bits=bits,
            params=params,
            data=data,
            precision=precision,
            mean=mean,
            variance=np.maximum(variance, 1e-12),
        )

    def mean_at(self, points: Points) -> Floats:
        """(K,) posterior mean at points."""
        rows = prior_covariance(self.kernel, self.bits, self.params, points, self.data.points)
        return np.asarray((rows * (self.precision * self.data.value).sum(axis=1)).sum(axis=1))

    def covariance(self, a: Points, b: Points) -> Floats:
        """(N, K) posterior covariance of points."""
        prior = partial(prior_covariance, self.kernel, self.bits, self.params)
        explained = product(product(prior(a, self.data.points), self.precision), prior(self.data.points, b))
        return prior(a, b) - explained
