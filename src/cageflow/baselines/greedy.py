"""Restores, on the true state, a host of the type that stands first in an order among those that are compromised.

It looks at what no defender can see, so it is not a rival but a measure: of what an order is worth that is followed to
the letter at once, by somebody who does nothing else.

Red never loses its first host. Restoring it would cost something in each step and change nothing, so that host is left
out of account, as in the compliance definition `evictable`: without it greedy would never do anything for a type that
stands behind `user`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.baselines.worth import host_worth
from cageflow.envs.agent import Actions, BlueSetting, BlueView
from cageflow.envs.inspection import Access
from cageflow.workflow.compliance import counted_hosts
from cageflow.workflow.orders import CAGE2_ORDERS, Order, OrderLike, parse_order

DEFAULT_ORDER: Order = parse_order("op_server,enterprise,defender,op_host,user")
"""By what a step in red's hands costs, 11, 1, 0.1, 0.1 and 0.1; among equals, what lies deeper in the network first."""


class GreedyAgent:
    """Plays the rule.

    Within a type the host with the higher access is restored, then the dearer one, then the first of the table.

    Args:
        setting: of the games.
        order: as `parse_order` reads it.
    """

    max_envs: int | None = None

    def __init__(self, setting: BlueSetting, order: OrderLike = DEFAULT_ORDER) -> None:
        order, network = parse_order(order), setting.network
        codec = network.codec
        counted = counted_hosts(network, "evictable")
        hosts = np.array([host for host in range(len(network.hosts)) if counted >> host & 1], np.intp)
        place = np.argsort(CAGE2_ORDERS.indices(order))[network.host_unit_type]
        # One number a host, the more the sooner: by type, by access, by worth. Ties go to the first of the table.
        worth = host_worth(network)
        by_worth = np.searchsorted(np.unique(worth), worth)
        levels, worths = len(Access), len(np.unique(worth))
        self._by_access = worths
        self._rank = ((len(order) - place) * levels * worths + by_worth)[hosts]
        self._hosts = hosts
        self._restore = np.array([codec.encode(f"Restore {network.hosts[host]}") for host in hosts], np.int64)
        self._sleep = codec.encode("Sleep")

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; there is nothing to forget."""

    def act(self, view: BlueView) -> Actions:
        """(B,) actions: a Restore, or Sleep where nothing is compromised."""
        access = view.access[:, self._hosts].astype(np.int64)
        rank = np.where(access != Access.NONE, self._rank + access * self._by_access, 0)
        actions: Actions = np.where(rank.any(axis=1), self._restore[rank.argmax(axis=1)], self._sleep)
        return actions
