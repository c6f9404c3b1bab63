"""Many games of CAGE-2 as one Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from cageflow.envs.attributes import GameAttributes
from cageflow.envs.episode_length import episode_length
from cageflow.envs.game import SEED_RANGE, GameBatch, check_reset_options, check_seed
from cageflow.envs.inspection import LastStep, describe_hosts, describe_step, true_states
from cageflow.envs.memory import check_actions
from cageflow.envs.options import GameOptions, whole_number
from cageflow.envs.red_code import RedAgentLike, read_red_agent
from cageflow.envs.rendering import Scene, render
from cageflow.envs.saved import GameState
from cageflow.envs.shown import ForBlue, MadeByMakeVec
from cageflow.errors import UserError
from cageflow.sim.threads import available_cores

RENDER_MODES = ("ansi", "rgb_array")
ENVS_PER_THREAD = 2048  # below that, waking a second thread costs more than it saves

Observations = npt.NDArray[np.float32]
Actions = npt.NDArray[np.integer]
Step = tuple[Observations, npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_], dict[str, Any]]


class Cage2VectorEnv(ForBlue, MadeByMakeVec, VectorEnv[Observations, Actions, npt.NDArray[Any]]):
    """B games with the same settings, stepped together by compiled code.

    Game i is the single environment `Cage2Env` with the i-th seed, step for step through any number of episodes, in any
    batch and on any number of threads.

    Args:
        num_envs: B.
        red_agent: as in `Cage2Env`, and so on up to `scenario`.
        autoreset_mode: what happens at an episode's end, a Gymnasium `AutoresetMode` or its value. "NextStep", as in
            all of Gymnasium: the next step begins the next episode, whatever the action, with reward 0; a learner has
            to leave that step out. "SameStep": the next episode begins in the same step; the last observation is in
            `info["final_obs"]`. "Disabled": `reset` must begin it, for some of the games with
            `options={"reset_mask": ...}`, (B,) bool; a step before that is refused.
        num_threads: that share the steps; None is one for each core, as long as each has a few thousand games.
        copy: whether each step returns a new observation array; without, all steps return the same, overwritten.
        render_mode: "ansi" or "rgb_array": `render` gives the text or the picture of every game, one by one.
        durations: how many steps actions take, see `cageflow.envs.options.GameOptions`.
        max_episode_steps: Gymnasium's name for `max_steps`; give one of them.

    Raises:
        UserError: an argument is not possible.
    """

    def __init__(
        self,
        num_envs: int = 1,
        red_agent: RedAgentLike = GameOptions.red_agent,
        rules: str = GameOptions.rules,
        observation: str = GameOptions.observation,
        max_steps: int = GameOptions.max_steps,
        green: bool = GameOptions.green,
        scenario: Path | str | None = GameOptions.scenario,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        num_threads: int | None = None,
        copy: bool = True,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        durations: str = GameOptions.durations,
    ) -> None:
        self.num_envs = whole_number("num_envs", num_envs, 1)
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise UserError(
                f"render_mode is {render_mode!r}; a batch of games is rendered as {' or '.join(RENDER_MODES)}, or not "
                "at all (None)."
            )
        max_steps = episode_length(max_steps, max_episode_steps)
        self.options = GameOptions(read_red_agent(red_agent), rules, observation, max_steps, green, scenario, durations)
        self.autoreset_mode = parse_mode(autoreset_mode)
        self.render_mode = render_mode
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": list(RENDER_MODES), "render_fps": 2}
        if num_threads is None:
            num_threads = max(1, min(available_cores(), self.num_envs // ENVS_PER_THREAD))
        else:
            num_threads = whole_number("num_threads", num_threads, 1)
        self.network = self.options.network
        self._game = GameBatch(self.options, self.num_envs, num_threads)
        self._copy = copy
        self.single_action_space = spaces.Discrete(len(self.codec))
        self.single_observation_space = spaces.Box(0.0, 1.0, (self.network.num_observations,), np.float32)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self._observations = np.zeros((self.num_envs, self.network.num_observations), np.float32)
        self._max_steps = self.options.max_steps
        self._num_steps = np.full(self.num_envs, self._max_steps, np.int32)  # over until reset begins an episode
        self._rewards = np.zeros(self.num_envs, np.float64)
        self._returns = np.zeros(self.num_envs, np.float64)
        self._attributes = GameAttributes(self)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin episodes.

        Args:
            seed: game i gets `seed + i`, or the i-th of a list; None lets a stream run on, from chance at the first
                reset.
            options: `reset_mask`, (B,) bool, leaves the other games as they are.

        Raises:
            UserError: a seed or the mask is not possible, or there is another option.
        """
        seeds = seeds_of(seed, self.num_envs)
        check_reset_options(options, ("reset_mask",))
        mask = _reset_mask(options, self.num_envs)
        super().reset(seed=int(seed) if isinstance(seed, int | np.integer) else None)
        self._game.restart(mask, seeds, self._draw_seeds)
        observations = self._observations.copy() if self._copy else self._observations
        self._show_beginning(mask, observations)
        self._observations = observations
        return observations, self._info(mask)

    def step(self, actions: Actions) -> Step:
        """Play one step of every game.

        Args:
            actions: (B,) integers, numbers of blue actions.

        Returns:
            Observations (B, F) float32, rewards (B,) float64, terminated (B,) bool, always False, truncated (B,) bool,
            and the info: `blue_outcome` (B,) int8 as in `Cage2Env`, and in the same-step mode Gymnasium's `final_obs`
            and `final_info` where episodes ended.

        Raises:
            UserError: the actions have the wrong shape or type, one is out of range, or a game's episode is over.
        """
        actions = self._checked(actions)
        idle = self._num_steps >= self._max_steps
        is_any_idle = idle.any()
        if is_any_idle and not (self._game.has_begun and self.autoreset_mode is AutoresetMode.NEXT_STEP):
            raise UserError(f"the episode of game {int(idle.argmax())} has not begun or is over; reset begins one.")
        observations = np.empty_like(self._observations) if self._copy else self._observations
        rewards = np.empty(self.num_envs, np.float64)
        streams = self._game.states["rng"][idle] if is_any_idle else None
        self._game.play_going(actions, observations, rewards, idle if is_any_idle else None)
        self._num_steps += 1
        self._rewards[:] = rewards
        self._returns += rewards
        if is_any_idle:  # the step of a game that only begins anew counts for nothing, its stream not having moved
            self._game.states["rng"][idle] = streams
            self._begin(idle, observations)
            rewards[idle] = 0.0
        truncated = self._num_steps >= self._max_steps
        final: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and truncated.any():
            final = self._final_info(observations, truncated)
            self._begin(truncated, observations)
        self._observations = observations
        final["blue_outcome"] = self._game.outcomes()
        final["_blue_outcome"] = np.ones(self.num_envs, np.bool_)
        return observations, rewards, np.zeros(self.num_envs, np.bool_), truncated, final

    def render(self) -> tuple[Any, ...] | None:
        """What blue sees beside the truth, of every game; see `Cage2Env.render`.

        Returns:
            B texts, or B arrays (height, width, 3) uint8; None without a render mode.
        """
        return None if self.render_mode is None else tuple(self.render_game(i) for i in range(self.num_envs))

    def true_state(self) -> dict[str, npt.NDArray[Any]]:
        """Who really has which session, as (B, H) arrays; see `cageflow.envs.inspection.true_states`."""
        return true_states(self.network, self._game.states)

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """(B, A) bool: False where blue can know that an action is in vain; see `cageflow.sim.knowledge`."""
        return self._game.memory.masks()

    def recalled(self) -> npt.NDArray[np.uint8]:
        """(B, R) uint8 of 0 and 1: what blue remembers of each episode; see `cageflow.sim.recall`."""
        return self._game.memory.recalled()

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """What a method or an attribute of the single environment gives in each game; see `GameAttributes`."""
        return tuple(self._attributes.call(name, args, kwargs))

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """An attribute of each game; see `GameAttributes`."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Give each game an attribute of its own, for those who play it; see `GameAttributes`.

        Args:
            name: which no setting of the games has.
            values: a list or tuple, one for each game; anything else is for all.
        """
        self._attributes.set(name, values)

    def get_state(self) -> GameState:
        """Where the games stand, their random streams included: data that can be kept, copied and pickled.

        Raises:
            UserError: no episode has begun.
        """
        if not self._game.has_begun:
            raise UserError("get_state was called before reset; reset begins the episodes, and then there is a state.")
        return self._game.save(self._progress())

    def set_state(self, state: GameState, *, seed: int | Sequence[int] | None = None) -> Observations:
        """Go on from where games stood.

        Args:
            state: of B games, or of one, from which all then go on.
            seed: begins the random streams anew, to see other futures: game i gets `seed + i`, or the i-th of a list.
                None: the streams of the state run on, so that games of one state see the same future.

        Returns:
            (B, F) float32, what blue saw last.

        Raises:
            UserError: it is no state, or one of games with other settings or of another number; or a seed is none.
        """
        seeds = seeds_of(seed, self.num_envs)
        if seed is not None and None in seeds:
            raise UserError("a seed is None; expected a whole number from 0 for each game.")
        streams = None if seed is None else np.array([one % SEED_RANGE for one in seeds if one is not None], np.uint64)
        progress = self._progress()
        for name, values in self._game.load(state, progress, streams).items():
            progress[name][:] = values
        observations = self._observations if not self._copy else np.empty_like(self._observations)
        observations[:] = self._game.observations()
        self._observations = observations
        return observations

    def true_state_of(self, env_idx: int) -> dict[str, dict[str, Any]]:
        """Who really has which session in one game, host by host; see `cageflow.envs.inspection.describe_hosts`."""
        return describe_hosts(self.network, self._game.states[env_idx : env_idx + 1])

    def last_step_of(self, env_idx: int) -> LastStep:
        """Who did what in the last step of one game."""
        state = self._game.states[env_idx : env_idx + 1]
        action = int(self._game.memory.records["last_action"][env_idx])
        return describe_step(self.network, state, action, float(self._rewards[env_idx]))

    def render_game(self, env_idx: int) -> Any:
        """The text or the picture of one game, by the render mode; None without one."""
        scene = Scene(
            self.network,
            self._game.blue_sees(env_idx),
            self.true_state_of(env_idx),
            self.last_step_of(env_idx),
            self._max_steps,
            round(float(self._returns[env_idx]), 1),
        )
        return render(self.render_mode, scene)

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads."""
        self._game.close()

    def _progress(self) -> dict[str, npt.NDArray[Any]]:
        return {
            "actions": self._game.memory.records["last_action"].astype(np.int64),
            "rewards": self._rewards,
            "returns": self._returns,
            "num_steps": self._num_steps,
        }

    def _begin(self, mask: npt.NDArray[np.bool_], observations: Observations) -> None:
        """Begin the next episode in some games and show its first observation."""
        self._game.go_on(mask)
        self._show_beginning(mask, observations)

    def _show_beginning(self, mask: npt.NDArray[np.bool_], observations: Observations) -> None:
        self._num_steps[mask] = 0
        self._returns[mask] = 0.0
        observations[mask] = 0.0

    def _info(self, mask: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """What Gymnasium's vector environments make of the infos of some single environments."""
        outcomes = self._game.outcomes()
        outcomes[~mask] = 0
        return {"blue_outcome": outcomes, "_blue_outcome": mask.copy()}

    def _final_info(self, observations: Observations, ended: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """The same of episodes that ended in this step."""
        final_obs = np.full(self.num_envs, None, dtype=object)
        for i, row in zip(np.flatnonzero(ended), observations[ended], strict=True):
            final_obs[i] = row
        return {
            "final_obs": final_obs,
            "_final_obs": ended.copy(),
            "final_info": self._info(ended),
            "_final_info": ended.copy(),
        }

    def _checked(self, actions: Actions) -> Actions:
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,):
            raise UserError(f"expected ({self.num_envs},) integers as actions, got {actions.shape} {actions.dtype}.")
        check_actions(actions, len(self.codec))
        return actions

    def _draw_seeds(self, count: int) -> npt.NDArray[np.uint64]:
        return self.np_random.integers(2**63, size=count, dtype=np.uint64)


