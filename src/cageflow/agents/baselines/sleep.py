"""Does nothing, ever."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.envs.agent import BlueSetting, BlueView


class SleepAgent:
    """Plays Sleep.

    Args:
        setting: of the games.
    """

    max_envs: int | None = None

    def __init__(self, setting: BlueSetting) -> None:
        self._sleep = setting.network.codec.encode("Sleep")

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; there is nothing to forget."""

    def act(self, view: BlueView) -> npt.NDArray[np.int16]:
        """(B,) times Sleep."""
        return np.full(len(view.observations), self._sleep, np.int16)
