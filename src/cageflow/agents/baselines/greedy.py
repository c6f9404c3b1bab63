"""Restores, on the true state, a host of the type that stands first in an order among those that are compromised.

It looks at what no defender can see, so it is not a rival but a measure: of what an order is worth that is followed to
the letter at once, by somebody who does nothing else.

Red never loses its first host. Restoring it would cost something in each step and change next to nothing, so that host
is left out of account: with it greedy would never do anything for a type that stands behind `user`.

Where a Restore takes time, a host is left out that a crew is restoring already, and while all are busy greedy sleeps.
Several crews are then at work on several types, so that not all of its fixes comply with the order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.agents.baselines.worth import host_worth
from cageflow.envs.agent import Actions, BlueSetting, BlueView
from cageflow.envs.inspection import Access
from cageflow.scenario import BlueKind, Network
from cageflow.scenario.orders import Order, OrderLike
from cageflow.sim.recall import CREW_KINDS, recalled_crews
from cageflow.workflow.compliance import spared_sessions

RESTORE = CREW_KINDS.index(BlueKind.RESTORE)


def order_by_worth(network: Network) -> Order:
    """Unit types by what a step costs on which red has the dearest of their hosts; among equals by their ids."""
    worth = host_worth(network)
    dearest = [int(worth[network.host_unit_type == i].max()) for i in range(len(network.unit_types))]
    return tuple(name for _, name in sorted(zip(dearest, network.unit_types, strict=True), key=lambda one: -one[0]))


class GreedyAgent:
    """Plays the rule.

    Within a type the host with the higher access is restored, then the dearer one, then the first of the table.

    Args:
        setting: of the games.
        order: as `OrderSpace.parse` reads it; None is `order_by_worth`.
    """

    max_envs: int | None = None

    def __init__(self, setting: BlueSetting, order: OrderLike | None = None) -> None:
        self._network = network = setting.network
        order = order_by_worth(network) if order is None else network.orders.parse(order)
        codec = network.codec
        hosts = np.flatnonzero(spared_sessions(network, "evictable") == 0)
        place = np.argsort(network.orders.indices(order))[network.host_unit_type]
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
        is_open = access != Access.NONE
        if self._network.blue_takes_time:
            under_way, is_free = recalled_crews(self._network, view.recalled)
            is_open &= is_free[:, np.newaxis] & ~under_way[:, RESTORE][:, self._hosts]
        rank = np.where(is_open, self._rank + access * self._by_access, 0)
        actions: Actions = np.where(rank.any(axis=1), self._restore[rank.argmax(axis=1)], self._sleep)
        return actions
