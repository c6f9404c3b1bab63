"""What plays blue: the face of every agent, trained, written by hand or brought along, to a batch of games.

An agent learns no more of a game than blue may know. It is not told which red agent it meets, nor how long the episode
will be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from cageflow.scenario import Network
from cageflow.scenario.orders import Order

Actions = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class BlueSetting:
    """What blue knows of the games before they begin.

    Attributes:
        network: the network that is played.
        rules: "v2.1" or "challenge".
        observation: "corrected" or "official".
        green: whether the green agent is awake.
    """

    network: Network
    rules: str = "v2.1"
    observation: str = "corrected"
    green: bool = False


class BlueView:
    """What an agent is shown before a step of B games that run in step. Valid until the next step.

    Args:
        step: steps already played in the episodes, the same in all.
        observations: (B, F) uint8, of 0 and 1.
        last_actions: (B,) blue's actions in the last step, by whomever; None before the first.
        masks: gives `masks`, asked at most once.
        recalled: gives `recalled`, asked at most once.
        access: gives `access`, asked at most once.
        in_turn: answers for `in_turn`.
    """

    def __init__(
        self,
        step: int,
        observations: npt.NDArray[np.uint8],
        last_actions: Actions | None,
        masks: Callable[[], npt.NDArray[np.uint8]],
        recalled: Callable[[], npt.NDArray[np.uint8]],
        access: Callable[[], npt.NDArray[np.int8]],
        in_turn: Callable[[Order], npt.NDArray[np.uint8]],
    ) -> None:
        self.step = step
        self.observations = observations
        self.last_actions = last_actions
        self._masks = masks
        self._recalled = recalled
        self._access = access
        self._in_turn = in_turn

    @cached_property
    def masks(self) -> npt.NDArray[np.uint8]:
        """(B, A) uint8, 0 where blue can know that the action is in vain; see `cageflow.sim.knowledge`."""
        return self._masks()

    def in_turn(self, order: Order) -> npt.NDArray[np.uint8]:
        """(B, A) uint8, 0 for fixes that have to wait by an order; see `cageflow.sim.knowledge`."""
        return self._in_turn(order)

    def of(self, games: npt.NDArray[np.intp]) -> BlueView:
        """The view of some of the games, by their places."""
        last = self.last_actions
        return BlueView(
            self.step,
            self.observations[games],
            None if last is None else last[games],
            lambda: self.masks[games],
            lambda: self.recalled[games],
            lambda: self.access[games],
            lambda order: self.in_turn(order)[games],
        )

    @cached_property
    def recalled(self) -> npt.NDArray[np.uint8]:
        """(B, R) uint8 of 0 and 1: what blue remembers of the episodes; see `cageflow.sim.recall`."""
        return self._recalled()

    @cached_property
    def access(self) -> npt.NDArray[np.int8]:
        """(B, H) int8 of `inspection.Access`: the truth, which a fair agent does not look at."""
        return self._access()


class BlueAgent(Protocol):
    """Plays blue in a batch of games."""

    @property
    def max_envs(self) -> int | None:
        """Most games that it can play at once; None for any number."""

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin B episodes and forget all others.

        Args:
            seeds: (B,) uint64, one for each episode; the only source of what the agent draws.
        """

    def act(self, view: BlueView) -> Actions:
        """(B,) action numbers for the step that comes.

        An agent that remembers what it did takes it from `view.last_actions`: in a team another one may have played.
        """


class BlueSource(Protocol):
    """A blue agent yet to be made, in plain data that can be sent to another process."""

    def notes(self, setting: BlueSetting) -> tuple[str, ...]:
        """What a user has to know of it in these games, a sentence each."""

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agent.

        Raises:
            UserError: it was not made for these games, or cannot be made.
        """


@runtime_checkable
class OpenAgent(BlueAgent, Protocol):
    """An agent that can say how likely it holds each action."""

    def probabilities(self, view: BlueView) -> npt.NDArray[np.float64]:
        """(B, A) float64 of the view that it has just acted on; a row of NaN where it does not know."""
