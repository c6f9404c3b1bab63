"""Whole runs of `universal`, small: what their folder says, and that they go on as if never stopped."""

import csv
import os
import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cageflow.envs.agent import BlueSetting
from cageflow.errors import UserError
from cageflow.learn.policy_file import load_policy
from cageflow.learn.ppo import PPO, NonFiniteError
from cageflow.runs import run_folder, runs
from cageflow.runs.interrupt import RunFailedError, RunStoppedError
from cageflow.runs.progress import Quiet, describe_update
from cageflow.runs.run_folder import RunFolder
from cageflow.runs.summary import RunSummary
from cageflow.scenario import default_network
from cageflow.search import Landscape, best_trial, read_landscape
from cageflow.settings.reading import make_config
from cageflow.training.universal import UniversalTrainer
from tests.helpers.orders import ALL_ORDERS
from tests.unit.runs.records import update_record

CONFIG = make_config(
    {
        "command": "universal",
        "max_steps": 10,
        "episodes_per_update": 16,
        "evaluation_episodes": 4,
        "total_episodes": 100,
        "seed": 2,
        "workflow_mode": "rewarded",
    }
)
WALL_CLOCK = {"Collection_Time", "Update_Time"}


def log_of(run: Path) -> list[dict[str, str]]:
    with (run / "training_log.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in WALL_CLOCK} for row in csv.DictReader(file)]


def table_of(run: Path) -> Landscape:
    return read_landscape(run / "universal.csv")


def figures(run: Path) -> tuple[Any, ...]:
    """All that a run has found out, wall-clock times left out."""
    rows = [(row.order, row.reward, row.reward_se, row.compliance, row.episodes) for row in table_of(run).rows]
    return log_of(run), rows, (run / "policies" / "universal.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    path = tmp_path_factory.mktemp("runs") / "universal"
    return path, runs.start(CONFIG, path, Quiet())


def test_training_log__has_a_line_an_update_which_is_of_any_order(whole: tuple[Path, RunSummary]) -> None:
    path, summary = whole
    log = log_of(path)
    assert [int(row["Run_Episodes"]) for row in log] == [16, 32, 48, 64, 80, 96, 100]
    assert {(row["Workflow_ID"], row["Workflow_Order"], row["Trial"]) for row in log} == {("-1", "any", "0")}
    assert all(0 < float(row["Compliance"]) < 1 and float(row["Avg_Fixes"]) > 0 for row in log)
    assert [row["Ending"] for row in log] == [""] * 6 + ["budget"]
    assert (summary.episodes, summary.episodes_here, summary.ending) == (100, 100, "budget")


def test_table__holds_what_the_policy_is_worth_for_each_order(whole: tuple[Path, RunSummary]) -> None:
    path, summary = whole
    table = table_of(path)
    assert [row.order for row in table.rows] == list(ALL_ORDERS)
    assert sum(row.episodes for row in table.rows) == 100
    assert {row.ending for row in table.rows} == {"budget"}
    assert len({row.reward for row in table.rows}) > 20
    assert all(row.seconds >= 0 and row.reward_se >= 0 for row in table.rows)
    best, feasible = best_trial(table.rows, 0.95)
    assert (summary.workflow, summary.feasible) == (best.order, feasible)
    assert summary.reward == pytest.approx(best.reward, abs=1e-4)


def test_policy__follows_any_order(whole: tuple[Path, RunSummary]) -> None:
    path, summary = whole
    assert summary.policy == path / "policies" / "universal.safetensors"
    policy = load_policy(summary.policy)
    assert (policy.card.workflow, policy.card.training_episodes) == ("any", 100)
    assert policy.card.alignment == {"lambda": 5.0, "threshold": 0.95, "definition": "any-session"}
    observations = np.random.default_rng(0).integers(0, 2, (20, 52))
    answers = {
        load_policy(summary.policy, setting=BlueSetting(default_network()), order=o).log_probs(observations).tobytes()
        for o in ALL_ORDERS
    }
    assert len(answers) == 120


@pytest.mark.parametrize("updates", [1, 4, 7])
def test_run_stopped_after_an_update__goes_on_to_the_same_figures(
    whole: tuple[Path, RunSummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, updates: int
) -> None:
    checkpoint, done = RunFolder.checkpoint, []

    def stop(folder: RunFolder, state: dict[str, Any]) -> None:
        checkpoint(folder, state)
        done.append(state)
        if len(done) == updates:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "checkpoint", stop)
        with pytest.raises(KeyboardInterrupt):
            runs.start(CONFIG, tmp_path / "run", Quiet())
    assert not (tmp_path / "run" / "universal.csv").exists()
    summary = runs.resume(tmp_path / "run", "universal", Quiet())
    assert figures(tmp_path / "run") == figures(whole[0])
    assert (summary.episodes, summary.episodes_here) == (100, 100 - done[-1]["run_episodes"])


def test_run_killed_long_after_its_last_checkpoint__goes_on_to_the_same_figures(
    whole: tuple[Path, RunSummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, logged = [], []

    class Killed(Quiet):
        def update(self, order: Any, record: Any, run_episodes: int) -> None:
            logged.append(run_episodes)
            if len(logged) == 5:
                raise KeyboardInterrupt

    checkpoint = RunFolder.checkpoint
    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "CHECKPOINT_EVERY_S", 3600.0)
        patch.setattr(RunFolder, "checkpoint", lambda *args: (written.append(args[1]), checkpoint(*args)))
        with pytest.raises(KeyboardInterrupt):
            runs.start(CONFIG, tmp_path / "run", Killed())
        assert [state["run_episodes"] for state in written] == [16]  # the log is at 80
        runs.resume(tmp_path / "run", "universal", Quiet())
        assert written[-1]["run_episodes"] == 100  # the end is kept in any case
    assert figures(tmp_path / "run") == figures(whole[0])


def test_run_that_is_over__evaluates_again_with_the_same_figures(
    whole: tuple[Path, RunSummary], tmp_path: Path
) -> None:
    wanted = figures(whole[0])
    again = runs.resume(whole[0], "universal", Quiet())
    assert figures(whole[0]) == wanted
    assert again.episodes_here == 0


def test_another_seed__gives_another_run(whole: tuple[Path, RunSummary], tmp_path: Path) -> None:
    runs.start(CONFIG.model_copy(update={"seed": 3}), tmp_path / "run", Quiet())
    assert figures(tmp_path / "run") != figures(whole[0])


def test_collector__changes_no_figure(whole: tuple[Path, RunSummary], tmp_path: Path) -> None:
    runs.start(CONFIG.model_copy(update={"collector": "process", "n_workers": 2}), tmp_path / "run", Quiet())
    assert figures(tmp_path / "run") == figures(whole[0])


def test_signal__is_met_between_the_orders_that_are_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate, orders = UniversalTrainer.evaluate, []

    def interrupted(trainer: UniversalTrainer, order: Any) -> Any:
        orders.append(order)
        if len(orders) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return evaluate(trainer, order)

    monkeypatch.setattr(UniversalTrainer, "evaluate", interrupted)
    with pytest.raises(RunStoppedError, match="go on with `cageflow universal --resume"):
        runs.start(CONFIG, tmp_path / "run", Quiet())
    assert len(orders) == 3


def test_learning_that_breaks_down__is_told_with_its_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise NonFiniteError("update 1: the loss is nan")

    monkeypatch.setattr(PPO, "update", fail)
    with pytest.raises(RunFailedError, match="all workflows: update 1: the loss is nan; what was done before is in"):
        runs.start(CONFIG, tmp_path / "run", Quiet())


def test_what_does_not_belong_to_it__is_refused(whole: tuple[Path, RunSummary], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape("a universal policy follows any: leave it out")):
        make_config({"command": "universal", "workflow": "defender,enterprise,op_server,op_host,user"})
    with pytest.raises(UserError, match="is a run of `cageflow universal`"):
        runs.resume(whole[0], "train", Quiet())
    with pytest.raises(UserError, match="the episodes of a training cannot be changed"):
        runs.resume(whole[0], "universal", Quiet(), {"total_episodes": 200})


def test_settings__are_those_for_all_orders_unless_told_otherwise() -> None:
    config = make_config({"command": "universal"})
    assert (config.evaluation_episodes, config.learner().learning_rate) == (1000, 0.001)
    config = make_config({"command": "universal", "evaluation_episodes": 7, "preset": "default"})
    assert (config.evaluation_episodes, config.learner().learning_rate) == (7, 0.003)
    assert make_config({"command": "train"}).preset == "default"


def test_progress_and_events__speak_of_all_workflows(whole: tuple[Path, RunSummary]) -> None:
    assert describe_update("any", update_record(3, 300))[0] == "all workflows  update 3"
    events = EventAccumulator(str(whole[0]))
    events.Reload()
    assert {"train/compliance", "train/alignment", "train/env_reward"} <= set(events.Tags()["scalars"])
    assert not any(name.startswith(("compliance/", "env_reward/")) for name in events.Tags()["scalars"])
