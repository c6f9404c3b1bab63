"""Workflow orders: all 120 of them, their names, their encoding and how far they lie from one another.

An order lists the five unit types of `UNIT_TYPES` by index, the type to be fixed first in front. Its place in
`ALL_ORDERS` is its id, the `Workflow_ID` of the logs.
"""

from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.scenario.unit_types import UNIT_TYPES

Order = tuple[int, ...]
"""A permutation of 0..4: indices into `UNIT_TYPES`, highest priority first."""

NUM_TYPES = len(UNIT_TYPES)
ORDER_FEATURES = NUM_TYPES * NUM_TYPES
"""Length of `encode_order`: 25."""

ALL_ORDERS: tuple[Order, ...] = tuple(permutations(range(NUM_TYPES)))
"""Every order, lexicographic by index: ids 0 (`defender,enterprise,op_server,op_host,user`) to 119 (its reversal)."""

NUM_ORDERS = len(ALL_ORDERS)
MAX_KENDALL_DISTANCE = NUM_TYPES * (NUM_TYPES - 1) // 2
"""Distance of an order from its reversal: 10, the number of pairs of types."""

_ORDER_IDS: dict[Order, int] = {order: i for i, order in enumerate(ALL_ORDERS)}
_WANTED = f"each of {', '.join(UNIT_TYPES)} exactly once"


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


def parse_order(text: str) -> Order:
    """Read an order from unit type names separated by commas, highest priority first; blanks around names are ignored.

    Raises:
        UserError: a name is unknown, stands twice or is missing.
    """
    names = [name.strip() for name in text.split(",")]
    given = ",".join(names)
    for name in names:
        if name not in UNIT_TYPES:
            raise UserError(f"unknown unit type '{name}' in workflow order '{given}': an order names {_WANTED}")
        if names.count(name) > 1:
            raise UserError(
                f"unit type '{name}' stands {_times(names.count(name))} in workflow order '{given}': "
                f"an order names {_WANTED}"
            )
    missing = [f"'{name}'" for name in UNIT_TYPES if name not in names]
    if missing:
        raise UserError(f"workflow order '{given}' lacks {' and '.join(missing)}: an order names {_WANTED}")
    return tuple(UNIT_TYPES.index(name) for name in names)


def format_order(order: Sequence[int]) -> str:
    """Write an order as `parse_order` reads it: `defender,enterprise,op_server,op_host,user`.

    Raises:
        UserError: `order` is no permutation of 0..4.
    """
    return ",".join(UNIT_TYPES[unit_type] for unit_type in ALL_ORDERS[order_id(order)])


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
    "critical-first": parse_order("defender,op_server,enterprise,op_host,user"),
    "enterprise-focus": parse_order("enterprise,defender,op_server,op_host,user"),
    "user-priority": parse_order("user,defender,enterprise,op_server,op_host"),
    "operational-focus": parse_order("op_server,op_host,defender,enterprise,user"),
    "balanced": parse_order("defender,enterprise,op_server,user,op_host"),
    "reverse": parse_order("user,op_host,enterprise,op_server,defender"),
}
"""The six orders that the earlier prototype's authors made by hand, by their names and in their turn."""
