"""Models of Stable-Baselines3. Its files are pickles, so they are opened in the agent's own process alone."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.foreign.wire import Shown
from cageflow.errors import UserError
from cageflow.foreign_code import call, describe
from cageflow.reading import parse_json

ALGORITHMS = ("PPO", "A2C", "DQN", "MaskablePPO")
MAX_ENVS = 512
MAX_SETTINGS = 16 * 1024 * 1024


class Sb3Player:
    """Plays a model of Stable-Baselines3, many games at once.

    Args:
        path: the `.zip` file.
        request: of `kinds.load_player`.

    Raises:
        UserError: it is no such model, its library is not installed, or it was trained on other games.
    """

    max_envs: int | None = MAX_ENVS

    def __init__(self, path: Path, request: Mapping[str, Any]) -> None:
        name = algorithm_of(path)
        self._model = call("loading", _algorithm(name).load, path, device="cpu")
        self._deterministic = bool(request["deterministic"])
        self.wants_masks = name == "MaskablePPO"
        sizes = request["num_observations"], len(request["actions"])
        found = getattr(self._model.observation_space, "shape", None), getattr(self._model.action_space, "n", None)
        if found != ((sizes[0],), sizes[1]):
            raise UserError(
                f"was trained with observations of shape {found[0]} and {found[1]} actions; "
                f"the game has {sizes[0]} values and {sizes[1]} actions."
            )

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; torch's generator, which it draws from, is seeded by the host."""

    def act(self, shown: Shown) -> npt.NDArray[np.int64]:
        """(B,) what the model answers."""
        named = {"action_masks": shown.masks.astype(np.bool_)} if self.wants_masks else {}
        observations = shown.observations.astype(self._model.observation_space.dtype)
        actions, _ = call("predict", self._model.predict, observations, deterministic=self._deterministic, **named)
        return np.asarray(actions, np.int64).reshape(-1)


def algorithm_of(path: Path) -> str:
    """The algorithm whose model a file holds, one of ALGORITHMS; nothing is unpickled to tell.

    Raises:
        UserError: it is no model, or one of another algorithm.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("data").file_size > MAX_SETTINGS:
                raise ValueError("its settings have no end")
            data = parse_json(archive.read("data").decode())
            policy = str(data["policy_class"]["__module__"])
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}.") from error
    except (KeyError, TypeError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise UserError(f"is no model of Stable-Baselines3: {describe(error)}.") from error
    if policy.startswith("sb3_contrib.common.maskable"):
        return "MaskablePPO"
    if "exploration_rate" in data and "target_update_interval" in data and policy.startswith("stable_baselines3.dqn"):
        return "DQN"
    if policy.startswith("stable_baselines3.common") and "gae_lambda" in data:
        return "PPO" if "clip_range" in data else "A2C"
    raise UserError(
        f"is a model of an algorithm that is not known here, with the policy of {policy}; "
        f"known are {', '.join(ALGORITHMS)}; another plays as a class with predict, named as file.py:ClassName."
    )


def _algorithm(name: str) -> Any:
    """The class of an algorithm."""
    package = "sb3_contrib" if name == "MaskablePPO" else "stable_baselines3"
    try:
        return getattr(__import__(package), name)
    except ImportError as error:
        cure = "pip install sb3-contrib" if name == "MaskablePPO" else "pip install 'cageflow[sb3]'"
        raise UserError(f"needs {package}, which is not installed: {cure}.") from error
