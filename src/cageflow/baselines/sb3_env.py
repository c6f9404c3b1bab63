"""Many games of CAGE-2 as a vector environment of Stable-Baselines3, which takes none of Gymnasium's."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from cageflow.collect.seeds import EpisodeStream
from cageflow.envs.options import GameOptions
from cageflow.envs.vector import Cage2VectorEnv


class Sb3VecEnv(VecEnv):
    """B games that begin their next episode by themselves.

    At an episode's end the info of a game holds `terminal_observation`, (F,) float32, and `TimeLimit.truncated`, always
    true: a game of CAGE-2 ends by its step limit and in no other way. Learners of Stable-Baselines3 then let the value
    of the last observation stand for what was cut off.

    Args:
        game: the settings of the games.
        num_envs: B.
    """

    def __init__(self, game: GameOptions, num_envs: int) -> None:
        self.games = Cage2VectorEnv(num_envs, **game.as_kwargs(), num_threads=1, autoreset_mode="SameStep")
        self._actions: npt.NDArray[np.integer[Any]] = np.zeros(num_envs, np.int64)
        super().__init__(num_envs, self.games.single_observation_space, self.games.single_action_space)

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Have the next reset begin from a seed; the games get unrelated ones, and so do those of other seeds."""
        if seed is not None:
            drawn = EpisodeStream(seed, "stable-baselines3").seeds(0, self.num_envs)
            self._seeds = [int(one) for one in drawn]
        return self._seeds

    def reset(self) -> npt.NDArray[np.float32]:
        """(B, F) float32: the first observations of new episodes."""
        observations, _ = self.games.reset(seed=self._seeds)
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: npt.NDArray[np.integer[Any]]) -> None:
        """Take in the (B,) actions of the next step."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Play the step: observations (B, F), rewards (B,) float32, dones (B,) bool and B infos."""
        observations, rewards, _, truncated, info = self.games.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(truncated):
            infos[i] = {"terminal_observation": info["final_obs"][i], "TimeLimit.truncated": True}
        return observations, rewards.astype(np.float32), truncated, infos

    def close(self) -> None:
        """End the games."""
        self.games.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of the games, which they share, once for each."""
        value = getattr(self.games, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refused: the games of a batch have no attributes of their own.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("the games of a batch share their settings: make another batch")

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """What a method of the batch gives for each of these games, such as its row of `action_masks`."""
        answer = getattr(self.games, method_name)(*method_args, **kwargs)
        return [answer[i] for i in self._get_indices(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """False for each: nothing is wrapped."""
        return [False for _ in self._get_indices(indices)]
