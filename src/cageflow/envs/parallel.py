"""CAGE-2 as a game of two: PettingZoo's ParallelEnv, whose agents are blue and red."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from pettingzoo import ParallelEnv

from cageflow.envs.options import GameOptions
from cageflow.envs.red_memory import RedView
from cageflow.envs.shown import ShowsNetwork
from cageflow.envs.single import RENDER_MODES
from cageflow.envs.two_sided import TwoSidedGame
from cageflow.errors import UserError

BLUE, RED = "blue", "red"

Observations = dict[str, npt.NDArray[np.float32]]
Infos = dict[str, dict[str, Any]]


class Cage2ParallelEnv(ShowsNetwork, ParallelEnv[str, npt.NDArray[np.float32], int]):
    """The game as both sides play it, in the same step.

    Blue sees and does what it does in `Cage2Env`; red sees the bits of `cageflow.scenario.red_bits` and does what
    `red_codec` numbers. Red's reward is blue's with the other sign. An episode never terminates; it is truncated for
    both after `max_steps`. The infos hold `action_mask`, int8, 0 where an agent can know that an action is in vain.

    The same seed gives the same episodes: `reset(seed=...)` begins the environment's own random stream, every later
    reset goes on with it. Options of a reset are ignored, as is usual there.

    Args:
        rules, observation, max_steps, green, scenario, render_mode, durations: as in `Cage2Env`.

    Raises:
        UserError: an argument is not possible.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "cage2_v0",
        "render_modes": list(RENDER_MODES),
        "render_fps": 2,
        "is_parallelizable": True,
    }

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
        self.game = TwoSidedGame(rules, observation, max_steps, green, scenario, render_mode, durations)
        self.network = self.game.network
        self.render_mode = render_mode
        self.possible_agents = [BLUE, RED]
        self.agents: list[str] = []
        self.observation_spaces: dict[str, spaces.Space[npt.NDArray[np.float32]]] = {
            BLUE: self.game.observation_space,
            RED: self.game.red_observation_space,
        }
        self.action_spaces: dict[str, spaces.Space[np.int64]] = {
            BLUE: self.game.action_space,
            RED: self.game.red_action_space,
        }

    def observation_space(self, agent: str) -> spaces.Space[npt.NDArray[np.float32]]:
        """Of an agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[np.int64]:
        """Of an agent's actions."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observations, Infos]:
        """Begin an episode.

        Args:
            seed: of the environment's random stream; None lets it run on, from chance at the first reset.
            options: are ignored.

        Raises:
            UserError: the seed is no whole number from 0.
        """
        blue_sees, _ = self.game.reset(seed=seed)
        self.agents = list(self.possible_agents)
        return {BLUE: blue_sees, RED: self.game.red_observation()}, self._infos()

    def step(
        self, actions: dict[str, int]
    ) -> tuple[Observations, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Play one step.

        Args:
            actions: numbers of both agents' actions, by name.

        Raises:
            UserError: one is missing or no number of an action, or no episode is under way.
        """
        missing = [agent for agent in self.possible_agents if agent not in actions]
        if missing and self.agents:
            raise UserError(f"{' and '.join(missing)} gave no action; both agents act in every step.")
        if self.agents:
            self.game.red_acts(actions[RED])
        blue_sees, reward, _, is_over, _ = self.game.step(actions.get(BLUE, 0))  # says so where no episode is under way
        observations = {BLUE: blue_sees, RED: self.game.red_observation()}
        live, infos = self.agents, self._infos()
        if is_over:
            self.agents = []
        return (
            observations,
            {BLUE: reward, RED: 0.0 - reward},
            dict.fromkeys(live, False),
            dict.fromkeys(live, is_over),
            infos,
        )

    def red_view(self) -> RedView:
        """What red knows, in words."""
        return self.game.red_view()

    def render(self) -> Any:
        """What blue sees beside the truth; see `Cage2Env.render`."""
        return self.game.render()

    def close(self) -> None:
        """Nothing is held."""

    def _infos(self) -> Infos:
        masks = {BLUE: self.game.action_masks(), RED: self.game.red_mask()}
        return {agent: {"action_mask": mask.astype(np.int8)} for agent, mask in masks.items()}
