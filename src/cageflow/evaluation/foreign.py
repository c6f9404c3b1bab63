"""Agents in CybORG's own shape, run as the challenge's evaluation script runs them.

Such an agent has `get_action(observation, action_space)` and `end_episode()`. It is given what CybORG's
`ChallengeWrapper` gives: a vector of integers 0 and 1 as the observation, the number of actions as the action space.
Nothing of CybORG is needed unless the agent imports it.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import random
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.agent import BlueSetting, BlueView
from cageflow.envs.cyborg import import_cyborg
from cageflow.errors import UserError

METHODS = ("get_action", "end_episode")
SHAPE = "get_action(observation, action_space) and end_episode()"


class ForeignAgent:
    """Plays an agent in CybORG's shape, one episode after the other.

    One object plays all episodes, as in the challenge. Its `end_episode` is called between them. Python's, NumPy's and,
    where it is loaded, torch's global generators are seeded with the episode, so that what it draws from them repeats.

    Args:
        agent: the object.
        name: for messages.
        setting: of the games.
    """

    max_envs: int | None = 1

    def __init__(self, agent: Any, name: str, setting: BlueSetting) -> None:
        self._agent = agent
        self._name = name
        self._num_actions = len(setting.network.codec)
        self._has_played = False

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin an episode.

        Raises:
            UserError: the agent raised something at the end of the last one.
        """
        if self._has_played:
            _call(self._name, "end_episode", self._agent.end_episode)
            self._has_played = False
        seed = int(seeds[0])
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator is what such agents use
        if "torch" in sys.modules:
            sys.modules["torch"].manual_seed(seed % 2**63)

    def act(self, view: BlueView) -> npt.NDArray[np.int64]:
        """(1,) what the agent answers.

        Raises:
            UserError: it raised something, or its answer is no action.
        """
        self._has_played = True
        observation = view.observations[0].astype(np.int64)
        answer = _call(self._name, "get_action", self._agent.get_action, observation, self._num_actions)
        action = _as_number(answer)
        if action is None or not 0 <= action < self._num_actions:
            raise UserError(
                f"{self._name} answered {answer!r} in step {view.step + 1}; "
                f"expected the number of an action, 0 to {self._num_actions - 1}."
            )
        return np.array([action])


def load_agent(
    location: str, arguments: Mapping[str, Any], setting: BlueSetting, cyborg_path: Path | str | None = None
) -> ForeignAgent:
    """Import a class and make an agent of it.

    The folder of the file, or for a module the working folder, is put on `sys.path` for the rest of the process.

    Args:
        location: `path/to/file.py:ClassName` or `package.module:ClassName`.
        arguments: for the constructor.
        setting: of the games.
        cyborg_path: folder of an installed CybORG, for agents that import it.

    Raises:
        UserError: there is no such file, module or class, importing it or making the object raised something, or it
            lacks a method.
    """
    if cyborg_path is not None:
        import_cyborg(cyborg_path)
    module_name, _, class_name = location.rpartition(":")
    module = _import(module_name)
    cls = getattr(module, class_name, None)
    if cls is None:
        classes = [
            name for name, value in vars(module).items() if inspect.isclass(value) and hasattr(value, METHODS[0])
        ]
        has = f"agents in it are {', '.join(classes)}" if classes else "no class in it has get_action"
        raise UserError(f"{module_name} has no {class_name!r}; {has}.")
    agent = _call(location, "its constructor", cls, **arguments)
    missing = [name for name in METHODS if not callable(getattr(agent, name, None))]
    if missing:
        raise UserError(f"{location} has no {' and no '.join(missing)}; an agent in CybORG's shape has {SHAPE}.")
    return ForeignAgent(agent, location, setting)


def _import(name: str) -> ModuleType:
    """A module from a file or from `sys.path`."""
    is_file = name.endswith(".py")
    folder = str(Path(name).resolve().parent if is_file else Path.cwd())
    if is_file and not Path(name).is_file():
        raise UserError(f"there is no file {name} to take an agent from.")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        if not is_file:
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(f"cageflow_agent_{Path(name).stem}", name)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look themselves up there
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the file does at import
        raise UserError(f"{name} cannot be imported: {_describe(error)}{_advice(error, is_file)}") from error
    return module


def _advice(error: Exception, is_file: bool) -> str:
    if getattr(error, "name", None) and str(error.name).partition(".")[0] == "CybORG":  # type: ignore[attr-defined]
        return "; name the folder of an installed CybORG by --cyborg-path"
    if is_file and "relative import" in str(error):
        return "; name it as package.module:ClassName from the folder that holds its package"
    return ""


def _call(name: str, what: str, function: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return function(*arguments, **named)
    except Exception as error:  # whatever the agent does
        raise UserError(f"{name} failed in {what}: {_describe(error)}.") from error


def _describe(error: Exception) -> str:
    """An error of foreign code in a line: its kind, its words, and where it arose."""
    words = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if len(frames) > 1 else ""
    return f"{type(error).__name__}: {words}{where}" if words else f"{type(error).__name__}{where}"


def _as_number(answer: Any) -> int | None:
    """The whole number that an answer is: of Python, NumPy or torch, or the only element of an array."""
    try:
        array = np.asarray(answer)
    except Exception:  # what has no array in it is no number either
        return None
    if array.size != 1 or not np.issubdtype(array.dtype, np.integer):
        return None
    return int(array.reshape(-1)[0])
