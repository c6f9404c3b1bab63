"""An exact Gaussian process over workflow orders: what the trials so far say about every order.

The possible inputs are known: all orders of a space, 120 for five types and 40,320 for eight. Trials of one order are
pooled without loss, what is kept of an order that was not tried is its mean and its variance, and the process is a few
lines of linear algebra. It does what BoTorch's SingleTaskGP does with the same kernel and priors, in a tenth of the
time; the tests hold it against that. Every sum has its order, see `cageflow.numerics`; NumPy's own `sum` keeps one too,
its `@`, `exp` and `log` do not.

Importing this module imports Numba, so the rest of the search imports it where it is used.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cageflow.numerics.chance import normal_numbers
from cageflow.numerics.linear import (
    cholesky,
    exps,
    half_solve,
    inverse,
    log_determinant,
    log_normal_tails,
    logs,
    product,
    solve,
)
from cageflow.numerics.minimum import minimise
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search.kernels import KERNELS, OrderKernel
from cageflow.search.strategies import KernelName
from cageflow.search.trial import History

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]

LEVEL_VARIANCE = 1.0
"""Prior variance of the level of all orders around the mean of the observations, for standardised targets."""
OUTPUTSCALE_PRIOR = (0.0, 0.7)
"""Mean and deviation of log(outputscale): median 1, the variance of standardised targets; 95 % 0.25 to 3.9."""
TRAINING_NOISE_PRIOR = (-1.2039728043259361, 1.25)
"""Mean and deviation of log(training noise): median 0.3, 95 % 0.026 to 3.5; trainings of an order differ."""
BOUND_SDS = 5.0
"""Hyperparameters stay within so many prior deviations, which keeps every matrix well conditioned."""
LOG_2_PI = 1.8378770664093453
HESSIAN_STEP = 1e-4
"""Step of the differences of gradients, in logarithms of hyperparameters."""
SAMPLE_JITTER = 1e-8
"""Added to the variance of standardised values before a joint draw, whose covariance may be singular to rounding."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a quantity before any trial, in its own unit.

    Attributes:
        name: the quantity, for messages.
        mean: mean of every order while there is no observation; observations replace it by their own level.
        sd: standard deviation between orders while there are fewer than two observations.
        min_sd: least unit in which differences are measured once there are two; 0 where the unit is free.
    """

    name: str
    mean: float
    sd: float
    min_sd: float = 0.0


REWARD_PRIOR = Prior("reward", mean=0.0, sd=10.0)
"""Env returns of an episode: orders differ by some tens in 100 steps, less in fewer; two trials tell the true unit."""
COMPLIANCE_PRIOR = Prior("compliance", mean=0.5, sd=0.25, min_sd=0.05)
"""A share: two trials that happen to agree must not make the process sure of all orders to a tenth of a per cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrogate:
    """A fitted Gaussian process: what is believed of the true values of all orders; made by `fit_surrogate`.

    Attributes:
        space: the W orders.
        num_observations: observations that it has seen.
        kernel: name of its kernel in `KERNELS`.
        offset: mean of the observations, or the prior mean.
        scale: unit of the standardised values, in which all that follows is told.
        rates: (M,) rates of the kernel.
        outputscale: prior variance of an order around the level.
        training_noise: variance between trainings of one order, beyond the standard errors of their evaluations.
        evaluation_noise: median of the variances of the observations' evaluations; 0 without observations.
        told: (n,) int64 ranks of the orders that it has been told of.
        noise: (n,) variance of what it was told of each.
        mean: (W,) float64, means of the standardised values, less `offset`.
        variance: (W,) float64, their variances.
    """

    space: OrderSpace = field(repr=False)
    num_observations: int
    kernel: str
    offset: float
    scale: float
    rates: Floats
    outputscale: float
    training_noise: float
    evaluation_noise: float
    told: NDArray[np.int64]
    noise: Floats
    mean: Floats
    variance: Floats

    def posterior(self, orders: Sequence[Order] | None = None) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each order's true value, without the noise of a further trial.

        Args:
            orders: which ones; all of them, by rank, if None.

        Returns:
            mean (W,) and std (W,), float64, in the unit of the observations. Without observations: the prior.
        """
        ids = slice(None) if orders is None else _ids(self.space, orders)
        return self.offset + self.scale * self.mean[ids], self.scale * np.sqrt(self.variance[ids])

    def sample(self, rng: np.random.Generator, ids: NDArray[np.int64], size: int | None = None) -> Floats:
        """Draws of the true values of the orders of ranks (K,) together, in the unit of the data.

        Returns:
            (K,) of one draw, or (size, K) of so many.
        """
        prior = self._prior(ids, ids)
        rows = self._prior(self.told, ids)
        halves = half_solve(cholesky(self._observed()), rows)
        root = cholesky(prior - product(halves.T, halves) + SAMPLE_JITTER * np.eye(len(ids)))
        count = 1 if size is None else size
        chance = normal_numbers(count * len(ids), rng.random).reshape(count, len(ids))
        draws: Floats = self.offset + self.scale * (self.mean[ids] + product(chance, root))
        return draws[0] if size is None else draws

    def log_probability_of_reaching(self, threshold: float) -> Floats:
        """Natural logarithm of the probability that each order's true value is at least `threshold`, (W,) float64."""
        mean, std = self.posterior()
        z = (mean - threshold) / np.maximum(std, 1e-9 * self.scale)
        return log_normal_tails(z)

    def hallucinate(self, orders: Sequence[Order]) -> "Surrogate":
        """The process as it would be if a trial of each of `orders` came out at its mean.

        Hyperparameters and means stay, deviations shrink. A hallucinated trial has the learnt training noise and the
        median evaluation noise.
        """
        if not orders:
            return self
        told = np.concatenate([self.told, _ids(self.space, orders)])
        noise = np.concatenate([self.noise, np.full(len(orders), self.training_noise + self.evaluation_noise)])
        wider = replace(self, told=told, noise=noise)
        return replace(wider, variance=wider._posterior_variance())

    def _prior(self, a: NDArray[np.int64], b: "NDArray[np.int64] | slice") -> Floats:
        """Prior covariances (N, K) of orders by their ranks, the level's uncertainty included."""
        kernel, num_types = KERNELS[self.kernel], len(self.space.unit_types)
        bits = kernel.bits(self.space)
        prior: Floats = LEVEL_VARIANCE + self.outputscale * kernel.correlation(self.rates, bits[a], bits[b], num_types)
        return prior

    def _observed(self) -> Floats:
        """(n, n) covariance of what it was told."""
        return self._prior(self.told, self.told) + np.diag(self.noise)

    def _posterior_variance(self) -> Floats:
        """(W,) variances of the standardised values, given what it was told."""
        prior = LEVEL_VARIANCE + self.outputscale
        if not len(self.told):
            return np.full(len(self.space), prior)
        rows = self._prior(self.told, slice(None))
        halves = half_solve(cholesky(self._observed()), rows)
        left: Floats = np.maximum(prior - (halves * halves).sum(axis=0), 0.0)
        return left


