"""Games of blue against a red agent that learned: the compiled simulator, with red asked once a step for all games."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.collect.games import QUIET
from cageflow.collect.seeds import action_uniforms
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.envs.red_memory import RedMemory
from cageflow.envs.seeds import scramble
from cageflow.learn.fit import check_red_fit
from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import load_policy
from cageflow.scenario import RedAgent
from cageflow.sim.given import give_loop

RED_SALT = np.uint64(0xC2B2AE3D27D4EB4F)
"""Keeps red's numbers apart from blue's, which are drawn by the episode's own seed."""


class LearnedRedBatch(GameBatch):
    """Games in which a policy plays red, drawing its actions as it did in training.

    Args:
        options: of the games, whoever plays red in them.
        file: of the policy.
        num_envs: B.

    Raises:
        UserError: it is no policy of red's, or was made for another network.
    """

    def __init__(self, options: GameOptions, file: str, num_envs: int = 1) -> None:
        options = options.against(QUIET, options.max_steps)
        super().__init__(options, num_envs)
        self.memory.settings["red_agent"] = RedAgent.GIVEN
        self._policy = red_policy(file)
        check_red_fit(self._policy, options.network, f"policy file {file}")
        self._known = RedMemory(options, num_envs)
        codec = options.network.red_codec
        self._kinds, self._targets = np.asarray(codec.kinds, np.int8), np.asarray(codec.targets, np.int8)
        self._step = 0

    def begin(self, seeds: npt.NDArray[np.uint64], observations: npt.NDArray[Any] | None = None) -> None:
        """Begin an episode for each seed; as of `GameBatch`."""
        super().begin(seeds, observations)
        if len(self._known.records) != len(seeds):
            self._known.resize(len(seeds))
        self._known.reset()
        self._seeds, self._step = scramble(seeds ^ RED_SALT), 0
        self._uniforms = np.empty(len(seeds), np.float64)

    def play(
        self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any], rewards: npt.NDArray[np.floating]
    ) -> None:
        """One step of every game, for which red is asked; as of `GameBatch`."""
        action_uniforms(self._seeds, self._step, self._uniforms)
        masks = self._known.masks().view(np.uint8) if self._policy.card.is_masked else None
        chosen = self._policy.draw(self._known.observations(), self._uniforms, masks)
        give_loop(self.states, self._kinds, self._targets, chosen)
        super().play(actions, observations, rewards)
        self._known.update(self.states)
        self._step += 1


@lru_cache(maxsize=16)
def red_policy(file: str) -> Policy:
    """The policy in a file, read once."""
    return load_policy(Path(file))
