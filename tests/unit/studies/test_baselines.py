"""Baselines on equal budgets: who stands in the table, that each is measured alike, and that a stopped run goes on."""

import json
import os
import shutil
import signal
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from cageflow.agents.baselines import BASELINES
from cageflow.agents.baselines.libraries import LIBRARIES
from cageflow.errors import UserError
from cageflow.learn.policy_file import load_policy
from cageflow.runs.folder_lock import LOCK, lock_folder
from cageflow.runs.interrupt import RunFailedError, RunStoppedError
from cageflow.scenario import Network, load_scenario
from cageflow.scenario.orders import format_order
from cageflow.studies import baselines
from cageflow.studies.baseline_table import BaselineRow, read_baselines, write_baselines
from cageflow.studies.baselines import NAMES, BaselineSettings, go_on, measure
from cageflow.training.trainer import PolicyTrainer, UpdateRecord
from tests.helpers.damage import flipped_bits, sign_again
from tests.helpers.orders import ORDERS, parse_order

SMALL = {"total_episodes": 6, "max_steps": 10, "evaluation_episodes": 8}


def quiet(words: str) -> None:
    pass


def settings(name: str, **changes: object) -> BaselineSettings:
    return BaselineSettings.of({"name": name, **SMALL, **changes})


def figures(row: BaselineRow) -> BaselineRow:
    """A row without its wall-clock times."""
    return replace(row, train_seconds=0.0, evaluation_seconds=0.0)


def test_names__are_all_that_there_are() -> None:
    assert {*BASELINES, *LIBRARIES, "fixed", "ppo", "ppo-unmasked"} == set(NAMES)


def test_table_of_all__has_each_baseline_once_and_fixed_with_six_orders() -> None:
    labels = [entry.label for entry in settings("all").entries()]
    fixed = [label for label in labels if label.startswith("fixed ")]
    assert fixed == [f"fixed {name}" for name in ORDERS.named]
    assert [label for label in labels if label not in fixed] == [name for name in NAMES if name != "fixed"]


