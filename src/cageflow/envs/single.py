"""CAGE-2 as a Gymnasium environment."""

from __future__ import annotations

import dataclasses
import operator
import sys
from pathlib import Path
from typing import Any, ClassVar, SupportsIndex

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from cageflow.envs.episode_length import episode_length, length_asked_of_make, spec_with_length
from cageflow.envs.game import SEED_RANGE, GameBatch, check_reset_options, check_seed
from cageflow.envs.inspection import LastStep, describe_hosts, describe_step
from cageflow.envs.options import GameOptions
from cageflow.envs.red_code import RedAgentLike, read_red_agent
from cageflow.envs.rendering import Scene, render, render_text
from cageflow.envs.saved import GameState
from cageflow.envs.shown import ForBlue
from cageflow.errors import UserError
from cageflow.scenario.orders import OrderLike
from cageflow.terminal import say

Observation = npt.NDArray[np.float32]
RENDER_MODES = ("ansi", "human", "rgb_array")


class Cage2Env(ForBlue, gym.Env[Observation, np.int64]):
    """CAGE Challenge 2 as blue plays it.

    An observation holds four bits of each host in table order: two of activity (none 00, scan 10, exploit 11), two of
    what blue believes (not compromised 00, unknown 10, user 01, privileged 11). The actions are those of `codec`. An
    episode never terminates; it is truncated after `max_steps`. The info holds `blue_outcome`, int8 of
    `cageflow.sim.enums.Outcome`: whether blue's action succeeded (0 no, 1 yes, 2 neither), as CybORG tells blue. What
    blue does not see stands in no info; `true_state` and `last_step` tell it to those who ask.

    The same seed gives the same episodes, and those of the vector environment's game with that seed: `reset(seed=...)`
    begins the environment's own random stream, every later reset goes on with it.

    Args:
        red_agent: who plays red: "bline", "meander", "sleep", "mixed", "switch", "sleepy-bline", "sleepy-meander",
            "late-bline", "random", a class in Python or `file.py:Name` of one, or a policy of red's; see
            `docs/attackers.md`.
        rules: "v2.1" or "challenge".
        observation: "corrected" or "official".
        max_steps: steps of an episode.
        green: whether the green agent is awake.
        scenario: a network file; None is CAGE-2's own.
        render_mode: "ansi": `render` gives text; "human": every step prints it; "rgb_array": `render` gives a picture.
        durations: how many steps actions take, see `cageflow.envs.options.GameOptions`.

    Raises:
        UserError: an argument is not possible.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": list(RENDER_MODES), "render_fps": 2}  # type: ignore[misc]

    def __init__(
        self,
        red_agent: RedAgentLike = GameOptions.red_agent,
        rules: str = GameOptions.rules,
        observation: str = GameOptions.observation,
        max_steps: int = GameOptions.max_steps,
        green: bool = GameOptions.green,
        scenario: Path | str | None = GameOptions.scenario,
        render_mode: str | None = None,
        durations: str = GameOptions.durations,
    ) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise UserError(f"render_mode is {render_mode!r}; possible are {', '.join(RENDER_MODES)} and None.")
        self.render_mode = render_mode
        self._spec: EnvSpec | None = None
        self._begin_with(
            GameOptions(read_red_agent(red_agent), rules, observation, max_steps, green, scenario, durations)
        )
        self.network = self.options.network
        self._num_actions = len(self.codec)
        self._num_observations = self.network.num_observations
        self.action_space = spaces.Discrete(self._num_actions)
        self.observation_space = spaces.Box(0.0, 1.0, (self._num_observations,), np.float32)
        self._actions = np.zeros(1, np.int64)
        self._rewards = np.zeros(1, np.float64)
        self._episode_return = 0.0
        self._steps_left = 0
        self._has_begun = False

    def _begin_with(self, options: GameOptions) -> None:
        self.options = options
        self._game = GameBatch(options, 1)
        self._max_steps = options.max_steps

    @property
    def spec(self) -> EnvSpec | None:
        """What `gymnasium.make` made it of, the length of an episode included; None where it was made otherwise.

        `gymnasium.make` sets it, and with it the length that it was asked for; see `length_asked_of_make`.
        """
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        length = episode_length(self._max_steps, length_asked_of_make(sys._getframe(1)))
        if length != self._max_steps:
            self._begin_with(dataclasses.replace(self.options, max_steps=length))
        self._spec = spec_with_length(spec, self._max_steps)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: of the environment's random stream; None lets it run on, from chance at the first reset.
            options: none is possible.

        Raises:
            UserError: the seed is no whole number from 0, or there are options.
        """
        check_seed(seed)
        check_reset_options(options)
        super().reset(seed=None if seed is None else int(seed))  # Gymnasium knows no seeds of NumPy's types
        self._game.restart(np.ones(1, np.bool_), [seed], self._draw_seeds)
        self._rewards[0] = 0.0
        self._episode_return = 0.0
        self._steps_left = self._max_steps
        self._has_begun = True
        if self.render_mode == "human":
            self._print()
        return np.zeros(self._num_observations, np.float32), self._info()

    def step(self, action: SupportsIndex) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Play one step.

        Args:
            action: number of a blue action.

        Returns:
            Observation (F,) float32, reward in steps of 0.1 as CybORG rounds it, False, whether the episode is over,
            and the info.

        Raises:
            UserError: the action is no number of an action, or no episode is under way.
        """
        try:
            number = operator.index(action)
        except TypeError:
            number = -1
        if not 0 <= number < self._num_actions:
            raise UserError(f"{action!r} is no action; possible are whole numbers from 0 to {self._num_actions - 1}.")
        if self._steps_left == 0:
            raise UserError(
                f"the episode is over after {self._max_steps} steps; reset begins another."
                if self._has_begun
                else "step was called before reset; reset begins an episode."
            )
        self._actions[0] = number
        observations = np.empty((1, self._num_observations), np.float32)
        self._game.play(self._actions, observations, self._rewards)
        reward = self._rewards.item()
        self._episode_return += reward
        self._steps_left -= 1
        if self.render_mode == "human":
            self._print()
        return observations[0], reward, False, self._steps_left == 0, self._info()

    def render(self) -> Any:
        """What blue sees beside the truth.

        Returns:
            Text where the render mode is "ansi", (height, width, 3) uint8 where it is "rgb_array", otherwise None.
        """
        return render(self.render_mode, self._scene())

    def true_state(self) -> dict[str, dict[str, Any]]:
        """Who really has which session, host by host; see `cageflow.envs.inspection.describe_hosts`."""
        return describe_hosts(self.network, self._game.states)

    def last_step(self) -> LastStep:
        """Who did what in the last step."""
        return describe_step(self.network, self._game.states, int(self._actions[0]), self._rewards.item())

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """(A,) bool: False where blue can know that an action is in vain; see `cageflow.sim.knowledge`."""
        mask: npt.NDArray[np.bool_] = self._game.memory.masks()[0]
        return mask

    def in_turn(self, workflow: OrderLike) -> npt.NDArray[np.bool_]:
        """(A,) bool: False for fixes that have to wait by an order; together with `action_masks` it keeps the order.

        Args:
            workflow: the order, however it is written; see `cageflow.sim.knowledge` for the rule.

        Raises:
            UserError: it is no order of this network.
        """
        masks = np.ones((1, len(self.network.codec)), np.bool_)
        self._game.memory.keep_order(self.network.orders.parse(workflow), masks)
        mask: npt.NDArray[np.bool_] = masks[0]
        return mask

    def recalled(self) -> npt.NDArray[np.uint8]:
        """(R,) uint8 of 0 and 1: what blue remembers of the episode; see `cageflow.sim.recall`."""
        bits: npt.NDArray[np.uint8] = self._game.memory.recalled()[0]
        return bits

    def get_state(self) -> GameState:
        """Where the game stands, its random stream included: data that can be kept, copied and pickled.

        Raises:
            UserError: no episode has begun.
        """
        if not self._has_begun:
            raise UserError("get_state was called before reset; reset begins an episode, and then there is a state.")
        return self._game.save(self._progress())

    def set_state(self, state: GameState, *, seed: int | None = None) -> Observation:
        """Go on from where a game stood, of this environment or of another with the same settings.

        Args:
            state: from `get_state`; of one game.
            seed: begins the random stream anew, to see another future; None: the same actions give the same episode.

        Returns:
            (F,) float32, what blue saw last.

        Raises:
            UserError: it is no state, or one of a game with other settings; or the seed is none.
        """
        check_seed(seed)
        seeds = None if seed is None else np.array([int(seed) % SEED_RANGE], np.uint64)
        progress = self._game.load(state, self._progress(), seeds)
        self._actions[:] = progress["actions"]
        self._rewards[:] = progress["rewards"]
        self._episode_return = float(progress["returns"][0])
        self._steps_left = self._max_steps - int(progress["num_steps"][0])
        self._has_begun = True
        observation: Observation = self._game.observations()[0]
        return observation

    def _progress(self) -> dict[str, npt.NDArray[Any]]:
        return {
            "actions": self._actions,
            "rewards": self._rewards,
            "returns": np.array([self._episode_return]),
            "num_steps": np.array([self._max_steps - self._steps_left], np.int32),
        }

    def _info(self) -> dict[str, Any]:
        return {"blue_outcome": self._game.states["blue_outcome"][0]}

    def _draw_seeds(self, count: int) -> npt.NDArray[np.uint64]:
        return self.np_random.integers(2**63, size=count, dtype=np.uint64)

    def _scene(self) -> Scene:
        return Scene(
            self.network,
            self._game.blue_sees(0),
            self.true_state(),
            self.last_step(),
            self._max_steps,
            round(self._episode_return, 1),
        )

    def _print(self) -> None:
        say(render_text(self._scene()) + "\n")
