"""`cageflow universal`: what it prints, that its policy plays, and that a killed run ends like one that never was."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cageflow.learn.policy_file import load_policy
from cageflow.search import read_landscape
from tests.e2e.command_line import cageflow
from tests.e2e.conftest import TINY, Run
from tests.helpers.orders import parse_order

ORDER = "enterprise,op_host,op_server,user,defender"
WALL_CLOCK = {"Collection_Time", "Update_Time", "Seconds"}


def figures(run: Path) -> list[Any]:
    """All rows of both tables, wall-clock times left out, and the policy."""
    found: list[Any] = [(run / "policies" / "universal.safetensors").read_bytes()]
    for name in ("training_log.csv", "universal.csv"):
        with (run / name).open() as file:
            found.append([{k: v for k, v in row.items() if k not in WALL_CLOCK} for row in csv.DictReader(file)])
    return found


def test_json__says_what_one_policy_is_worth_for_all_orders(universal_run: Run) -> None:
    result = universal_run.result
    rows = read_landscape(Path(result["table"])).rows
    assert result["reward"] == pytest.approx(sum(row.reward for row in rows) / 120)
    assert result["compliance"] == pytest.approx(sum(row.compliance for row in rows) / 120)
    assert (result["workflows"], result["episodes"]) == (120, 40)
    assert result["feasible_workflows"] == 120, "enforced, each is followed"
    best = next(row for row in rows if row.order == parse_order(result["workflow"]))
    assert (result["best_reward"], result["best_compliance"]) == pytest.approx((best.reward, best.compliance), abs=1e-4)
    assert load_policy(result["policy"]).is_universal
    assert universal_run.words.startswith("Training one policy for all 120 workflows on CAGE Challenge 2, Scenario2")


def test_words__name_mean_best_and_files(universal_run: Run) -> None:
    outcome = cageflow("universal", "--resume", universal_run.path, "--quiet")
    assert (outcome.status, outcome.err) == (0, "")
    result, words = universal_run.result, " ".join(outcome.out.split())
    assert words.startswith("One policy for 120 workflows")
    assert f"reward {result['reward']:.2f} compliance {result['compliance']:.1%}; " in words
    what = "best" if result["feasible"] else "none complied; closest"
    assert f"{what} {result['workflow'].replace(',', ' > ')}, reward {result['best_reward']:.2f} ±" in words
    assert words.endswith(f"table {result['table']} run folder {result['run_dir']}")


def test_against__compares_with_a_landscape_without_training_again(universal_run: Run) -> None:
    arguments = ["universal", "--resume", universal_run.path, "--quiet", "--against", universal_run.result["table"]]
    words = " ".join(cageflow(*arguments).out.split())
    assert "universal one each reward, mean over all workflows" in words
    reward = f"{universal_run.result['reward']:.2f}"
    assert f"reward, mean over all workflows {reward} {reward} " in words
    against = cageflow(*arguments, "--json").json["against"]
    assert against["one"] == against["other"]
    assert against["one"]["episodes"] == 40


def test_against__refuses_what_is_no_whole_landscape_before_it_trains(universal_run: Run, tmp_path: Path) -> None:
    lines = Path(universal_run.result["table"]).read_text().splitlines()
    for content, words in (("", "is no landscape"), ("\n".join(lines[:-1]), "a comparison needs all orders")):
        (tmp_path / "landscape.csv").write_text(content)
        run = tmp_path / "run"
        refused = cageflow("universal", *TINY, "--run-dir", run, "--against", tmp_path / "landscape.csv")
        assert refused.status == 2
        assert words in refused.err
        assert not run.exists()


def test_policy__plays_the_order_that_it_is_told_and_asks_for_one(universal_run: Run) -> None:
    arguments = ["play", "--blue", universal_run.result["policy"], "--delay", 0, "--max-steps", 3]
    outcome = cageflow(*arguments, "--workflow", ORDER)
    assert outcome.status == 0
    assert "in 3 steps" in outcome.out
    refused = cageflow(*arguments)
    assert refused.status == 2
    assert "is universal: say by --workflow which order it is to follow" in refused.err


def test_policy_of_one_order__plays_no_other(search_run: Run) -> None:
    best = search_run.result["workflow"]
    arguments = ["play", "--blue", search_run.result["policy"], "--delay", 0, "--max-steps", 3, "--workflow"]
    assert cageflow(*arguments, best).status == 0
    other = ",".join(reversed(best.split(",")))
    refused = cageflow(*arguments, other)
    assert refused.status == 2
    assert f"it follows {best}, but {other} is wanted here" in refused.err


@pytest.mark.slow
def test_run_killed_again_and_again__equals_one_that_was_not(tmp_path: Path) -> None:
    settings = [*map(str, TINY), "--total-episodes", "240", "--orders-per-update", "3", "--quiet"]
    whole, run = tmp_path / "whole", tmp_path / "killed"
    assert cageflow("universal", *settings, "--run-dir", whole).status == 0
    arguments = [*settings, "--run-dir", str(run)]
    log = run / "training_log.csv"
    for enough in (3, 13):
        process = subprocess.Popen(
            [sys.executable, "-m", "cageflow", "universal", *arguments], stdout=subprocess.DEVNULL
        )
        while process.poll() is None and not (log.exists() and log.read_bytes().count(b"\n") > enough):
            time.sleep(0.002)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        arguments = ["--resume", str(run), "--quiet"]
    assert cageflow("universal", *arguments).status == 0
    assert figures(run) == figures(whole)
