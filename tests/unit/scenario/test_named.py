"""Networks are found by name or by file."""

import os
import pickle

import pytest

from cageflow.errors import UserError
from cageflow.scenario import NETWORK_NAMES, Network, default_network, load_network
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


def test_one_content__is_one_network_wherever_it_comes_from(tmp_path):
    here, there = tmp_path / "here.yaml", tmp_path / "there.yaml"
    text = network_text(load_network("cage1").scenario)
    for path in (here, there):
        path.write_text(text)
    assert load_network(here) is load_network(there) is load_network("cage1")
    assert load_network(here, "cage4") is load_network(there, "2,3,5,2,1,1,4,2,2") is not load_network(here)
    assert load_network(durations="1,1,1,1") is default_network()


def test_file_that_changes__is_read_anew_though_its_time_and_size_stay(tmp_path):
    path = tmp_path / "network.yaml"
    texts = [network_text(default_network().scenario.model_copy(update={"name": name})) for name in ("One", "Two")]
    for text, name in zip(texts, ("One", "Two"), strict=True):
        path.write_text(text)
        os.utime(path, (1, 1))
        assert load_network(path).scenario.name == name
    assert len({len(text) for text in texts}) == 1, "or the test shows nothing"


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_pickled_network__is_its_content_and_comes_back_as_the_object_of_it(name):
    network = load_network(name, "cage4")
    before = pickle.dumps(network)
    _ = network.tables, network.codec, network.identity
    after = pickle.dumps(network)
    assert before == after and pickle.loads(after) is network
    assert pickle.loads(pickle.dumps(Network(network.scenario))) is network
    assert Network.shared(network.scenario).scenario == network.scenario
