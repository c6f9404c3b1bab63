"""Workflow orders: the space of all priority orders over the unit types of a network, and how they are written.

An order names every unit type once, the type to be fixed first in front. A space knows all orders of its types: it
numbers them, writes them as bits for a policy, and tells how far they lie from one another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError

Order = tuple[str, ...]
"""Names of unit types, each once, highest priority first."""

MAX_TYPES = 8
"""Unit types that a space may have: 8! = 40,320 orders are all scored at each choice of a search."""

OrderLike = str | int | Sequence[str] | Sequence[int]
"""What `OrderSpace.parse` reads."""

MAX_FILE_NAME = 160
"""Bytes of an order in the name of a file."""

MAX_QUOTED = 80
"""Characters of a wrong order that its refusal repeats."""


def format_order(order: Sequence[str]) -> str:
    """Write an order for settings, policies and JSON: `defender,enterprise,user`."""
    return ",".join(order)


def log_order(order: Sequence[str]) -> str:
    """Write an order for a table, without commas: `defender>enterprise>user`."""
    return ">".join(order)


def file_order(order: Sequence[str]) -> str:
    """Write an order for the name of a file: `defender-enterprise-user`.

    What no file's name may hold, such as a slash, is an underscore, and what is too long is cut off.
    """
    safe = re.sub(r"[^\w. -]", "_", "-".join(order))
    return safe.encode()[:MAX_FILE_NAME].decode(errors="ignore")


def show_order(order: Sequence[str]) -> str:
    """Write an order for a person at a terminal: `defender > enterprise > user`."""
    return " > ".join(order)


def print_order(order: Sequence[str]) -> str:
    """Write an order for a page: `defender → enterprise → user`."""
    return " \N{RIGHTWARDS ARROW} ".join(order)


def read_order(text: str) -> Order:
    """The order that `format_order` or `log_order` wrote, of whichever types; what people type is for `parse`."""
    return tuple(name.strip() for name in re.split("[,>]", text))


def kendall_distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Pairs of types that two orders of the same types rank differently."""
    places = {unit_type: place for place, unit_type in enumerate(b)}
    return sum(places[first] > places[second] for first, second in combinations(a, 2))


