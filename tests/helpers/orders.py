"""The orders of CAGE-2 under short names, for tests that need some space of orders and no network."""

from itertools import combinations

import numpy as np

from cageflow.scenario import default_network

ORDERS = default_network().orders
ALL_ORDERS = tuple(ORDERS)
order_id = ORDERS.rank
parse_order = ORDERS.parse
encode_order = ORDERS.encode


def ids(*unit_types):
    """The order of types by their ids: `ids(1, 0, 2, 3, 4)` puts enterprise before defender."""
    return tuple(ORDERS.unit_types[unit_type] for unit_type in unit_types)


def kendall_matrix(space=ORDERS):
    """(W, W) Kendall distances of all orders of a space, counted from the places of the types."""
    places = np.argsort(space.permutations, axis=1)
    pairs = np.array(list(combinations(range(len(space.unit_types)), 2)))
    before = places[:, pairs[:, 0]] < places[:, pairs[:, 1]]
    return (before[:, None, :] != before[None, :, :]).sum(axis=2)


KENDALL_MATRIX = kendall_matrix()
