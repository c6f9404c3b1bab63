"""CAGE-2 as red plays it, for Gymnasium: one game, and many, with a policy, a baseline or any agent as blue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from cageflow.agents.blue_seat import Blue, BlueSeat
from cageflow.envs.episode_length import episode_length
from cageflow.envs.game import GameBatch, check_reset_options
from cageflow.envs.memory import check_actions
from cageflow.envs.options import GameOptions, whole_number
from cageflow.envs.red_memory import RedView
from cageflow.envs.red_player import GivenActions
from cageflow.envs.saved import GameState
from cageflow.envs.shown import ForRed, MadeByMakeVec
from cageflow.envs.two_sided import TwoSidedGame, check_red_action
from cageflow.envs.vector import parse_mode, seeds_of
from cageflow.errors import UserError
from cageflow.scenario.red_agents import GIVEN

DEFAULT_BLUE = "react"

Observation = npt.NDArray[np.float32]
Step = tuple[Observation, npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_], dict[str, Any]]


class Cage2RedEnv(ForRed, TwoSidedGame):
    """CAGE Challenge 2 as red plays it against a blue agent.

    An observation holds the bits of `cageflow.scenario.red_bits`, what red knows by its own actions; the actions are
    those of `red_codec`. The reward is blue's with the other sign. An episode never terminates; it is truncated after
    `max_steps`. Nothing of the true state is in an info. The same seed gives the same episodes, those of the vector
    environment's game with that seed.

    Args:
        blue: a policy file, a run folder, a baseline or whatever else `cageflow evaluate` takes for a policy; an agent
            of the shape of `cageflow.envs.agent.BlueAgent`; or what makes one for a `BlueSetting`.
        rules, observation, max_steps, green, scenario, render_mode, durations: as in `Cage2Env`.

    Raises:
        UserError: an argument is not possible, or blue cannot play such games.
    """

    def __init__(
        self,
        blue: Blue = DEFAULT_BLUE,
        rules: str = GameOptions.rules,
        observation: str = GameOptions.observation,
        max_steps: int = GameOptions.max_steps,
        green: bool = GameOptions.green,
        scenario: Path | str | None = GameOptions.scenario,
        render_mode: str | None = None,
        durations: str = GameOptions.durations,
    ) -> None:
        super().__init__(rules, observation, max_steps, green, scenario, render_mode, durations)
        self._seat = BlueSeat(blue, self.options.blue_setting, 1)
        self._table = np.zeros((1, self.network.num_observations), np.uint8)
        self.observation_space = self.red_observation_space
        self.action_space = self.red_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; as in `Cage2Env`."""
        super().reset(seed=seed, options=options)
        self._table[:] = 0
        self._seat.begin(self._game, np.array([seed is None]))
        return self.red_observation(), {}

    def step(self, action: SupportsIndex) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Play one step.

        Args:
            action: number of an action of red's; ignored while one is under way.

        Returns:
            Observation (F,) float32, red's reward, False, whether the episode is over, and an empty info.

        Raises:
            UserError: the action is no number of an action, or no episode is under way, or blue fails.
        """
        number = check_red_action(action, len(self.red_codec))
        if self._steps_left == 0:
            super().step(0)  # says why there is no step
        self.red_acts(number)
        blue = self._seat.act(self._game, self._max_steps - self._steps_left, self._table)
        blue_sees, reward, _, is_over, _ = super().step(int(blue[0]))
        self._table[0] = blue_sees
        return self.red_observation(), 0.0 - reward, False, is_over, {}

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """(R,) bool: False where red can know that an action is in vain; see `cageflow.sim.red_view`."""
        return self.red_mask()

    def get_state(self) -> GameState:
        """Not possible: what blue keeps of the game stands in no state.

        Raises:
            UserError: always.
        """
        raise UserError(
            "get_state is not possible against a blue agent, which may keep what stands in no state: play both sides "
            "in cageflow.envs.two_sided.TwoSidedGame."
        )


class Cage2RedVectorEnv(ForRed, MadeByMakeVec, VectorEnv[Observation, npt.NDArray[np.integer], npt.NDArray[Any]]):
    """B games that red plays against a blue agent, stepped together; game i is `Cage2RedEnv` with the i-th seed.

    All episodes begin and end together, since they are equally long.

    Args:
        num_envs: B.
        blue: as in `Cage2RedEnv`, and so on up to `scenario`.
        autoreset_mode: as in `cageflow.envs.vector.Cage2VectorEnv`; where it is "Disabled", `reset` begins all games.
        max_episode_steps: Gymnasium's name for `max_steps`; give one of them.
        durations: as in `Cage2Env`.

    Raises:
        UserError: an argument is not possible, or blue cannot play such games.
    """

    def __init__(
        self,
        num_envs: int = 1,
        blue: Blue = DEFAULT_BLUE,
        rules: str = GameOptions.rules,
        observation: str = GameOptions.observation,
        max_steps: int = GameOptions.max_steps,
        green: bool = GameOptions.green,
        scenario: Path | str | None = GameOptions.scenario,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        durations: str = GameOptions.durations,
    ) -> None:
        self.num_envs = whole_number("num_envs", num_envs, 1)
        max_steps = episode_length(max_steps, max_episode_steps)
        self.options = GameOptions(GIVEN, rules, observation, max_steps, green, scenario, durations)
        self.autoreset_mode = parse_mode(autoreset_mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}
        self.render_mode = None
        self.network = self.options.network
        self._given = GivenActions(self.num_envs)
        self._game = GameBatch(self.options, self.num_envs, red=self._given)
        self._seat = BlueSeat(blue, self.options.blue_setting, self.num_envs)
        self.single_action_space = spaces.Discrete(len(self.red_codec))
        self.single_observation_space = spaces.Box(0.0, 1.0, (self.network.num_red_observations,), np.float32)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self._table = np.zeros((self.num_envs, self.network.num_observations), np.uint8)
        self._max_steps = self.options.max_steps
        self._num_steps = self._max_steps  # over until reset begins an episode

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode in all games.

        Args:
            seed: game i gets `seed + i`, or the i-th of a list; None lets a stream run on, from chance at the first
                reset.
            options: none is possible.

        Raises:
            UserError: a seed is not possible, or there are options.
        """
        check_reset_options(options)
        seeds = seeds_of(seed, self.num_envs)
        super().reset(seed=int(seed) if isinstance(seed, int | np.integer) else None)
        self._game.restart(np.ones(self.num_envs, np.bool_), seeds, self._draw_seeds)
        return self._shown_beginning(np.array([one is None for one in seeds])), {}

    def step(self, actions: npt.NDArray[np.integer]) -> Step:
        """Play one step of every game.

        Args:
            actions: (B,) integers, numbers of red's actions.

        Returns:
            Observations (B, F) float32, red's rewards (B,) float64, terminated (B,) bool, always False, truncated (B,)
            bool, and an info, empty but for Gymnasium's `final_obs` in the same-step mode where episodes ended.

        Raises:
            UserError: the actions have the wrong shape or type, one is out of range, or the episodes are over.
        """
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,):
            raise UserError(f"expected ({self.num_envs},) integers as actions, got {actions.shape} {actions.dtype}.")
        check_actions(actions, len(self.red_codec))
        rewards, never = np.zeros(self.num_envs, np.float64), np.zeros(self.num_envs, np.bool_)
        if self._num_steps >= self._max_steps:
            if not (self._game.has_begun and self.autoreset_mode is AutoresetMode.NEXT_STEP):
                raise UserError("the episodes have not begun or are over; reset begins them.")
            return self._begun(), rewards, never, never.copy(), {}
        self._given.actions[:] = actions
        self._game.play(self._seat.act(self._game, self._num_steps, self._table), self._table, rewards)
        self._num_steps += 1
        observations, info = self._game.red_memory.observations(self._room()), {}
        truncated = np.full(self.num_envs, self._num_steps >= self._max_steps)
        if truncated.all() and self.autoreset_mode is AutoresetMode.SAME_STEP:
            final_obs = np.full(self.num_envs, None, dtype=object)
            final_obs[:] = list(observations)
            info = {"final_obs": final_obs, "_final_obs": truncated.copy()}
            observations = self._begun()
        return observations, 0.0 - rewards, never, truncated, info

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """(B, R) bool: False where red can know that an action is in vain; see `cageflow.sim.red_view`."""
        return self._game.red_memory.masks()

    def red_view(self, env_idx: int) -> RedView:
        """What red knows of one game, in words."""
        return self._game.red_memory.view(env_idx)

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads."""
        self._game.close()

    def _begun(self) -> Observation:
        """Begin the next episodes, their streams running on, and show what red sees then."""
        everything = np.ones(self.num_envs, np.bool_)
        self._game.go_on(everything)
        return self._shown_beginning(everything)

    def _shown_beginning(self, runs_on: npt.NDArray[np.bool_]) -> Observation:
        self._seat.begin(self._game, runs_on)
        self._table[:] = 0
        self._num_steps = 0
        observations: Observation = self._game.red_memory.observations(self._room())
        return observations

    def _room(self) -> Observation:
        return np.empty((self.num_envs, self.network.num_red_observations), np.float32)

    def _draw_seeds(self, count: int) -> npt.NDArray[np.uint64]:
        return self.np_random.integers(2**63, size=count, dtype=np.uint64)
