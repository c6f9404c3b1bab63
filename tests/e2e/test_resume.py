"""A run that is killed again and again ends like one that never was."""

import csv
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cageflow.learn.policy_file import load_policy
from tests.e2e.command_line import cageflow

ARGUMENTS = ["search", "--preset", "reference", "--seed", "3", "--quiet", "--num-threads", "1", "--max-steps", "30"]
ARGUMENTS += ["--total-episodes", "480", "--max-episodes-per-workflow", "120", "--episodes-per-update", "20"]
ARGUMENTS += ["--evaluation-episodes", "20", "--executor", "inline"]
WALL_CLOCK = {"Collection_Time", "Update_Time", "Seconds"}
LOGS = ["training_log.csv", "gp_sampling_log.csv", "acquisition.csv"]


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "cageflow", *arguments], stdout=subprocess.DEVNULL)


def figures(run: Path) -> dict[str, list[dict[str, str]]]:
    """All rows of all logs, wall-clock times left out."""
    found = {}
    for name in LOGS:
        with (run / name).open() as file:
            rows = [{k: v for k, v in row.items() if k not in WALL_CLOCK} for row in csv.DictReader(file)]
        found[name] = rows
    return found


def lines(run: Path) -> int:
    path = run / "training_log.csv"
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert cageflow(*ARGUMENTS, "--run-dir", run).status == 0
    return run


@pytest.mark.slow
def test_search_killed_at_random_moments_equals_one_that_was_not(uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "killed"
    rng = random.Random(0)
    kills = 0
    arguments = [*ARGUMENTS, "--run-dir", str(run)]
    for _ in range(40):
        process = start(*arguments)
        begun_at = lines(run)
        enough = rng.randint(4, 8)
        while process.poll() is None and lines(run) < begun_at + enough:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.02)  # into whatever comes after a line is written
        process.kill()
        if process.wait() == 0:
            break
        kills += 1
        arguments = ["search", "--resume", str(run), "--quiet"]
    else:
        pytest.fail("the run did not end in 40 starts")
    assert kills >= 3
    assert figures(run) == figures(uninterrupted)
    for path in (uninterrupted / "policies").iterdir():
        assert (run / "policies" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt_ends_in_order_with_a_checkpoint(
    uninterrupted: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    run = tmp_path / "stopped"
    process = start(*ARGUMENTS, "--run-dir", str(run))
    while process.poll() is None and lines(run) < 5:
        time.sleep(0.002)
    process.send_signal(number)
    assert process.wait() == status
    assert cageflow("search", "--resume", run, "--quiet").status == 0
    assert figures(run) == figures(uninterrupted)


@pytest.mark.slow
def test_logs_say_what_the_run_did(uninterrupted: Path) -> None:
    rows = figures(uninterrupted)
    training, sampling, acquisition = (rows[name] for name in LOGS)
    assert len(training) == 480 // 20
    assert [int(row["Run_Episodes"]) for row in training] == list(range(20, 481, 20))
    assert {row["Ending"] for row in training} <= {"", "threshold", "plateau", "episode-cap", "budget"}
    assert sum(int(row["Episodes_Trained"]) for row in sampling) == 480
    assert len(acquisition) == 120 * len(sampling)
    for row in training:
        assert float(row["Total_Reward"]) == pytest.approx(
            float(row["Env_Reward"]) + float(row["Alignment_Bonus"]), abs=2e-4
        )
    policy = load_policy(uninterrupted / "policies" / "best.safetensors")
    best = max(sampling, key=lambda row: float(row["Final_Compliance"]))
    assert policy.card.workflow == best["Workflow"].replace(">", ",")
