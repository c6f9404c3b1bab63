"""Workflow orders: all 120 of them, their names, their encoding and how far they lie from one another.

An order lists the five unit types of `UNIT_TYPES` by index, the type to be fixed first in front. Its place in
`ALL_ORDERS` is its id, the `Workflow_ID` of the logs.
"""

import re
from collections.abc import Sequence
from itertools import combinations, permutations
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.scenario.unit_types import UNIT_TYPES

Order = tuple[int, ...]
"""A permutation of 0..4: indices into `UNIT_TYPES`, highest priority first."""

OrderLike = str | int | Sequence[int] | Sequence[str]
"""What `parse_order` reads."""

NUM_TYPES = len(UNIT_TYPES)
ORDER_FEATURES = NUM_TYPES * NUM_TYPES
"""Length of `encode_order`: 25."""

ALL_ORDERS: tuple[Order, ...] = tuple(permutations(range(NUM_TYPES)))
"""Every order, lexicographic by index: ids 0 (`defender,enterprise,op_server,op_host,user`) to 119 (its reversal)."""

NUM_ORDERS = len(ALL_ORDERS)
MAX_KENDALL_DISTANCE = NUM_TYPES * (NUM_TYPES - 1) // 2
"""Distance of an order from its reversal: 10, the number of pairs of types."""

_ORDER_IDS: dict[Order, int] = {order: i for i, order in enumerate(ALL_ORDERS)}
MAX_QUOTED = 80
"""Characters of a wrong order that its refusal repeats."""


def order_id(order: Sequence[int]) -> int:
    """Place of an order in `ALL_ORDERS`, 0..119.

    Raises:
        UserError: `order` is no permutation of 0..4.
    """
    try:
        return _ORDER_IDS[tuple(order)]
    except KeyError:
        raise UserError(
            f"{tuple(order)} is no workflow order: it must hold each of 0 to {NUM_TYPES - 1} exactly once"
        ) from None


def parse_order(given: OrderLike) -> Order:
    """Read an order in any way that people and files write one; whatever takes an order takes all of them.

    Args:
        given: unit types, highest priority first, as `a > b > c`, `a>b>c` or `a,b,c`, with blanks or none, or with a
            report's arrows; the number of an order, 0..119; the name of one of `CANONICAL_ORDERS`. From Python also an
            integer, and a sequence of unit types or of their indices.

    Raises:
        UserError: it is none of these.
    """
    if isinstance(given, str):
        return _parse_text(given)
    if isinstance(given, int | np.integer):
        return _numbered(int(given))
    names = [part for part in given if isinstance(part, str)]
    return _parse_names(names) if names else ALL_ORDERS[order_id([int(part) for part in given])]


def _parse_text(text: str) -> Order:
    text = text.strip()
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return _numbered(int(text)) if len(text) < 20 else _refuse(text, "is no order's number")
    if text in CANONICAL_ORDERS:
        return CANONICAL_ORDERS[text]
    return _parse_names([name.strip() for name in re.split("[>,\N{RIGHTWARDS ARROW}]", text)])


def _numbered(number: int) -> Order:
    return ALL_ORDERS[number] if 0 <= number < NUM_ORDERS else _refuse(str(number), "is no order's number")


def _parse_names(names: list[str]) -> Order:
    text = " > ".join(names)
    if not any(names):
        _refuse("", "is empty")
    for name in names:
        if name not in UNIT_TYPES:
            what = f"names {_short(name)!r}, which is no unit type" if len(names) > 1 else "is no order"
            _refuse(text, what)
        if names.count(name) > 1:
            _refuse(text, f"names {name!r} {_times(names.count(name))}")
    missing = [repr(name) for name in UNIT_TYPES if name not in names]
    if missing:
        _refuse(text, f"lacks {' and '.join(missing)}")
    return tuple(UNIT_TYPES.index(name) for name in names)


def _refuse(text: str, what: str) -> NoReturn:
    raise UserError(
        f"workflow {_short(text)!r} {what}: give each of {', '.join(UNIT_TYPES)} once, as a > b > c or a,b,c; or a "
        f"number from 0 to {NUM_ORDERS - 1}; or one of {', '.join(CANONICAL_ORDERS)}"
    )


def _short(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 3] + "..."


def format_order(order: Sequence[int]) -> str:
    """Write an order for files and JSON: `defender,enterprise,op_server,op_host,user`.

    Raises:
        UserError: `order` is no permutation of 0..4.
    """
    return ",".join(UNIT_TYPES[unit_type] for unit_type in ALL_ORDERS[order_id(order)])


def show_order(order: Sequence[int]) -> str:
    """Write an order for a person: `defender > enterprise > op_server > op_host > user`.

    Raises:
        UserError: `order` is no permutation of 0..4.
    """
    return " > ".join(UNIT_TYPES[unit_type] for unit_type in ALL_ORDERS[order_id(order)])


def kendall_distance(a: Sequence[int], b: Sequence[int]) -> int:
    """Number of pairs of unit types that two orders rank differently, 0 (equal) to 10 (reversed).

    It is also the least number of swaps of neighbours that turn one order into the other.

    Raises:
        UserError: `a` or `b` is no permutation of 0..4.
    """
    return int(KENDALL_MATRIX[order_id(a), order_id(b)])


def encode_order(order: Sequence[int]) -> NDArray[np.float32]:
    """One-hot code of an order for a network, position-major: element 5*p + t is 1 when type t has position p.

    Returns:
        (25,) float32, a new array.

    Raises:
        UserError: `order` is no permutation of 0..4.
    """
    code = np.zeros((NUM_TYPES, NUM_TYPES), dtype=np.float32)
    code[np.arange(NUM_TYPES), np.asarray(ALL_ORDERS[order_id(order)])] = 1.0
    return code.reshape(-1)


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _kendall_matrix() -> NDArray[np.int8]:
    """Distances between all orders: the number of pairs, 10 in all, whose ranking differs."""
    positions = np.argsort(np.asarray(ALL_ORDERS), axis=1)  # (120, 5): where each type stands
    first, second = np.asarray(list(combinations(range(NUM_TYPES), 2))).T
    before = positions[:, first] < positions[:, second]  # (120, 10): is the first type of the pair ranked higher?
    matrix: NDArray[np.int8] = (before[:, None, :] != before[None, :, :]).sum(axis=2).astype(np.int8)
    matrix.setflags(write=False)
    return matrix


KENDALL_MATRIX: NDArray[np.int8] = _kendall_matrix()
"""(120, 120) int8, read-only: Kendall distances between the orders of `ALL_ORDERS`."""

CANONICAL_ORDERS: dict[str, Order] = {
    "critical-first": _parse_names(["defender", "op_server", "enterprise", "op_host", "user"]),
    "enterprise-focus": _parse_names(["enterprise", "defender", "op_server", "op_host", "user"]),
    "user-priority": _parse_names(["user", "defender", "enterprise", "op_server", "op_host"]),
    "operational-focus": _parse_names(["op_server", "op_host", "defender", "enterprise", "user"]),
    "balanced": _parse_names(["defender", "enterprise", "op_server", "user", "op_host"]),
    "reverse": _parse_names(["user", "op_host", "enterprise", "op_server", "defender"]),
}
"""The six orders that the earlier prototype's authors made by hand, by their names and in their turn."""
