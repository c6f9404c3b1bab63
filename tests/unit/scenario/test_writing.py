"""A network written out is read as the same network."""

import pytest

from cageflow.errors import UserError
from cageflow.scenario import NETWORK_NAMES, Network, load_network
from cageflow.scenario.schema import parse_scenario
from cageflow.scenario.writing import checked_network, network_text


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_network_text__is_read_as_the_same_network(name):
    scenario = load_network(name).scenario
    text = network_text(scenario)
    assert Network(parse_scenario(text, "x")).fingerprint == load_network(name).fingerprint
    assert max(len(line) for line in text.splitlines()) <= 120


def test_checked_network__names_the_place():
    content = load_network().scenario.model_dump() | {"restore_cost": 0.05}
    with pytest.raises(UserError, match=r"mine, line \d+: restore_cost: expected a multiple of 0.1"):
        checked_network(content, "mine")
