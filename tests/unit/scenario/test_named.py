"""Networks are found by name or by file."""

import pytest

from cageflow.errors import UserError
from cageflow.scenario import NETWORK_NAMES, default_network, load_network
from cageflow.scenario.cyborg.writing import cyborg_text
from cageflow.scenario.named import find_network
from cageflow.scenario.writing import network_text


def test_cage2__is_the_default():
    assert load_network() is default_network()
    assert load_network("cage2") is default_network()
    assert NETWORK_NAMES[0] == "cage2"


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_shipped_networks__are_read_once(name):
    assert load_network(name) is load_network(name)


def test_name_of_none__is_refused_with_the_names():
    with pytest.raises(UserError, match="moon is no network: expected cage2, .*or the path of a network file"):
        load_network("moon")
    with pytest.raises(UserError, match=r"moon\.yaml: expected a readable YAML file"):
        load_network("moon.yaml")


def test_source__is_what_the_original_plays_with(tmp_path):
    scenario = default_network().scenario
    ours, theirs = tmp_path / "ours.yaml", tmp_path / "theirs.yaml"
    ours.write_text(network_text(scenario))
    theirs.write_text("# by hand\n" + cyborg_text(scenario))
    assert find_network(ours).for_cyborg() == cyborg_text(scenario)
    assert find_network(theirs).for_cyborg().startswith("# by hand")
    assert load_network(ours).fingerprint == default_network().fingerprint
