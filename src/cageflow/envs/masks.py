"""The masks of games that run elsewhere, such as in the original: see `cageflow.sim.knowledge` for what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import forget, mask_loop, new_memories, remember_loop


class ActionMasks:
    """The masks of a batch of games that run elsewhere, such as in the original.

    Args:
        options: the settings of the game.
        num_envs: B.
    """

    def __init__(self, options: GameOptions, num_envs: int = 1) -> None:
        network = options.network
        self._nets = row(network.tables)
        self._settings = row(options.params(network))
        self._memories = new_memories(network, num_envs)
        self._shape = (num_envs, len(network.codec))
        self._num_observations = network.num_observations

    def reset(self) -> None:
        """Begin new episodes."""
        forget(self._memories, np.ones(self._shape[0], np.bool_))

    def update(self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any]) -> None:
        """Take in one step.

        Args:
            actions: (B,) action numbers.
            observations: (B, F) what blue saw after them.

        Raises:
            UserError: a wrong shape, or an action out of range.
        """
        num_envs, num_actions = self._shape
        if actions.shape != (num_envs,) or observations.shape != (num_envs, self._num_observations):
            raise UserError(
                f"expected ({num_envs},) actions and ({num_envs}, {self._num_observations}) observations, "
                f"got {actions.shape} and {observations.shape}."
            )
        if actions.min() < 0 or actions.max() >= num_actions:
            raise UserError(f"an action is out of range; possible are 0 to {num_actions - 1}.")
        remember_loop(plain(self._memories), self._nets, self._settings, actions, observations)

    def masks(self) -> npt.NDArray[np.bool_]:
        """(B, A) bool: False where the action is certainly in vain."""
        return write_masks(self._memories, self._nets, self._shape[1])


def write_masks(memories: npt.NDArray[Any], nets: npt.NDArray[Any], num_actions: int) -> npt.NDArray[np.bool_]:
    """(B, A) bool masks from what blue remembers: False where the action is certainly in vain.

    Args:
        memories: (B,) records of `memory_dtype`.
        nets: (1,) the network's tables.
        num_actions: A.
    """
    masks = np.empty((len(memories), num_actions), np.bool_)
    mask_loop(plain(memories), nets, masks)
    return masks
