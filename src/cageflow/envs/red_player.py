"""Who plays red where the compiled rules do not: a class of a user's, a policy, or whoever holds the games."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cageflow.envs.options import GameOptions
from cageflow.envs.red_code import check_red_agent, class_of, elsewhere_than_results
from cageflow.envs.red_memory import RedMemory
from cageflow.errors import UserError
from cageflow.foreign_code import call, show
from cageflow.scenario import Network
from cageflow.scenario.red_agents import GIVEN, POLICY_SUFFIX, is_code

Actions = npt.NDArray[np.integer[Any]]

MODULES = {POLICY_SUFFIX: "cageflow.agents.red_policy"}
"""By the ending of a file, the module whose `open_red_policy(source, options)` makes a player of it."""


class RedPlayer(Protocol):
    """Plays red in a batch of games."""

    def begin(self, seeds: npt.NDArray[np.uint64], mask: npt.NDArray[np.bool_]) -> None:
        """Begin episodes in some games.

        Args:
            seeds: (B,) uint64, of the player's draws, one for each game; they tell nothing of the game's own.
            mask: (B,) bool, the games that begin; all where B is another number than before.
        """

    def act(self, memory: RedMemory, free: npt.NDArray[np.bool_]) -> Actions:
        """(B,) numbers of `Network.red_codec`, for the step that comes.

        Args:
            memory: what red knows of each game.
            free: (B,) bool, the games in which red chooses; what is answered for others is ignored.
        """


class GivenActions:
    """Red as played by whoever holds the games, who writes `actions` before each step.

    Attributes:
        actions: (B,) numbers of `Network.red_codec`.
    """

    def __init__(self, num_envs: int) -> None:
        self.actions: Actions = np.zeros(num_envs, np.int64)

    def begin(self, seeds: npt.NDArray[np.uint64], mask: npt.NDArray[np.bool_]) -> None:
        """Begin episodes; nothing is kept of them."""

    def act(self, memory: RedMemory, free: npt.NDArray[np.bool_]) -> Actions:
        """(B,) what has been written."""
        return self.actions


class PythonReds:
    """Objects of a user's class, one for each game.

    The class is made without arguments and has `reset(network, seed)`, which begins an episode, and `act(view)`, which
    answers with the name or the number of an action; `docs/attackers.md` has the protocol.

    Args:
        name: of the red agent, as the user gave it.
        make: the class.
        network: that is played.
    """

    def __init__(self, name: str, make: Callable[[], Any], network: Network) -> None:
        self._name = name
        self._make = make
        self._network = network
        self._agents: list[Any] = []
        self._steps = np.zeros(0, np.int64)

    def begin(self, seeds: npt.NDArray[np.uint64], mask: npt.NDArray[np.bool_]) -> None:
        """Begin episodes in some games.

        Raises:
            UserError: the class failed.
        """
        while len(self._agents) < len(seeds):
            self._agents.append(self._call("its constructor", self._make))
        del self._agents[len(seeds) :]
        self._steps = np.resize(self._steps, len(seeds))
        self._steps[mask] = 0
        for i in np.flatnonzero(mask):
            self._call("reset", self._agents[i].reset, self._network, int(seeds[i]))

    def act(self, memory: RedMemory, free: npt.NDArray[np.bool_]) -> Actions:
        """(B,) what the objects answer.

        Raises:
            UserError: one failed, or answered what is no action.
        """
        self._steps += 1
        actions = np.zeros(len(self._agents), np.int64)
        for i in np.flatnonzero(free):
            where = f"step {self._steps[i]}"
            answer = self._call(f"act in {where}", self._agents[i].act, memory.view(int(i)))
            actions[i] = self._number(answer, where)
        return actions

    def _call(self, what: str, function: Any, *arguments: Any) -> Any:
        try:
            with elsewhere_than_results(self._name):
                return call(what, function, *arguments)
        except UserError as error:
            raise UserError(f"red agent {self._name} {error}") from error

    def _number(self, answer: object, where: str) -> int:
        codec = self._network.red_codec
        try:
            if isinstance(answer, str):
                return codec.encode(answer)
            if isinstance(answer, int | np.integer) and not isinstance(answer, bool) and 0 <= answer < len(codec):
                return int(answer)
        except UserError:
            pass
        raise UserError(
            f"red agent {self._name} answered {show(answer)} in {where}; expected the name of an action, such as "
            f"{codec.names[-1]!r}, or its number, 0 to {len(codec) - 1}."
        )


def open_red(options: GameOptions) -> RedPlayer:
    """The player of a red agent that the compiled rules do not play.

    Args:
        options: of the games; `red_agent` names a class in a file, or a policy's file.

    Raises:
        UserError: there is none, it cannot be imported, or it is no red agent for such games.
    """
    name = options.red_agent
    check_red_agent(name)
    if is_code(name):
        return PythonReds(name, class_of(name), options.network)
    if name == GIVEN:
        raise ValueError("who holds the games is to play red, and gave no player")
    player: RedPlayer = importlib.import_module(MODULES[Path(name).suffix]).open_red_policy(name, options)
    return player
