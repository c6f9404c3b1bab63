"""Whole runs, small: what their folder says, and what happens when they cannot go on."""

import csv
import errno
import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cageflow.collect import Episodes
from cageflow.collect.collectors import VectorCollector
from cageflow.errors import UserError
from cageflow.learn.policy_file import load_policy
from cageflow.runs import runs
from cageflow.runs.interrupt import RunFailedError
from cageflow.runs.progress import Quiet
from cageflow.runs.saved_run import read_run
from cageflow.runs.summary import RunSummary
from cageflow.scenario.orders import format_order
from cageflow.search import Choice, StrategySettings, read_landscape
from cageflow.settings import commands
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import make_config
from cageflow.work.pool import WorkerError
from tests.helpers.damage import sign_again
from tests.helpers.orders import ALL_ORDERS, ORDERS, parse_order

WORKFLOW = "defender,enterprise,op_server,op_host,user"
SMALL = {"max_steps": 10, "episodes_per_update": 8, "evaluation_episodes": 6}
WALL_CLOCK = {"Collection_Time", "Update_Time", "Seconds"}
HERE = {**SMALL, "executor": "inline", "seed": 2, "workflow_mode": "rewarded"}
SEARCH = make_config({**HERE, "total_episodes": 100, "max_episodes_per_workflow": 24})
TRAIN = make_config({**SMALL, "command": "train", "workflow": WORKFLOW, "total_episodes": 44, "seed": 2})


