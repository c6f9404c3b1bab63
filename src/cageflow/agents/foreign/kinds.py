"""What counts as an agent of others, and how each kind of it is asked. Runs in the agent's own process.

A class or an object has `get_action(observation, action_space)`, as in the challenge, or `predict(observation)`, as in
Stable-Baselines3, or `get_actions(observations, action_space)`, which answers for many games that run in step. A
function takes an observation and, if it likes, the number of actions. `end_episode()` is called between episodes where
there is one. Of the models, `.zip` is one of Stable-Baselines3 and `.onnx` one of cageflow's.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cageflow.agents.foreign.wire import Shown
from cageflow.errors import UserError
from cageflow.foreign_code import call, import_code, show

METHODS = ("get_action", "get_actions", "predict")
SHAPE = "get_action(observation, action_space) or predict(observation)"
MAX_ENVS = 4096


class ForeignPlayer(Protocol):
    """An agent, ready to be asked."""

    @property
    def max_envs(self) -> int | None:
        """Most games that it can play at once; None for any number."""

    @property
    def wants_masks(self) -> bool:
        """Whether it is to be shown the masks of blue's actions."""

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin B episodes; what it draws is to come from their seeds, (B,)."""

    def act(self, shown: Shown) -> npt.NDArray[np.int64]:
        """(B,) numbers of actions.

        Raises:
            UserError: it failed, or its answer is no action.
        """


def load_player(request: Mapping[str, Any]) -> ForeignPlayer:
    """Make an agent.

    Args:
        request: `location`, `arguments`, `cyborg_path`, `num_observations`, `actions` and `deterministic`, as
            `agent.load_agent` sends them.

    Raises:
        UserError: there is none, it failed, or it is no agent for such games.
    """
    location = str(request["location"])
    if location.endswith(".zip"):
        from cageflow.agents.foreign.sb3_model import Sb3Player

        return Sb3Player(Path(location), request)
    if location.endswith(".onnx"):
        from cageflow.agents.foreign.onnx_model import OnnxPlayer

        return OnnxPlayer(Path(location), request)
    if request["cyborg_path"] is not None:
        from cageflow.envs.cyborg import import_cyborg

        import_cyborg(request["cyborg_path"])
    agent, num_actions = _find(location, request["arguments"]), len(request["actions"])
    return BatchPlayer(agent, num_actions) if is_batched(agent) else ObjectPlayer(agent, num_actions)


class ObjectPlayer:
    """Plays an object or a function, one episode after the other.

    One object plays all episodes, as in the challenge.

    Args:
        agent: the object or function.
        num_actions: that there are.
    """

    max_envs: int | None = 1

    def __init__(self, agent: Any, num_actions: int) -> None:
        self._agent = agent
        self._num_actions = num_actions
        self._has_played = False
        self._state: Any = None
        if callable(getattr(agent, "get_action", None)):
            self._what, self._options = "get_action", set[str]()
        elif callable(getattr(agent, "predict", None)):
            self._what, self._options = "predict", _parameters(agent.predict)
        else:
            self._what, self._options = "the function", _parameters(agent)
        self.wants_masks = self._what == "predict" and "action_masks" in self._options

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin an episode.

        Raises:
            UserError: the agent raised something at the end of the last one.
        """
        end = getattr(self._agent, "end_episode", None)
        if self._has_played and callable(end):
            call("end_episode", end)
        self._has_played, self._state = False, None

    def act(self, shown: Shown) -> npt.NDArray[np.int64]:
        """(1,) what the agent answers."""
        answer = call(self._what, self._ask, shown)
        self._has_played = True
        action = _as_number(answer)
        if action is None or not 0 <= action < self._num_actions:
            raise UserError(
                f"answered {show(answer)} in step {shown.step + 1}; "
                f"expected the number of an action, 0 to {self._num_actions - 1}."
            )
        return np.array([action])

    def _ask(self, shown: Shown) -> Any:
        observation = shown.observations[0].astype(np.int64)
        if self._what == "get_action":
            return self._agent.get_action(observation, self._num_actions)
        if self._what == "the function":
            return self._agent(observation) if len(self._options) == 1 else self._agent(observation, self._num_actions)
        named: dict[str, Any] = {}
        if "action_masks" in self._options:
            named["action_masks"] = shown.masks[0].astype(np.bool_)
        if {"state", "episode_start"} <= self._options:  # of an agent with a memory
            named |= {"state": self._state, "episode_start": np.array([not self._has_played])}
        answer = self._agent.predict(observation.astype(np.float32), **named)
        if isinstance(answer, tuple) and len(answer) == 2:  # the action and the state after it
            answer, self._state = answer
        return answer


