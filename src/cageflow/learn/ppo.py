"""Proximal policy optimisation (Schulman et al. 2017) on rollouts of whole episodes."""

import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cageflow.learn.advantages import discounted_returns, explained_variance, gae, step_weights
from cageflow.learn.compiled_learner import CompiledLearner
from cageflow.learn.compiled_update import MEAN, NO_GRADIENT, NOT_FINITE, SQUARE, TOO_FAR, Measures
from cageflow.learn.config import PPOConfig
from cageflow.learn.generator import Generator
from cageflow.learn.inference import ActorWeights, Layers
from cageflow.learn.networks import Networks
from cageflow.learn.rollout import Rollout
from cageflow.learn.value_scale import ValueScale

_RETURNS_EPS = 1e-5


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


class Learner(Protocol):
    """Who steps networks: `CompiledLearner`, or on a device `TorchLearner`."""

    def values(self, observations: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(U,) float32 values of (U, F) observations, in the unit that the critic was trained in."""

    def begin(self, rollout: Rollout, targets: NDArray[np.float32], advantages: NDArray[np.float32] | None) -> None:
        """Take up a rollout: the next steps are its.

        Args:
            targets: (T, B) for the critic, in its unit.
            advantages: (T, B); None: targets less present values.
        """

    def shuffle(self, order: NDArray[np.int64], num_minibatches: int) -> None:
        """Deal the steps out for an epoch: in (N,) `order`, into parts of nearly equal size."""

    def step(self, number: int, learning_rate: float, ent_coef: float) -> Measures:
        """Learn from a minibatch of the epoch."""

    def end(self) -> None:
        """Give the networks what was learned, and forget the rollout."""


FIRST_WEIGHTS = ("actor.0.weight", "critic.0.weight")
"""The layers that read an order's code."""


class PPO:
    """A policy for one workflow order (or for none), its critic, and all that training them goes on with.

    Args:
        config: settings.
        num_observations: F, bits of an observation.
        num_actions: A.
        order_encoding: (D,) float32 code of the workflow order; None for plain PPO.
        total_updates: updates that the schedules of the configuration are stretched over; later ones keep the final
            values. It or `total_episodes` is needed if and only if `config.has_schedule`.
        total_episodes: the same in episodes, where updates differ in how many they have.
        device: of the update: compiled code on "cpu", and elsewhere torch, which is imported there alone. Acting stays
            on the CPU.
        num_threads: of the update on the CPU.
        seed: decides the initial weights and the shuffling.

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
        total_episodes: int | None = None,
        device: str = "cpu",
        num_threads: int = 1,
        seed: int = 0,
    ) -> None:
        if config.has_schedule and total_episodes is None and (total_updates is None or total_updates < 1):
            raise ValueError(f"total_updates is {total_updates}: the schedules of the configuration need at least 1")
        self.config = config
        self._num_observations = num_observations
        self._num_actions = num_actions
        self._total_updates = total_updates
        self._total_episodes = total_episodes
        self._generator = Generator(seed)
        self._networks = Networks(
            num_observations,
            num_actions,
            hidden_sizes=config.hidden_sizes,
            activation=config.activation,
            orthogonal_init=config.orthogonal_init,
            order_encoding=order_encoding,
            generator=self._generator,
        )
        self._learner = _make_learner(self._networks, config, device, num_threads)
        self._value_scale = ValueScale()
        self._updates_done = self._episodes_done = 0

    @property
    def episodes_done(self) -> int:
        """Episodes that it has learned from, before it was saved and loaded too."""
        return self._episodes_done

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
        return self._value_scale.to_returns(self._learner.values(observations))

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
        targets, advantages, explained = self._targets(rollout)
        learner = self._learner
        learner.begin(rollout, targets, advantages)
        epochs_done = gradient_steps = 0
        grad_norm_sum = 0.0
        stopped = False
        try:
            while epochs_done < config.update_epochs and not stopped:
                means = np.zeros(len(Measures._fields))
                learner.shuffle(self._shuffled(rollout.actions.size), config.num_minibatches)
                for number in range(config.num_minibatches):
                    measures = learner.step(number, learning_rate, ent_coef)
                    self._check_outcome(measures)
                    means += (np.asarray(measures) - means) / (number + 1)
                    if measures.outcome == TOO_FAR:
                        stopped = True
                        break
                    grad_norm_sum += measures.grad_norm
                    gradient_steps += 1
                epochs_done += not stopped
        finally:
            learner.end()
        last = dict(zip(Measures._fields, means.tolist(), strict=True))
        self._updates_done += 1
        self._episodes_done += rollout.num_episodes
        return UpdateStats(
            policy_loss=last["clipped"],
            value_loss=last["value_loss"],
            entropy=last["entropy"],
            approx_kl=last["approx_kl"],
            clip_fraction=last["clip_fraction"],
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
        """Everything that going on needs to be as if never stopped: arrays and numbers, a copy."""
        networks = self._networks
        return {
            "networks": networks.state_dict(),
            "optimizer": {
                "num_steps": networks.num_steps,
                "mean": networks.learned[MEAN].copy(),
                "square": networks.learned[SQUARE].copy(),
            },
            "value_scale": self._value_scale.state_dict(),
            "generator": self._generator.state_dict(),
            "updates_done": self._updates_done,
            "episodes_done": self._episodes_done,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of a learner with the same configuration, sizes and order.

        Raises:
            ValueError: the state is of networks of other sizes, or lacks a part.
        """
        try:
            self._networks.load_state_dict(state["networks"])
            self._load_optimizer(state["optimizer"])
            self._value_scale.load_state_dict(state["value_scale"])
            self._generator.load_state_dict(state["generator"])
            self._updates_done, self._episodes_done = int(state["updates_done"]), int(state["episodes_done"])
        except KeyError as missing:
            raise ValueError(f"the saved learner lacks {missing}") from missing
        except ValueError as mismatch:
            raise ValueError(f"the saved learner does not fit this configuration: {mismatch}") from mismatch

    def start_from(self, state: dict[str, Any]) -> None:
        """Begin with what another learner has learned, of whatever workflow order or of all of them.

        Actor, critic and value scale are taken over. The order stays this learner's own, and so do the optimiser, the
        generator and the schedules, all as new.

        Args:
            state: what the other learner's `state_dict` gave. Its inputs must be as many as here, an order's code
                counted among them; one that knew no order begins with an order that makes no difference.

        Raises:
            ValueError: this learner has learned already, or the state is of networks of other sizes or lacks a part.
        """
        if self._updates_done > 0:
            raise ValueError(f"expected a new learner, got one with updates_done {self._updates_done}")
        try:
            networks, value_scale = state["networks"], state["value_scale"]
            pairs = [
                (name, weights, self._with_order(networks[name]) if name in FIRST_WEIGHTS else networks[name])
                for name, weights in self._networks.named_parameters()
            ]
        except KeyError as missing:
            raise ValueError(f"the saved learner lacks {missing}") from missing
        for name, weights, saved in pairs:
            if saved.shape != weights.shape:
                raise ValueError(
                    f"the saved learner does not fit this configuration: "
                    f"expected {name} of shape {weights.shape}, got {saved.shape}"
                )
        for _, weights, saved in pairs:
            weights[...] = saved
        self._value_scale.load_state_dict(value_scale)

    def _load_optimizer(self, state: dict[str, Any]) -> None:
        learned = self._networks.learned
        for row, name in ((MEAN, "mean"), (SQUARE, "square")):
            if state[name].shape != learned[row].shape:
                raise ValueError(f"expected moments of shape {learned[row].shape}, got {state[name].shape}")
            learned[row] = state[name]
        self._networks.num_steps = int(state["num_steps"])

    def _with_order(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, F) weights of a first layer with columns of 0 for this learner's order; others as they are."""
        num_order = self._networks.order.size
        if num_order == 0 or weights.ndim != 2 or weights.shape[1] != self._num_observations:
            return weights
        return np.concatenate([weights, np.zeros((len(weights), num_order), np.float32)], axis=1)

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
        if self._total_episodes is not None:
            done = min(1.0, self._episodes_done / self._total_episodes)
        elif self._total_updates is not None:
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
            scale.update(returns, *self._networks.critic[-1])
            returns = scale.to_values(returns)
        return returns, advantages, explained

    def _shuffled(self, num_steps: int) -> NDArray[np.int64]:
        """The numbers of the steps in the order of an epoch."""
        if self.config.num_minibatches == 1:
            return np.arange(num_steps)
        return self._generator.permutation(num_steps)

    def _check_outcome(self, measures: Measures) -> None:
        update = self._updates_done + 1
        if measures.outcome == NOT_FINITE:
            for name, part in (
                ("policy loss", measures.clipped),
                ("value loss", measures.value_loss),
                ("entropy", measures.entropy),
            ):
                if not math.isfinite(part):
                    raise NonFiniteError(f"update {update}: the {name} is {part}")
            raise NonFiniteError(f"update {update}: the sum of the losses is not finite")
        if measures.outcome == NO_GRADIENT:
            raise NonFiniteError(f"update {update}: the gradient's length is {measures.grad_norm}")


def _make_learner(networks: Networks, config: PPOConfig, device: str, num_threads: int) -> Learner:
    """Who steps the networks on a device."""
    if device == "cpu":
        return CompiledLearner(networks, config, num_threads)
    from cageflow.learn.torch_learner import TorchLearner

    return TorchLearner(networks, config, device)


def _between(first: float, last: float | None, done: float) -> float:
    """The value of a straight line from `first` to `last` when the share `done` of it is behind; `first` if no last."""
    return first if last is None else first + (last - first) * done
