"""Any action, all equally likely."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.collect.seeds import action_uniforms
from cageflow.envs.agent import BlueSetting, BlueView


class RandomAgent:
    """Draws from all actions.

    Args:
        setting: of the games.
    """

    max_envs: int | None = None

    def __init__(self, setting: BlueSetting) -> None:
        self._num_actions = len(setting.network.codec)

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; what is drawn in them depends on their seeds alone."""
        self._seeds = seeds
        self._uniforms = np.empty(len(seeds), np.float64)

    def act(self, view: BlueView) -> npt.NDArray[np.int16]:
        """(B,) draws."""
        action_uniforms(self._seeds, view.step, self._uniforms)
        return (self._uniforms * self._num_actions).astype(np.int16)
