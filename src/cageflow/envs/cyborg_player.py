"""Red in a game of the original where none of the original's own agents plays it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from cageflow.envs.cyborg_red import tell_red
from cageflow.envs.options import GameOptions
from cageflow.envs.red_player import open_red
from cageflow.envs.red_seat import RedSeat
from cageflow.scenario.red_agents import BUILT_IN
from cageflow.sim.batch import choose_loop
from cageflow.sim.handover import plain, row
from cageflow.sim.state import new_states


class CyborgRedPlayer:
    """Any red agent of ours, asked by what the original tells red, and nothing else.

    What red is told is written into an environment of the simulator, in which nothing but that is so. Agents that are
    built in choose there by the same compiled functions as in the simulator; classes and policies have their usual
    seat at it.

    Args:
        options: of the game; `red_agent` is whoever the simulator takes.

    Raises:
        UserError: the red agent's file is not there, or it cannot play in such a game.
    """

    def __init__(self, options: GameOptions) -> None:
        self._network = options.network
        self._nets, self._settings = row(self._network.tables), row(options.params())
        is_built_in = options.red_agent in BUILT_IN
        self._seat = None if is_built_in else RedSeat(open_red(options), options, 1)
        self._one = np.ones(1, np.bool_)
        self._told = plain(new_states(self._network, 1))

    def begin(self) -> None:
        """Begin an episode; red's chance is a number of Python's global generator, which the original draws from."""
        self._told = plain(new_states(self._network, 1))
        self._told["rng"] = np.uint64(random.getrandbits(64))
        if self._seat is not None:
            self._seat.begin(self._told, self._one)

    def choose(self) -> int:
        """Number of the action, in `Network.red_codec`, that red takes in the step that comes."""
        if self._seat is None:
            choose_loop(self._told, self._nets, self._settings)
        else:
            self._seat.choose(self._told, self._one)
        return self._network.red_codec.number_of(int(self._told["red_kind"][0]), int(self._told["red_target"][0]))

    def learn(self, cyborg: Any) -> None:
        """Take in a step of the original."""
        tell_red(self._told.view(np.recarray)[0], cyborg, self._network)
        if self._seat is not None:
            self._seat.learn(self._told, self._one)
