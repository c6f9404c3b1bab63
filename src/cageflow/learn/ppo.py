"""Proximal policy optimisation (Schulman et al. 2017) on rollouts of whole episodes."""

import math
import operator
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cageflow.learn.adam import Adam
from cageflow.learn.advantages import discounted_returns, explained_variance, gae, step_weights
from cageflow.learn.config import PPOConfig
from cageflow.learn.inference import ActorWeights, Layers
from cageflow.learn.losses import PolicyLoss, policy_loss
from cageflow.learn.networks import ActorCritic, share_storage
from cageflow.learn.rollout import Rollout
from cageflow.learn.value_scale import ValueScale

_RETURNS_EPS = 1e-5
_ADVANTAGE_EPS = 1e-8


class NonFiniteError(ArithmeticError):
    """A reward, a loss or a gradient was infinite or not a number; the weights are those before that step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStats:
    """What one update did. Losses, entropy, KL and clip fraction are means over the minibatches of its last epoch.

    Attributes:
        policy_loss: clipped surrogate loss, without the entropy bonus.
        value_loss: mean squared error of the critic in its own unit.
        entropy: of the policy, in nats.
        approx_kl: estimate of the KL divergence from the policy that acted.
        clip_fraction: share of the steps whose probability ratio lay outside the clip interval.
        explained_variance: share of the variance of the returns that the critic predicted before the update; NaN where
            all returns were equal.
        grad_norm: mean length of the gradient before clipping; 0 if no step was taken.
        learning_rate: of this update.
        ent_coef: of this update.
        epochs_done: epochs completed; fewer than `update_epochs` if the KL divergence ended the update.
        gradient_steps: optimiser steps taken.
        distinct_observations: rows that the networks ran on.
        seconds: wall-clock time.
    """

    policy_loss: float
    value_loss: float
    entropy: float
    approx_kl: float
    clip_fraction: float
    explained_variance: float
    grad_norm: float
    learning_rate: float
    ent_coef: float
    epochs_done: int
    gradient_steps: int
    distinct_observations: int
    seconds: float


class PPO:
    """A policy for one workflow order (or for none), its critic, and all that training them goes on with.

    Args:
        config: settings.
        num_observations: F, bits of an observation.
        num_actions: A.
        order_encoding: (D,) float32 code of the workflow order; None for plain PPO.
        total_updates: updates that the schedules of the configuration are stretched over; later ones keep the final
            values. Needed if and only if `config.has_schedule`.
        device: torch device for the networks and the update. Acting stays on the CPU.
        seed: decides the initial weights and the shuffling; torch's global generator is not touched.

    Raises:
        ValueError: a configuration with schedules and no `total_updates`.
    """

    def __init__(
        self,
        config: PPOConfig,
        *,
        num_observations: int = 52,
        num_actions: int = 145,
        order_encoding: NDArray[np.float32] | None = None,
        total_updates: int | None = None,
        device: str | torch.device = "cpu",
        seed: int = 0,
    ) -> None:
        if config.has_schedule and (total_updates is None or total_updates < 1):
            raise ValueError(f"total_updates is {total_updates}: the schedules of the configuration need at least 1")
        self.config = config
        self._num_observations = num_observations
        self._num_actions = num_actions
        self._total_updates = total_updates
        self._device = torch.device(device)
        self._generator = torch.Generator().manual_seed(seed)
        self._networks = ActorCritic(
            num_observations,
            num_actions,
            hidden_sizes=config.hidden_sizes,
            activation=config.activation,
            orthogonal_init=config.orthogonal_init,
            order_encoding=order_encoding,
            generator=self._generator,
        ).to(self._device)
        self._parameters = share_storage(self._networks)
        self._optimizer = Adam(self._parameters, betas=config.adam_betas, eps=config.adam_eps)
        self._value_scale = ValueScale()
        self._updates_done = 0

    def actor_weights(self) -> ActorWeights:
        """A copy of the present policy for an `inference.Actor`."""
        return self._networks.actor_weights()

    def actor_layers(self) -> Layers:
        """A copy of the present policy's layers for a `policy.Policy`."""
        return self._networks.actor_layers()

    def values(self, observations: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The critic's values of (B, F) uint8 observations, (B,) float32.

        They are expected returns; without `gae_lambda`, returns as normalised in the last rollout.
        """
        with torch.no_grad():
            output = self._networks.values(torch.from_numpy(observations).to(self._device).float())
        return self._value_scale.to_returns(output.cpu().numpy())

    def update(self, rollout: Rollout) -> UpdateStats:
        """Improve the policy on one rollout.

        Raises:
            ValueError: a rollout of other sizes than the networks, or with fewer steps than minibatches.
            NonFiniteError: a reward, a loss or a gradient is not finite.
        """
        started = time.perf_counter()
        config = self.config
        self._check(rollout)
        learning_rate, ent_coef = self._scheduled()
        observations = torch.from_numpy(rollout.observations).to(self._device).float()
        targets, advantages, explained = self._targets(rollout)
        steps = _Steps.from_rollout(rollout, observations, targets, advantages)

        epochs_done = gradient_steps = 0
        grad_norm_sum = 0.0
        stopped = False
        while epochs_done < config.update_epochs and not stopped:
            measures = []
            for minibatch in self._minibatches(steps):
                policy, value_loss, loss = self._losses(minibatch, ent_coef)
                self._check_finite(loss, policy, value_loss)
                measures.append(
                    torch.stack(
                        (policy.clipped, value_loss.detach(), policy.entropy, policy.approx_kl, policy.clip_fraction)
                    )
                )
                if config.target_kl is not None and float(policy.approx_kl) > config.target_kl:
                    stopped = True
                    break
                grad_norm_sum += self._step(loss, learning_rate)
                gradient_steps += 1
            epochs_done += not stopped
        clipped, value_loss_mean, entropy, approx_kl, clip_fraction = torch.stack(measures).mean(dim=0).tolist()
        self._updates_done += 1
        return UpdateStats(
            policy_loss=clipped,
            value_loss=value_loss_mean,
            entropy=entropy,
            approx_kl=approx_kl,
            clip_fraction=clip_fraction,
            explained_variance=explained,
            grad_norm=grad_norm_sum / max(1, gradient_steps),
            learning_rate=learning_rate,
            ent_coef=ent_coef,
            epochs_done=epochs_done,
            gradient_steps=gradient_steps,
            distinct_observations=rollout.observations.shape[0],
            seconds=time.perf_counter() - started,
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything that going on needs to be as if never stopped: tensors, numbers and strings, a copy.

        `torch.load(..., weights_only=True)` reads what `torch.save` writes of it.
        """
        return {
            "networks": {name: tensor.detach().cpu().clone() for name, tensor in self._networks.state_dict().items()},
            "optimizer": self._optimizer.state_dict(),
            "value_scale": self._value_scale.state_dict(),
            "generator": self._generator.get_state(),
            "updates_done": self._updates_done,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of a learner with the same configuration, sizes and order.

        Raises:
            ValueError: the state is of networks of other sizes, or lacks a part.
        """
        try:
            self._networks.load_state_dict(state["networks"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._value_scale.load_state_dict(state["value_scale"])
            self._generator.set_state(state["generator"])
            self._updates_done = int(state["updates_done"])
        except KeyError as missing:
            raise ValueError(f"the saved learner lacks {missing}") from missing
        except RuntimeError as mismatch:
            raise ValueError(f"the saved learner does not fit this configuration: {mismatch}") from mismatch

    def start_from(self, state: dict[str, Any]) -> None:
        """Begin with what another learner has learned, of whatever workflow order or of all of them.

        Actor, critic and value scale are taken over. The order stays this learner's own, and so do the optimiser, the
        generator and the schedules, all as new.

        Args:
            state: what the other learner's `state_dict` gave. Its inputs must be as many as here, an order's code
                counted among them.

        Raises:
            ValueError: this learner has learned already, or the state is of networks of other sizes or lacks a part.
        """
        if self._updates_done > 0:
            raise ValueError(f"expected a new learner, got one with updates_done {self._updates_done}")
        try:
            networks, value_scale = state["networks"], state["value_scale"]
            pairs = [(name, weights, networks[name]) for name, weights in self._networks.named_parameters()]
        except KeyError as missing:
            raise ValueError(f"the saved learner lacks {missing}") from missing
        for name, weights, saved in pairs:
            if saved.shape != weights.shape:
                raise ValueError(
                    f"the saved learner does not fit this configuration: "
                    f"expected {name} of shape {tuple(weights.shape)}, got {tuple(saved.shape)}"
                )
        with torch.no_grad():
            for _, weights, saved in pairs:
                weights.copy_(saved)
        self._value_scale.load_state_dict(value_scale)

    def _check(self, rollout: Rollout) -> None:
        config = self.config
        if rollout.observations.shape[1] != self._num_observations:
            raise ValueError(f"expected (U, {self._num_observations}) observations, got {rollout.observations.shape}")
        if rollout.actions.min() < 0 or rollout.actions.max() >= self._num_actions:
            raise ValueError(
                f"expected actions of 0 to {self._num_actions - 1}, "
                f"got {rollout.actions.min()} to {rollout.actions.max()}"
            )
        if rollout.masks is not None and rollout.masks.shape[1] != self._num_actions:
            raise ValueError(f"expected (M, {self._num_actions}) masks, got {rollout.masks.shape}")
        if rollout.actions.size < config.num_minibatches:
            raise ValueError(
                f"expected at least {config.num_minibatches} steps, one a minibatch, got {rollout.actions.size}"
            )
        for name in ("env_rewards", "alignment_rewards", "log_probs"):
            if not np.isfinite(getattr(rollout, name)).all():
                raise NonFiniteError(f"update {self._updates_done + 1}: {name} of the rollout are not finite")

    def _scheduled(self) -> tuple[float, float]:
        """Learning rate and entropy coefficient of the coming update."""
        config = self.config
        done = 0.0
        if self._total_updates is not None:
            done = min(1.0, self._updates_done / max(1, self._total_updates - 1))
        return (
            _between(config.learning_rate, config.final_learning_rate, done),
            _between(config.ent_coef, config.final_ent_coef, done),
        )

    def _targets(self, rollout: Rollout) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, float]:
        """The critic's targets, the advantages and the explained variance.

        Returns:
            (T, B) targets in the critic's unit, (T, B) advantages or None where they follow from targets and values,
            and the variance explained by the critic before the update.
        """
        config = self.config
        rewards = rollout.rewards.astype(np.float32, copy=False)
        if config.episode_lengths:
            rewards = rewards * step_weights(config.episode_lengths, rollout.num_steps)[:, None]
        nothing = np.zeros(rollout.num_episodes, np.float32)
        if config.gae_lambda is None:
            returns = discounted_returns(rewards, nothing, config.gamma)
            spread = returns.std(ddof=1) if returns.size > 1 else 0.0  # of one value there is none
            targets = (returns - returns.mean()) / np.float32(spread + _RETURNS_EPS)
            values = self.values(rollout.observations)[rollout.observation_idx]
            return targets, None, explained_variance(values, targets)
        scale = self._value_scale
        if config.norm_values:
            scale.start(discounted_returns(rewards, nothing, config.gamma))
        row_values = self.values(rollout.observations)
        values = row_values[rollout.observation_idx]
        final_values = row_values[rollout.final_observation_idx] if config.bootstrap_truncation else nothing
        advantages = gae(rewards, values, final_values, config.gamma, config.gae_lambda)
        returns = values + advantages
        explained = explained_variance(values, returns)
        if config.norm_values:
            scale.update(returns, self._networks.critic_head)
            returns = scale.to_values(returns)
        return returns, advantages, explained

    def _minibatches(self, steps: "_Steps") -> Iterator["_Steps"]:
        """One epoch."""
        if self.config.num_minibatches == 1:
            yield steps
            return
        order = torch.randperm(len(steps), generator=self._generator).to(self._device)
        yield from steps.shuffled(order).split(self.config.num_minibatches)

    def _losses(self, steps: "_Steps", ent_coef: float) -> tuple[PolicyLoss, Tensor, Tensor]:
        """The actor's loss, the critic's and their weighted sum."""
        config = self.config
        logits = self._networks.logits(steps.observations)
        values = self._networks.values(steps.observations).index_select(0, steps.row_idx)
        advantages = steps.advantages
        if advantages is None:
            advantages = steps.targets - values.detach()
        elif config.norm_adv:
            spread = advantages.std() if len(advantages) > 1 else advantages.new_zeros(())  # of one value there is none
            advantages = (advantages - advantages.mean()) / (spread + _ADVANTAGE_EPS)
        policy = policy_loss(
            logits,
            steps.row_idx,
            steps.actions,
            steps.log_probs,
            advantages,
            clip_coef=config.clip_coef,
            ent_coef=ent_coef,
            masks=steps.masks,
            mask_idx=steps.mask_idx,
        )
        value_loss = (values - steps.targets).square().mean()
        return policy, value_loss, policy.total + config.vf_coef * value_loss

    def _check_finite(self, loss: Tensor, policy: PolicyLoss, value_loss: Tensor) -> None:
        if not math.isfinite(loss.item()):
            for name, part in (
                ("policy loss", policy.clipped),
                ("value loss", value_loss),
                ("entropy", policy.entropy),
            ):
                if not math.isfinite(part.item()):
                    raise NonFiniteError(f"update {self._updates_done + 1}: the {name} is {part.item()}")
            raise NonFiniteError(f"update {self._updates_done + 1}: the sum of the losses is {loss.item()}")

    def _step(self, loss: Tensor, learning_rate: float) -> float:
        """One step down the gradient, whose length before clipping is returned."""
        gradient = self._parameters.grad
        assert gradient is not None
        gradient.zero_()
        loss.backward()
        limit = self.config.max_grad_norm
        norm = float(gradient.norm())
        if not math.isfinite(norm):
            raise NonFiniteError(f"update {self._updates_done + 1}: the gradient's length is {norm}")
        if limit is not None and norm > limit:
            gradient.mul_(limit / norm)
        self._optimizer.step(learning_rate)
        return norm


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """N steps on the learner's device.

    Attributes:
        observations: (U, F) float32, distinct.
        masks: (M, A) uint8, or None.
        row_idx: (N,) int64, each step's row of `observations`.
        mask_idx: (N,) int64, each step's row of `masks`, or None.
        actions: (N,) int64.
        log_probs: (N,) float32.
        targets: (N,) float32, for the critic.
        advantages: (N,) float32, or None: targets less present values.
    """

    observations: Tensor
    masks: Tensor | None
    row_idx: Tensor
    mask_idx: Tensor | None
    actions: Tensor
    log_probs: Tensor
    targets: Tensor
    advantages: Tensor | None

    @classmethod
    def from_rollout(
        cls,
        rollout: Rollout,
        observations: Tensor,
        targets: NDArray[np.float32],
        advantages: NDArray[np.float32] | None,
    ) -> "_Steps":
        """The steps of a rollout, whose table `observations` is already on the device."""

        def flat(array: NDArray[Any], dtype: type[np.generic]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array, dtype).reshape(-1)).to(observations.device)

        return cls(
            observations=observations,
            masks=None if rollout.masks is None else torch.from_numpy(rollout.masks).to(observations.device),
            row_idx=flat(rollout.observation_idx, np.int64),
            mask_idx=None if rollout.mask_idx is None else flat(rollout.mask_idx, np.int64),
            actions=flat(rollout.actions, np.int64),
            log_probs=flat(rollout.log_probs, np.float32),
            targets=flat(targets, np.float32),
            advantages=None if advantages is None else flat(advantages, np.float32),
        )

    def __len__(self) -> int:
        return int(self.row_idx.shape[0])

    def shuffled(self, order: Tensor) -> "_Steps":
        """The same steps in another order."""
        return self._each_step(lambda tensor: tensor.index_select(0, order))

    def split(self, num_parts: int) -> Iterator["_Steps"]:
        """The steps in parts of nearly equal size, each with only the observations that it meets."""
        for places in np.array_split(np.arange(len(self)), num_parts):
            part = self._each_step(operator.itemgetter(slice(int(places[0]), int(places[-1]) + 1)))
            rows, row_idx = _compress(part.row_idx, self.observations.shape[0])
            yield replace(part, observations=self.observations.index_select(0, rows), row_idx=row_idx)

    def _each_step(self, change: Callable[[Tensor], Tensor]) -> "_Steps":
        """Change everything that has one entry per step."""
        return replace(
            self,
            row_idx=change(self.row_idx),
            mask_idx=None if self.mask_idx is None else change(self.mask_idx),
            actions=change(self.actions),
            log_probs=change(self.log_probs),
            targets=change(self.targets),
            advantages=None if self.advantages is None else change(self.advantages),
        )


def _compress(idx: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The rows, ascending, that `idx` (N,) names out of `size`, and `idx` in the numbers that they have among these."""
    named = torch.zeros(size, dtype=torch.int64, device=idx.device).index_fill_(0, idx, 1)
    return named.nonzero()[:, 0], named.cumsum(0).sub_(1).index_select(0, idx)


def _between(first: float, last: float | None, done: float) -> float:
    """The value of a straight line from `first` to `last` when the share `done` of it is behind; `first` if no last."""
    return first if last is None else first + (last - first) * done
