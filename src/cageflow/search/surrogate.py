"""An exact Gaussian process over workflow orders: what the trials so far say about every order.

There are but 120 possible inputs, so all covariances are entries of fixed matrices, trials of one order are pooled
without loss, and the process is a few lines of linear algebra. It does what BoTorch's SingleTaskGP does with the same
kernel and priors, in a tenth of the time; the tests hold it against that.

Importing this module imports SciPy, so the rest of the search imports it where it is used.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.optimize import minimize
from scipy.special import log_ndtr
from threadpoolctl import ThreadpoolController

from cageflow.search.kernels import KERNELS, KernelName, OrderKernel
from cageflow.search.trial import History
from cageflow.workflow.orders import ALL_ORDERS, NUM_ORDERS, Order, order_id

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_BLAS = ThreadpoolController()
F = TypeVar("F", bound=Callable[..., object])


def _one_thread(function: F) -> F:
    """Keep a function's linear algebra in one thread.

    On matrices this small a second one only waits, by spinning, which beside other work takes a hundred times as long;
    and the figures would depend on the number of threads.
    """
    return cast(F, _BLAS.wrap(limits=1, user_api="blas")(function))


LEVEL_VARIANCE = 1.0
"""Prior variance of the level of all orders around the mean of the observations, for standardised targets."""
OUTPUTSCALE_PRIOR = (0.0, 0.7)
"""Mean and deviation of log(outputscale): median 1, the variance of standardised targets; 95 % 0.25 to 3.9."""
TRAINING_NOISE_PRIOR = (math.log(0.3), 1.25)
"""Mean and deviation of log(training noise): 95 % 0.026 to 3.5; trainings of one order differ a good deal."""
BOUND_SDS = 5.0
"""Hyperparameters stay within so many prior deviations, which keeps every matrix well conditioned."""
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
    """A fitted Gaussian process: what is believed of the true values of all 120 orders; made by `fit_surrogate`.

    Attributes:
        num_observations: observations that it has seen.
        kernel: name of its kernel in `KERNELS`.
        offset: mean of the observations, or the prior mean.
        scale: unit of the standardised values, in which all that follows is told.
        rates: (M,) rates of the kernel.
        outputscale: prior variance of an order around the level.
        training_noise: variance between trainings of one order, beyond the standard errors of their evaluations.
        evaluation_noise: median of the variances of the observations' evaluations; 0 without observations.
        mean: (120,) float64, means of the standardised values, less `offset`.
        covariance: (120, 120) float64, their covariances.
    """

    num_observations: int
    kernel: str
    offset: float
    scale: float
    rates: Floats
    outputscale: float
    training_noise: float
    evaluation_noise: float
    mean: Floats
    covariance: Floats

    def posterior(self, orders: Sequence[Order] = ALL_ORDERS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of each order's true value, without the noise of a further trial.

        Returns:
            mean (W,) and std (W,), float64, in the unit of the observations. Without observations: the prior.
        """
        ids = _ids(orders)
        std = np.sqrt(np.clip(np.diagonal(self.covariance)[ids], 0.0, None))
        return self.offset + self.scale * self.mean[ids], self.scale * std

    @_one_thread
    def sample(self, rng: np.random.Generator, orders: Sequence[Order] = ALL_ORDERS) -> NDArray[np.float64]:
        """One draw (W,) of the true values of several orders together, in the unit of the data."""
        ids = _ids(orders)
        root = np.linalg.cholesky(self.covariance[np.ix_(ids, ids)] + SAMPLE_JITTER * np.eye(len(ids)))
        draw = self.mean[ids] + root @ rng.standard_normal(len(ids))
        return self.offset + self.scale * draw

    def log_probability_of_reaching(
        self, threshold: float, orders: Sequence[Order] = ALL_ORDERS
    ) -> NDArray[np.float64]:
        """Natural logarithm of the probability that each order's true value is at least `threshold`, (W,) float64."""
        mean, std = self.posterior(orders)
        z = (mean - threshold) / np.maximum(std, 1e-9 * self.scale)
        return np.asarray(log_ndtr(z))

    @_one_thread
    def hallucinate(self, orders: Sequence[Order]) -> "Surrogate":
        """The process as it would be if a trial of each of `orders` came out at its mean.

        Hyperparameters and means stay, deviations shrink. A hallucinated trial has the learnt training noise and the
        median evaluation noise.
        """
        if not orders:
            return self
        ids = _ids(orders)
        rows = self.covariance[ids]
        observed = rows[:, ids] + (self.training_noise + self.evaluation_noise) * np.eye(len(ids))
        covariance = self.covariance - rows.T @ np.linalg.solve(observed, rows)
        return replace(self, covariance=(covariance + covariance.T) / 2)


