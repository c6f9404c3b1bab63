"""Attackers that learn, from the command line."""

from pathlib import Path

import pytest

from cageflow.learn.policy_file import load_policy
from cageflow.runs.interrupt import RunStoppedError
from cageflow.runs.training_run import TrainingRun
from cageflow.training.trainer import PolicyTrainer
from tests.e2e.command_line import cageflow
from tests.helpers.agents import policy_file

RED = ("train", "--side", "red", "--blue-agent", "react", "--max-steps", 12, "--total-episodes", 48, "--seed", 3)
RED = (*RED, "--episodes-per-update", 16, "--evaluation-episodes", 8, "--json")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("red") / "run"
    outcome = cageflow(*RED, "--run-dir", run)
    assert outcome.status == 0, outcome.err
    assert outcome.json["side"] == "red" and outcome.json["opponent"] == "react"
    assert outcome.json["reward"] >= 0.0 and outcome.json["workflow"] is None
    return run


def test_policy__says_that_it_plays_red_and_against_whom(trained: Path) -> None:
    card = load_policy(trained / "policies" / "policy.safetensors").card
    assert (card.side, card.red_agent, card.blue_agent, card.training_episodes) == ("red", "learned", "react", 48)
    log = (trained / "training_log.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in log[1:]] == ["red"] * (len(log) - 1)


def test_policy__is_a_red_agent_and_no_defender(trained: Path) -> None:
    policy = trained / "policies" / "policy.safetensors"
    played = cageflow(
        *("evaluate", "react", "--red-agent", policy, "--max-steps", 12, "--evaluation-episodes", 8, "--perturbed", 4),
        "--json",
    )
    assert played.status == 0, played.err
    assert played.json["cells"][0]["red_agent"] == str(policy)
    starts = played.json["perturbed"]["cells"]
    assert [cell["red_agent"] for cell in starts] == [str(policy)] * 2
    refused = cageflow("evaluate", policy, "--evaluation-episodes", 4)
    assert refused.status == 2 and "plays red, and blue is wanted here" in refused.err


def test_blue__learns_from_perturbed_starts_against_it_and_is_reported_on(trained: Path, tmp_path: Path) -> None:
    """The report plays them too, since the training follows a workflow."""
    policy, run = trained / "policies" / "policy.safetensors", tmp_path / "blue"
    outcome = cageflow(
        *("train", "--red-agent", policy, "--workflow", "op_server,enterprise,defender,op_host,user"),
        *("--perturbed-starts", 0.5, "--max-steps", 12, "--total-episodes", 32, "--episodes-per-update", 16),
        *("--evaluation-episodes", 8, "--seed", 3, "--run-dir", run, "--json"),
    )
    assert outcome.status == 0, outcome.err
    reported = cageflow("report", run, "--evaluation-episodes", 100, "--json")
    assert reported.status == 0, reported.err
    assert "After 25 steps in which blue slept" in Path(reported.json["report"]).read_text()


def test_mixture_with_what_plays_no_red__is_refused_before_anything_is_written(trained: Path, tmp_path: Path) -> None:
    blue = policy_file(tmp_path / "blue.safetensors")
    refused = cageflow("train", "--no-workflow", "--red-mixture", f"{blue}=1", "--run-dir", tmp_path / "run")
    assert refused.status == 2 and "plays blue, and red is wanted here" in refused.err
    assert not (tmp_path / "run").exists()


def test_report__says_what_it_does(trained: Path) -> None:
    outcome = cageflow("report", trained, "--evaluation-episodes", 100, "--json")
    assert outcome.status == 0, outcome.err
    assert {"Where it goes", "What it waits for"} <= outcome.json["words"].keys()
    page = Path(outcome.json["report"]).read_text()
    assert "What it does" in page and "How it was learned" in page


def test_training_that_is_stopped__goes_on_as_if_it_never_had_been(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = trained, tmp_path / "stopped"
    ended = TrainingRun._end_update

    def stop_in_the_midst(run: TrainingRun, trainer: PolicyTrainer, *others: object) -> None:
        ended(run, trainer, *others)  # type: ignore[arg-type]
        if trainer.updates == 1:
            run._run.folder.checkpoint({"run_episodes": trainer.episodes, "trainer": trainer.state_dict()})
            raise RunStoppedError(2, "stopped")

    with monkeypatch.context() as patched:
        patched.setattr(TrainingRun, "_end_update", stop_in_the_midst)
        assert cageflow(*RED, "--run-dir", stopped).status == 130
    assert cageflow("train", "--resume", stopped, "--json").status == 0
    policies = [(run / "policies" / "policy.safetensors").read_bytes() for run in (whole, stopped)]
    assert policies[0] == policies[1]


def test_exploit__prints_what_the_contract_says(tmp_path: Path) -> None:
    outcome = cageflow(
        *("exploit", "react", "--seed", 1, "--total-episodes", 16, "--evaluation-episodes", 4, "--max-steps", 8),
        *("--run-dir", tmp_path / "run", "--json", "--quiet"),
    )
    assert outcome.status == 0, outcome.err
    wanted = {"policy", "rules", "network", "scripts", "learned", "exploitability", "seconds"}
    assert wanted <= outcome.json.keys() and outcome.json["policy"] == "react"
    assert set(outcome.json["learned"]) >= {"mean", "se", "per_seed"} and len(outcome.json["learned"]["per_seed"]) == 1
    again = cageflow("exploit", "--resume", tmp_path / "run")
    assert again.status == 0 and "exploitability" in again.out
    assert cageflow("exploit").status == 2


def test_training_of_red__needs_somebody_to_play_against(tmp_path: Path) -> None:
    refused = cageflow("train", "--side", "red", "--run-dir", tmp_path / "run")
    assert refused.status == 2 and "say by --blue-agent whom it is to play against" in refused.err
    assert not (tmp_path / "run").exists()
