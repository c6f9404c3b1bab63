"""`cageflow baseline`: what it prints and writes, that its policies can be evaluated, and what it refuses."""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cageflow.studies.baseline_table import read_baselines
from tests.e2e.command_line import cageflow
from tests.helpers.orders import ORDERS

TINY = ["--total-episodes", 6, "--max-steps", 10, "--evaluation-episodes", 8]


def test_json__is_the_table_that_the_folder_keeps(tmp_path: Path) -> None:
    run = tmp_path / "run"
    outcome = cageflow("baseline", "random", *TINY, "--seed", "1,2", "--run-dir", run, "--json")
    assert outcome.status == 0, outcome.err
    result = outcome.json
    assert json.loads((run / "table.json").read_text()) == result
    assert (result["name"], result["red_agent"], result["seeds"]) == ("random", "B_lineAgent", [1, 2])
    (row,) = result["rows"]
    assert [one["seed"] for one in row["seeds"]] == [1, 2]
    assert row["reward"] == pytest.approx(sum(one["reward"] for one in row["seeds"]) / 2)
    assert "[1/2] random, seed 1: " in outcome.err
    assert {path.name for path in run.iterdir()} == {
        "baselines.json",
        "lock",
        "rows.csv",
        "table.csv",
        "table.json",
        "table.md",
    }


def test_words__name_what_was_measured_each_baseline_and_the_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    outcome = cageflow("baseline", "fixed", *TINY, "--red-agent", "meander", "--run-dir", run, "--quiet")
    assert (outcome.status, outcome.err) == (0, "")
    words = " ".join(outcome.out.split())
    assert words.startswith("Mean return of 8 fresh episodes of 10 steps against RedMeanderAgent, rules v2.1, seed 1")
    assert all(f"fixed {name} -" in words for name in ("critical-first", "reverse", "operational-focus"))
    assert words.endswith(f"run folder {run}")


@pytest.mark.parametrize("name", ["ppo", "a2c", "dqn", "sac"])
def test_trained_baseline__is_evaluated_from_its_file_to_the_same_figures(name: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = [*TINY, "--seed", 4, "--run-dir", run, "--json", "--quiet"]
    if name == "ppo":
        arguments += ["--workflow", "balanced"]
    (row,) = cageflow("baseline", name, *arguments).json["rows"]
    policy = run / row["seeds"][0]["policy"]
    again = cageflow(
        "evaluate", policy, "--red-agent", "bline", "--max-steps", 10, "--evaluation-episodes", 8, "--seed", 4, "--json"
    )
    assert again.status == 0, again.err
    (cell,) = again.json["cells"]
    assert (cell["mean"], cell["se"]) == pytest.approx((row["reward"], row["reward_se"]), abs=1e-3)
    assert (row["compliance"] is None) == (name != "ppo")


def test_hand_written_ones__are_evaluated_by_their_names_and_greedy_follows_its_order() -> None:
    arguments = ["--red-agent", "meander", "--max-steps", 50, "--evaluation-episodes", 20, "--json"]
    order = "user,op_host,enterprise,op_server,defender"
    words = ["--workflow", order, "--compliance-definition", "evictable"]
    outcome = cageflow("evaluate", "greedy", "react", *arguments, *words)
    assert outcome.status == 0, outcome.err
    greedy, react = (policy["cells"][0] for policy in outcome.json["policies"])
    assert greedy["compliance"] == 1.0
    assert 0.0 < react["compliance"] < 1.0
    assert react["mean"] > greedy["mean"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["magic"], "unknown baseline 'magic': choose one of sleep, random, flagged, react"),
        (["sleep", "--seed", "one"], "--seed is 'one'"),
        (["sleep", "--seed", "1,1"], "--seed is (1, 1)"),
        (["ppo", "--total-episodes", 0], "--total-episodes is 0"),
        (["greedy", "--workflow", "best"], "workflow 'best' is no order"),
        (["sleep", "--resume", "nowhere"], "nowhere holds no baselines"),
        (["sleep", "--resume", "nowhere", "--max-steps", 3], "leave out --max-steps"),
        (["sleep", "--red-agent", "blue"], "'blue' is no red agent"),
        (["ppo", "--max-steps", 2], "fewer than the learner's 4 minibatches"),
    ],
)
def test_nonsense__is_refused_and_nothing_written(
    arguments: list[object], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cageflow("baseline", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "extra"), [("dqn", "sb3"), ("sac", "sac"), ("all", "sb3")])
def test_missing_extra__is_one_sentence_with_what_installs_it(
    name: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("stable_baselines3", "torchrl"):
        monkeypatch.setitem(sys.modules, package, None)  # as Python takes what is not there
        with pytest.raises(ImportError):
            importlib.import_module(package)
    outcome = cageflow("baseline", name, *TINY, "--run-dir", tmp_path / "run")
    assert (outcome.status, outcome.out) == (2, "")
    assert f"pip install 'cageflow[{extra}]'" in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_table_that_was_interrupted__goes_on_after_what_is_finished(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "cageflow", "baseline", "fixed", *map(str, TINY), "--seed", "1,2,3,4,5,6"]
    process = subprocess.Popen(
        [*command, "--run-dir", str(run)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and not (run / "rows.csv").exists():
        time.sleep(0.01)
    process.terminate()
    _, words = process.communicate()
    assert process.returncode == 143, words
    assert f"cageflow baseline fixed --resume {run}" in words
    before = read_baselines(run / "rows.csv")
    assert 0 < len(before) < 36
    outcome = cageflow("baseline", "fixed", "--resume", run, "--json")
    assert outcome.status == 0, outcome.err
    assert f"{len(before)} of 36 are finished already" in outcome.err
    assert read_baselines(run / "rows.csv")[: len(before)] == before
    assert [(row["baseline"], len(row["seeds"])) for row in outcome.json["rows"]] == [
        (f"fixed {name}", 6) for name in ORDERS.named
    ]