def fit_reward(trials: History, kernel: KernelName = "evidence", prior: Prior = REWARD_PRIOR) -> Surrogate:
    """Fit the process on the rewards of trials; see `fit_surrogate`."""
    values, errors = [t.reward for t in trials], [t.reward_se for t in trials]
    return fit_surrogate([t.order for t in trials], values, errors, prior, kernel)


def fit_compliance(trials: History, kernel: KernelName = "evidence", prior: Prior = COMPLIANCE_PRIOR) -> Surrogate:
    """Fit the process on the compliances of trials; a missing standard error counts as 0, the learnt noise stays."""
    values, errors = [t.compliance for t in trials], [t.compliance_se or 0.0 for t in trials]
    return fit_surrogate([t.order for t in trials], values, errors, prior, kernel)


@_one_thread
def fit_surrogate(
    orders: Sequence[Order],
    values: Sequence[float],
    standard_errors: Sequence[float],
    prior: Prior,
    kernel: KernelName = "evidence",
) -> Surrogate:
    """Fit an exact Gaussian process to noisy values of orders.

    Value of a trial = level + f(order) + training noise + evaluation noise. The level is Normal and integrated out; f
    has a scaled kernel of `KERNELS`; the variance of the evaluation noise is known, the standard error squared. Rates,
    outputscale and training noise are set to the most probable values of their logarithms (L-BFGS-B from the prior
    medians). The targets are standardised: less their mean, in units of their standard deviation, or of their median
    standard error where that is larger. The same data give the same process.

    With `evidence` all kernels are fitted, and the one with the greatest evidence is kept: the probability of the data
    with its hyperparameters integrated out, by Laplace's approximation around their most probable values.

    Args:
        orders: N orders, repeats allowed.
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
        return _without_observations(prior, next(iter(KERNELS)) if kernel == "evidence" else kernel)
    offset, scale = float(y.mean()), _unit(y, se, prior)
    data = _Data.of(np.asarray(_ids(orders)), (y - offset) / scale, (se / scale) ** 2)
    if kernel == "evidence":
        fits = [(name, _Fit.of(data, candidate)) for name, candidate in KERNELS.items()]
        evidences = {
            name: round(fit.log_evidence(), 6) for name, fit in fits
        }  # of equals the first, whatever the digits
        name, fit = max(fits, key=lambda candidate: evidences[candidate[0]])
        logger.info("%s of %d trials: kernel %s, log evidence %s", prior.name, len(y), name, evidences)
    else:
        name, fit = kernel, _Fit.of(data, KERNELS[kernel])
    mean, covariance = fit.posterior()
    return Surrogate(
        num_observations=len(y),
        kernel=name,
        offset=offset,
        scale=scale,
        rates=fit.rates,
        outputscale=fit.outputscale,
        training_noise=fit.training_noise,
        evaluation_noise=float(np.median(data.variances)),
        mean=mean,
        covariance=covariance,
    )


@dataclass(frozen=True, slots=True)
class _Data:
    """Standardised observations (N,), each of one of n distinct orders.

    Attributes:
        ids: (n,) numbers of the distinct orders.
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

    data: _Data
    kernel: OrderKernel
    objective: Callable[[Floats], tuple[float, Floats]]
    log_params: Floats
    loss: float

    @classmethod
    def of(cls, data: _Data, kernel: OrderKernel) -> "_Fit":
        means, sds = _log_param_prior(kernel)
        distances = kernel.distances[:, data.ids[:, None], data.ids].reshape(kernel.num_rates, -1)
        objective = partial(_loss, data=data, distances=distances, means=means, sds=sds)
        bounds = np.stack([means - BOUND_SDS * sds, means + BOUND_SDS * sds], axis=1)
        result = minimize(objective, means, jac=True, method="L-BFGS-B", bounds=bounds)
        return cls(data, kernel, objective, result.x, float(result.fun))

    @property
    def rates(self) -> Floats:
        return np.exp(self.log_params[:-2])

    @property
    def outputscale(self) -> float:
        return math.exp(self.log_params[-2])

    @property
    def training_noise(self) -> float:
        return math.exp(self.log_params[-1])

    def posterior(self) -> tuple[Floats, Floats]:
        """Mean (120,) and covariance (120, 120) of the standardised values."""
        prior = LEVEL_VARIANCE + self.outputscale * self.kernel.correlation(self.rates)
        _, precisions, pooled = self.data.pool(self.training_noise)
        rows = prior[self.data.ids]
        weights = np.linalg.solve(rows[:, self.data.ids] + np.diag(1 / precisions), rows)
        covariance = prior - rows.T @ weights
        return weights.T @ pooled, (covariance + covariance.T) / 2

    def log_evidence(self) -> float:
        """Logarithm of the density of the data, hyperparameters integrated out by Laplace's approximation."""
        steps = HESSIAN_STEP * np.eye(len(self.log_params))
        here = self.objective(self.log_params)[1]
        hessian = np.stack([self.objective(self.log_params + step)[1] - here for step in steps]) / HESSIAN_STEP
        curvatures = np.linalg.eigvalsh((hessian + hessian.T) / 2)
        # They are positive at a minimum. On a bound they need not be: there they count as one prior deviation.
        curvatures = np.where(curvatures > 0, curvatures, 1.0)
        return -self.loss + 0.5 * float(np.log(2 * math.pi / curvatures).sum())