def fit_reward(
    space: OrderSpace, trials: History, kernel: KernelName = "evidence", prior: Prior = REWARD_PRIOR
) -> Surrogate:
    """Fit the process on the rewards of trials; see `fit_surrogate`."""
    values, errors = [t.reward for t in trials], [t.reward_se for t in trials]
    return fit_surrogate(space, [t.order for t in trials], values, errors, prior, kernel)


def fit_compliance(
    space: OrderSpace, trials: History, kernel: KernelName = "evidence", prior: Prior = COMPLIANCE_PRIOR
) -> Surrogate:
    """Fit the process on the compliances of trials; a missing standard error counts as 0, the learnt noise stays."""
    values, errors = [t.compliance for t in trials], [t.compliance_se or 0.0 for t in trials]
    return fit_surrogate(space, [t.order for t in trials], values, errors, prior, kernel)


def fit_surrogate(
    space: OrderSpace,
    orders: Sequence[Order],
    values: Sequence[float],
    standard_errors: Sequence[float],
    prior: Prior,
    kernel: KernelName = "evidence",
) -> Surrogate:
    """Fit an exact Gaussian process to noisy values of orders.

    Value of a trial = level + f(order) + training noise + evaluation noise. The level is Normal and integrated out; f
    has a scaled kernel of `KERNELS`; the variance of the evaluation noise is known, the standard error squared. Rates,
    outputscale and training noise are set to the most probable values of their logarithms (quasi-Newton steps from the
    prior medians). The targets are standardised: less their mean, in units of their standard deviation, or of their
    median standard error where that is larger. The same data give the same process.

    With `evidence` all kernels are fitted, and the one with the greatest evidence is kept: the probability of the data
    with its hyperparameters integrated out, by Laplace's approximation around their most probable values.

    Args:
        space: all orders that there are.
        orders: N of them, repeats allowed.
        values: N finite observations, N >= 0.
        standard_errors: N standard errors of `values`, each finite and at least 0.
        prior: what holds where the data do not speak.
        kernel: name of a kernel in `KERNELS`, or `evidence`.

    Raises:
        ValueError: the lengths differ, or a number is not finite or negative where it must not be.
    """
    y = np.asarray(values, dtype=np.float64)
    se = np.asarray(standard_errors, dtype=np.float64)
    if not (y.shape == se.shape == (len(orders),)):
        raise ValueError(
            f"{prior.name}: expected as many values and standard errors as the {len(orders)} orders, "
            f"got {y.shape} and {se.shape}"
        )
    if not (np.isfinite(y).all() and np.isfinite(se).all() and (se >= 0).all()):
        raise ValueError(f"{prior.name}: values and standard errors must be finite, standard errors not negative")
    if len(y) == 0:
        return _without_observations(space, prior, next(iter(KERNELS)) if kernel == "evidence" else kernel)
    offset, scale = float(y.mean()), _unit(y, se, prior)
    data = _Data.of(_ids(space, orders), (y - offset) / scale, (se / scale) ** 2)
    if kernel == "evidence":
        fits = [(name, _Fit.of(space, data, candidate)) for name, candidate in KERNELS.items()]
        evidences = {
            name: round(fit.log_evidence(), 6) for name, fit in fits
        }  # of equals the first, whatever the digits
        name, fit = max(fits, key=lambda candidate: evidences[candidate[0]])
        logger.info("%s of %d trials: kernel %s, log evidence %s", prior.name, len(y), name, evidences)
    else:
        name, fit = kernel, _Fit.of(space, data, KERNELS[kernel])
    _, precisions, pooled = data.pool(fit.training_noise)
    process = Surrogate(
        space=space,
        num_observations=len(y),
        kernel=name,
        offset=offset,
        scale=scale,
        rates=fit.rates,
        outputscale=fit.outputscale,
        training_noise=fit.training_noise,
        evaluation_noise=float(np.median(data.variances)),
        told=data.ids,
        noise=1 / precisions,
        mean=np.empty(0),
        variance=np.empty(0),
    )
    weights = solve(cholesky(process._observed()), pooled)
    mean = product(weights[None], process._prior(data.ids, slice(None)))[0]
    return replace(process, mean=mean, variance=process._posterior_variance())


