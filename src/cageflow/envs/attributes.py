"""What the games of a batch answer one by one, as if each were a single environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cageflow.errors import UserError

if TYPE_CHECKING:
    from cageflow.envs.vector import Cage2VectorEnv

Answers = Callable[["Cage2VectorEnv", Sequence[int]], list[Any]]


def _rows(method: str, games: Cage2VectorEnv, indices: Sequence[int]) -> list[Any]:
    """Rows of what a method of the batch gives: it works all of them out at once."""
    rows = getattr(games, method)()
    return [rows[i] for i in indices]


def _each(method: str, games: Cage2VectorEnv, indices: Sequence[int]) -> list[Any]:
    return [getattr(games, method)(i) for i in indices]


METHODS: dict[str, Answers] = {
    "action_masks": partial(_rows, "action_masks"),
    "recalled": partial(_rows, "recalled"),
    "get_state": partial(_rows, "get_state"),
    "true_state": partial(_each, "true_state_of"),
    "last_step": partial(_each, "last_step_of"),
    "render": partial(_each, "render_game"),
}
"""Methods of the single environment whose answers differ from game to game."""
SHARED = (
    "network",
    "codec",
    "red_codec",
    "options",
    "action_names",
    "describe_action",
    "render_mode",
    "metadata",
    "spec",
)
"""Attributes of the batch that each of its games has."""
SPACES = {"action_space": "single_action_space", "observation_space": "single_observation_space"}
TOGETHER = ("reset", "step", "close", "set_state")
"""What is done to all games at once."""


class GameAttributes:
    """Attributes and methods of the games of a batch, by the names that they have in the single environment.

    A user may give each game attributes of its own, for those who play it; the games do not read them. The settings are
    common to all games of a batch and stay as they are.

    Args:
        games: the batch.
    """

    def __init__(self, games: Cage2VectorEnv) -> None:
        self._games = games
        self._own: dict[str, list[Any]] = {}

    def has(self, name: str) -> bool:
        """Whether the games have an attribute or a method of that name."""
        return name in self._own or name in METHODS or name in SHARED or name in SPACES

    def get(self, name: str, indices: Iterable[int] | None = None) -> list[Any]:
        """The attribute of some games, None for all; of a method, one that asks that game.

        Raises:
            AttributeError: there is none of that name.
        """
        chosen = self._chosen(indices)
        if name in self._own:
            return [self._own[name][i] for i in chosen]
        if name in METHODS:
            return [partial(self._ask_one, name, i) for i in chosen]
        self._check(name)
        value = getattr(self._games, SPACES.get(name, name))
        return [value for _ in chosen]

    def call(
        self, name: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None, indices: Any = None
    ) -> list[Any]:
        """What a method gives in some games, None for all; or an attribute, where it is none.

        Raises:
            AttributeError: there is none of that name.
            UserError: it is done to all games at once.
        """
        chosen = self._chosen(indices)
        if name not in self._own and name in METHODS:
            if args or kwargs:
                raise UserError(f"{name} of the games takes no arguments.")
            return METHODS[name](self._games, chosen)
        return [value(*args, **(kwargs or {})) if callable(value) else value for value in self.get(name, chosen)]

    def set(self, name: str, values: Any, indices: Iterable[int] | None = None) -> None:
        """Give some games, None for all, an attribute of their own.

        Args:
            name: of it.
            values: a list or tuple has one for each of these games; anything else is for all of them.
            indices: of the games.

        Raises:
            UserError: the games have it by themselves, or the number of values is another.
        """
        if name not in self._own and (hasattr(self._games, name) or name in SPACES):
            raise UserError(
                f"{name} cannot be set: the games of a batch have their settings in common and keep them; "
                "make another batch with the settings that you want."
            )
        chosen = self._chosen(indices)
        each = list(values) if isinstance(values, list | tuple) else [values] * len(chosen)
        if len(each) != len(chosen):
            raise UserError(f"{len(each)} values are given for {len(chosen)} games; expected one for each, or one.")
        own = self._own.setdefault(name, [None] * self._games.num_envs)
        for i, value in zip(chosen, each, strict=True):
            own[i] = value

    def _ask_one(self, name: str, env_idx: int) -> Any:
        return METHODS[name](self._games, [env_idx])[0]

    def _chosen(self, indices: Iterable[int] | None) -> Sequence[int]:
        return range(self._games.num_envs) if indices is None else list(indices)

    def _check(self, name: str) -> None:
        if name in TOGETHER:
            raise UserError(f"{name} is done to all games of a batch at once: call {name} of the batch.")
        if not self.has(name):
            known = ", ".join(sorted([*self._own, *METHODS, *SHARED, *SPACES]))
            raise AttributeError(f"the games have no {name!r}; they have {known}.")
