"""The process of `surrogate` as BoTorch has it: GPyTorch's process, likelihood and priors, autograd, its fit."""

import gpytorch
import numpy as np
import torch
from botorch.models import SingleTaskGP
from botorch.optim.fit import fit_gpytorch_mll_scipy
from gpytorch.likelihoods import FixedNoiseGaussianLikelihood
from gpytorch.priors import NormalPrior

from cageflow.search.kernels import KERNELS
from cageflow.search.surrogate import LEVEL_VARIANCE, OUTPUTSCALE_PRIOR, TRAINING_NOISE_PRIOR
from tests.helpers.orders import ORDERS, order_id


class _Kernel(gpytorch.kernels.Kernel):
    """The kernel of `name` on the numbers of orders, with the level's variance; parameters are logarithms."""

    def __init__(self, name):
        super().__init__()
        kernel = KERNELS[name]
        self.distances = torch.tensor(kernel.distances(kernel.bits(ORDERS), 5))
        num_rates = len(self.distances)
        self.register_parameter("log_rates", torch.nn.Parameter(torch.zeros(num_rates, dtype=torch.float64)))
        self.register_parameter("log_outputscale", torch.nn.Parameter(torch.zeros((), dtype=torch.float64)))
        rate_prior = NormalPrior(kernel.log_median_rate, kernel.log_rate_sd)
        self.register_prior("rate_prior", rate_prior, lambda module: module.log_rates)
        self.register_prior("outputscale_prior", NormalPrior(*OUTPUTSCALE_PRIOR), lambda module: module.log_outputscale)

    def forward(self, x1, x2, diag=False, **params):
        rows, columns = x1[..., 0].long(), x2[..., 0].long()
        distances = self.distances[:, rows, columns] if diag else self.distances[:, rows[:, None], columns]
        exponent = torch.tensordot(self.log_rates.exp(), distances, dims=1)
        return LEVEL_VARIANCE + self.log_outputscale.exp() * torch.exp(-exponent)


class BotorchReference:
    """Every observation apart, none pooled; `process` says the kernel, the unit and the zero of the targets."""

    def __init__(self, orders, values, errors, process):
        self.process = process
        ids = torch.tensor([[order_id(order)] for order in orders], dtype=torch.float64)
        targets = torch.tensor((np.asarray(values) - process.offset) / process.scale)
        variances = torch.tensor((np.asarray(errors) / process.scale) ** 2)
        likelihood = FixedNoiseGaussianLikelihood(noise=variances, learn_additional_noise=True)
        likelihood.second_noise_covar.register_prior(
            "log_noise_prior", NormalPrior(*TRAINING_NOISE_PRIOR), lambda module: module.noise.log()
        )
        self.model = SingleTaskGP(
            train_X=ids,
            train_Y=targets.unsqueeze(-1),
            train_Yvar=variances.unsqueeze(-1),
            likelihood=likelihood.double(),
            covar_module=_Kernel(process.kernel),
            mean_module=gpytorch.means.ZeroMean(),
            outcome_transform=None,
        )
        self.mll = gpytorch.mlls.ExactMarginalLogLikelihood(self.model.likelihood, self.model)
        self.mll.train()
        self.num_observations = len(targets)

    def _loss(self, log_params):
        self.model.covar_module.log_rates.data = log_params[:-2].clone()
        self.model.covar_module.log_outputscale.data = log_params[-2].clone()
        self.model.likelihood.second_noise = log_params[-1].exp()
        return -self.mll(self.model(*self.model.train_inputs), self.model.train_targets) * self.num_observations

    def loss(self, log_params):
        """Negative logarithm of the density of data and hyperparameters."""
        with torch.no_grad():
            return float(self._loss(torch.tensor(log_params)))

    def gradient(self, log_params):
        """Its gradient by the same logarithms."""
        covariance, noise = self.model.covar_module, self.model.likelihood.second_noise_covar
        self.model.zero_grad()
        self._loss(torch.tensor(log_params)).backward()
        by_raw = noise.raw_noise.grad  # the noise is softplus(raw) + a lower bound
        by_log_noise = by_raw / torch.sigmoid(noise.raw_noise.detach()) * float(np.exp(log_params[-1]))
        return np.array([*covariance.log_rates.grad, covariance.log_outputscale.grad, *by_log_noise])

    def fit(self):
        """Fit as BoTorch does, from where the parameters stand; the loss at its end."""
        return float(fit_gpytorch_mll_scipy(self.mll).fval) * self.num_observations

    def posterior(self):
        """Mean and std of all 120 orders, in the unit of the observations."""
        self.model.eval()
        with torch.no_grad():
            posterior = self.model.posterior(torch.arange(120, dtype=torch.float64).unsqueeze(-1))
        mean, std = posterior.mean.squeeze(-1).numpy(), posterior.variance.sqrt().squeeze(-1).numpy()
        return self.process.offset + self.process.scale * mean, self.process.scale * std
