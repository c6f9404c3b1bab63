"""What stands beside the table of a landscape: in the settings of its run, or in a file of the table's name."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cageflow.search import Landscape, write_landscape
from cageflow.search.landscape import find_landscape, read_landscape
from cageflow.search.landscape_about import read_about
from cageflow.settings.reading import make_config
from tests.helpers.orders import ORDERS
from tests.unit.search.test_landscape import ROW

CONTENT = {
    "workflow_mode": "enforced",
    "compliance_threshold": 0.0,
    "red_agent": "meander",
    "rules": "v2.1",
    "max_steps": 100,
    "durations": "cage4",
    "scenario": None,
    "network": {"name": "CAGE-2", "fingerprint": "ab" * 32, "hosts": []},
}


def table(path: Path, network: str | None = None) -> Path:
    write_landscape(path, Landscape(ORDERS, (replace(ROW, network=network),)))
    return path


def test_about__is_read_from_the_file_of_the_table_s_name(tmp_path: Path):
    path = table(tmp_path / "mine.csv")
    assert read_about(path) is None
    (tmp_path / "mine.json").write_text(json.dumps(CONTENT))
    about = read_about(path)
    assert about is not None and (about.gate, about.compliance_threshold) == ("strict", 0.0)
    assert about.in_words == "CAGE-2, durations cage4, against meander, 100 steps; orders enforced"
    rewarded = replace(about, workflow_mode="rewarded", compliance_threshold=0.95)
    assert (rewarded.gate, rewarded.in_words[-22:]) == ("feasibility", "; orders rewarded to 95%"[-22:])


def test_table_without_networks__takes_the_one_of_its_file(tmp_path: Path):
    path = table(tmp_path / "mine.csv")
    (tmp_path / "mine.json").write_text(json.dumps(CONTENT))
    path.write_text("".join(f"{line.rpartition(',')[0]}\n" for line in path.read_text().splitlines()))
    assert read_landscape(path).network == "ab" * 32


def test_table_of_a_run__has_the_settings_of_its_folder_and_its_network(tmp_path: Path):
    config = make_config({"command": "landscape", "durations": "cage4", "red_agent": "meander", "scenario": "plant"})
    (tmp_path / "config.json").write_text(json.dumps({**config.to_json(), "network": CONTENT["network"]}))
    about = read_about(table(tmp_path / "landscape.csv"))
    assert about is not None
    assert (about.workflow_mode, about.compliance_threshold, about.durations) == ("enforced", 0.0, "cage4")
    assert about.scenario == str(tmp_path / "network.yaml")
    assert read_about(table(tmp_path / "other.csv")) is None, "no table of the run"


@pytest.mark.parametrize(
    "change",
    [
        {"workflow_mode": "asked"},
        {"compliance_threshold": 95},
        {"compliance_threshold": "much"},
        {"network": "cage2"},
        {"network": {}},
    ],
)
def test_file_that_is_none_of_a_landscape__says_nothing(tmp_path: Path, change: dict[str, object]):
    path = table(tmp_path / "mine.csv")
    (tmp_path / "mine.json").write_text(json.dumps({**CONTENT, **change}))
    assert read_about(path) is None
    (tmp_path / "mine.json").write_text("[]")
    assert read_about(path) is None


def test_shipped_landscapes__say_how_they_were_made():
    for name in ("cage2-bline-rewarded", "cage2-meander-rewarded"):
        about = read_about(find_landscape(name))
        assert about is not None and (about.workflow_mode, about.compliance_threshold) == ("rewarded", 0.95)
        assert read_landscape(find_landscape(name)).network == about.network
