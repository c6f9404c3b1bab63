"""What a collector hands to the learner: whole episodes of equal length, distinct observations kept once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cageflow.learn.bit_table import BitTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """B episodes of T steps, each from a reset to the step limit.

    The observations are a table of the distinct ones and indices into it. That is how an `Actor` meets them, it is a
    fiftieth of the memory, and the learner runs its networks on the table alone.

    Attributes:
        observations: (U, F) uint8 of 0 and 1, the distinct observations; one that stands twice costs time, no more.
        observation_idx: (T, B) integer, row of the observation that each action answered.
        final_observation_idx: (B,) integer, row of the observation after the last step.
        actions: (T, B) integer.
        log_probs: (T, B) float32, log-probability of each action under the policy that chose it, masks included.
        env_rewards: (T, B) float32, rewards of the game.
        alignment_rewards: (T, B) float32, rewards for following the workflow; zeros without one.
        masks: (M, A) uint8, the distinct action masks, 1 for allowed; None where none were used.
        mask_idx: (T, B) integer, row of the mask at each step; None where none were used.

    Raises:
        ValueError: a shape that does not fit, or an index outside its table.
    """

    observations: NDArray[np.uint8]
    observation_idx: NDArray[np.integer]
    final_observation_idx: NDArray[np.integer]
    actions: NDArray[np.integer]
    log_probs: NDArray[np.float32]
    env_rewards: NDArray[np.float32]
    alignment_rewards: NDArray[np.float32]
    masks: NDArray[np.uint8] | None = None
    mask_idx: NDArray[np.integer] | None = None

    def __post_init__(self) -> None:
        if self.observations.ndim != 2 or self.observations.dtype != np.uint8:
            raise ValueError(
                f"expected (U, F) uint8 observations, got {self.observations.shape} {self.observations.dtype}"
            )
        if self.observation_idx.ndim != 2 or self.observation_idx.size == 0:
            raise ValueError(f"expected (T, B) observation_idx of at least one step, got {self.observation_idx.shape}")
        steps = self.observation_idx.shape
        for name in ("actions", "log_probs", "env_rewards", "alignment_rewards"):
            if getattr(self, name).shape != steps:
                raise ValueError(f"expected {steps} {name}, got {getattr(self, name).shape}")
        if self.final_observation_idx.shape != steps[1:]:
            raise ValueError(f"expected {steps[1:]} final_observation_idx, got {self.final_observation_idx.shape}")
        num_rows = self.observations.shape[0]
        _check_range("observation_idx", self.observation_idx, num_rows)
        _check_range("final_observation_idx", self.final_observation_idx, num_rows)
        if (self.masks is None) != (self.mask_idx is None):
            raise ValueError("expected masks and mask_idx together, got one of them")
        if self.masks is not None and self.mask_idx is not None:
            if self.masks.ndim != 2 or self.masks.dtype != np.uint8:
                raise ValueError(f"expected (M, A) uint8 masks, got {self.masks.shape} {self.masks.dtype}")
            if self.mask_idx.shape != steps:
                raise ValueError(f"expected {steps} mask_idx, got {self.mask_idx.shape}")
            _check_range("mask_idx", self.mask_idx, self.masks.shape[0])

    @property
    def num_steps(self) -> int:
        """T, steps of each episode."""
        return int(self.observation_idx.shape[0])

    @property
    def num_episodes(self) -> int:
        """B, episodes."""
        return int(self.observation_idx.shape[1])

    @property
    def rewards(self) -> NDArray[np.float32]:
        """(T, B) float32, what the learner maximises: rewards of the game and for the workflow."""
        total: NDArray[np.float32] = self.env_rewards + self.alignment_rewards
        return total

    def with_bits(self, bits: NDArray[np.uint8]) -> "Rollout":
        """The same episodes seen by a learner whose observations all end in (D,) uint8 `bits`, such as an order's code.

        Raises:
            ValueError: `bits` is not (D,) uint8.
        """
        if bits.ndim != 1 or bits.dtype != np.uint8:
            raise ValueError(f"expected (D,) uint8 bits, got {bits.shape} {bits.dtype}")
        columns = np.broadcast_to(bits, (self.observations.shape[0], bits.shape[0]))
        return replace(self, observations=np.concatenate([self.observations, columns], axis=1))

    def take(self, places: NDArray[np.integer]) -> "Rollout":
        """The episodes at (B,) places, in the order given."""
        return replace(
            self,
            observation_idx=self.observation_idx[:, places],
            final_observation_idx=self.final_observation_idx[places],
            actions=self.actions[:, places],
            log_probs=self.log_probs[:, places],
            env_rewards=self.env_rewards[:, places],
            alignment_rewards=self.alignment_rewards[:, places],
            mask_idx=None if self.mask_idx is None else self.mask_idx[:, places],
        )

    @classmethod
    def concatenate(cls, parts: Sequence["Rollout"]) -> "Rollout":
        """Put the episodes of several rollouts side by side, in the order given.

        Raises:
            ValueError: no parts, or parts of different lengths, observation sizes or use of masks.
        """
        if not parts:
            raise ValueError("expected at least one rollout, got none")
        shapes = {(part.num_steps, part.observations.shape[1], part.masks is None) for part in parts}
        if len(shapes) > 1:
            raise ValueError(f"expected rollouts of one (steps, observation bits, without masks), got {sorted(shapes)}")
        observations, row_maps = _merge([part.observations for part in parts])
        masks = mask_idx = None
        if parts[0].masks is not None:
            masks, mask_maps = _merge([part.masks for part in parts if part.masks is not None])
            indices = [part.mask_idx for part in parts if part.mask_idx is not None]
            mask_idx = np.concatenate([new[old] for new, old in zip(mask_maps, indices, strict=True)], axis=1)
        pairs = list(zip(row_maps, parts, strict=True))
        return cls(
            observations=observations,
            observation_idx=np.concatenate([new[part.observation_idx] for new, part in pairs], axis=1),
            final_observation_idx=np.concatenate([new[part.final_observation_idx] for new, part in pairs]),
            actions=np.concatenate([part.actions for part in parts], axis=1),
            log_probs=np.concatenate([part.log_probs for part in parts], axis=1),
            env_rewards=np.concatenate([part.env_rewards for part in parts], axis=1),
            alignment_rewards=np.concatenate([part.alignment_rewards for part in parts], axis=1),
            masks=masks,
            mask_idx=mask_idx,
        )


def _merge(tables: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], list[NDArray[np.int32]]]:
    """One table of the distinct rows of several, and for each the place of its rows in it."""
    merged = BitTable(tables[0].shape[1])
    places = [merged.index(table) for table in tables]
    return merged.rows.copy(), places


def _check_range(name: str, idx: NDArray[np.integer], num_rows: int) -> None:
    if idx.min() < 0 or idx.max() >= num_rows:
        raise ValueError(f"expected {name} of 0 to {num_rows - 1}, got {idx.min()} to {idx.max()}")
