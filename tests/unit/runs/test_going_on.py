"""A run goes on exactly, or refuses: what was changed, is missing, or belongs to somebody else."""

import fcntl
import itertools
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from cageflow.errors import UserError
from cageflow.runs import runs
from cageflow.runs.interrupt import RunFailedError
from cageflow.runs.progress import Quiet
from cageflow.runs.run_folder import RunFolder
from cageflow.runs.run_logs import RunLogs
from cageflow.runs.start import read_start
from cageflow.settings import commands
from cageflow.settings.reading import make_config, read_config
from cageflow.settings.settings_file import check_settings, dump_settings, read_object
from cageflow.training.state_file import load_state, save_state
from cageflow.training.trainer import UpdateRecord, Workflow
from cageflow.training.trials import run_trial
from tests.helpers.damage import flipped_bits
from tests.helpers.figures import figures
from tests.helpers.searches import Alternating, OneByOne, Unsteady

SMALL = {"max_steps": 10, "episodes_per_update": 8, "evaluation_episodes": 6, "seed": 2}
SEARCH = make_config(
    {**SMALL, "executor": "inline", "total_episodes": 64, "max_episodes_per_workflow": 16, "strategy": "random"}
)
TRAIN = make_config({**SMALL, "command": "train", "total_episodes": 24})


class Noting(Quiet):
    """Keeps what it is told of the folder."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def note(self, words: str) -> None:
        self.words.append(words)


def killed(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, call: int, start: Callable[[], object]) -> None:
    """Stop a run at a call of a method of its folder or its logs, counted from 1, before it does anything."""
    method, calls = getattr(kind, name), itertools.count(1)

    def dying(*arguments: Any) -> Any:
        if next(calls) == call:
            raise KeyboardInterrupt
        return method(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(kind, name, dying)
        with pytest.raises(KeyboardInterrupt):
            start()


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search that was stopped in its second trial of an order, in this process."""
    monkeypatch.setattr(commands, "make_strategy", Alternating)
    path = tmp_path / "run"
    killed(monkeypatch, RunLogs, "update", 6, lambda: runs.start(SEARCH, path, Quiet()))
    return path


# A search on a pool.


@pytest.mark.parametrize(("parallel", "init"), [(1, "scratch"), (2, "scratch"), (2, "shared")])
@pytest.mark.parametrize(("kind", "method"), [(RunLogs, "iteration"), (RunFolder, "checkpoint")])
def test_search_on_a_pool_that_is_killed_after_a_trial__repeats_it_from_where_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parallel: int, init: str, kind: type, method: str
) -> None:
    monkeypatch.setattr(commands, "make_strategy", Alternating)
    config = SEARCH.model_copy(update={"parallel_workflows": parallel, "init": init, "executor": "process"})
    runs.start(config, tmp_path / "whole", Quiet(), OneByOne())
    path = tmp_path / "run"
    killed(monkeypatch, kind, method, 4, lambda: runs.start(config, path, Quiet(), OneByOne()))
    runs.resume(path, "search", Quiet(), executor=OneByOne())
    assert figures(path) == figures(tmp_path / "whole")


def test_search_on_a_pool__is_the_same_whoever_ends_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "run_trial", partial(run_trial, part_episodes=8))
    settings = {"parallel_workflows": 3, "executor": "process", "total_episodes": 160, "strategy": "gp-ucb"}
    lengths = {"max_episodes_per_workflow": 48, "min_episodes_per_trial": 1, "patience_updates": 1}
    config = SEARCH.model_copy(update={**settings, **lengths})
    runs.start(config, tmp_path / "whole", Quiet(), OneByOne())
    whole = figures(tmp_path / "whole")
    assert len({row["Episodes_Trained"] for row in whole["gp_sampling_log.csv"]}) > 1  # or all would end at once
    for seed in (1, 2):
        path = tmp_path / f"run{seed}"
        with Unsteady(3, seed) as executor:
            runs.start(config, path, Quiet(), executor)
        assert figures(path) == whole


def test_search_on_a_pool__tells_how_far_its_trials_are_while_they_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "run_trial", partial(run_trial, part_episodes=8))
    told: list[int] = []

    class Told(Quiet):
        def update(self, order: Workflow, record: UpdateRecord, run_episodes: int) -> None:
            told.append(run_episodes)

    config = SEARCH.model_copy(update={"parallel_workflows": 2, "executor": "process", "total_episodes": 48})
    runs.start(config, tmp_path / "run", Told(), OneByOne())
    assert told == [8, 16, 24, 32, 40, 48]  # parts of two trials in turn, then of the third


# A folder is complete or none.