@dataclass(frozen=True, slots=True)
class _Data:
    """Standardised observations (N,), each of one of n distinct orders.

    Attributes:
        ids: (n,) int64 ranks of the distinct orders.
        groups: (N,) int, which of them an observation is of.
        targets: (N,) observations.
        variances: (N,) known variances of their noise.
    """

    ids: NDArray[np.int64]
    groups: NDArray[np.int64]
    targets: Floats
    variances: Floats

    @classmethod
    def of(cls, order_ids: NDArray[np.int64], targets: Floats, variances: Floats) -> "_Data":
        ids, groups = np.unique(order_ids, return_inverse=True)
        return cls(ids, groups, targets, variances)

    def pool(self, training_noise: float) -> tuple[Floats, Floats, Floats]:
        """Noise variances (N,), and for each order the precision (n,) and the value (n,) of its pooled observations.

        The pooled value is all that the observations of one order say of it.
        """
        noise = self.variances + training_noise
        precisions: Floats = np.bincount(self.groups, 1 / noise).astype(np.float64, copy=False)
        return noise, precisions, np.bincount(self.groups, self.targets / noise) / precisions


@dataclass(frozen=True, slots=True)
class _Fit:
    """A kernel with the most probable hyperparameters for some data.

    Attributes:
        objective: `_loss` of these data and this kernel, a function of the logarithms of the hyperparameters.
        log_params: (M + 2,) those of the rates, the outputscale and the training noise at its minimum.
        loss: the minimum.
    """

    objective: Callable[[Floats], tuple[float, Floats]]
    log_params: Floats
    loss: float

    @classmethod
    def of(cls, space: OrderSpace, data: _Data, kernel: OrderKernel) -> "_Fit":
        num_types = len(space.unit_types)
        means, sds = _log_param_prior(kernel, num_types)
        distances = kernel.distances(kernel.bits(space)[data.ids], num_types).reshape(len(means) - 2, -1)
        objective = partial(_loss, data=data, distances=distances, means=means, sds=sds)
        log_params, loss = minimise(objective, means, means - BOUND_SDS * sds, means + BOUND_SDS * sds, sds)
        return cls(objective, log_params, loss)

    @property
    def rates(self) -> Floats:
        return exps(self.log_params[:-2])

    @property
    def outputscale(self) -> float:
        return float(exps(self.log_params)[-2])

    @property
    def training_noise(self) -> float:
        return float(exps(self.log_params)[-1])

    def log_evidence(self) -> float:
        """Logarithm of the density of the data, hyperparameters integrated out by Laplace's approximation."""
        steps = HESSIAN_STEP * np.eye(len(self.log_params))
        here = self.objective(self.log_params)[1]
        hessian = np.stack([self.objective(self.log_params + step)[1] - here for step in steps]) / HESSIAN_STEP
        pivots = _pivots((hessian + hessian.T) / 2)
        return -self.loss + 0.5 * float((LOG_2_PI - logs(pivots)).sum())