class BatchPlayer:
    """Plays an object with `get_actions`, which takes (B, F) observations and gives B numbers.

    Args:
        agent: the object.
        num_actions: that there are.
    """

    max_envs: int | None = MAX_ENVS
    wants_masks = False

    def __init__(self, agent: Any, num_actions: int) -> None:
        self._agent = agent
        self._num_actions = num_actions
        self._has_played = False

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes.

        Raises:
            UserError: the agent raised something at the end of the last ones.
        """
        if self._has_played and callable(getattr(self._agent, "end_episode", None)):
            call("end_episode", self._agent.end_episode)
        self._has_played = False

    def act(self, shown: Shown) -> npt.NDArray[np.int64]:
        """(B,) what the agent answers."""
        observations = shown.observations.astype(np.int64)
        answer = call("get_actions", self._agent.get_actions, observations, self._num_actions)
        self._has_played = True
        actions = call("get_actions", np.asarray, answer)
        num_envs = len(observations)
        is_right = np.issubdtype(actions.dtype, np.integer) and actions.shape == (num_envs,)
        if not is_right or actions.min() < 0 or actions.max() >= self._num_actions:
            raise UserError(
                f"answered {show(answer)} in step {shown.step + 1}; expected {num_envs} numbers of actions, 0 to "
                f"{self._num_actions - 1}, one for each game."
            )
        numbers: npt.NDArray[np.int64] = actions.astype(np.int64)
        return numbers


def is_batched(agent: Any) -> bool:
    """Whether an agent answers for many games at once."""
    return callable(getattr(agent, "get_actions", None))


def _find(location: str, arguments: Mapping[str, Any]) -> Any:
    """The object or function that a location names."""
    module_name, _, name = location.rpartition(":")
    module = import_code(module_name, _advice)
    found = getattr(module, name, None)
    if found is None:
        agents = [one for one, value in vars(module).items() if not one.startswith("_") and is_agent(value)]
        has = f"agents in it are {', '.join(agents)}" if agents else f"nothing in it has {SHAPE}"
        raise UserError(f"is not there: {module_name} has no {name!r}; {has}.")
    return made(found, arguments)


def made(found: Any, arguments: Mapping[str, Any]) -> Any:
    """An agent of a class with its arguments, or the object or function itself.

    Raises:
        UserError: the constructor failed, there are arguments and no class, or it is no agent.
    """
    if inspect.isclass(found):
        found = call("its constructor", found, **arguments)
    elif arguments:
        raise UserError("is no class, so that --agent-args are for nobody; leave them out.")
    if not is_agent(found):
        raise UserError(f"is no agent: it has neither {' nor '.join(METHODS)}; an agent has {SHAPE}.")
    return found


def is_agent(value: Any) -> bool:
    """Whether a class, object or function has the shape of an agent."""
    return inspect.isroutine(value) or any(callable(getattr(value, name, None)) for name in METHODS)


def _advice(error: BaseException, is_file: bool) -> str:
    if isinstance(error, ImportError) and str(error.name).partition(".")[0] == "CybORG":
        return "; name the folder of an installed CybORG by --cyborg-path"
    if is_file and "relative import" in str(error):
        return "; name it as package.module:ClassName from the folder that holds its package"
    return ""


def _parameters(function: Any) -> set[str]:
    """The names of the parameters that a function can be given; all that there are where it does not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of compiled code
        return set()
    return {one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}


def _as_number(answer: Any) -> int | None:
    """The whole number that an answer is: of Python, NumPy or torch, or the only element of an array."""
    try:
        array = np.asarray(answer)
    except Exception:  # what has no array in it is no number either
        return None
    if array.size != 1 or not np.issubdtype(array.dtype, np.integer):
        return None
    return int(array.reshape(-1)[0])
