"""Settings of the learner; the named sets of them stand in `cageflow.settings.presets`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cageflow.errors import UserError

ACTIVATIONS: tuple[str, ...] = ("tanh", "relu")
"""Activation functions between layers; the place in this tuple is the number that compiled code uses."""


MOST = {"num_minibatches": 1_000_000, "update_epochs": 10_000}
MAX_HIDDEN_SIZE, MAX_LAYERS = 4096, 16
MAX_LENGTHS, MAX_STEPS = 100, 100_000
MAX_LEARNING_RATE, MAX_WEIGHT = 10.0, 1e6
"""Bounds on settings: beyond them no learning is known, memory ends or float32 overflows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PPOConfig:
    """Settings of PPO, under CleanRL's names where it has one. The defaults are the `default` preset.

    Attributes:
        hidden_sizes: widths of the hidden layers, the same for the actor and the critic; at least one.
        activation: one of `ACTIVATIONS`.
        orthogonal_init: orthogonal weights with small actor logits and zero biases; False: torch's own default.
        learning_rate: Adam's step size at the first update.
        final_learning_rate: step size at the last of the planned updates, reached in a straight line; None: constant.
        adam_betas: decay of Adam's two moments.
        adam_eps: Adam's epsilon.
        gamma: discount per step.
        gae_lambda: lambda of the generalised advantage estimate, 1 for Monte-Carlo returns against a baseline. None:
            Monte-Carlo returns brought to mean 0 and standard deviation 1 in each rollout are both the critic's target
            and, less the critic's present value, the advantage (no GAE at all).
        bootstrap_truncation: at the step limit the value of the last observation stands for the rewards that were cut
            off; False takes them as 0. Needs `gae_lambda`.
        norm_values: the critic predicts returns in units of their running mean and standard deviation. Needs
            `gae_lambda`.
        norm_adv: bring the advantages of each minibatch to mean 0 and standard deviation 1. Needs `gae_lambda`.
        clip_coef: half-width of the interval around 1 that the probability ratio is clipped to.
        ent_coef: weight of the entropy bonus at the first update.
        final_ent_coef: the same at the last of the planned updates, reached in a straight line; None: constant.
        vf_coef: weight of the critic's mean squared error (without a further half).
        max_grad_norm: longest gradient, over actor and critic together; None: as long as it comes.
        target_kl: an update ends before the minibatch whose approximate KL divergence exceeds this; None: never.
        num_minibatches: parts that each epoch shuffles the rollout's steps into; 1: the whole, unshuffled.
        update_epochs: passes over the rollout in one update.
        episode_lengths: a step's rewards count as often as there are lengths that it lies within, so that episodes of
            the longest stand for all of them; empty: each counts once.

    Raises:
        UserError: a value out of its range, or two that exclude each other.
    """

    hidden_sizes: tuple[int, ...] = (64, 64)
    activation: str = "tanh"
    orthogonal_init: bool = True
    learning_rate: float = 3e-3
    final_learning_rate: float | None = 3e-4
    adam_betas: tuple[float, float] = (0.9, 0.99)
    adam_eps: float = 1e-5
    gamma: float = 0.99
    gae_lambda: float | None = 0.98
    bootstrap_truncation: bool = True
    norm_values: bool = True
    norm_adv: bool = True
    clip_coef: float = 0.3
    ent_coef: float = 0.01
    final_ent_coef: float | None = 0.001
    vf_coef: float = 0.5
    max_grad_norm: float | None = 0.5
    target_kl: float | None = 0.03
    num_minibatches: int = 4
    update_epochs: int = 4
    episode_lengths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        # A file read as JSON or YAML has lists.
        object.__setattr__(self, "episode_lengths", tuple(self.episode_lengths))
        object.__setattr__(self, "hidden_sizes", tuple(self.hidden_sizes))
        object.__setattr__(self, "adam_betas", tuple(self.adam_betas))
        for name, most in MOST.items():
            check_count(name, getattr(self, name), most)
        if not self.hidden_sizes:
            raise UserError("hidden_sizes is empty: the networks need at least one hidden layer")
        for size in self.hidden_sizes:
            check_count("hidden_sizes", size, MAX_HIDDEN_SIZE)
        if len(self.hidden_sizes) > MAX_LAYERS:
            raise UserError(f"hidden_sizes has {len(self.hidden_sizes)} layers: expected at most {MAX_LAYERS}")
        if len(self.episode_lengths) > MAX_LENGTHS:
            raise UserError(f"episode_lengths has {len(self.episode_lengths)} values: expected at most {MAX_LENGTHS}")
        for length in self.episode_lengths:
            check_count("episode_lengths", length, MAX_STEPS)
        if self.activation not in ACTIVATIONS:
            raise UserError(f"unknown activation {self.activation!r}: choose one of {', '.join(ACTIVATIONS)}")
        if len(self.adam_betas) != 2:
            raise UserError(f"adam_betas has {len(self.adam_betas)} values: Adam takes two")
        for beta in self.adam_betas:
            _check_range("adam_betas", beta, low=0.0, high=1.0, open_high=True)
        _check_range("learning_rate", self.learning_rate, low=0.0, high=MAX_LEARNING_RATE, open_low=True)
        _check_range("final_learning_rate", self.final_learning_rate, low=0.0, high=MAX_LEARNING_RATE)
        _check_range("adam_eps", self.adam_eps, low=0.0, high=1e8, open_low=True)
        _check_range("gamma", self.gamma, low=0.0, high=1.0)
        _check_range("gae_lambda", self.gae_lambda, low=0.0, high=1.0)
        _check_range("clip_coef", self.clip_coef, low=0.0, high=1.0, open_low=True, open_high=True)
        _check_range("ent_coef", self.ent_coef, low=0.0, high=MAX_WEIGHT)
        _check_range("final_ent_coef", self.final_ent_coef, low=0.0, high=MAX_WEIGHT)
        _check_range("vf_coef", self.vf_coef, low=0.0, high=MAX_WEIGHT)
        _check_range("max_grad_norm", self.max_grad_norm, low=0.0, high=MAX_WEIGHT, open_low=True)
        _check_range("target_kl", self.target_kl, low=0.0, high=MAX_WEIGHT, open_low=True)
        if self.gae_lambda is None:
            for name in ("bootstrap_truncation", "norm_values", "norm_adv"):
                if getattr(self, name):
                    raise UserError(
                        f"{name} needs gae_lambda, which is unset: give gae_lambda (1 for Monte-Carlo returns) "
                        f"or set {name} to false"
                    )

    @property
    def has_schedule(self) -> bool:
        """Whether a setting changes in the course of training, so that its length must be known."""
        return self.final_learning_rate is not None or self.final_ent_coef is not None


def check_count(name: str, value: int, most: int) -> None:
    """Refuse a number of things that is not a whole number of at least 1, or is more than any machine takes."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UserError(f"{name} is {value!r}: expected a whole number of at least 1")
    if value > most:
        raise UserError(f"{name} is {value}: expected at most {most:,}")


def _check_range(
    name: str,
    value: float | None,
    *,
    low: float,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
) -> None:
    """Refuse a number outside low..high, or not finite; None (a setting that is switched off) passes."""
    if value is None:
        return
    above = value > low if open_low else value >= low
    below = value < high if open_high else value <= high
    if not (math.isfinite(value) and above and below):
        bottom = f"more than {low:g}" if open_low else f"at least {low:g}"
        top = "" if math.isinf(high) else f" and {'less than' if open_high else 'at most'} {high:g}"
        raise UserError(f"{name} is {value}: expected a number of {bottom}{top}")