def seeds_of(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    """The seed of each game: `seed + i`, or the i-th of a list; None lets a stream run on.

    Raises:
        UserError: one is not possible, or there are not as many.
    """
    if seed is None:
        return [None] * num_envs
    if isinstance(seed, int | np.integer):
        check_seed(seed)
        return [int(seed) + i for i in range(num_envs)]
    seeds = list(seed)
    if len(seeds) != num_envs:
        raise UserError(f"{len(seeds)} seeds are given; expected one number, or {num_envs} in a list.")
    for one in seeds:
        check_seed(one)
    return [None if one is None else int(one) for one in seeds]


def parse_mode(mode: AutoresetMode | str) -> AutoresetMode:
    """What happens at an episode's end, by Gymnasium's object or its value.

    Raises:
        UserError: it is neither.
    """
    try:
        return AutoresetMode(mode)
    except ValueError:
        possible = ", ".join(str(one.value) for one in AutoresetMode)
        raise UserError(f"autoreset_mode is {mode!r}; possible are {possible}.") from None


def _reset_mask(options: dict[str, Any] | None, num_envs: int) -> npt.NDArray[np.bool_]:
    mask = (options or {}).get("reset_mask")
    if mask is None:
        return np.ones(num_envs, np.bool_)
    if not isinstance(mask, np.ndarray) or mask.shape != (num_envs,) or mask.dtype != np.bool_ or not mask.any():
        given = f"{mask.shape} {mask.dtype}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise UserError(f"expected a ({num_envs},) bool array that is not all False as reset_mask, got {given}.")
    return mask
