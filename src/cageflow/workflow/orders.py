"""The orders of CAGE-2's five unit types, for callers that know no other network."""

from cageflow.scenario.orders import Order, OrderLike, OrderSpace, format_order, show_order
from cageflow.scenario.unit_types import UNIT_TYPES

CANONICAL_ORDERS: dict[str, Order] = {
    "critical-first": ("defender", "op_server", "enterprise", "op_host", "user"),
    "enterprise-focus": ("enterprise", "defender", "op_server", "op_host", "user"),
    "user-priority": ("user", "defender", "enterprise", "op_server", "op_host"),
    "operational-focus": ("op_server", "op_host", "defender", "enterprise", "user"),
    "balanced": ("defender", "enterprise", "op_server", "user", "op_host"),
    "reverse": ("user", "op_host", "enterprise", "op_server", "defender"),
}
"""The six orders that the earlier prototype's authors made by hand, by their names and in their turn."""

CAGE2_ORDERS = OrderSpace(UNIT_TYPES, CANONICAL_ORDERS)
ALL_ORDERS: tuple[Order, ...] = tuple(CAGE2_ORDERS)
NUM_ORDERS = len(CAGE2_ORDERS)
ORDER_FEATURES = len(UNIT_TYPES) ** 2

order_id = CAGE2_ORDERS.rank
parse_order = CAGE2_ORDERS.parse
encode_order = CAGE2_ORDERS.encode

__all__ = [
    "ALL_ORDERS",
    "CAGE2_ORDERS",
    "CANONICAL_ORDERS",
    "NUM_ORDERS",
    "ORDER_FEATURES",
    "Order",
    "OrderLike",
    "encode_order",
    "format_order",
    "order_id",
    "parse_order",
    "show_order",
]