def test_folder_that_was_being_made__is_made_anew_and_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = tmp_path / "start"
    runs.start(TRAIN, start, Quiet())
    config = TRAIN.model_copy(update={"start_from": str(start)})
    runs.start(config, tmp_path / "whole", Quiet())
    path = tmp_path / "run"
    for name in ("start.state", "run.state", "config.json"):

        def dying(partial: Path, target: Path, name: str = name) -> None:
            if target.name == name:
                raise KeyboardInterrupt
            os.replace(partial, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", dying)
            with pytest.raises(KeyboardInterrupt):
                runs.start(config, path, Quiet())
        assert path.is_dir() and not (path / "config.json").exists()
        with pytest.raises(UserError, match="is no run folder yet: the run was killed while it made it; start it anew"):
            runs.resume(path, "train", Quiet())
    reporter = Noting()
    runs.start(config, path, reporter)
    assert reporter.words == [f"{path} was left by a run that was killed while it made it: it is made anew"]
    assert figures(path) == figures(tmp_path / "whole")


def test_folder_with_settings_or_with_anything_of_the_users__is_not_taken(tmp_path: Path, stopped: Path) -> None:
    (stopped / "config.json").unlink()
    with pytest.raises(UserError, match="exists and is not empty"):
        runs.start(SEARCH, stopped, Quiet())
    assert (stopped / "checkpoint" / "run.state").exists()
    mine = tmp_path / "mine"
    (mine / "checkpoint").mkdir(parents=True)
    (mine / "network.yaml").write_text("mine")
    (mine / "notes").write_text("mine")
    with pytest.raises(UserError, match="exists and is not empty"):
        runs.start(SEARCH, mine, Quiet())
    assert (mine / "network.yaml").read_text() == "mine"


# Nothing that was changed goes unnoticed.


def test_flipped_bit_anywhere_in_what_is_read__is_refused_and_nothing_is_written(stopped: Path) -> None:
    before = {path: path.read_bytes() for path in stopped.rglob("*") if path.is_file() and "tfevents" not in path.name}
    names = [path for path in before if path.parent.name != "policies" and path.name != "lock"]
    assert len(names) == 7, "settings, state, the learners of two orders, three logs"
    for name in names:
        for bit in flipped_bits(name, 60):
            with pytest.raises(UserError):
                runs.resume(stopped, "search", Quiet())
                pytest.fail(f"bit {bit} of {name}")
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.parametrize("change", [{"seed": 3}, {"ppo": {"learning_rate": 0.001}}, {"total_episodes": 80}])
def test_changed_setting__is_refused(stopped: Path, change: dict[str, Any]) -> None:
    path = stopped / "config.json"
    content = {**read_object(path), **change}
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"config\.json was changed after the run began: put it back as it was"):
        runs.resume(stopped, "search", Quiet())


def test_run_of_an_earlier_version__is_refused_in_a_sentence(stopped: Path) -> None:
    path = stopped / "config.json"
    content = read_object(path)
    del content["sha256"], content["files"]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"has no check sum \(sha256\): it is of an earlier version"):
        runs.resume(stopped, "search", Quiet())


def test_new_budget_and_where_trials_run__stand_in_the_settings_from_then_on(stopped: Path) -> None:
    changes = {"total_episodes": 80, "executor": "process"}
    about = read_object(stopped / "config.json")["about"]
    runs.resume(stopped, "search", Quiet(), changes, OneByOne())
    config = read_config(stopped / "config.json")
    assert (config.total_episodes, config.executor) == (80, "process")
    assert read_object(stopped / "config.json")["about"] == about
    assert runs.resume(stopped, "search", Quiet(), None, OneByOne()).episodes == 80


@pytest.mark.parametrize("name", ["network.yaml", "checkpoint/start.state"])
def test_file_that_a_run_began_with__is_missed(tmp_path: Path, name: str) -> None:
    runs.start(TRAIN, tmp_path / "start", Quiet())
    changes = {
        "scenario": str(files("cageflow.scenario").joinpath("cage2.yaml")),
        "start_from": str(tmp_path / "start"),
    }
    path = tmp_path / "run"
    runs.start(TRAIN.model_copy(update=changes), path, Quiet())
    for _ in flipped_bits(path / name, 20):
        with pytest.raises(UserError, match=f"{name} was changed after the run began"):
            runs.resume(path, "train", Quiet())
    (path / name).unlink()
    with pytest.raises(UserError, match=rf"{name} cannot be read \(No such file or directory\): put the file back"):
        runs.resume(path, "train", Quiet())
    os.mkfifo(path / name)
    with pytest.raises(UserError, match=f"{name} is a named pipe, where a file is expected"):
        runs.resume(path, "train", Quiet())


@pytest.mark.parametrize("name", ["config.json", "checkpoint/run.state", "training_log.csv", "checkpoint/lock"])
def test_what_is_missing_or_no_file__is_told_at_once(stopped: Path, name: str) -> None:
    (stopped / name).unlink()
    if name != "checkpoint/lock":
        with pytest.raises(UserError, match=r"cannot be read \(No such file|is missing"):
            runs.resume(stopped, "search", Quiet())
    os.mkfifo(stopped / name)
    with pytest.raises(UserError, match="is a named pipe, where a file is expected"):
        runs.resume(stopped, "search", Quiet())


