"""What the action codecs of both sides share: actions that are called by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from cageflow.errors import UserError
from cageflow.scenario.names import normal_words


@dataclass(frozen=True)
class NamedActions:
    """Actions that have names, in the order of their numbers.

    Attributes:
        names: of all of them, each once.
    """

    NOT_ONE: ClassVar[str]
    """What is said of a name that none has, before the last of the names as an example."""

    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def encode(self, name: str) -> int:
        """The number of an action by its name, such as "Restore User1" of blue's or "exploit User1" of red's.

        Raises:
            UserError: no action has that name.
        """
        try:
            return self._numbers[normal_words(name)]
        except KeyError:
            raise UserError(f"{name!r} is {self.NOT_ONE}, such as {self.names[-1]!r}") from None

    def check(self, action: int) -> None:
        """Raise `UserError` for a number that is none of an action."""
        if not 0 <= action < len(self):
            raise UserError(f"{action} is no action; expected a whole number from 0 to {len(self) - 1}")

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}
