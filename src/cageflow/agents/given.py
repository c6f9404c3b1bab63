"""An object or a function of this process as an agent, as a Python program hands it over."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.foreign.agent import own_seeds
from cageflow.agents.foreign.kinds import SHAPE, BatchPlayer, ForeignPlayer, ObjectPlayer, is_agent, is_batched, made
from cageflow.agents.foreign.wire import Shown
from cageflow.agents.sources import UntrainedSource
from cageflow.collect.games import WorkflowSpec
from cageflow.envs.agent import BlueSetting, BlueView
from cageflow.errors import UserError


@dataclass(frozen=True)
class GivenSource(UntrainedSource):
    """An object, a function, or a class with its arguments; see `foreign.kinds` for the shapes that it may have."""

    given: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)
    workflow: WorkflowSpec | None = None

    def __post_init__(self) -> None:
        if not is_agent(self.given):
            raise UserError(
                f"{self.given!r} is no policy: expected what `cageflow evaluate` takes, a function of the observation, "
                f"or an object with {SHAPE}"
            )

    @property
    def name(self) -> str:
        """Of the function or the class."""
        is_named = inspect.isclass(self.given) or inspect.isroutine(self.given)
        return str(self.given.__name__ if is_named else type(self.given).__name__)

    def load(self, setting: BlueSetting) -> GivenAgent:
        """Make the agent, a new one of a class.

        Raises:
            UserError: its constructor failed, or what it gave is no agent.
        """
        with _Named(self.name):
            agent = made(self.given, self.arguments)
        num_actions = len(setting.network.codec)
        is_many = is_batched(agent)
        return GivenAgent(self.name, BatchPlayer(agent, num_actions) if is_many else ObjectPlayer(agent, num_actions))


class GivenAgent:
    """Plays it; what it draws is its own affair.

    Args:
        name: of it, for messages.
        player: who asks it.
    """

    def __init__(self, name: str, player: ForeignPlayer) -> None:
        self.max_envs = player.max_envs
        self._name = name
        self._player = player

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes.

        Raises:
            UserError: the agent failed at the end of the last one.
        """
        with _Named(self._name):
            self._player.reset(own_seeds(seeds))

    def act(self, view: BlueView) -> npt.NDArray[np.int64]:
        """(B,) what the agent answers.

        Raises:
            UserError: it failed, or its answer is no action.
        """
        num_envs = len(view.observations)
        last = np.full(num_envs, -1, np.int64) if view.last_actions is None else view.last_actions.astype(np.int64)
        masks = view.masks if self._player.wants_masks else np.zeros((num_envs, 0), np.uint8)
        with _Named(self._name):
            return self._player.act(Shown(view.step, view.observations, last, masks))


class _Named:
    """Puts the agent's name before its failures, and lets Ctrl-C be Ctrl-C."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, UserError):
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise error.__cause__
            raise UserError(f"{self._name} {error}") from error
