"""Many games of CAGE-2 as a vector environment of Stable-Baselines3, which takes none of Gymnasium's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from cageflow.envs.attributes import GameAttributes
from cageflow.envs.game import check_reset_options
from cageflow.envs.options import GameOptions
from cageflow.envs.red_code import RedAgentLike
from cageflow.envs.seeds import EpisodeStream
from cageflow.envs.vector import Cage2VectorEnv

try:
    from stable_baselines3.common.vec_env import VecEnv
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn
except ImportError as error:
    raise ImportError(
        "cageflow.envs.sb3 needs Stable-Baselines3, which is not installed: pip install 'cageflow[sb3]'"
    ) from error


class Cage2VecEnv(VecEnv):
    """B games that begin their next episode by themselves, stepped together by compiled code.

    What it gives is what the library's `DummyVecEnv` of single environments gives, `action_masks` for sb3-contrib's
    MaskablePPO included. At an episode's end the info of a game holds `terminal_observation`, (F,) float32, and
    `TimeLimit.truncated` is true: a game of CAGE-2 ends by its step limit and in no other way. Learners of
    Stable-Baselines3 then let the value of the last observation stand for what was cut off.

    Args:
        num_envs: B.
        red_agent: as in `cageflow.envs.vector.Cage2VectorEnv`, and so on up to `render_mode`.

    Attributes:
        games: the batch.

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
        num_threads: int | None = None,
        render_mode: str | None = None,
        durations: str = GameOptions.durations,
    ) -> None:
        self.games = Cage2VectorEnv(
            num_envs,
            red_agent,
            rules,
            observation,
            max_steps,
            green,
            scenario,
            autoreset_mode="SameStep",
            num_threads=num_threads,
            render_mode=render_mode,
            durations=durations,
        )
        self._attributes = GameAttributes(self.games)
        self._actions: npt.NDArray[np.integer[Any]] = np.zeros(self.games.num_envs, np.int64)
        super().__init__(self.games.num_envs, self.games.single_observation_space, self.games.single_action_space)
        self.metadata["render_fps"] = self.games.metadata["render_fps"]

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Have the next reset begin from a seed; the games get unrelated ones, and so do those of other seeds."""
        if seed is not None:
            drawn = EpisodeStream(seed, "stable-baselines3").seeds(0, self.num_envs)
            self._seeds = [int(one) for one in drawn]
        return self._seeds

    def set_options(self, options: list[dict[str, Any]] | dict[str, Any] | None = None) -> None:
        """Options of the next reset, of which there are none.

        Raises:
            UserError: there are some.
        """
        for one in options if isinstance(options, list) else [options]:
            check_reset_options(one)

    def reset(self) -> npt.NDArray[np.float32]:
        """(B, F) float32: the first observations of new episodes."""
        observations, info = self.games.reset(seed=self._seeds)
        self.reset_infos = [{"blue_outcome": outcome} for outcome in info["blue_outcome"]]
        self._reset_seeds()
        return observations

    def step_async(self, actions: npt.NDArray[np.integer[Any]]) -> None:
        """Take in the (B,) actions of the next step."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Play the step: observations (B, F), rewards (B,) float32, dones (B,) bool and B infos."""
        observations, rewards, _, truncated, info = self.games.step(self._actions)
        outcomes = info["blue_outcome"]
        ended = np.flatnonzero(truncated)
        if len(ended):
            begun, outcomes = outcomes, np.where(truncated, info["final_info"]["blue_outcome"], outcomes)
        infos: list[dict[str, Any]] = [{"blue_outcome": one, "TimeLimit.truncated": False} for one in outcomes]
        for i in ended:
            infos[i] |= {"terminal_observation": info["final_obs"][i], "TimeLimit.truncated": True}
            self.reset_infos[i] = {"blue_outcome": begun[i]}
        return observations, rewards.astype(np.float32), truncated, infos

    def close(self) -> None:
        """End the games."""
        self.games.close()

    def get_images(self) -> Sequence[npt.NDArray[np.uint8] | None]:
        """A picture of each game where the render mode is "rgb_array", otherwise None of each."""
        is_drawn = self.render_mode == "rgb_array"
        return [self.games.render_game(i) if is_drawn else None for i in range(self.num_envs)]

    def has_attr(self, attr_name: str) -> bool:
        """Whether the games have an attribute or a method of that name."""
        return self._attributes.has(attr_name)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute or a method of some games; see `cageflow.envs.attributes`.

        Raises:
            AttributeError: there is none of that name.
        """
        return self._attributes.get(attr_name, self._get_indices(indices))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Give some games an attribute of their own; see `cageflow.envs.attributes`.

        Raises:
            UserError: it is one of their settings, which the games of a batch share.
        """
        chosen = list(self._get_indices(indices))
        self._attributes.set(attr_name, [value] * len(chosen), chosen)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """What a method of some games gives, such as their `action_masks`; see `cageflow.envs.attributes`.

        Raises:
            AttributeError: there is none of that name.
            UserError: it is done to all games at once.
        """
        return self._attributes.call(method_name, method_args, method_kwargs, self._get_indices(indices))

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """False for each: nothing is wrapped."""
        return [False for _ in self._get_indices(indices)]
