"""Blue's place at a batch of games that red is the learner in: who plays blue, and what it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.envs.agent import BlueAgent, BlueSetting, BlueView
from cageflow.envs.game import GameBatch
from cageflow.envs.memory import checked_actions
from cageflow.envs.seeds import scramble
from cageflow.errors import UserError
from cageflow.foreign_code import call

BLUE_SALT = np.uint64(0x94D049BB133111A7)  # keeps the agent's numbers apart from the game's

Blue = str | BlueAgent | Callable[[BlueSetting], BlueAgent]
"""Who plays blue: what `cageflow evaluate` takes for a policy, an agent, or what makes one for a `BlueSetting`."""


class BlueSeat:
    """Asks agents for blue's actions in games that run in step.

    Args:
        blue: who plays; several of it are made where one cannot play as many games.
        setting: of the games.
        num_envs: B.

    Raises:
        UserError: there is no such agent, it cannot be made or does not fit the games, or cannot play as many.
    """

    def __init__(self, blue: Blue, setting: BlueSetting, num_envs: int) -> None:
        self._num_actions = len(setting.network.codec)
        first = _made(blue, setting)
        size = min(num_envs, first.max_envs or num_envs)
        starts = range(0, num_envs, size)
        if len(starts) > 1 and not isinstance(blue, str) and first is blue:
            raise UserError(f"blue plays {size} games at once, and here are {num_envs}; give what makes the agent.")
        self._parts = [slice(start, min(start + size, num_envs)) for start in starts]
        self._agents = [first, *(_made(blue, setting) for _ in self._parts[1:])]
        self._last: npt.NDArray[np.int16] | None = None
        self._seeds = np.zeros(num_envs, np.uint64)

    def begin(self, game: GameBatch, runs_on: npt.NDArray[np.bool_]) -> None:
        """Begin an episode in all games, whose streams stand at its beginning.

        Args:
            game: the games.
            runs_on: (B,) bool, those whose streams run on from the episode before, in which nothing may have been
                drawn; the agent's chance is another all the same.
        """
        before = np.where(runs_on, self._seeds, np.uint64(0))
        self._seeds = seeds = scramble(game.states["rng"] ^ BLUE_SALT ^ before)
        for part, agent in zip(self._parts, self._agents, strict=True):
            agent.reset(seeds[part])
        self._last = None

    def act(self, game: GameBatch, step: int, table: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
        """(B,) blue's actions.

        Args:
            game: the games.
            step: steps that are over, the same in all.
            table: (B, F) uint8 what blue sees.

        Raises:
            UserError: an agent fails, or gives what is no action.
        """
        actions = np.empty(len(table), np.int16)
        for part, agent in zip(self._parts, self._agents, strict=True):
            given = agent.act(self._view(game, step, table, part))
            actions[part] = checked_actions(given, len(table[part]), self._num_actions, step)
        self._last = actions
        return actions

    def _view(self, game: GameBatch, step: int, table: npt.NDArray[np.uint8], part: slice) -> BlueView:
        memory = game.memory

        def in_turn(order: Any) -> npt.NDArray[np.uint8]:
            masks = np.ones((len(table), self._num_actions), np.bool_)
            memory.keep_order(order, masks)
            return masks[part].view(np.uint8)

        return BlueView(
            step,
            table[part],
            None if self._last is None else self._last[part],
            lambda: memory.masks()[part].view(np.uint8),
            lambda: memory.recalled()[part],
            lambda: game.access()[part],
            in_turn,
        )


def _made(blue: Blue, setting: BlueSetting) -> BlueAgent:
    """The agent that is given, or one that is made."""
    if isinstance(blue, str):
        return find_agent(blue, SourceOptions()).load(setting)
    if isinstance(blue, type) or not hasattr(blue, "act"):
        try:
            agent = call("making its agent", blue, setting)
        except UserError as error:
            raise UserError(f"blue {error}") from error
    else:
        agent = blue
    missing = [name for name in ("act", "reset") if not callable(getattr(agent, name, None))]
    if missing:
        raise UserError(
            f"blue is {type(agent).__name__}, which has no {' and no '.join(missing)}; expected a policy by name or "
            "file, an agent with reset(seeds) and act(view), or what makes one."
        )
    if not hasattr(agent, "max_envs"):
        raise UserError(f"blue is {type(agent).__name__}, which has no max_envs; None stands for any number of games.")
    player: BlueAgent = agent
    return player
