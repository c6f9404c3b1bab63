"""An agent that somebody keeps from acting for a while: see `cageflow.envs.perturbing`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.envs.agent import Actions, BlueAgent, BlueSetting, BlueView
from cageflow.envs.perturbing import PERTURBING_STEPS, STARTS, perturbing_actions


class PerturbedAgent:
    """Plays an agent after PERTURBING_STEPS in which it is overruled.

    It sees them all, so that one which remembers is up to date when its turn comes.

    Args:
        agent: the agent.
        setting: of the games.
        start: what is done in its place, one of `STARTS`.
    """

    def __init__(self, agent: BlueAgent, setting: BlueSetting, start: str) -> None:
        self._agent = agent
        self._num_actions = len(setting.network.codec)
        self._start = STARTS.index(start)

    @property
    def max_envs(self) -> int | None:
        """Most games that it can play at once."""
        return self._agent.max_envs

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin B episodes; the perturbing steps are drawn by their seeds."""
        self._agent.reset(seeds)
        self._seeds = seeds

    def act(self, view: BlueView) -> Actions:
        """(B,) actions."""
        actions = self._agent.act(view)
        if view.step >= PERTURBING_STEPS:
            return actions
        overruled = np.empty(len(self._seeds), np.int16)
        perturbing_actions(self._seeds, view.step, self._start, self._num_actions, overruled)
        return overruled
