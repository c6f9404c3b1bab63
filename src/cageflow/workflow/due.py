"""Whose turn it is: the unit type that stands first in an order among those that are compromised."""

from numba import njit


@njit(cache=True)
def types_of(net, hosts):
    """Mask of the unit types of a mask of hosts."""
    types = 0
    for host in range(net.unit_type.shape[0]):
        if hosts >> host & 1:
            types |= 1 << net.unit_type[host]
    return types


@njit(cache=True)
def is_compliant(compromised_types, order, unit_type):
    """Whether a fix of a host of this type follows the order.

    Args:
        compromised_types: mask of the unit types that are compromised.
        order: (T,) int8 unit types, highest priority first.
        unit_type: of the target.
    """
    for position in range(order.shape[0]):
        if compromised_types >> order[position] & 1:
            return order[position] == unit_type
    return True
