"""One game that both sides play: the environment of blue, and what red sees and may do in it."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.envs.red_memory import RedView
from cageflow.envs.red_player import GivenActions
from cageflow.envs.single import Cage2Env
from cageflow.errors import UserError
from cageflow.scenario.red_agents import GIVEN


class TwoSidedGame(Cage2Env):
    """The environment of blue, in which whoever holds it plays red: `red_acts` before each step.

    Args:
        rules, observation, max_steps, green, scenario, render_mode, durations: as in `Cage2Env`.

    Attributes:
        red_observation_space: of `red_observation`.
        red_action_space: of the numbers of `red_codec`.

    Raises:
        UserError: an argument is not possible.
    """

    def __init__(
        self,
        rules: str = GameOptions.rules,
        observation: str = GameOptions.observation,
        max_steps: int = GameOptions.max_steps,
        green: bool = GameOptions.green,
        scenario: Path | str | None = GameOptions.scenario,
        render_mode: str | None = None,
        durations: str = GameOptions.durations,
    ) -> None:
        super().__init__(GIVEN, rules, observation, max_steps, green, scenario, render_mode, durations)
        self.red_observation_space = spaces.Box(0.0, 1.0, (self.network.num_red_observations,), np.float32)
        self.red_action_space = spaces.Discrete(len(self.red_codec))

    def _begin_with(self, options: GameOptions) -> None:
        self.options = options
        self._given = GivenActions(1)
        self._game = GameBatch(options, 1, red=self._given)
        self._max_steps = options.max_steps

    def red_acts(self, action: object) -> None:
        """Say what red does in the step that comes; ignored while an action of red's is under way.

        Raises:
            UserError: it is no number of an action.
        """
        self._given.actions[0] = check_red_action(action, len(self.red_codec))

    def red_observation(self) -> npt.NDArray[np.float32]:
        """(F,) float32 of 0 and 1: what red sees, see `cageflow.scenario.red_bits`."""
        bits = np.empty((1, self.network.num_red_observations), np.float32)
        self._game.red_memory.observations(bits)
        seen: npt.NDArray[np.float32] = bits[0]
        return seen

    def red_mask(self) -> npt.NDArray[np.bool_]:
        """(R,) bool: False where red can know that an action is in vain, see `cageflow.sim.red_view`."""
        mask: npt.NDArray[np.bool_] = self._game.red_memory.masks()[0]
        return mask

    def red_view(self) -> RedView:
        """What red knows, in words."""
        return self._game.red_memory.view(0)


def check_red_action(action: Any, num_actions: int) -> int:
    """The number of an action of red's.

    Raises:
        UserError: it is none.
    """
    try:
        number = operator.index(action)
    except TypeError:
        number = -1
    if isinstance(action, bool) or not 0 <= number < num_actions:
        raise UserError(f"{action!r} is no action of red; possible are whole numbers from 0 to {num_actions - 1}.")
    return number
