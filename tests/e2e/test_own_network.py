"""What was trained on a network of one's own: every way in plays it there by itself, and nowhere else."""

import json
import shutil
from pathlib import Path
from typing import Any

import onnx
import pytest

from cageflow.agents.team import MEMBERS, write_team
from cageflow.scenario import Network, default_network, load_scenario
from tests.e2e.command_line import cageflow
from tests.e2e.conftest import TINY
from tests.helpers.networks import network_file

EVALUATE = ["--evaluation-episodes", 4, "--max-steps", "5"]
BOARD = ("leader board", "winner", "CardiffUni")
CAGE2 = default_network().identity


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def own(folder: Path) -> Path:
    """Plain PPO on the same hosts with other values; the file that it was told is gone."""
    file = network_file(folder / "own.yaml")
    run = folder / "run"
    outcome = cageflow(
        "train", "--no-workflow", "--scenario", file, "--total-episodes", 8, *TINY, "--json", "--run-dir", run
    )
    assert outcome.status == 0, outcome.err
    file.unlink()
    return run


@pytest.fixture(scope="module")
def copied(own: Path) -> Path:
    """The same policy where nothing stands beside it."""
    return shutil.copy(own / "policies" / "policy.safetensors", own.parent / "copied.safetensors")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def network_of(run: Path) -> dict[str, Any]:
    return Network(load_scenario(run / "network.yaml")).identity.to_json()


def refused(*arguments: object) -> str:
    outcome = cageflow(*arguments)
    assert outcome.status == 2, outcome
    assert not outcome.out or outcome.json.keys() == {"error", "exit_status"}, outcome
    assert outcome.err.startswith("cageflow: ") and outcome.err.count("\n") == 1, outcome.err
    return outcome.err


def test_run__says_its_network(own: Path) -> None:
    config = json.loads((own / "config.json").read_text())
    assert config["network"] == network_of(own)
    assert config["network"]["name"] == "Own values" and config["network"]["fingerprint"] != CAGE2.fingerprint


@pytest.mark.parametrize("name", ["", "policies/policy.safetensors"])
def test_evaluate__plays_it_there_beside_no_board(own: Path, here: Path, name: str) -> None:
    outcome = cageflow("evaluate", own / name, "--rules", "challenge", "--evaluation-episodes", 4, "--json")
    assert outcome.status == 0, outcome.err
    assert outcome.json["network"] == network_of(own)
    assert "network 'Own values'" in outcome.err
    assert "Not compared with the leader board, which was judged on CAGE-2's own network" in outcome.err
    assert not any(word in outcome.err for word in BOARD[1:])
    (note,) = outcome.json["notes"]
    assert "was trained under the rules v2.1 and plays under challenge here" in note and note in outcome.err


def test_evaluate__of_several_has_each_on_its_own(own: Path, here: Path) -> None:
    outcome = cageflow("evaluate", own, "sleep", "champion", *EVALUATE, "--json")
    assert outcome.status == 0, outcome.err
    names = [one["network"]["name"] for one in outcome.json["policies"]]
    assert names == ["Own values", CAGE2.name, CAGE2.name]


def test_team__plays_where_its_members_were_trained(own: Path, here: Path) -> None:
    write_team(here / "team.json", dict.fromkeys(MEMBERS, str(own)), "sleep")
    outcome = cageflow("evaluate", "team.json", *EVALUATE, "--json")
    assert outcome.status == 0, outcome.err
    assert outcome.json["network"] == network_of(own)
    words = refused("evaluate", "--team", f"bline={own},meander=champion", *EVALUATE)
    assert "were made for different networks, 'Own values'" in words and CAGE2.name in words


def test_play__plays_it_there(own: Path, here: Path) -> None:
    for arguments in ((), ("--rules", "challenge")):
        outcome = cageflow("play", "--blue", own, "--max-steps", 3, *arguments)
        assert outcome.status == 0, outcome.err
        assert ("plays under challenge here" in outcome.err) == bool(arguments)


def test_export__is_for_it_alone(own: Path, here: Path) -> None:
    outcome = cageflow("export", own, "--out", "made/policy.onnx", "--evaluation-episodes", 4, "--json")
    assert outcome.status == 0, outcome.err
    assert outcome.json["policy"]["network"] == network_of(own)
    assert all(one["network"] == network_of(own) for one in outcome.json["evaluations"])
    said = {one.key: one.value for one in onnx.load(here / "made" / "policy.onnx").metadata_props}
    assert json.loads(said["network"]) == network_of(own)
    card = (here / "made" / "policy.md").read_text()
    assert "the network `Own values`" in card and network_of(own)["fingerprint"] in card
    assert "no figure here compares with it" in card


