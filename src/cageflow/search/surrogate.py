"""An exact Gaussian process over workflow orders: what the trials so far say about every order.

Importing this module imports BoTorch (a second or two), so the rest of the search imports it where it is used.
"""

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

import gpytorch
import numpy as np
import torch
from botorch.models import SingleTaskGP
from botorch.optim.fit import fit_gpytorch_mll_scipy
from botorch.posteriors.gpytorch import GPyTorchPosterior
from gpytorch.constraints import GreaterThan, Positive
from gpytorch.kernels import ScaleKernel
from gpytorch.likelihoods import FixedNoiseGaussianLikelihood
from gpytorch.means import ConstantMean
from gpytorch.priors import LogNormalPrior, NormalPrior
from numpy.typing import NDArray

from cageflow.search.kernels import RATE_PRIOR_MEDIAN, MallowsKernel, order_positions
from cageflow.search.trial import History
from cageflow.workflow.orders import ALL_ORDERS, Order, order_id

logger = logging.getLogger(__name__)

TRAINING_NOISE_FLOOR = 1e-4
"""Least learnt noise variance of a trial, in units of the standardised targets: keeps every matrix well conditioned."""
MIN_FIXED_NOISE = 1e-6
"""GPyTorch's own floor for given noise variances; smaller ones, exact observations among them, are raised to it."""
MAX_EXACT_TRIALS = 10_000
"""Up to here GPyTorch factorises the covariance; above it would iterate, which is neither exact nor deterministic."""
SAMPLE_JITTER = 1e-8
"""Added to the variance of standardised values before a joint draw, whose covariance may be singular to rounding."""

OUTPUTSCALE_PRIOR = (0.5, 0.7)
"""Mean and deviation of log(outputscale): most dense at 1, the variance of standardised targets; 95 % 0.4 to 6.5."""
TRAINING_NOISE_PRIOR = (-2.2, 1.0)
"""Mean and deviation of log(training noise): most dense at 0.04, so 0.2 deviations; 95 % 0.016 to 0.79."""

STARTS: tuple[tuple[float, float], ...] = ((RATE_PRIOR_MEDIAN, 0.04), (1.0, 0.4))
"""Where the fit starts, as (rate, training noise); the second is used only if the first leads nowhere.

Both lead to the same optimum: over 144 data sets, clear and noisy, of 3 to 40 trials, the first never ended worse.
"""


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
        offset: mean of the observations, or the prior mean.
        scale: unit of the standardised values, in which all that follows is told.
        rate: rate of the Mallows kernel.
        outputscale: prior variance of an order.
        training_noise: variance between trainings of one order, beyond the standard errors of their evaluations.
        evaluation_noise: median of the variances of the observations' evaluations; 0 without observations.
        level: prior mean of all orders, relative to `offset`.
        mean: (120,) float64, means of the standardised values, less `offset`.
        covariance: (120, 120) float64, their covariances.
    """

    num_observations: int
    offset: float
    scale: float
    rate: float
    outputscale: float
    training_noise: float
    evaluation_noise: float
    level: float
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def posterior(self, orders: Sequence[Order] = ALL_ORDERS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of each order's true value, without the noise of a further trial.

        Returns:
            mean (W,) and std (W,), float64, in the unit of the observations. Without observations: the prior.
        """
        ids = _ids(orders)
        std = np.sqrt(np.clip(np.diagonal(self.covariance)[ids], 0.0, None))
        return self.offset + self.scale * self.mean[ids], self.scale * std

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
        return np.asarray(torch.special.log_ndtr(torch.from_numpy(z)).numpy())

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


def fit_reward(trials: History, prior: Prior = REWARD_PRIOR) -> Surrogate:
    """Fit the process on the rewards of trials; see `fit_surrogate`."""
    return fit_surrogate([t.order for t in trials], [t.reward for t in trials], [t.reward_se for t in trials], prior)


def fit_compliance(trials: History, prior: Prior = COMPLIANCE_PRIOR) -> Surrogate:
    """Fit the process on the compliances of trials; a missing standard error counts as 0, the learnt noise stays."""
    errors = [t.compliance_se or 0.0 for t in trials]
    return fit_surrogate([t.order for t in trials], [t.compliance for t in trials], errors, prior)


