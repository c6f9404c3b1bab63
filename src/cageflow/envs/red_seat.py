"""Red's place at a batch of games that the compiled rules do not play red in: who plays, what red knows, its chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.options import GameOptions
from cageflow.envs.red_memory import RedMemory
from cageflow.envs.red_player import PythonReds, RedPlayer
from cageflow.envs.saved import Array
from cageflow.envs.seeds import scramble
from cageflow.errors import UserError

RED_SALT = np.uint64(0xB5297A4D3F84D5B5)  # keeps the player's numbers apart from the game's

States = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


class RedSeat:
    """Asks a player for red's actions and keeps what red knows.

    Args:
        player: who plays.
        options: of the games.
        num_envs: B.

    Attributes:
        player: who plays.
        memory: what red knows of each game.
    """

    def __init__(self, player: RedPlayer, options: GameOptions, num_envs: int) -> None:
        self.player = player
        self._name = options.red_agent
        self.memory = RedMemory(options, num_envs)
        self._seeds = np.zeros(num_envs, np.uint64)

    def begin(self, states: States, mask: Mask, runs_on: Mask | None = None) -> None:
        """Begin episodes in the games of a (B,) mask, whose (B,) states stand at their beginning.

        Args:
            states: of the games; B may be another number than before, where the mask is of all.
            mask: the games that begin.
            runs_on: those whose streams run on from the episode before, in which nothing may have been drawn; the
                player's chance is another all the same. None: none.
        """
        if len(states) != len(self._seeds):
            self.memory.resize(len(states))
            self._seeds = np.zeros(len(states), np.uint64)
        self.memory.reset(mask)
        before = np.where(False if runs_on is None else runs_on, self._seeds, np.uint64(0))
        self._seeds[mask] = scramble(states["rng"] ^ RED_SALT ^ before)[mask]
        self.player.begin(self._seeds, mask)

    def choose(self, states: States, going: Mask) -> None:
        """Write red's next action in the games of a mask, where none is under way."""
        free = going & (states["red_left"] == 0)
        chosen = np.asarray(self.player.act(self.memory, free))[free]
        codec = self.memory.network.red_codec
        states["red_kind"][free], states["red_target"][free] = codec.kinds[chosen], codec.targets[chosen]

    def learn(self, states: States, going: Mask) -> None:
        """Take in the step that the games of a mask have taken."""
        self.memory.update(states, going)

    def arrays(self) -> dict[str, Array]:
        """What is kept of the games, by name, (B, ...) each.

        Raises:
            UserError: the player is code of a user's, which keeps what stands in no array.
        """
        if isinstance(self.player, PythonReds):
            raise UserError(
                f"red_agent is {self._name}, and what an agent in Python keeps of a game stands in no state: play "
                "against a red agent that is built in, or a policy."
            )
        return {"red_memories": self.memory.records.view(np.ndarray), "red_seeds": self._seeds}

    def go_on(self, states: States, *, anew: bool) -> None:
        """Go on from other states, `arrays` having been written; with other chance where the streams began anew."""
        if anew:
            self._seeds[:] = scramble(states["rng"] ^ RED_SALT)
        self.player.begin(self._seeds, np.ones(len(states), np.bool_))
