"""The order that a person would write by what the types are worth."""

import pytest

from cageflow.scenario.named import load_network
from cageflow.scenario.worth import order_by_worth, worths


def test_worth__is_what_red_costs_on_the_dearest_host_with_its_service_stopped():
    assert worths(load_network()) == {
        "defender": 0.1,
        "enterprise": 1.0,
        "op_server": 11.0,
        "op_host": 0.1,
        "user": 0.1,
    }


def test_order_by_worth__has_the_dearest_type_first_and_keeps_the_turn_of_types_alike():
    assert order_by_worth(load_network()) == ("op_server", "enterprise", "defender", "op_host", "user")


@pytest.mark.parametrize("name", ["plant", "clinic", "campus"])
def test_order_by_worth__is_the_one_that_the_network_names_so_and_falls_with_worth(name: str):
    network = load_network(name)
    order = order_by_worth(network)
    assert order == network.orders.parse("by-worth")
    worth = worths(network)
    assert worth[order[0]] == max(worth.values()) and worth[order[-1]] == min(worth.values())
