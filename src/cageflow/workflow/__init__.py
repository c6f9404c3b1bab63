"""Workflows: the orders of priority over unit types, their encoding and their distances."""

from cageflow.workflow.orders import (
    ALL_ORDERS,
    CANONICAL_ORDERS,
    KENDALL_MATRIX,
    NUM_ORDERS,
    ORDER_FEATURES,
    Order,
    encode_order,
    format_order,
    kendall_distance,
    order_id,
    parse_order,
    show_order,
)

__all__ = [
    "ALL_ORDERS",
    "CANONICAL_ORDERS",
    "KENDALL_MATRIX",
    "NUM_ORDERS",
    "ORDER_FEATURES",
    "Order",
    "encode_order",
    "format_order",
    "kendall_distance",
    "order_id",
    "parse_order",
    "show_order",
]