def test_missing_checkpoint_folder__is_told(stopped: Path) -> None:
    shutil.rmtree(stopped / "checkpoint")
    with pytest.raises(UserError, match="checkpoint is missing: put it back, or start a new run"):
        runs.resume(stopped, "search", Quiet())


def test_link_in_place_of_the_lock_or_of_what_is_being_written__is_not_followed(stopped: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.write_text("mine")
    lock, partial = stopped / "checkpoint" / "lock", stopped / "checkpoint" / ".run.state.partial"
    partial.symlink_to(target)
    lock.unlink()
    lock.symlink_to(target)
    with pytest.raises(UserError, match="lock is a link, where a file is expected"):
        runs.resume(stopped, "search", Quiet())
    lock.unlink()
    runs.resume(stopped, "search", Quiet())
    assert target.read_text() == "mine"


# What was begun by this version before its files had the names that they have.


def test_search_begun_under_the_names_before__goes_on_to_the_same(tmp_path: Path, stopped: Path) -> None:
    runs.start(SEARCH, tmp_path / "whole", Quiet())
    folder = stopped / "checkpoint"
    state = load_state(folder / "run.state")
    for learners in state["learners"].values():
        for file in learners.values():
            file[0] = file[0].replace(".state", ".pt")
    for path in folder.glob("learner_*.state"):
        path.rename(path.with_suffix(".pt"))
    save_state(folder / "state.pt", state)
    (folder / "run.state").unlink()
    runs.resume(stopped, "search", Quiet())
    assert figures(stopped) == figures(tmp_path / "whole")
    assert all(path.name.endswith((".state", "lock")) for path in folder.iterdir())


def test_training_begun_under_the_names_before__begins_where_it_was_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.start(TRAIN, tmp_path / "start", Quiet())
    config = TRAIN.model_copy(update={"start_from": str(tmp_path / "start")})
    runs.start(config, tmp_path / "whole", Quiet())
    path = tmp_path / "run"
    killed(monkeypatch, RunFolder, "checkpoint", 1, lambda: runs.start(config, path, Quiet()))
    content = check_settings(path / "config.json", read_object(path / "config.json"))
    content["files"] = {name.replace("start.state", "start.pt"): one for name, one in content["files"].items()}
    (path / "config.json").write_bytes(dump_settings(content))
    for name, before in (("start.state", "start.pt"), ("run.state", "state.pt")):
        (path / "checkpoint" / name).rename(path / "checkpoint" / before)
    runs.resume(path, "train", Quiet())
    assert figures(path) == figures(tmp_path / "whole")
    (path / "checkpoint" / "run.state").rename(path / "checkpoint" / "state.pt")
    assert read_start(TRAIN.model_copy(update={"start_from": str(path)})) is not None


# Nobody else writes there.


def while_going(monkeypatch: pytest.MonkeyPatch, path: Path, act: Callable[[], None]) -> str:
    """Do something in the middle of a training, and say in which sentence it ends."""
    log, calls = RunLogs.update, itertools.count(1)

    def acting(*arguments: Any) -> None:
        if next(calls) == 2:
            act()
        log(*arguments)

    monkeypatch.setattr(RunLogs, "update", acting)
    with pytest.raises(RunFailedError) as failure:
        runs.start(TRAIN, path, Quiet())
    return str(failure.value)


def test_lock_that_is_removed__lets_nobody_in_and_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"

    def remove_lock() -> None:
        (path / "checkpoint" / "lock").unlink()
        with pytest.raises(UserError, match=r"training_log\.csv is being written by another process"):
            runs.resume(path, "train", Quiet())

    assert while_going(monkeypatch, path, remove_lock).startswith(f"{path}/checkpoint/lock was removed or replaced")
    monkeypatch.undo()
    runs.start(TRAIN, tmp_path / "whole", Quiet())
    runs.resume(path, "train", Quiet())
    assert figures(path) == figures(tmp_path / "whole")


@pytest.mark.parametrize("name", ["", "training_log.csv", "checkpoint"])
def test_folder_or_log_that_is_removed__ends_the_run_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / "run"

    def remove() -> None:
        (path / name).unlink() if (path / name).is_file() else shutil.rmtree(path / name)

    words = while_going(monkeypatch, path, remove)
    assert "was removed" in words and str(path) in words


def test_file_system_without_locks__is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: Any) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    reporter = Noting()
    runs.start(TRAIN, tmp_path / "run", reporter)
    (words,) = reporter.words
    assert words.startswith(f"{tmp_path / 'run'} is on a file system without locks: see to it yourself")