def test_order__is_followed_or_judged_by_where_it_is_given() -> None:
    reverse = ORDERS.named["reverse"]
    assert {entry.order for entry in settings("all", workflow="reverse").entries()} == {reverse}
    assert [entry.label for entry in settings("fixed", workflow=format_order(reverse)).entries()] == ["fixed"]
    assert [entry.order for entry in settings("react").entries()] == [None]
    assert parse_order("balanced") == parse_order("defender,enterprise,op_server,user,op_host")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "magic"}, "unknown baseline 'magic': choose one of sleep, random.*, all"),
        ({"total_episodes": 0}, "total_episodes is 0"),
        ({"evaluation_episodes": 1}, "evaluation_episodes is 1"),
        ({"seeds": ()}, "seeds are"),
        ({"seeds": (1, 1)}, "seeds are"),
        ({"seeds": (-1,)}, "seeds are"),
        ({"workflow": "worst-first"}, "'worst-first' is no order: .*critical-first"),
        ({"workflow": "user,defender"}, "lacks"),
        ({"compliance_definition": "mine"}, "compliance definition 'mine'"),
        ({"red_agent": "blue"}, "no red agent"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        BaselineSettings.of({"name": "sleep", **SMALL, **changes})


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> baselines.BaselineTable:
    """All baselines with two seeds."""
    return measure(settings("all", seeds=(3, 5)), tmp_path_factory.mktemp("run") / "all", quiet)


def test_every_baseline_is_measured_with_every_seed(table: baselines.BaselineTable) -> None:
    for summary, entry in zip(table.summaries, table.settings.entries(), strict=True):
        assert (summary.name, summary.order) == (entry.label, entry.order)
        assert [row.seed for row in summary.rows] == [3, 5]
        assert summary.reward < 0.0
        assert (summary.compliance is None) == (entry.order is None)
        assert summary.episodes == (0 if entry.name in BASELINES else 6)


def test_trained_ones__leave_policies_that_say_what_they_are(table: baselines.BaselineTable) -> None:
    presets = {}
    for summary in table.summaries:
        for row in summary.rows:
            if row.policy is not None:
                card = load_policy(table.run_dir / row.policy).card
                assert card.training_episodes == row.episodes
                assert card.workflow == (None if row.order is None else format_order(row.order))
                presets[summary.name.split()[0]] = (card.preset, card.mask_actions)
    assert presets == {
        "fixed": ("default", True),
        "ppo": ("default", True),
        "ppo-unmasked": ("default", False),
        "a2c": ("a2c", False),
        "dqn": ("dqn", False),
        "sac": ("sac", False),
    }


def test_same_seed_gives_the_same_figures_alone_as_among_others(table: baselines.BaselineTable, tmp_path: Path) -> None:
    for name in ("random", "ppo", "a2c"):
        alone = measure(settings(name, seeds=(5,)), tmp_path / name, quiet)
        (among,) = [row for summary in table.summaries for row in summary.rows if (row.baseline, row.seed) == (name, 5)]
        assert figures(alone.summaries[0].rows[0]) == figures(among)


def test_fixed_training_uses_its_whole_budget_though_it_complies_from_the_start(tmp_path: Path) -> None:
    red_sleeps = settings(
        "fixed", workflow="balanced", red_agent="sleep", total_episodes=300, compliance_definition="evictable"
    )
    (summary,) = measure(red_sleeps, tmp_path / "run", quiet).summaries
    assert summary.compliance > 0.9
    assert summary.episodes == 300


def test_run_that_was_stopped__goes_on_with_what_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    wanted = settings("all", workflow="balanced", seeds=(1, 2))
    whole = measure(wanted, tmp_path / "whole", quiet)
    measure_one, done = baselines._measure_one, []

    def dying(entry: baselines.Entry, seed: int, *rest: object) -> BaselineRow:
        if len(done) == 7:
            raise KilledError
        done.append((entry.label, seed))
        return measure_one(entry, seed, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(baselines, "_measure_one", dying)
    run = tmp_path / "killed"
    with pytest.raises(KilledError):
        measure(wanted, run, quiet)
    assert [(row.baseline, row.seed) for row in read_baselines(run / "rows.csv")] == done
    assert not (run / "table.md").exists()
    monkeypatch.setattr(baselines, "_measure_one", measure_one)
    words: list[str] = []
    resumed = go_on(run, "all", words.append)
    assert words[0] == f"7 of {2 * len(NAMES)} are finished already"
    assert not any(f"{label}, seed {seed}:" in line for label, seed in done for line in words)
    for one, other in zip(resumed.summaries, whole.summaries, strict=True):
        assert list(map(figures, one.rows)) == list(map(figures, other.rows))


def test_training_that_was_stopped__goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = settings("fixed", workflow="balanced", total_episodes=250)
    whole = measure(wanted, tmp_path / "whole", quiet)
    update, updates = PolicyTrainer.update, []

    def signalled(trainer: PolicyTrainer) -> UpdateRecord:
        record = update(trainer)
        updates.append(record.update)
        if updates == [1]:
            os.kill(os.getpid(), signal.SIGTERM)
        return record

    monkeypatch.setattr(PolicyTrainer, "update", signalled)
    run, words = tmp_path / "run", []
    with pytest.raises(RunStoppedError, match=f"go on with `cageflow baseline fixed --resume {run}`"):
        measure(wanted, run, words.append)
    assert [line.partition(":")[0] for line in words] == ["SIGTERM"]
    resumed = go_on(run, "fixed", quiet)
    assert updates == list(range(1, 11)), "small updates, each once"
    (row,), (of_whole,) = (table.summaries[0].rows for table in (resumed, whole))
    assert figures(row) == figures(of_whole)
    assert (run / row.policy).read_bytes() == (tmp_path / "whole" / of_whole.policy).read_bytes()
    assert row.train_seconds > 0.0


def test_run_of_another_baseline_or_none_is_not_gone_on_with(tmp_path: Path) -> None:
    measure(settings("sleep"), tmp_path / "run", quiet)
    with pytest.raises(UserError, match="go on with `cageflow baseline sleep --resume"):
        go_on(tmp_path / "run", "all", quiet)
    rows = tmp_path / "run" / "rows.csv"
    write_baselines(rows, [replace(row, baseline="random") for row in read_baselines(rows)])
    with pytest.raises(UserError, match="holds random with seed 1, which is none of this run's"):
        go_on(tmp_path / "run", "sleep", quiet)
    with pytest.raises(UserError, match="holds no baselines"):
        go_on(tmp_path / "nothing", "all", quiet)
    (tmp_path / "run" / "baselines.json").write_text("{}")
    with pytest.raises(UserError, match=r"has no check sum \(sha256\): it is of an earlier version"):
        go_on(tmp_path / "run", "sleep", quiet)
    sign_again(tmp_path / "run" / "baselines.json", name="sleep")
    with pytest.raises(UserError, match="no configuration of baselines"):
        go_on(tmp_path / "run", "sleep", quiet)


def test_refusal_comes_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with pytest.raises(UserError, match="not empty"):
        measure(settings("sleep"), tmp_path / "full", quiet)

    def missing(name: str) -> None:
        raise UserError(f"{name} is missing")

    monkeypatch.setattr(baselines, "check_installed", missing)
    with pytest.raises(UserError, match="a2c is missing"):
        measure(settings("all"), tmp_path / "new", quiet)
    assert not (tmp_path / "new").exists()


def test_folder_that_another_process_measures_in__is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    measure(settings("sleep"), run, quiet)
    with lock_folder(run, run / LOCK), pytest.raises(UserError, match="is still going, in another process"):
        go_on(run, "sleep", quiet)
    go_on(run, "sleep", quiet)


def test_what_was_changed_since_it_was_written__is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    measure(settings("sleep"), run, quiet)
    for name in ("baselines.json", "rows.csv"):
        for bit in flipped_bits(run / name, 50):
            with pytest.raises(UserError):
                go_on(run, "sleep", quiet)
                pytest.fail(f"bit {bit} of {name}")
    go_on(run, "sleep", quiet)


def test_network__is_the_one_that_the_run_began_with(tmp_path: Path) -> None:
    shipped = files("cageflow.scenario").joinpath("cage2.yaml").read_text()
    network = tmp_path / "mine.yaml"
    network.write_text(shipped.replace("high: 10.0", "high: 500.0").replace("low: 0.1", "low: 7.0"))
    whole = measure(settings("sleep", scenario=str(network)), tmp_path / "run", quiet)
    made_for = Network(load_scenario(network)).identity.to_json()
    assert json.loads((tmp_path / "run" / "baselines.json").read_text())["network"] == made_for
    assert whole.to_json()["network"] == made_for
    network.write_text(shipped)
    (tmp_path / "run" / "rows.csv").unlink()
    again = go_on(tmp_path / "run", "sleep", quiet)
    assert figures(again.summaries[0].rows[0]) == figures(whole.summaries[0].rows[0])
    original = measure(settings("sleep"), tmp_path / "original", quiet)
    assert again.summaries[0].reward != original.summaries[0].reward, "the changed values are those that count"


def test_durations__reach_games_and_trainings_and_stay_when_a_run_goes_on(tmp_path: Path) -> None:
    timed = {name: measure(settings(name, durations="9,9,9,9"), tmp_path / name, quiet) for name in ("greedy", "ppo")}
    at_once = measure(settings("greedy"), tmp_path / "at_once", quiet)
    assert timed["greedy"].to_json()["durations"] == "9,9,9,9"
    assert timed["greedy"].summaries[0].reward < at_once.summaries[0].reward, "no Restore ends in 10 steps, but one"
    assert timed["greedy"].to_json()["network"]["fingerprint"] != at_once.to_json()["network"]["fingerprint"]
    made_for = load_policy(tmp_path / "ppo" / timed["ppo"].summaries[0].rows[0].policy).card.network  # type: ignore[operator]
    assert made_for == timed["greedy"].settings.game.network.identity
    (tmp_path / "greedy" / "rows.csv").unlink()
    again = go_on(tmp_path / "greedy", "greedy", quiet)
    assert figures(again.summaries[0].rows[0]) == figures(timed["greedy"].summaries[0].rows[0])


def test_folder_that_is_removed__ends_the_run_in_a_sentence(tmp_path: Path) -> None:
    run = tmp_path / "run"

    def remove(words: str) -> None:
        if run.exists() and words.startswith("[1/2]"):
            shutil.rmtree(run)

    with pytest.raises(RunFailedError, match="removed|cannot be written"):
        measure(settings("sleep", seeds=(1, 2)), run, remove)
