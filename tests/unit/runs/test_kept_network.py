"""A run keeps the network that it was told, by its name or by its file."""

import pytest

from cageflow.runs.kept_network import keep_network, read_network
from cageflow.runs.layout import NETWORK
from cageflow.runs.new_folder import make_folder
from cageflow.scenario import NETWORK_NAMES, load_network
from cageflow.settings.config import RunConfig


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_network_by_name__is_kept_as_its_file(name, tmp_path):
    kept = keep_network(tmp_path, read_network(name))
    assert load_network(kept).fingerprint == load_network(name).fingerprint


def test_run__of_a_network_by_name_has_it_in_its_folder(tmp_path):
    config = RunConfig(command="train", scenario="plant", total_episodes=200)
    make_folder(tmp_path / "run", config).close()
    assert load_network(tmp_path / "run" / NETWORK).fingerprint == load_network("plant").fingerprint


def test_default_network__is_not_kept(tmp_path):
    assert keep_network(tmp_path, read_network(None)) is None and not list(tmp_path.iterdir())
