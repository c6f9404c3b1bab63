"""The commands around networks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cageflow.report.network.picture import network_svg
from cageflow.scenario import NETWORK_NAMES, default_network, load_network, load_scenario
from cageflow.scenario.cyborg.writing import cyborg_text
from cageflow.scenario.schema import parse_scenario
from cageflow.settings.parts import NETWORKS
from tests.e2e.command_line import cageflow


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A scenario file of the original."""
    path = tmp_path / "theirs.yaml"
    path.write_text(cyborg_text(load_scenario()))
    return path


def test_import__writes_a_network_file_and_says_what_it_is(theirs: Path, tmp_path: Path) -> None:
    outcome = cageflow("network", "import", str(theirs))
    assert outcome.status == 0
    assert parse_scenario(outcome.out, "x").hosts == load_scenario().hosts
    assert "13 hosts in 3 subnets." in outcome.err
    ours = tmp_path / "ours.yaml"
    outcome = cageflow(
        "network", "import", str(theirs), "--out", str(ours), "--name", "Mine", "--types", "User4=enterprise", "--json"
    )
    found = json.loads(outcome.out)
    assert (found["file"], found["name"], found["num_actions"]) == (str(ours), "Mine", 145)
    assert parse_scenario(ours.read_text(), "x").hosts["User4"].unit_type == "enterprise"


def test_generate__in_both_forms_is_the_same_network(tmp_path: Path) -> None:
    numbers = ("--hosts", "9", "--subnets", "3", "--types", "4", "--seed", "5")
    ours, theirs = tmp_path / "ours.yaml", tmp_path / "theirs.yaml"
    assert cageflow("network", "generate", *numbers, "--out", str(ours)).status == 0
    assert cageflow("network", "generate", *numbers, "--format", "cyborg", "--out", str(theirs)).status == 0
    name = parse_scenario(ours.read_text(), "x").name
    again = cageflow("network", "import", str(theirs), "--name", name).out
    assert again == ours.read_text()


def test_check__prints_the_figures_of_the_contract(theirs: Path) -> None:
    outcome = cageflow("network", "check", str(theirs), "--json")
    found = json.loads(outcome.out)
    assert list(found) == [
        *("name", "fingerprint", "hosts", "subnets"),
        *("unit_types", "orders", "num_actions", "num_observations"),
        *("durations", "crews"),
    ]
    assert (len(found["hosts"]), found["orders"], found["num_observations"]) == (13, 120, 52)
    assert (
        json.loads(cageflow("network", "check", "cage2", "--json").out)["fingerprint"] == default_network().fingerprint
    )


def test_show__prints_the_hosts_and_draws_them(tmp_path: Path) -> None:
    picture = tmp_path / "cage2.svg"
    outcome = cageflow("network", "show", "--svg", str(picture))
    assert outcome.status == 0 and "Op_Server0" in outcome.out
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_shipped_network__is_checked_shown_and_named_in_the_help(name: str) -> None:
    outcome = cageflow("network", "check", name, "--json")
    assert outcome.status == 0 and outcome.json["fingerprint"] == load_network(name).fingerprint
    outcome = cageflow("network", "show", name)
    assert outcome.status == 0 and all(host in outcome.out for host in load_network(name).hosts)
    assert name in NETWORKS.split(", ")


@pytest.mark.parametrize("name", ["plant", "clinic", "campus"])
def test_picture_of_a_page__is_the_one_that_is_drawn(name: str) -> None:
    picture = Path(__file__).parents[2] / "docs" / "images" / f"network-{name}.svg"
    assert picture.read_text() == network_svg(load_network(name))


def test_search__on_the_plant_ends_with_an_order_of_its_types(tmp_path: Path) -> None:
    sizes = {"--total-episodes": 24, "--max-episodes-per-workflow": 12, "--episodes-per-update": 4}
    sizes |= {"--evaluation-episodes": 4, "--max-steps": 8, "--seed": 2, "--executor": "inline"}
    words = ["search", "--network", "plant", "--red-agent", "meander", "--json", "--run-dir", tmp_path / "run"]
    ran = subprocess.run(
        [sys.executable, "-m", "cageflow", *map(str, words), *(str(word) for item in sizes.items() for word in item)],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr
    found, plant = json.loads(ran.stdout), load_network("plant")
    assert found["episodes"] == 24 and tuple(found["workflow"].split(",")) in plant.orders
    assert load_network(tmp_path / "run" / "network.yaml").fingerprint == plant.fingerprint


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("import none.yaml", "none.yaml: expected a readable YAML file"),
        ("import theirs.yaml --types User4", "--types is 'User4': expected HOST=TYPE"),
        ("import theirs.yaml --types Moon=user", "--types names Moon: expected a host among Defender"),
        ("import theirs.yaml --images . --cyborg-path .", "--images and --cyborg-path both say where images are"),
        ("import theirs.yaml --cyborg-path .", ". holds no CybORG: expected"),
        ("import theirs.yaml --images .", "images.yaml: expected a readable YAML file"),
        ("import theirs.yaml --json", "--json needs --out FILE"),
        ("import theirs.yaml --out no/where.yaml", "no is no folder"),
        ("generate --format xml", "--format is 'xml': expected cageflow or cyborg"),
        ("generate --hosts 3", "--hosts is 3: expected a whole number from 6 to 63"),
        ("check moon", "moon is no network: expected cage2"),
        ("show moon", "moon is no network: expected cage2"),
    ],
)
def test_wrong_input__is_refused_in_a_sentence(
    command: str, words: str, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(theirs.parent)
    outcome = cageflow("network", *command.split())
    assert outcome.status == 2
    assert words in outcome.err
