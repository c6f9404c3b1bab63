"""Runs from Python: what they give, how they are told of, stopped and gone on with."""

import csv
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import cageflow
from cageflow.runs.interrupt import RunStoppedError

SMALL = {"max_steps": 10, "episodes_per_update": 8, "evaluation_episodes": 6, "seed": 2}
SEARCH = {**SMALL, "executor": "inline", "max_episodes_per_workflow": 16, "compare_plain": 0}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[cageflow.SearchResult, list[cageflow.Progress]]:
    told: list[cageflow.Progress] = []
    path = tmp_path_factory.mktemp("runs") / "search"
    return cageflow.search(total_episodes=40, run_dir=path, progress=told.append, **SEARCH), told


def test_search_gives_its_answer_and_rows(found: tuple[cageflow.SearchResult, list[cageflow.Progress]]) -> None:
    result, _ = found
    assert result.workflow is not None and len(result.workflow) == 5
    rows = result.rows()
    assert len(rows) == result.trials
    assert {"trial", "order", "reward", "compliance", "episodes"} <= rows[0].keys()
    assert all(isinstance(value, int | float | str | None) for row in rows for value in row.values())
    content = result.to_json()
    assert content["answer"] == list(result.sentences)
    assert content["precedences"] == result.precedences()
    assert content["workflow"] == ",".join(result.workflow)
    assert "reward=" in repr(result) and len(repr(result)) < 800, "a notebook shows it as it stands"
    with pytest.raises(FrozenInstanceError):
        result.reward = 0.0  # type: ignore[misc]
    policy = result.load_policy(seed=1)
    assert policy.workflow == result.workflow
    assert 0 <= policy.act([0] * 52) < 145


def test_progress_is_told_from_start_to_end(found: tuple[cageflow.SearchResult, list[cageflow.Progress]]) -> None:
    result, told = found
    assert told[0].what == "start" and told[0].total == 40 and "Searching 120 workflows" in told[0].words
    trials = [one for one in told if one.what == "trial"]
    assert len(trials) == result.trials and trials[-1].done == 40
    assert {one.what for one in told} == {"start", "update", "trial"}
    updates = [one for one in told if one.what == "update"]
    assert all(one.reward is not None and one.workflow is not None and one.compliance is not None for one in updates)
    assert [one.done for one in told] == sorted(one.done for one in told)


def test_run_folder_is_read_as_rows(found: tuple[cageflow.SearchResult, list[cageflow.Progress]]) -> None:
    result, _ = found
    run = cageflow.read_run(str(result.run_dir))
    assert (run.command, run.settings["max_steps"], run.is_over) == ("search", 10, True)
    assert run.workflow == result.workflow and run.policy.name == "best.safetensors"
    with (result.run_dir / "training_log.csv").open() as file:
        logged = [float(row["Env_Reward"]) for row in csv.DictReader(file)]
    assert [row["env_reward"] for row in run.updates()] == logged
    assert run.trials() == result.rows()
    assert run.sentences == result.sentences
    beliefs = run.beliefs()
    assert len(beliefs) in (0, 120)
    assert all({"order", "mean", "std", "feasibility"} <= row.keys() for row in beliefs)
    assert run.load_policy().workflow == run.workflow
    with pytest.raises(cageflow.UserError, match="is no run folder"):
        cageflow.read_run(result.run_dir / "nothing")


def test_training_takes_orders_in_any_form_and_none_for_plain_ppo(tmp_path: Path) -> None:
    order = ("op_server", "enterprise", "user", "defender", "op_host")
    one = cageflow.train(order, total_episodes=8, run_dir=tmp_path / "one", num_threads=1, **SMALL)
    assert one.workflow == order
    (tmp_path / "settings.yaml").write_text(f"workflow: {' > '.join(order)}\nred_agent: meander\n")
    same = cageflow.train(config=tmp_path / "settings.yaml", total_episodes=8, run_dir=tmp_path / "two", **SMALL)
    assert (same.workflow, same.run().settings["red_agent"]) == (order, "meander")
    plain = cageflow.train(
        "none", config=tmp_path / "settings.yaml", total_episodes=8, run_dir=tmp_path / "three", **SMALL
    )
    assert plain.workflow is None and plain.to_json()["compliance"] is None
    assert len(plain.rows()) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cageflow.train(), "give one of --workflow ORDER and --no-workflow; in Python an order"),
        (lambda: cageflow.train("user"), "lacks"),
        (lambda: cageflow.search(total_episodes=0), "total_episodes is 0: expected at least 1"),
        (lambda: cageflow.search(total_episode=40), "unknown setting 'total_episode': choose from"),
        (lambda: cageflow.search(network="cage1", scenario="plant"), "network and scenario are names of one setting"),
        (lambda: cageflow.search(network="nowhere"), "nowhere is no network"),
        (lambda: cageflow.search(workflow="user"), "a search picks its own"),
        (lambda: cageflow.search(resume="runs/x", seed=3, config="a.yaml"), "leave out seed, config, or start a new"),
        (lambda: cageflow.search(resume="runs/x"), "runs/x"),
    ],
)
def test_nonsense_is_refused_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: object, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(cageflow.UserError, match=words):
        call()  # type: ignore[operator]
    assert not list(tmp_path.iterdir())


def test_ctrl_c_leaves_a_run_that_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    def stop(progress: cageflow.Progress) -> None:
        if progress.what == "update" and progress.done == 16:
            signal.raise_signal(signal.SIGINT)

    whole = cageflow.train("none", total_episodes=40, run_dir=tmp_path / "whole", **SMALL)
    with pytest.raises(KeyboardInterrupt, match="go on with `cageflow train --resume") as caught:
        cageflow.train("none", total_episodes=40, run_dir=tmp_path / "cut", progress=stop, **SMALL)
    assert isinstance(caught.value, RunStoppedError)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    rest = cageflow.train(resume=tmp_path / "cut")
    assert rest.policy.read_bytes() == whole.policy.read_bytes()
    assert 0 < rest.episodes_here < rest.episodes == 40


def test_exception_of_the_callback_ends_the_run_and_the_folder_goes_on(tmp_path: Path) -> None:
    def fail(progress: cageflow.Progress) -> None:
        if progress.done == 16:
            raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        cageflow.train("none", total_episodes=40, run_dir=tmp_path / "run", progress=fail, **SMALL)
    assert cageflow.train(resume=tmp_path / "run").episodes == 40


def test_runs_in_another_thread_and_with_an_executor_of_the_program(tmp_path: Path) -> None:
    results: list[cageflow.TrainResult] = []
    thread = threading.Thread(
        target=lambda: results.append(cageflow.train("none", total_episodes=8, run_dir=tmp_path / "run", **SMALL))
    )
    thread.start()
    thread.join()
    assert results[0].episodes == 8
    with ThreadPoolExecutor(1) as executor:
        mine = cageflow.search(
            total_episodes=16, run_dir=tmp_path / "mine", **{**SEARCH, "executor": executor, "parallel_workflows": 1}
        )
    assert mine.episodes == 16


def test_words_are_those_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cageflow.train("none", total_episodes=8, run_dir=tmp_path / "said", progress=True, **SMALL)
    said = capsys.readouterr()
    assert "Training plain PPO on CAGE Challenge 2" in said.err and said.out == ""
    cageflow.train("none", total_episodes=8, run_dir=tmp_path / "silent", **SMALL)
    assert capsys.readouterr() == ("", "")