def _pivots(matrix: Floats) -> Floats:
    """What is divided by when a symmetric matrix is eliminated; their product is the determinant.

    They are positive at a minimum. On a bound they need not be: there they count as 1, one prior deviation.
    """
    left, pivots = matrix.copy(), np.ones(len(matrix))
    for k in range(len(matrix)):
        if left[k, k] > 0.0:
            pivots[k] = left[k, k]
            left -= np.multiply.outer(left[k] / pivots[k], left[k])
    return pivots


def _log_param_prior(kernel: OrderKernel, num_types: int) -> tuple[Floats, Floats]:
    """Prior means and deviations (M + 2,) of the logarithms of the hyperparameters."""
    num_rates = kernel.num_rates(num_types)
    rates = np.full(num_rates, kernel.log_median_rate), np.full(num_rates, kernel.log_rate_sd)
    others = np.array([OUTPUTSCALE_PRIOR, TRAINING_NOISE_PRIOR]).T
    return np.concatenate([rates[0], others[0]]), np.concatenate([rates[1], others[1]])


def _loss(log_params: Floats, data: _Data, distances: Floats, means: Floats, sds: Floats) -> tuple[float, Floats]:
    """Negative logarithm of the density of data and hyperparameters, and its gradient (M + 2,).

    The observations of an order are pooled, which changes neither: with the pooled values z, their covariance A and the
    noise variances v_i of the observations y_i, the density of the data is that of z times, for each order, what its
    observations deviate from their pooled value.

    Args:
        log_params: (M + 2,) logarithms of rates, outputscale and training noise.
        data: the observations.
        distances: (M, n * n) distances of the kernel between the distinct orders.
        means: (M + 2,) prior means of `log_params`.
        sds: (M + 2,) their prior standard deviations.
    """
    params = exps(log_params)
    rates, outputscale, training_noise = params[:-2], params[-2], params[-1]
    noise, precisions, pooled = data.pool(training_noise)
    n = len(pooled)
    covariance = outputscale * exps(-product(rates[None], distances)).reshape(n, n)
    system = covariance + LEVEL_VARIANCE
    system.flat[:: n + 1] += 1 / precisions
    root = cholesky(system)
    solution, inverted = solve(root, pooled), inverse(root)

    surprise = (log_params - means) / sds
    loss = (
        0.5 * (pooled * solution).sum()
        + 0.5 * log_determinant(root)
        + 0.5 * ((data.targets - pooled[data.groups]) ** 2 / noise + logs(noise)).sum()
        + 0.5 * logs(precisions).sum()
        + 0.5 * (surprise * surprise).sum()
        + logs(sds).sum()
        + 0.5 * (len(noise) + len(sds)) * LOG_2_PI
    )

    by_covariance = 0.5 * (inverted - np.multiply.outer(solution, solution)) * covariance
    # The same for each observation: the diagonal of the inverse covariance of all y_i, and its product with y.
    smoothed = (pooled - solution / precisions)[data.groups]
    uncertainty = (1 / precisions - np.diagonal(inverted) / precisions**2)[data.groups]
    by_noise = 0.5 * (1 / noise - uncertainty / noise**2 - ((data.targets - smoothed) / noise) ** 2)
    gradient = np.empty_like(log_params)
    gradient[:-2] = -rates * (distances * by_covariance.ravel()).sum(axis=1)
    gradient[-2] = by_covariance.sum()
    gradient[-1] = training_noise * by_noise.sum()
    return float(loss), gradient + surprise / sds