def fit_surrogate(
    orders: Sequence[Order], values: Sequence[float], standard_errors: Sequence[float], prior: Prior
) -> Surrogate:
    """Fit an exact Gaussian process to noisy values of orders.

    Value of a trial = level + f(order) + training noise + evaluation noise. f has a scaled Mallows kernel; the variance
    of the evaluation noise is known, the standard error squared; level, outputscale, rate and training noise are set to
    their most probable values under their priors (L-BFGS-B from the first of `STARTS`). Several trials of one order are
    several observations of the same f. The targets are standardised: less their mean, in units of their standard
    deviation, or of their median standard error where that is larger. All in float64; the same data give the same
    process, and no global random state is read or written.

    If neither start leads to a finite likelihood, the process keeps the hyperparameters of the first and a warning is
    logged.

    Args:
        orders: N orders, repeats allowed.
        values: N finite observations, N >= 0.
        standard_errors: N standard errors of `values`, each finite and at least 0.
        prior: what holds where the data do not speak.

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
        return _without_observations(prior)
    offset = float(y.mean())
    scale = _unit(y, se, prior)
    positions = order_positions(orders)
    targets = torch.as_tensor((y - offset) / scale, dtype=torch.float64).unsqueeze(-1)
    variances = torch.as_tensor((se / scale) ** 2, dtype=torch.float64).clamp_min(MIN_FIXED_NOISE).unsqueeze(-1)
    for rate, training_noise in STARTS:
        model = _model(positions, targets, variances, rate, training_noise)
        if _fit(model):
            break
    else:
        logger.warning(
            "the Gaussian process on %s could not be fitted to %d observations: it keeps the hyperparameters that the "
            "fit started from",
            prior.name,
            len(y),
        )
        model = _model(positions, targets, variances, *STARTS[0])
    return _with_posterior(model, offset, scale, len(y), float(variances.median()))


def _without_observations(prior: Prior) -> Surrogate:
    kernel = _prior_covariance()
    with torch.no_grad():
        covariance = kernel(order_positions(ALL_ORDERS)).to_dense().numpy()
    return Surrogate(
        num_observations=0,
        offset=prior.mean,
        scale=prior.sd,
        rate=kernel.base_kernel.rate.item(),
        outputscale=kernel.outputscale.item(),
        training_noise=STARTS[0][1],
        evaluation_noise=0.0,
        level=0.0,
        mean=np.zeros(len(ALL_ORDERS)),
        covariance=covariance,
    )


def _with_posterior(
    model: SingleTaskGP, offset: float, scale: float, num_observations: int, evaluation_noise: float
) -> Surrogate:
    model.eval()
    with torch.no_grad(), _exact_and_single_threaded():
        normal = cast(GPyTorchPosterior, model.posterior(order_positions(ALL_ORDERS))).distribution
        mean, covariance = normal.mean.numpy(), normal.covariance_matrix.numpy()
    return Surrogate(
        num_observations=num_observations,
        offset=offset,
        scale=scale,
        rate=model.covar_module.base_kernel.rate.item(),
        outputscale=model.covar_module.outputscale.item(),
        training_noise=model.likelihood.second_noise.item(),
        evaluation_noise=evaluation_noise,
        level=model.mean_module.constant.item(),
        mean=mean,
        covariance=covariance,
    )


def _ids(orders: Sequence[Order]) -> list[int]:
    return [order_id(order) for order in orders]


@contextmanager
def _exact_and_single_threaded() -> Iterator[None]:
    """Cholesky for every matrix, on one thread of torch: two take four times as long on matrices this small."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with gpytorch.settings.max_cholesky_size(MAX_EXACT_TRIALS):
            yield
    finally:
        torch.set_num_threads(num_threads)


def _unit(y: NDArray[np.float64], se: NDArray[np.float64], prior: Prior) -> float:
    """Unit of the standardised targets: how far values lie apart, or how noisy they mostly are where that is more."""
    if len(y) == 1:
        return max(float(se[0]), prior.sd)
    largest = max(float(np.abs(y).max()), float(np.finfo(np.float64).tiny))
    spread = largest * float(np.std(y / largest, ddof=1))  # squares of huge numbers would overflow
    unit = max(spread, float(np.median(se)), prior.min_sd)
    return unit if unit > 1e-12 * largest else prior.sd  # equal values say nothing about the unit


def _prior_covariance() -> ScaleKernel:
    kernel = ScaleKernel(
        MallowsKernel(), outputscale_prior=LogNormalPrior(*OUTPUTSCALE_PRIOR), outputscale_constraint=Positive()
    ).double()
    kernel.outputscale = 1.0
    return kernel


def _model(
    positions: torch.Tensor, targets: torch.Tensor, variances: torch.Tensor, rate: float, training_noise: float
) -> SingleTaskGP:
    """The process with its priors, hyperparameters at a start; `targets` and `variances` are (n, 1), standardised."""
    likelihood = FixedNoiseGaussianLikelihood(
        noise=variances.squeeze(-1),
        learn_additional_noise=True,
        noise_prior=LogNormalPrior(*TRAINING_NOISE_PRIOR),
        noise_constraint=GreaterThan(TRAINING_NOISE_FLOOR),
    )
    model = SingleTaskGP(
        train_X=positions,
        train_Y=targets,
        train_Yvar=variances,
        likelihood=likelihood,
        covar_module=_prior_covariance(),
        mean_module=ConstantMean(constant_prior=NormalPrior(0.0, 1.0)),
        outcome_transform=None,
    )
    model.covar_module.base_kernel.rate = rate
    model.likelihood.second_noise = torch.as_tensor(training_noise, dtype=torch.float64)
    return model


def _fit(model: SingleTaskGP) -> bool:
    """Move the hyperparameters to the optimum of their posterior density; False if it ended in no finite density."""
    mll = gpytorch.mlls.ExactMarginalLogLikelihood(model.likelihood, model)
    mll.train()
    with warnings.catch_warnings(record=True) as caught, _exact_and_single_threaded():
        warnings.simplefilter("always")
        loss = float(fit_gpytorch_mll_scipy(mll).fval)
    for warning in caught:
        logger.debug("while fitting: %s", warning.message)
    return math.isfinite(loss)
