"""A learner's networks stepped by torch, for a device that compiled code does not run on."""

import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cageflow.learn.adam import Adam
from cageflow.learn.compiled_update import MEAN, NO_GRADIENT, NOT_FINITE, SQUARE, STEPPED, TOO_FAR, Measures
from cageflow.learn.config import PPOConfig
from cageflow.learn.losses import PolicyLoss, policy_loss
from cageflow.learn.networks import Networks
from cageflow.learn.rollout import Rollout
from cageflow.learn.torch_networks import ActorCritic, share_storage

_ADVANTAGE_EPS = 1e-8


class TorchLearner:
    """The face of `CompiledLearner`, whose results it gives but for rounding.

    Args:
        networks: the networks, which are copied to the device for each rollout and back.
        config: settings.
        device: torch's name for it.
    """

    def __init__(self, networks: Networks, config: PPOConfig, device: str) -> None:
        self._networks = networks
        self._config = config
        self._module = ActorCritic(networks).to(torch.device(device))
        self._parameters = share_storage(self._module)
        self._optimizer = Adam(self._parameters, betas=config.adam_betas, eps=config.adam_eps)

    def values(self, observations: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(U,) float32 values of (U, F) observations, in the unit that the critic was trained in."""
        self._module.take(self._networks)
        with torch.no_grad():
            values: NDArray[np.float32] = self._module.values(self._on_device(observations)).cpu().numpy()
        return values

    def begin(self, rollout: Rollout, targets: NDArray[np.float32], advantages: NDArray[np.float32] | None) -> None:
        """Take up a rollout: the next steps are its.

        Args:
            targets: (T, B) for the critic, in its unit.
            advantages: (T, B); None: targets less present values.
        """
        self._module.take(self._networks)
        self._optimizer.num_steps = self._networks.num_steps
        for theirs, mine in self._moments():
            mine.copy_(torch.from_numpy(theirs.copy()))
        observations = self._on_device(rollout.observations)
        self._steps = Steps.from_rollout(rollout, observations, targets, advantages)

    def shuffle(self, order: NDArray[np.int64], num_minibatches: int) -> None:
        """Deal the steps out for an epoch: in (N,) `order`, into parts of nearly equal size."""
        if num_minibatches == 1:
            self._minibatches = [self._steps]
            return
        shuffled = self._steps.shuffled(torch.from_numpy(order).to(self._parameters.device))
        self._minibatches = list(shuffled.split(num_minibatches))

    def step(self, number: int, learning_rate: float, ent_coef: float) -> Measures:
        """Learn from a minibatch of the epoch."""
        policy, value_loss, loss = self._losses(self._minibatches[number], ent_coef)
        parts = (policy.clipped, value_loss.detach(), policy.entropy, policy.approx_kl, policy.clip_fraction)
        clipped, value_mean, entropy, approx_kl, clip_fraction = torch.stack(parts).tolist()
        measured = Measures(STEPPED, clipped, value_mean, entropy, approx_kl, clip_fraction, 0.0)
        if not math.isfinite(loss.item()):
            return measured._replace(outcome=NOT_FINITE)
        if self._config.target_kl is not None and approx_kl > self._config.target_kl:
            return measured._replace(outcome=TOO_FAR)
        norm = self._descend(loss, learning_rate)
        return measured._replace(outcome=STEPPED if math.isfinite(norm) else NO_GRADIENT, grad_norm=norm)

    def end(self) -> None:
        """Give the networks what was learned, and forget the rollout."""
        self._module.give(self._networks)
        self._networks.num_steps = self._optimizer.num_steps
        for theirs, mine in self._moments():
            theirs[...] = mine.cpu().numpy()
        self._minibatches.clear()
        del self._steps

    def _moments(self) -> Iterator[tuple[NDArray[np.float32], Tensor]]:
        """Adam's moments of each weight and bias: here, and on the device."""
        shapes = [parameter.shape for parameter in self._module.parameters()]
        sizes = [shape.numel() for shape in shapes]
        for row, vector in ((MEAN, self._optimizer.mean), (SQUARE, self._optimizer.square)):
            theirs = [array for layer in self._networks.layers(row) for array in layer]
            for one, mine, shape in zip(theirs, vector.split(sizes), shapes, strict=True):
                yield one, mine.view(shape)

    def _on_device(self, observations: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(observations).to(self._parameters.device).float()

    def _losses(self, steps: "Steps", ent_coef: float) -> tuple[PolicyLoss, Tensor, Tensor]:
        """The actor's loss, the critic's and their weighted sum."""
        config = self._config
        logits = self._module.logits(steps.observations)
        values = self._module.values(steps.observations).index_select(0, steps.row_idx)
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

    def _descend(self, loss: Tensor, learning_rate: float) -> float:
        """One step down the gradient, whose length before clipping is returned; none where that is not finite."""
        gradient = self._parameters.grad
        assert gradient is not None
        gradient.zero_()
        loss.backward()
        limit = self._config.max_grad_norm
        norm = float(gradient.norm())
        if not math.isfinite(norm):
            return norm
        if limit is not None and norm > limit:
            gradient.mul_(limit / norm)
        self._optimizer.step(learning_rate)
        return norm


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
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
    ) -> "Steps":
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

    def shuffled(self, order: Tensor) -> "Steps":
        """The same steps in another order."""
        return self._each_step(lambda tensor: tensor.index_select(0, order))

    def split(self, num_parts: int) -> Iterator["Steps"]:
        """The steps in parts of nearly equal size, each with only the observations that it meets."""
        for places in np.array_split(np.arange(len(self)), num_parts):
            part = self._each_step(operator.itemgetter(slice(int(places[0]), int(places[-1]) + 1)))
            rows, row_idx = _compress(part.row_idx, self.observations.shape[0])
            yield replace(part, observations=self.observations.index_select(0, rows), row_idx=row_idx)

    def _each_step(self, change: Callable[[Tensor], Tensor]) -> "Steps":
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