def _without_observations(space: OrderSpace, prior: Prior, kernel: str) -> Surrogate:
    outputscale, training_noise = exps(np.array([OUTPUTSCALE_PRIOR[0], TRAINING_NOISE_PRIOR[0]])).tolist()
    return Surrogate(
        space=space,
        num_observations=0,
        kernel=kernel,
        offset=prior.mean,
        scale=prior.sd / math.sqrt(LEVEL_VARIANCE + outputscale),
        rates=np.full(KERNELS[kernel].num_rates(len(space.unit_types)), KERNELS[kernel].median_rate),
        outputscale=outputscale,
        training_noise=training_noise,
        evaluation_noise=0.0,
        told=np.zeros(0, np.int64),
        noise=np.zeros(0),
        mean=np.zeros(len(space)),
        variance=np.full(len(space), LEVEL_VARIANCE + outputscale),
    )


def _ids(space: OrderSpace, orders: Sequence[Order]) -> NDArray[np.int64]:
    """(N,) ranks of orders."""
    return np.array([space.rank(order) for order in orders], np.int64)


def _unit(y: NDArray[np.float64], se: NDArray[np.float64], prior: Prior) -> float:
    """Unit of the standardised targets: how far values lie apart, or how noisy they mostly are where that is more."""
    if len(y) == 1:
        return max(float(se[0]), prior.sd)
    largest = max(float(np.abs(y).max()), float(np.finfo(np.float64).tiny))
    spread = largest * float(np.std(y / largest, ddof=1))  # squares of huge numbers would overflow
    unit = max(spread, float(np.median(se)), prior.min_sd)
    return unit if unit > 1e-12 * largest else prior.sd  # equal values say nothing about the unit