def test_exported_file__plays_it_there_and_nowhere_else(own: Path, here: Path) -> None:
    file = own / "policies" / "policy.onnx"  # where an export puts it
    outcome = cageflow("export", own, "--evaluation-episodes", 0, "--json")
    assert (outcome.status, outcome.json["model"]) == (0, str(file)), outcome.err
    outcome = cageflow("evaluate", file, *EVALUATE, "--json")
    assert outcome.status == 0, outcome.err
    assert outcome.json["network"] == network_of(own)
    shutil.copy(file, "alone.onnx")
    assert f"made for the network 'Own values' ({network_of(own)['fingerprint'][:8]})" in refused(
        "evaluate", "alone.onnx", *EVALUATE
    )


def test_report__names_it_and_has_no_board(own: Path, here: Path, plain_run: Any) -> None:
    outcome = cageflow("report", own, "--evaluation-episodes", 100, "--out", here / "page.html", "--json")
    assert outcome.status == 0, outcome.err
    page = (here / "page.html").read_text()
    assert "network Own values" in page
    assert not any(word in page for word in BOARD)
    words = refused(
        "report", own, "--evaluation-episodes", 100, "--against", plain_run.path, "--out", here / "other.html"
    )
    assert f"was made for the network {CAGE2}" in words
    assert words.endswith(": name a run on the same network and observation\n")


def test_compare__takes_it_for_another_game(own: Path, here: Path, plain_run: Any) -> None:
    outcome = cageflow("compare", own, plain_run.path, "--evaluation-episodes", 10, "--window", 8, "--json")
    assert outcome.status == 0, outcome.err
    assert outcome.json["differences"] == []
    assert sorted(outcome.json["settings"]["network"].values()) == ["", f"network {network_of(own)['fingerprint'][:8]}"]


def test_start_from__goes_on_there(own: Path, here: Path) -> None:
    training = ["train", "--no-workflow", "--total-episodes", 8, *TINY, "--json", "--run-dir"]
    outcome = cageflow(*training, "next", "--start-from", own, "--rules", "challenge")
    assert outcome.status == 0, outcome.err
    assert network_of(here / "next") == network_of(own)
    assert "was trained under the rules v2.1 and plays under challenge here" in outcome.err
    learner = own / "checkpoint" / "run.state"
    assert cageflow(*training, "again", "--start-from", learner, "--quiet").status == 0
    assert network_of(here / "again") == network_of(own)
    other = network_file(here / "other.yaml", "names")
    assert "was made for the network 'Own values'" in refused(*training, "no", "--start-from", own, "--scenario", other)
    assert "give --observation corrected" in refused(*training, "no", "--start-from", own, "--observation", "official")
    assert not (here / "no").exists()


WAYS_IN = {
    "evaluate": ["evaluate", *EVALUATE],
    "play": ["play", "--max-steps", 3, "--blue"],
    "export": ["export", "--evaluation-episodes", 0, "--out", "no.onnx"],
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_policy_that_stands_alone__is_refused_until_its_network_is_named(
    own: Path, copied: Path, here: Path, way: str
) -> None:
    words = refused(*WAYS_IN[way], copied)
    assert "made for the network 'Own values'" in words and f"the game is on {CAGE2}" in words
    assert "by --scenario, which is network.yaml in the folder of the run" in words
    told = cageflow(*WAYS_IN[way], copied, "--scenario", own / "network.yaml")
    assert told.status == 0, told.err


@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.parametrize("kind", ["names", "smaller"])
def test_policies_of_cage2__play_no_other_network(here: Path, way: str, kind: str) -> None:
    file = network_file(here / "other.yaml", kind)
    words = refused(*WAYS_IN[way], "champion", "--scenario", file)
    assert f"made for the network {CAGE2}" in words and words.endswith(": leave --scenario out\n")


def test_original__plays_cage2_alone(own: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cageflow.api.evaluating.cyborg_rules", lambda path: "v2.1")
    words = refused("evaluate", own, "--simulator", "cyborg", "--cyborg-path", here, *EVALUATE)
    assert "was made for the network 'Own values'" in words and "leave out --both and --simulator cyborg" in words


def test_network_s_copy_of_cage2__is_cage2(here: Path, plain_run: Any) -> None:
    text = Path(load_scenario.__code__.co_filename).with_name("cage2.yaml").read_text()
    (here / "copy.yaml").write_text("# mine\n" + text)
    outcome = cageflow(
        "evaluate", "champion", "--scenario", "copy.yaml", "--rules", "challenge", "--evaluation-episodes", 4
    )
    assert outcome.status == 0, outcome.err
    assert "The challenge's final leader board" in outcome.out


def test_table_of_another_network__is_compared_with_nothing(here: Path) -> None:
    file = network_file(here / "own.yaml")
    shipped = Path(load_scenario.__code__.co_filename).parents[1] / "data" / "landscapes" / "cage2-bline-rewarded.csv"
    words = refused("universal", "--scenario", file, "--against", shipped, "--run-dir", "no")
    assert "the table was made on the network" in words and not (here / "no").exists()