def _log_param_prior(kernel: OrderKernel) -> tuple[Floats, Floats]:
    """Prior means and deviations (M + 2,) of the logarithms of the hyperparameters."""
    rates = np.full(kernel.num_rates, kernel.log_median_rate), np.full(kernel.num_rates, kernel.log_rate_sd)
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
    params = np.exp(log_params)
    rates, outputscale, training_noise = params[:-2], params[-2], params[-1]
    noise, precisions, pooled = data.pool(training_noise)
    n = len(pooled)
    covariance = outputscale * np.exp(-(rates @ distances)).reshape(n, n)
    system = covariance + LEVEL_VARIANCE
    system.flat[:: n + 1] += 1 / precisions
    root, _ = lapack.dpotrf(system, lower=1)
    solution, _ = lapack.dpotrs(root, pooled, lower=1)
    inverse, _ = lapack.dpotri(root, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T

    surprise = (log_params - means) / sds
    loss = (
        0.5 * pooled @ solution
        + np.log(np.diagonal(root)).sum()
        + 0.5 * ((data.targets - pooled[data.groups]) ** 2 / noise + np.log(noise)).sum()
        + 0.5 * np.log(precisions).sum()
        + 0.5 * surprise @ surprise
        + np.log(sds).sum()
        + 0.5 * (len(noise) + len(sds)) * math.log(2 * math.pi)
    )

    by_covariance = 0.5 * (inverse - np.outer(solution, solution)) * covariance
    # The same for each observation: the diagonal of the inverse covariance of all y_i, and its product with y.
    smoothed = (pooled - solution / precisions)[data.groups]
    uncertainty = (1 / precisions - np.diagonal(inverse) / precisions**2)[data.groups]
    by_noise = 0.5 * (1 / noise - uncertainty / noise**2 - ((data.targets - smoothed) / noise) ** 2)
    gradient = np.empty_like(log_params)
    gradient[:-2] = -rates * (distances @ by_covariance.ravel())
    gradient[-2] = by_covariance.sum()
    gradient[-1] = training_noise * by_noise.sum()
    return float(loss), gradient + surprise / sds


def _without_observations(prior: Prior, kernel: str) -> Surrogate:
    rates = np.full(KERNELS[kernel].num_rates, KERNELS[kernel].median_rate)
    outputscale = math.exp(OUTPUTSCALE_PRIOR[0])
    return Surrogate(
        num_observations=0,
        kernel=kernel,
        offset=prior.mean,
        scale=prior.sd / math.sqrt(LEVEL_VARIANCE + outputscale),
        rates=rates,
        outputscale=outputscale,
        training_noise=math.exp(TRAINING_NOISE_PRIOR[0]),
        evaluation_noise=0.0,
        mean=np.zeros(NUM_ORDERS),
        covariance=LEVEL_VARIANCE + outputscale * KERNELS[kernel].correlation(rates),
    )


def _ids(orders: Sequence[Order]) -> list[int]:
    return [order_id(order) for order in orders]


def _unit(y: NDArray[np.float64], se: NDArray[np.float64], prior: Prior) -> float:
    """Unit of the standardised targets: how far values lie apart, or how noisy they mostly are where that is more."""
    if len(y) == 1:
        return max(float(se[0]), prior.sd)
    largest = max(float(np.abs(y).max()), float(np.finfo(np.float64).tiny))
    spread = largest * float(np.std(y / largest, ddof=1))  # squares of huge numbers would overflow
    unit = max(spread, float(np.median(se)), prior.min_sd)
    return unit if unit > 1e-12 * largest else prior.sd  # equal values say nothing about the unit
