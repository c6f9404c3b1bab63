"""`cageflow champion`: what it writes and prints, and that a stopped run ends like one that never was."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from cageflow.learn.policy_file import load_policy
from cageflow.scenario import default_network
from tests.e2e.command_line import cageflow
from tests.helpers.damage import flipped_bits
from tests.helpers.processes import wait_until

CONFIG = "episodes_per_update: 20\nmax_steps: 10\nppo: {episode_lengths: [4, 10]}\n"
WALL_CLOCK = {"Collection_Time", "Update_Time"}


def arguments(folder: Path, run: Path, episodes: int = 40) -> list[object]:
    (folder / "small.yaml").write_text(CONFIG)
    settings = ["--config", folder / "small.yaml", "--seed", "3,4", "--total-episodes", episodes]
    return ["champion", *settings, "--rules", "challenge", "--evaluation-episodes", 6, "--run-dir", run]


def figures(run: Path) -> list[Any]:
    """The logs, wall-clock times left out, the policies and the evaluations."""
    found: list[Any] = []
    for seed in (3, 4):
        with (run / f"seed{seed}" / "training_log.csv").open() as file:
            found.append([{k: v for k, v in row.items() if k not in WALL_CLOCK} for row in csv.DictReader(file)])
        found += [path.read_bytes() for path in (run / f"seed{seed}" / "policies").iterdir()]
    content = json.loads((run / "table.json").read_text())
    return [*found, [one["evaluation"]["cells"] for one in content["seeds"]], content["total"]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of 40 episodes."""
    folder = tmp_path_factory.mktemp("champion")
    outcome = cageflow(*arguments(folder, folder / "run"))
    assert outcome.status == 0, outcome.err
    (folder / "words.txt").write_text(outcome.out)
    return folder / "run"


def test_run__trains_every_seed_and_judges_it(run: Path) -> None:
    content = json.loads((run / "table.json").read_text())
    assert [one["seed"] for one in content["seeds"]] == [3, 4]
    assert content["network"] == json.loads((run / "champion.json").read_text())["network"]
    assert content["network"]["fingerprint"] == default_network().fingerprint
    totals = [one["evaluation"]["total"] for one in content["seeds"]]
    assert content["total"] == pytest.approx(sum(totals) / 2)
    assert all(one["episodes"] == 40 and one["seconds"] > 0 for one in content["seeds"])
    card = load_policy(run / "seed3" / "policies" / "policy.safetensors").card
    assert (card.red_agent, card.preset, card.memory, card.rules) == ("mixed", "champion", True, "challenge")
    words = (run.parent / "words.txt").read_text()
    assert "seed 3" in words and "seed 4" in words and "winner      CardiffUni" in words
    assert f"{content['total']:.2f}" in words


def test_json__is_what_the_folder_holds_and_nothing_is_trained_again(run: Path) -> None:
    before = (run / "seed3" / "training_log.csv").stat().st_mtime_ns
    outcome = cageflow("champion", "--resume", run, "--json", "--quiet")
    assert outcome.json == json.loads((run / "table.json").read_text()) | {"run_dir": str(run)}
    assert (run / "seed3" / "training_log.csv").stat().st_mtime_ns == before


