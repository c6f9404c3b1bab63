"""What the unit types of a network are worth to red, and the order that a person would write by it."""

from __future__ import annotations

from cageflow.scenario.network import Network
from cageflow.scenario.orders import Order

BY_WORTH = "by-worth"
"""The name under which a network's file may give that order itself."""


def worths(network: Network) -> dict[str, float]:
    """Points a step that red costs blue on the dearest host of each unit type, its service stopped where it has one."""
    scenario = network.scenario
    found = dict.fromkeys(network.unit_types, 0.0)
    for host in scenario.hosts.values():
        names = [name for name in (host.confidentiality, host.availability) if name is not None]
        found[host.unit_type] = max(found[host.unit_type], sum(scenario.values[name] for name in names))
    return found


def order_by_worth(network: Network) -> Order:
    """The order called BY_WORTH, or the dearest type first; types alike stand as the network's file has them."""
    named = network.orders.named.get(BY_WORTH)
    if named is not None:
        return named
    worth = worths(network)
    return tuple(sorted(network.unit_types, key=lambda name: -worth[name]))
