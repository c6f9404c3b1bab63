"""Blue's memory of games that run elsewhere, such as in the original: see `cageflow.sim.memory` for what it holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.game import check_actions
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import mask_loop
from cageflow.sim.memory import forget, new_memories, remember_loop
from cageflow.sim.recall import decoy_places, num_recalled, recall_loop


class BlueMemory:
    """What blue remembers of a batch of games that run elsewhere, such as in the original.

    Args:
        options: the settings of the game.
        num_envs: B.
    """

    def __init__(self, options: GameOptions, num_envs: int = 1) -> None:
        network = options.network
        self._nets = row(network.tables)
        self._settings = row(options.params())
        self._memories = new_memories(network, num_envs)
        self._shape = (num_envs, len(network.codec))
        self._num_observations = network.num_observations
        self._num_recalled = num_recalled(network)
        self._places = decoy_places(network)

    def reset(self) -> None:
        """Begin new episodes."""
        forget(self._memories, np.ones(self._shape[0], np.bool_))

    def update(self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any]) -> None:
        """Take in one step.

        Args:
            actions: (B,) action numbers.
            observations: (B, F) what blue saw after them.

        Raises:
            UserError: a wrong shape or type, or an action out of range.
        """
        num_envs, num_actions = self._shape
        if actions.shape != (num_envs,) or observations.shape != (num_envs, self._num_observations):
            raise UserError(
                f"expected ({num_envs},) actions and ({num_envs}, {self._num_observations}) observations, "
                f"got {actions.shape} and {observations.shape}."
            )
        check_actions(actions, num_actions)
        remember_loop(plain(self._memories), self._nets, self._settings, actions, observations)

    def masks(self) -> npt.NDArray[np.bool_]:
        """(B, A) bool: False where the action is certainly in vain; see `cageflow.sim.knowledge`."""
        masks = np.empty(self._shape, np.bool_)
        mask_loop(plain(self._memories), self._nets, masks)
        return masks

    def recalled(self) -> npt.NDArray[np.uint8]:
        """(B, R) uint8 of 0 and 1: what is remembered, for a policy to read; see `cageflow.sim.recall`."""
        bits = np.empty((self._shape[0], self._num_recalled), np.uint8)
        recall_loop(plain(self._memories), self._nets, self._places, bits)
        return bits