def test_both_rules__are_trained_for_each_and_joined_in_one_policy(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(CONFIG)
    asked = ["champion", "--config", tmp_path / "small.yaml", "--seed", 3, "--total-episodes", 20, "--json", "--quiet"]
    rounds = ["--starts", 2, "--remove-habit", "--rounds", 1, "--restore-gates"]
    outcome = cageflow(*asked, *rounds, "--evaluation-episodes", 6, "--run-dir", tmp_path / "run")
    assert set(outcome.json["rules"]) == {"v2.1", "challenge"}
    assert len(list(tmp_path.glob("run/seed3-*-start[12]/policies/policy.safetensors"))) == 4
    joined = load_policy(tmp_path / "run" / "seed3.safetensors")
    card, of_a_rule = joined.card, 10 + 10 + 2 + 10  # a beginning, what went on from it, a round, the small steps
    assert card.is_told_rules and card.training_episodes == 2 * of_a_rule
    wide = len(default_network().hosts)
    assert [len(bias) for _, bias in joined.layers[:-1]] == [
        2 * (64 + wide) + 1
    ] * 2  # gates under one, a habit under the other
    assert (card.green_share, card.perturbed_starts) == (0.3, 0.03) and "switch" in card.red_mixture
    for rules, content in outcome.json["rules"].items():
        (one,) = content["seeds"]
        assert (one["evaluation"]["rules"], one["episodes"]) == (rules, of_a_rule)
    assert cageflow("champion", "--resume", tmp_path / "run", "--json", "--quiet").json == outcome.json


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of 2,000 episodes, one after the other."""
    folder = tmp_path_factory.mktemp("champion")
    assert cageflow(*arguments(folder, folder / "run", 2000), "--n-workers", 1).status == 0
    return folder / "run"


def begun(folder: Path, run: Path) -> "subprocess.Popen[str]":
    """The same in a process of its own, in the middle of its trainings, which are two processes more."""
    command = [sys.executable, "-m", "cageflow", *map(str, arguments(folder, run, 2000))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert wait_until(lambda: process.poll() is not None or updates(run) >= 5, 60)
    assert process.poll() is None
    return process


def updates(run: Path) -> int:
    """How many there were of the first training."""
    log = run / "seed3" / "training_log.csv"
    return log.read_text().count("\n") if log.exists() else 0


@pytest.mark.slow
def test_run_that_is_stopped_after_its_trainings_were_killed__goes_on_to_the_same_figures(
    tmp_path: Path, longer: Path
) -> None:
    run = tmp_path / "run"
    process = begun(tmp_path, run)
    parent = psutil.Process(process.pid)
    copies = [child for child in parent.children() if child.cmdline() == parent.cmdline()]
    for worker in copies:
        worker.kill()
    had = updates(run)
    assert len(copies) == 2, "a worker that is no copy takes seconds to begin"
    assert wait_until(lambda: process.poll() is not None or updates(run) >= had + 5, 60)  # by another process
    process.send_signal(signal.SIGTERM)
    words = process.communicate(timeout=60)[1]
    assert process.returncode == 143, words
    assert f"go on with `cageflow champion --resume {run}`" in words
    assert not (run / "table.json").exists()
    outcome = cageflow("champion", "--resume", run, "--quiet", "--n-workers", 1)
    assert outcome.status == 0, outcome.err
    assert figures(run) == figures(longer)


@pytest.mark.slow
def test_killed_run__goes_on_at_once_to_the_same_figures(tmp_path: Path, longer: Path) -> None:
    run = tmp_path / "run"
    process = begun(tmp_path, run)
    process.kill()
    assert process.wait() == -signal.SIGKILL  # its trainings, which hold its standard error too, outlive it by a second
    assert not (run / "table.json").exists()
    outcome = cageflow("champion", "--resume", run, "--quiet", "--n-workers", 1)
    assert outcome.status == 0, outcome.err
    assert figures(run) == figures(longer)
    process.communicate(timeout=60)  # nobody is left who could write there


def test_changed_or_missing_files__are_refused_or_made_again(run: Path) -> None:
    for _ in flipped_bits(run / "champion.json", 30):
        assert cageflow("champion", "--resume", run, "--quiet").status == 2
    for _ in flipped_bits(run / "seed3" / "training_log.csv", 10):
        outcome = cageflow("champion", "--resume", run, "--quiet")
        assert (outcome.status, "training_log.csv is not as it was at the checkpoint" in outcome.err) == (2, True)
    policy = run / "seed3" / "policies" / "policy.safetensors"
    whole = policy.read_bytes()
    policy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert cageflow("champion", "--resume", run, "--quiet").status == 0
    assert policy.read_bytes() == whole


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--seed", "1,1"], "expected different whole numbers"),
        (["--seed", "one"], "expected whole numbers from 1"),
        (["--seed", ""], "expected whole numbers from 1"),
        (["--rules", "chess"], "possible are v2.1, challenge, mixed"),
        (["--workflow", "user"], "user"),
        (["--total-episodes", 0], "--total-episodes"),
        (["--evaluation-episodes", 1], "--evaluation-episodes is 1"),
        (["--evaluation-episodes", 0], "--evaluation-episodes is 0"),
        (["--starts", 0], "--starts is 0"),
        (["--starts", 2, "--total-episodes", 1], "--total-episodes is 1"),
        (["--restore-gates"], "--restore-gates is given and rounds is 0; expected at least 1"),
        (["--restore-gates", "--rounds", 1, "--rules", "challenge"], "expected v2.1 or mixed"),
        (["--remove-habit", "--rules", "v2.1"], "--remove-habit is given and rules is v2.1: expected challenge or"),
        (["--restore-gates", "--rounds", 1, "--workflow", "1"], "expected a policy with a memory, tanh layers and no"),
        (["--n-workers", 0], "--n-workers is 0"),
        (["--resume", "nowhere"], "nowhere holds no champion"),
        (["--resume", "nowhere", "--seed", 1], "a resumed run keeps its settings: leave out --seed"),
        (["--red-agent", "blue"], "is no red agent"),
    ],
)
def test_nonsense__is_refused_in_one_sentence_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: list[object], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cageflow("champion", *wrong)
    assert outcome.status == 2 and outcome.err.startswith("cageflow: ") and outcome.err.count("\n") == 1
    assert words in outcome.err
    assert not list(tmp_path.iterdir())