def rows(run: Path, name: str) -> list[dict[str, str]]:
    with (run / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def figures(run: Path) -> dict[str, Any]:
    """All that a run has found out, wall-clock times left out."""
    found: dict[str, Any] = {
        name: [{key: value for key, value in row.items() if key not in WALL_CLOCK} for row in rows(run, name)]
        for name in ("training_log", "gp_sampling_log", "acquisition")
    }
    for path in sorted((run / "policies").iterdir()):
        found[path.name] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    path = tmp_path_factory.mktemp("runs") / "search"
    return path, runs.start(SEARCH, path, Quiet())


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    path = tmp_path_factory.mktemp("runs") / "train"
    return path, runs.start(TRAIN, path, Quiet())


# What a run folder says.


def test_training_log_counts_what_was_collected_and_names_the_endings(search: tuple[Path, RunSummary]) -> None:
    path, summary = search
    log = rows(path, "training_log")
    assert [int(row["Run_Episodes"]) for row in log] == [8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 100]
    assert [int(row["Episodes"]) for row in log] == [8, 16, 24] * 4 + [4]
    assert [int(row["Trial"]) for row in log] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3 + [4]
    assert [row["Ending"] for row in log] == ["", "", "episode-cap"] * 4 + ["budget"]
    assert summary.episodes == summary.episodes_here == 100
    assert (summary.trials, summary.ending) == (5, "budget")


def test_eighth_column_of_the_training_log_is_the_compliance_however_it_is_cut(
    search: tuple[Path, RunSummary],
) -> None:
    path, _ = search
    lines = (path / "training_log.csv").read_text().splitlines()
    assert [line.split(",")[7] for line in lines] == [
        "Compliance",
        *(r["Compliance"] for r in rows(path, "training_log")),
    ]
    assert all(0 <= float(line.split(",")[7]) <= 1 for line in lines[1:])
    assert {line.count(",") for line in lines} == {lines[0].count(",")}


def test_acquisition_holds_all_120_orders_of_each_iteration(search: tuple[Path, RunSummary]) -> None:
    path, _ = search
    sampling, acquisition = rows(path, "gp_sampling_log"), rows(path, "acquisition")
    assert len(acquisition) == 120 * len(sampling)
    for iteration, row in enumerate(sampling):
        scores = acquisition[120 * iteration : 120 * (iteration + 1)]
        assert {int(score["Iteration"]) for score in scores} == {iteration}
        assert [int(score["Workflow_ID"]) for score in scores] == list(range(120))
        assert [score["Workflow"].replace(">", ",") for score in scores] == [
            format_order(order) for order in ALL_ORDERS
        ]
        for score in scores:
            assert float(score["UCB"]) == pytest.approx(float(score["Mean"]) + 2.0 * float(score["Std"]), rel=1e-4)
        chosen = scores[int(row["Workflow_ID"])]
        assert row["Workflow"] == chosen["Workflow"]
        assert float(row["UCB_Score"]) == pytest.approx(float(chosen["UCB"]), rel=1e-4, abs=1e-4)
        assert float(chosen["Score"]) == max(float(score["Score"]) for score in scores)


def test_sampling_log_and_policies_agree_with_the_trials(search: tuple[Path, RunSummary]) -> None:
    path, summary = search
    sampling = rows(path, "gp_sampling_log")
    assert sum(int(row["Episodes_Trained"]) for row in sampling) == 100
    assert [int(row["Iteration"]) for row in sampling] == list(range(5))
    trained: dict[str, int] = {}
    for row in sampling:
        trained[row["Workflow"]] = trained.get(row["Workflow"], 0) + int(row["Episodes_Trained"])
        assert int(row["Workflow_Episodes"]) == trained[row["Workflow"]]
        reached = float(row["Final_Compliance"]) >= SEARCH.compliance_threshold
        assert row["GP_Updated"] == str(int(reached))
    names = {policy.name for policy in (path / "policies").iterdir()}
    assert len(names) == len(trained) + 1
    for name in names - {"best.safetensors"}:
        card = load_policy(path / "policies" / name).card
        assert card.workflow is not None
        assert card.training_episodes == trained[card.workflow.replace(",", ">")]
    assert summary.workflow is not None
    assert load_policy(summary.policy).card.workflow == format_order(summary.workflow)


def test_search_with_enforced_orders__counts_every_trial_and_trains_each_for_its_whole_budget(tmp_path: Path) -> None:
    size = {"total_episodes": 48, "max_episodes_per_workflow": 16}
    config = make_config({**HERE, **size, "workflow_mode": "enforced", "strategy": "gp-ucb"})
    summary = runs.start(config, tmp_path / "run", Quiet())
    sampling = rows(tmp_path / "run", "gp_sampling_log")
    assert [row["Episodes_Trained"] for row in sampling] == ["16"] * 3
    assert {row["GP_Updated"] for row in sampling} == {"1"}
    assert {float(row["Alignment_Bonus"]) for row in rows(tmp_path / "run", "training_log")} == {0.0}
    assert summary.feasible
    for policy in (tmp_path / "run" / "policies").iterdir():
        card = load_policy(policy).card
        assert card.is_enforced and dict(card.alignment) == {"definition": "any-session"}


def test_best_policy_is_of_the_best_trial_even_if_its_order_was_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stubborn:
        """Always the same order."""

        space = ORDERS
        settings = StrategySettings(compliance_threshold=0.0)

        def choose(self, history: Any, pending: Any, rng: np.random.Generator) -> Choice:
            return Choice(ALL_ORDERS[31])

        def belief(self, history: Any) -> np.ndarray[Any, Any]:
            return np.zeros(120)

    monkeypatch.setattr(commands, "make_strategy", lambda name, space, settings: Stubborn())
    config = SEARCH.model_copy(update={"compliance_threshold": 0.0, "total_episodes": 96, "patience_updates": 100})
    summary = runs.start(config.model_copy(update={"max_episodes_per_workflow": 24}), tmp_path / "run", Quiet())
    sampling = rows(tmp_path / "run", "gp_sampling_log")
    best = max(range(len(sampling)), key=lambda i: float(sampling[i]["Reward"]))
    assert 0 < best < len(sampling) - 1, "the test needs a best trial in the middle"
    order = load_policy(
        tmp_path / "run" / "policies" / f"031_{format_order(ALL_ORDERS[31]).replace(',', '-')}.safetensors"
    )
    assert order.card.training_episodes == int(sampling[best]["Workflow_Episodes"])
    assert load_policy(summary.policy).card.training_episodes == int(sampling[best]["Workflow_Episodes"])
    assert f"{summary.reward:.4f}" not in [row["Reward"] for row in sampling], "it is measured afresh"


def test_training_of_one_order_writes_one_policy_and_no_trials(training: tuple[Path, RunSummary]) -> None:
    path, summary = training
    log = rows(path, "training_log")
    assert [int(row["Episodes"]) for row in log] == [8, 16, 24, 32, 40, 44]
    assert {row["Workflow_Order"].replace(">", ",") for row in log} == {WORKFLOW}
    assert {row["Workflow_ID"] for row in log} == {"0"}
    assert log[-1]["Ending"] == summary.ending == "budget"
    assert rows(path, "gp_sampling_log") == rows(path, "acquisition") == []
    assert [policy.name for policy in (path / "policies").iterdir()] == [summary.policy.name]
    assert load_policy(summary.policy).card.workflow == WORKFLOW
    assert summary.workflow == parse_order(WORKFLOW)


def test_plain_ppo_leaves_the_columns_of_a_workflow_empty(tmp_path: Path) -> None:
    config = make_config({**SMALL, "command": "train", "total_episodes": 16})
    summary = runs.start(config, tmp_path / "run", Quiet())
    for row in rows(tmp_path / "run", "training_log"):
        assert (row["Workflow_ID"], row["Workflow_Order"], row["Compliance"], row["Avg_Fixes"]) == (
            "-1",
            "none",
            "",
            "",
        )
        assert row["Total_Reward"] == row["Env_Reward"]
    assert (summary.workflow, summary.feasible, summary.policy.name) == (None, True, "policy.safetensors")


# In rungs.


RUNGS = make_config({**HERE, "max_steps": 4, "strategy": "asha", "rungs": "8,16,24", "total_episodes": 110})


@pytest.fixture(scope="module")
def climb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    path = tmp_path_factory.mktemp("runs") / "rungs"
    return path, runs.start(RUNGS, path, Quiet())


def test_search_in_rungs_carries_the_order_that_it_recommends_to_the_full_budget(
    climb: tuple[Path, RunSummary],
) -> None:
    path, summary = climb
    sampling = rows(path, "gp_sampling_log")
    assert {row["Episodes_Trained"] for row in sampling} == {"8"}
    assert {row["Workflow_Episodes"] for row in sampling} == {"8", "16", "24"}
    assert summary.episodes == 8 * len(sampling) == 104
    assert {row["Ending"] for row in sampling} == {"rung", "episode-cap"}
    log = rows(path, "training_log")
    assert [row["Training_Episodes"] for row in log] == [row["Workflow_Episodes"] for row in sampling]
    rates = {(row["Training_Episodes"], row["Learning_Rate"]) for row in log}
    assert len(rates) == 3, "one schedule, wherever a training is picked up"
    policy = load_policy(summary.policy)
    assert policy.card.training_episodes == 24
    saved = read_run(path)
    assert saved.is_over and saved.recommendation is not None
    assert saved.recommendation.order == summary.workflow == saved.order
    assert saved.recommendation.evaluation.reward == summary.reward
    assert saved.episodes == 104
    assert saved.policy().card == policy.card


def test_search_in_rungs_is_the_same_in_a_pool_and_after_a_stop(climb: tuple[Path, RunSummary], tmp_path: Path) -> None:
    whole, summary = climb
    with pytest.MonkeyPatch.context() as patch:
        break_play(patch, 17, fill_disk)
        with pytest.raises(RunFailedError):
            runs.start(RUNGS, tmp_path / "run", Quiet())
    assert read_run(tmp_path / "run").recommendation is None
    again = resumed(tmp_path / "run", RUNGS)
    assert figures(tmp_path / "run") == figures(whole)
    assert (again.reward, again.workflow) == (summary.reward, summary.workflow)
    runs.start(RUNGS.model_copy(update={"executor": "process"}), tmp_path / "pool", Quiet())
    assert figures(tmp_path / "pool") == figures(whole)


def test_search_in_rungs_with_more_episodes_recommends_anew(climb: tuple[Path, RunSummary], tmp_path: Path) -> None:
    shorter = RUNGS.model_copy(update={"total_episodes": 56})
    runs.start(shorter, tmp_path / "run", Quiet())
    short = read_run(tmp_path / "run").recommendation
    assert short is not None and short.training_episodes == 24
    seen: list[object] = []

    class Watching(Quiet):
        def trial(self, iteration: Any) -> None:
            run = read_run(tmp_path / "run")
            seen.append((run.recommendation, run.policy().card.workflow == format_order(run.order or ())))

    runs.resume(tmp_path / "run", "search", Watching(), {"total_episodes": 110})
    assert set(seen) == {(None, True)}
    assert read_run(tmp_path / "run").recommendation is not None


def test_start_from_another_learner_is_where_every_training_in_rungs_begins(
    training: tuple[Path, RunSummary], tmp_path: Path
) -> None:
    start = {"start_from": str(training[0]), "ppo": {"learning_rate": 1e-12, "final_learning_rate": 1e-12}}
    config = make_config({**HERE, "strategy": "asha", "rungs": "8,16", "total_episodes": 32, **start})
    summary = runs.start(config, tmp_path / "run", Quiet())
    begun, learned = load_policy(training[1].policy), load_policy(summary.policy)
    for (weight, _), (other, _) in zip(begun.layers, learned.layers, strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-6)


# A landscape.


EVERY_ORDER = {**HERE, "max_steps": 4, "command": "landscape", "max_episodes_per_workflow": 8, "repetitions": 2}
LANDSCAPE = make_config(EVERY_ORDER)


def test_landscape_trains_every_order_alike(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    summary = runs.start(LANDSCAPE, whole, Quiet())
    table = read_landscape(whole / "landscape.csv")
    assert table.is_complete
    assert table.seeds == (1, 2)
    assert [row.order for row in table.rows] == [*ALL_ORDERS, *ALL_ORDERS]
    assert {(row.episodes, row.ending) for row in table.rows} <= {(8, "episode-cap"), (8, "threshold")}
    assert table.rungs == (8,)
    assert len({row.reward for row in table.rows}) > 30, "every training has a seed of its own"
    assert (summary.trials, summary.episodes, summary.ending) == (240, 1920, "trials")
    assert [row.name for row in (whole / "checkpoint").iterdir() if row.name.startswith("learner")] == []
    names = {policy.name for policy in (whole / "policies").iterdir()}
    assert len(names) == 241
    first = load_policy(whole / "policies" / f"{ORDERS.file_name(ALL_ORDERS[5])}_seed2.safetensors")
    assert first.card.workflow == format_order(ALL_ORDERS[5])


def test_landscape_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    config = make_config({**EVERY_ORDER, "sample": 10})
    table = read_landscape(runs.start(config, tmp_path / "whole", Quiet()).run_dir / "landscape.csv")
    path = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        break_play(patch, 28, fill_disk)  # each trial plays twice, so in the first half of the second round
        with pytest.raises(RunFailedError):
            runs.start(config, path, Quiet())
    assert 10 <= len(read_landscape(path / "landscape.csv").rows) < 15
    resumed(path, config)
    again = read_landscape(path / "landscape.csv")
    assert [replace(row, seconds=0.0) for row in again.rows] == [replace(row, seconds=0.0) for row in table.rows]


def test_landscape_in_rungs_is_the_landscape_judged_on_the_way(tmp_path: Path) -> None:
    settings = {**HERE, "max_steps": 4, "command": "landscape", "sample": 3, "repetitions": 2}
    once = runs.start(make_config({**settings, "rungs": "24"}), tmp_path / "once", Quiet())
    plain = read_landscape(once.run_dir / "landscape.csv")
    for name, more in (("here", {}), ("pool", {"executor": "process", "parallel_workflows": 2})):
        config = make_config({**settings, "rungs": "8,16,24", **more})
        summary = runs.start(config, tmp_path / name, Quiet())
        table = read_landscape(summary.run_dir / "landscape.csv")
        assert table.rungs == (8, 16, 24) and table.is_complete
        assert {row.ending for row in table.at(8).rows} == {"rung"}
        by_training = {(row.order, row.seed): replace(row, seconds=0.0) for row in table.full.rows}
        assert by_training == {(row.order, row.seed): replace(row, seconds=0.0) for row in plain.rows}
        assert (summary.trials, summary.episodes, once.episodes) == (18, 144, 144)
        assert list((summary.run_dir / "checkpoint").glob("learner*")) == []
        for path in (once.run_dir / "policies").iterdir():
            if path.name != "best.safetensors":
                assert path.read_bytes() == (summary.run_dir / "policies" / path.name).read_bytes()
        saved = read_run(summary.run_dir)
        assert len(saved.trials) == 18 and len(saved.comparable) == 6
        assert saved.episodes == 144


def test_landscape_says_what_it_sets_itself() -> None:
    assert (LANDSCAPE.total_episodes, LANDSCAPE.min_episodes_per_trial, LANDSCAPE.strategy) == (1920, 8, "exhaustive")
    with pytest.raises(UserError, match="strategy is 'random', but landscape sets it to 'exhaustive': leave it out"):
        make_config({"command": "landscape", "strategy": "random"})


def test_trials_of_fixed_length_are_whole_and_have_no_gate(tmp_path: Path) -> None:
    config = make_config({**HERE, "fixed_episodes": 24, "total_episodes": 100})
    summary = runs.start(config, tmp_path / "run", Quiet())
    sampling = rows(tmp_path / "run", "gp_sampling_log")
    assert [row["Episodes_Trained"] for row in sampling] == ["24"] * 4
    assert {row["GP_Updated"] for row in sampling} == {"1"}
    assert {float(row["Alignment_Bonus"]) for row in rows(tmp_path / "run", "training_log")} == {0.0}
    assert (summary.episodes, summary.feasible) == (96, True)
    with pytest.raises(UserError, match=r"alignment_lambda is 30\.0, but fixed_episodes sets it to 0\.0: leave it out"):
        make_config({"fixed_episodes": 24, "alignment_lambda": 30.0})
    with pytest.raises(UserError, match="fixed_episodes is 2000, more than the 1000 of the whole search"):
        make_config({"fixed_episodes": 2000, "total_episodes": 1000})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"executor": "cloud"}, "unknown executor 'cloud': choose one of inline, process, dask, ray"),
        ({"executor": "inline", "parallel_workflows": 2}, "the executor inline runs one trial at a time, not 2"),
        ({"address": "tcp://here:1"}, "--address is that of a cluster"),
        ({"init": "best"}, "unknown init 'best': choose one of scratch, nearest, shared"),
        ({"parallel_workflows": 0}, "parallel_workflows is 0: expected at least 1"),
    ],
)
def test_what_says_where_trials_run_is_refused_in_one_sentence(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        make_config(settings)
    assert message in str(refusal.value)


@pytest.mark.parametrize("init", ["nearest", "shared"])
def test_search_with_another_start_is_another_search_that_goes_on_too(
    tmp_path: Path, search: tuple[Path, RunSummary], init: str
) -> None:
    config = SEARCH.model_copy(update={"init": init})
    whole, path = tmp_path / "whole", tmp_path / "run"
    runs.start(config, whole, Quiet())
    assert figures(whole) != figures(search[0])
    with pytest.MonkeyPatch.context() as patch:
        break_play(patch, 12, fill_disk)
        with pytest.raises(RunFailedError):
            runs.start(config, path, Quiet())
    resumed(path, config)
    assert figures(path) == figures(whole)


# Going on.


def resumed(path: Path, config: RunConfig, total_episodes: int | None = None) -> RunSummary:
    return runs.resume(path, config.command, Quiet(), {"total_episodes": total_episodes})


def test_finished_run_is_resumed_to_the_same_summary_and_changes_nothing(
    search: tuple[Path, RunSummary], training: tuple[Path, RunSummary]
) -> None:
    for (path, summary), config in ((search, SEARCH), (training, TRAIN)):
        before = figures(path)
        again = resumed(path, config)
        assert figures(path) == before
        assert (again.reward, again.workflow, again.ending) == (summary.reward, summary.workflow, summary.ending)
        assert again.episodes_here == 0


def test_search_with_a_larger_budget_goes_on(tmp_path: Path, search: tuple[Path, RunSummary]) -> None:
    whole, _ = search
    short = SEARCH.model_copy(update={"total_episodes": 72})  # three whole trials
    runs.start(short, tmp_path / "run", Quiet())
    summary = resumed(tmp_path / "run", short, total_episodes=100)
    assert (summary.episodes, summary.episodes_here) == (100, 28)
    assert figures(tmp_path / "run") == figures(whole)


def test_run_goes_on_with_the_network_that_it_began_with(tmp_path: Path) -> None:
    shipped = files("cageflow.scenario").joinpath("cage2.yaml").read_text()
    scenario = tmp_path / "mine.yaml"
    scenario.write_text(shipped.replace("high: 10.0", "high: 500.0").replace("low: 0.1", "low: 7.0"))
    config = make_config({**SMALL, "command": "train", "total_episodes": 44, "scenario": str(scenario)})
    runs.start(config, tmp_path / "whole", Quiet())
    with pytest.MonkeyPatch.context() as patch:
        break_play(patch, 3, fill_disk)
        with pytest.raises(RunFailedError):
            runs.start(config, tmp_path / "run", Quiet())
    scenario.write_text(shipped)
    resumed(tmp_path / "run", config)
    assert figures(tmp_path / "run") == figures(tmp_path / "whole")
    rewards = [float(row["Env_Reward"]) for row in rows(tmp_path / "run", "training_log")]
    assert min(rewards) < -50.0, "the changed values are those that count"


def test_budget_of_a_training_cannot_be_changed(training: tuple[Path, RunSummary]) -> None:
    with pytest.raises(UserError, match="the episodes of a training cannot be changed"):
        resumed(training[0], TRAIN, total_episodes=100)


def test_run_of_the_other_command_is_refused_with_the_right_one(training: tuple[Path, RunSummary]) -> None:
    with pytest.raises(UserError, match="is a run of `cageflow train`: go on with `cageflow train --resume "):
        runs.resume(training[0], "search", Quiet())


def test_checkpoint_that_does_not_fit_the_settings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    runs.start(TRAIN.model_copy(update={"total_episodes": 16}), path, Quiet())
    sign_again(path / "config.json", ppo={"hidden_sizes": [32]})
    with pytest.raises(UserError, match=r"does not fit its config\.json"):
        resumed(path, TRAIN)


# Not going on.


def break_play(monkeypatch: pytest.MonkeyPatch, call: int, fault: Callable[[Episodes], None]) -> None:
    """Spoil the episodes of one call of the collector, counted from 1."""
    play, calls = VectorCollector.play, itertools.count(1)

    def spoiled(self: VectorCollector, *arguments: Any) -> Episodes:
        episodes = play(self, *arguments)
        if next(calls) == call:
            fault(episodes)
        return episodes

    monkeypatch.setattr(VectorCollector, "play", spoiled)


def fill_disk(episodes: Episodes) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_loss_that_is_not_finite_stops_the_run_with_its_update_and_leaves_the_checkpoint(
    tmp_path: Path, training: tuple[Path, RunSummary]
) -> None:
    def poison(episodes: Episodes) -> None:
        episodes.rollout.env_rewards[2, 5] = np.nan

    path = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        break_play(patch, 4, poison)
        with pytest.raises(RunFailedError) as failure:
            runs.start(TRAIN, path, Quiet())
    assert str(failure.value) == (
        f"{WORKFLOW.replace(',', ' > ')}: update 4: env_rewards of the rollout are not finite; "
        f"what was done before is in {path}"
    )
    assert failure.value.exit_status == 1
    assert [int(row["Update"]) for row in rows(path, "training_log")] == [1, 2, 3]
    resumed(path, TRAIN)
    assert figures(path) == figures(training[0])


def test_workers_that_die_again_and_again_stop_the_run_and_leave_the_checkpoint(
    tmp_path: Path, training: tuple[Path, RunSummary]
) -> None:
    def die(episodes: Episodes) -> None:
        raise WorkerError("the episode with seed 7 kills its worker")

    path = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        break_play(patch, 3, die)
        with pytest.raises(RunFailedError, match="^the episode with seed 7 kills its worker; what was done before"):
            runs.start(TRAIN, path, Quiet())
    resumed(path, TRAIN)
    assert figures(path) == figures(training[0])


@pytest.mark.parametrize("writes", [8, 9, 11, 12, 14, 19, 35, 45])
def test_run_on_a_full_disk_stops_and_goes_on_when_there_is_room(
    tmp_path: Path, search: tuple[Path, RunSummary], writes: int
) -> None:
    path = tmp_path / "my run"
    fsync, calls = os.fsync, itertools.count(1)

    def full_disk(descriptor: int) -> None:
        if next(calls) > writes:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(RunFailedError) as failure:
            runs.start(SEARCH, path, Quiet())
    assert "No space left on device" in str(failure.value)
    assert str(failure.value).endswith(f"mend that and go on with `cageflow search --resume '{path}'`")
    resumed(path, SEARCH)
    assert figures(path) == figures(search[0])


def test_words_that_nobody_reads_any_more_are_no_full_disk(tmp_path: Path) -> None:
    class Gone(Quiet):
        def update(self, *arguments: Any) -> None:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        runs.start(TRAIN, tmp_path / "run", Gone())


def test_what_can_be_refused_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    scenario = tmp_path / "network.yaml"
    scenario.write_text("hosts: 3\n")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"scenario": str(scenario)}, r"network\.yaml"),
        ({"device": "cuda:77"}, "device 'cuda:77' cannot be used here: choose from cpu"),
        ({"strategy": "magic"}, "unknown strategy 'magic'"),
        *(
            ({"simulator": "cyborg", "cyborg_path": str(tmp_path), "collector": name}, "holds no CybORG")
            for name in ("vector", "process", "sync", "sequential")
        ),
    ]
    for settings, message in wrong:
        with pytest.raises(UserError, match=message):
            runs.start(make_config({**SMALL, **settings}), tmp_path / "run", Quiet())
        assert not (tmp_path / "run").exists()


# Who plays does not matter.


def test_figures_do_not_depend_on_the_workers_when_no_episode_may_be_old(
    tmp_path: Path, training: tuple[Path, RunSummary]
) -> None:
    for workers in (1, 2):
        changes = {"collector": "process", "n_workers": workers, "max_staleness": 0}
        runs.start(TRAIN.model_copy(update=changes), tmp_path / str(workers), Quiet())
        assert figures(tmp_path / str(workers)) == figures(training[0])