@dataclass(frozen=True, slots=True)
class OrderSpace:
    """All orders of some unit types. Two spaces are equal if they have the same types in the same turn.

    Args:
        unit_types: n names, 1 <= n <= MAX_TYPES, in the order of their ids.
        named: orders that have a name of their own, such as those that a network's file lists.

    Raises:
        UserError: there are too many types or none, one stands twice, or a named order is none of this space.
    """

    unit_types: tuple[str, ...]
    named: Mapping[str, Order] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        n = len(self.unit_types)
        if not 1 <= n <= MAX_TYPES or len(set(self.unit_types)) < n:
            raise UserError(
                f"the unit types are {', '.join(self.unit_types) or 'none'}; "
                f"expected 1 to {MAX_TYPES} different ones to put in order"
            )
        for order in self.named.values():
            self.rank(order)

    @classmethod
    def of_ranked(cls, order: Sequence[str], number: int) -> OrderSpace:
        """The one space in which an order has a number.

        Raises:
            UserError: a type stands twice, or no space of so many types has an order with that number.
        """
        anonymous = cls(tuple(str(place) for place in range(len(order))))
        places = anonymous.indices(anonymous.unrank(number))
        return cls(tuple(order[place] for place in np.argsort(places)))

    def __len__(self) -> int:
        """W = n!, how many orders there are."""
        return math.factorial(len(self.unit_types))

    def __iter__(self) -> Iterator[Order]:
        """All orders by their rank."""
        return (self._named_by(row) for row in self.permutations)

    def __contains__(self, order: object) -> bool:
        return isinstance(order, tuple) and sorted(order) == sorted(self.unit_types)

    @property
    def permutations(self) -> NDArray[np.int8]:
        """(W, n) int8, read-only: the ids of the types of every order, by rank."""
        return _permutations(len(self.unit_types))

    def indices(self, order: Sequence[str]) -> NDArray[np.int8]:
        """(n,) int8: the ids of the types of an order, highest priority first.

        Raises:
            UserError: it is no order of this space.
        """
        if tuple(order) not in self:
            self._refuse(show_order(order), "is no order")
        return np.array([self.unit_types.index(name) for name in order], np.int8)

    def rank(self, order: Sequence[str]) -> int:
        """Number of an order, 0 to W - 1, lexicographic by ids: its `Workflow_ID` in the logs.

        Raises:
            UserError: it is no order of this space.
        """
        number, left = 0, list(range(len(self.unit_types)))
        for unit_type in self.indices(order).tolist():
            number = number * len(left) + left.index(unit_type)
            left.remove(unit_type)
        return number

    def file_name(self, order: Sequence[str]) -> str:
        """An order by its number and its types, such as `017_defender-user-enterprise-op_server-op_host`.

        Raises:
            UserError: it is no order of this space.
        """
        return f"{self.rank(order):03d}_{file_order(order)}"

    def unrank(self, number: int) -> Order:
        """The order with a number.

        Raises:
            UserError: there is none with that number.
        """
        if not 0 <= number < len(self):
            self._refuse(str(number), "is no order's number")
        left, order = list(self.unit_types), []
        for size in range(len(left), 0, -1):
            place, number = divmod(number, math.factorial(size - 1))
            order.append(left.pop(place))
        return tuple(order)

    def parse(self, given: OrderLike) -> Order:
        """Read an order in any way that people and files write one; whatever takes an order takes all of them.

        Args:
            given: unit types, highest priority first, as `a > b > c`, `a>b>c` or `a,b,c`, with blanks or none, or with
                a report's arrows; the number of an order; the name of one of `named`. From Python also an integer, and
                a sequence of unit types or of their ids.

        Raises:
            UserError: it is none of these; the sentence says what is possible.
        """
        if isinstance(given, int | np.integer):
            return self.unrank(int(given))
        if not isinstance(given, str):
            by_id = dict(enumerate(self.unit_types))
            return self._checked([part if isinstance(part, str) else by_id.get(int(part), str(part)) for part in given])
        text = given.strip()
        if text in self.named:
            return self.named[text]
        names = [name.strip() for name in re.split("[>,\N{RIGHTWARDS ARROW}]", text)]
        if re.fullmatch(r"[-+]?[0-9]+", text) and names != list(self.unit_types):
            return self.unrank(int(text)) if len(text) < 20 else self._refuse(text, "is no order's number")
        return self._checked(names)

    def encode(self, order: Sequence[str]) -> NDArray[np.float32]:
        """One-hot code of an order for a policy, position-major: element n*p + t is 1 when type t has position p.

        Returns:
            (n * n,) float32, a new array.

        Raises:
            UserError: it is no order of this space.
        """
        n = len(self.unit_types)
        code = np.zeros((n, n), np.float32)
        code[np.arange(n), self.indices(order)] = 1.0
        return code.reshape(-1)

    def distance(self, a: Sequence[str], b: Sequence[str]) -> int:
        """Kendall distance: pairs of types that two orders rank differently, 0 (equal) to n(n-1)/2 (reversed).

        It is also the least number of swaps of neighbours that turn one order into the other.

        Raises:
            UserError: `a` or `b` is no order of this space.
        """
        self.indices(a), self.indices(b)
        return kendall_distance(a, b)

    def neighbours(self, order: Sequence[str]) -> tuple[Order, ...]:
        """The n - 1 orders at distance 1: two types that stand next to each other are swapped, the first pair first.

        Raises:
            UserError: it is no order of this space.
        """
        self.indices(order)
        given = tuple(order)
        return tuple(
            (*given[:place], given[place + 1], given[place], *given[place + 2 :]) for place in range(len(given) - 1)
        )

    def features(self) -> NDArray[np.int8]:
        """(W, n) int8, a new array: where each type stands in every order, 0 to n - 1, by rank."""
        return positions(self.permutations)

    def _named_by(self, row: NDArray[np.int8]) -> Order:
        return tuple(self.unit_types[unit_type] for unit_type in row)

    def _checked(self, names: list[str]) -> Order:
        text = show_order(names)
        if not any(names):
            self._refuse("", "is empty")
        for name in names:
            if name not in self.unit_types:
                what = f"names {_short(name)!r}, which is no unit type" if len(names) > 1 else "is no order"
                self._refuse(text, what)
            if names.count(name) > 1:
                self._refuse(text, f"names {name!r} {_times(names.count(name))}")
        missing = [repr(name) for name in self.unit_types if name not in names]
        if missing:
            self._refuse(text, f"lacks {' and '.join(missing)}")
        return tuple(names)

    def _refuse(self, text: str, what: str) -> NoReturn:
        named = f"; or one of {', '.join(self.named)}" if self.named else ""
        raise UserError(
            f"workflow {_short(text)!r} {what}: give each of {', '.join(self.unit_types)} once, as a > b > c or a,b,c; "
            f"or a number from 0 to {len(self) - 1}{named}"
        )


def positions(permutations: NDArray[np.int8]) -> NDArray[np.int8]:
    """(N, n) ids of types to the (N, n) int8 places at which each type stands."""
    return np.argsort(permutations, axis=1).astype(np.int8)


def pairs_ahead(permutations: NDArray[np.int8]) -> NDArray[np.bool_]:
    """(N, n) ids of types to (N, P) bool: whether the first type of each of the P = n(n-1)/2 pairs stands ahead."""
    places = positions(permutations)
    pairs = np.array(list(combinations(range(permutations.shape[1]), 2)), np.int64).reshape(-1, 2)
    ahead: NDArray[np.bool_] = places[:, pairs[:, 0]] < places[:, pairs[:, 1]]
    return ahead


@lru_cache(maxsize=MAX_TYPES)
def _permutations(n: int) -> NDArray[np.int8]:
    """(n!, n) int8, read-only: all permutations of n ids, lexicographic."""
    rows = np.zeros((1, 1), np.int8)
    for size in range(2, n + 1):
        heads = np.repeat(np.arange(size, dtype=np.int8), len(rows))
        tails = np.tile(rows, (size, 1))
        rows = np.column_stack([heads, tails + (tails >= heads[:, None])]).astype(np.int8)
    rows.setflags(write=False)
    return rows


def _short(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 3] + "..."


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"
