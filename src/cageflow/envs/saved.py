"""Where games stand, as data: to go back to it, to look ahead from it, to go on elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from cageflow.envs.options import GameOptions
from cageflow.errors import UserError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class GameState:
    """Where B games stand: the hosts, red's and blue's memory, the random streams, the last step.

    It is plain data, to be copied and pickled. It holds the truth, which blue does not see: no agent is to be handed
    one. `state[2]` is the state of game 2, and `state[[0, 0, 1]]` that of three games, the first of them twice.

    Attributes:
        setting: what was played, by name: the network's identity and all other settings of the games.
        arrays: (B, ...) by name.
    """

    setting: dict[str, Any]
    arrays: dict[str, Array]

    def __len__(self) -> int:
        return len(self.arrays["states"])

    def __getitem__(self, games: SupportsIndex | slice | Sequence[int] | Array) -> GameState:
        chosen = np.atleast_1d(np.arange(len(self))[games])
        return GameState(self.setting, {name: array[chosen] for name, array in self.arrays.items()})

    def __repr__(self) -> str:
        return f"GameState({len(self)} games, {', '.join(f'{key} {value}' for key, value in self.setting.items())})"


def setting_of(options: GameOptions) -> dict[str, Any]:
    """What games must have in common for a state of one to be put into the other."""
    return {
        "network": options.network.identity,
        "red_agent": options.red_agent,
        "rules": options.rules,
        "observation": options.observation,
        "max_steps": options.max_steps,
        "green": options.green,
    }


def fitting_arrays(state: object, setting: dict[str, Any], arrays: dict[str, Array], num_envs: int) -> dict[str, Array]:
    """The arrays of a state that is to be put into games, one row for each.

    Args:
        state: of as many games, or of one, which is then that of all.
        setting: of the games, from `setting_of`.
        arrays: of the games, as they stand.
        num_envs: number of the games.

    Raises:
        UserError: it is no state, or one of other games.
    """
    if not isinstance(state, GameState):
        raise UserError(f"expected what get_state gave, got {type(state).__name__}.")
    for name, here in setting.items():
        there = state.setting.get(name)
        if there != here:
            raise UserError(
                f"this state is of a game with {name} {there}, and here {name} is {here}: "
                "make an environment with the settings that the state is of."
            )
    layout = {name: (array.dtype, array.shape[1:]) for name, array in arrays.items()}
    if {name: (array.dtype, array.shape[1:]) for name, array in state.arrays.items()} != layout:
        raise UserError("this state was made by another version of cageflow, which keeps games in another form.")
    if len(state) not in (1, num_envs):
        raise UserError(
            f"this state is of {len(state)} games and here are {num_envs}; "
            f"expected as many or one: state[i] is that of game i."
        )
    return {name: np.broadcast_to(array, (num_envs, *array.shape[1:])) for name, array in state.arrays.items()}
