"""The folder of a run: what is refused, what goes on, and that two processes never share one."""

import io
import math
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.runs.folder_lock import LOCK, lock_folder
from cageflow.runs.new_folder import make_folder
from cageflow.runs.run_folder import RunFolder
from cageflow.settings.commands import SearchConfig
from cageflow.training.state_file import dump_state, load_learner, load_state, save_state
from tests.unit.runs.records import update_record

CONFIG = SearchConfig(seed=4)


def test_run_that_is_still_going_is_not_resumed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    folder = make_folder(path, CONFIG)
    with pytest.raises(UserError, match="is still going, in another process: wait for it or stop that one"):
        RunFolder.resume(path, CONFIG)
    folder.close()
    RunFolder.resume(path, CONFIG)[0].close()
    RunFolder.resume(path, CONFIG)[0].close()


def test_copy_of_the_process_that_outlives_it__does_not_keep_the_folder(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path, tmp_path / LOCK)
    (began, begins), (stays, goes) = os.pipe(), os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads, of whatever ran before
        copy = os.fork()
    if copy == 0:
        os.close(goes)
        os.write(begins, b".")
        os.read(stays, 1)
        os._exit(0)
    os.read(began, 1)
    with pytest.raises(UserError, match="is still going, in another process"):  # the copy did not let go of it for us
        lock_folder(tmp_path, tmp_path / LOCK)
    lock.close()
    lock_folder(tmp_path, tmp_path / LOCK).close()
    os.close(goes)
    os.waitpid(copy, 0)
    for end in (began, begins, stays):
        os.close(end)


def test_logs_are_cut_back_to_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run"
    folder = make_folder(path, CONFIG)
    folder.logs.update(None, update_record(1, 2), 0, 2, None)
    folder.checkpoint({"run_episodes": 5})
    folder.logs.update(None, update_record(1, 2), 0, 2, None)
    folder.close()
    with (path / "acquisition.csv").open("a") as file:
        file.write("0,1,tor")
    folder, state = RunFolder.resume(path, CONFIG)
    folder.close()
    assert state["run_episodes"] == 5
    assert (path / "training_log.csv").read_text().count("\n") == 2
    assert (path / "acquisition.csv").read_text().count("\n") == 1


def test_checkpoint_is_written_after_the_logs_that_grew_are_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    folder = make_folder(path, CONFIG)
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    folder.logs.update(None, update_record(1, 2), 0, 2, None)
    folder.checkpoint({"run_episodes": 5})
    state = (path / "checkpoint" / "run.state").stat().st_ino
    assert synced[:2] == [(path / "training_log.csv").stat().st_ino, state]
    synced.clear()
    folder.checkpoint({"run_episodes": 5})
    folder.close()
    assert synced[0] == (path / "checkpoint" / "run.state").stat().st_ino


def test_run_stopped_before_its_first_update_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    folder = make_folder(path, CONFIG)
    folder.logs.update(None, update_record(1, 2), 0, 2, None)
    folder.close()
    folder, state = RunFolder.resume(path, CONFIG)
    folder.close()
    assert state["run_episodes"] == 0
    assert (path / "training_log.csv").read_text().count("\n") == 1


def test_log_that_is_gone_or_shorter_than_at_the_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    folder = make_folder(path, CONFIG)
    folder.checkpoint({"run_episodes": 5})
    folder.close()
    whole = {log: log.read_bytes() for log in path.glob("*.csv")}
    for log, words in (
        ("training_log.csv", "training_log.csv is missing: put the file back"),
        ("acquisition.csv", "acquisition.csv has 4 bytes, but had [0-9]+ at the checkpoint"),
    ):
        (path / log).unlink()
        if log == "acquisition.csv":
            (path / log).write_text("Iter")
        with pytest.raises(UserError, match=words):
            RunFolder.resume(path, CONFIG)
        (path / log).write_bytes(whole[path / log])
    RunFolder.resume(path, CONFIG)[0].close()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"cageflow state 2\n"])
def test_checkpoint_that_is_damaged_is_refused_and_the_logs_are_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run"
    folder = make_folder(path, CONFIG)
    folder.logs.update(None, update_record(1, 2), 0, 2, None)
    folder.close()
    before = (path / "training_log.csv").read_bytes()
    (path / "checkpoint" / "run.state").write_bytes(content)
    with pytest.raises(UserError, match=r"run\.state is damaged, or no checkpoint of this version$"):
        RunFolder.resume(path, CONFIG)
    assert (path / "training_log.csv").read_bytes() == before


def test_checkpoint_that_is_truncated_anywhere_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path / "state", {"weights": np.arange(1000), "episodes": 3})
    content = (tmp_path / "state").read_bytes()
    assert load_state(tmp_path / "state")["episodes"] == 3
    for length in range(0, len(content) - 1, 97):
        (tmp_path / "state").write_bytes(content[:length])
        with pytest.raises(UserError, match="damaged"):
            load_state(tmp_path / "state")


def test_state__keeps_arrays_and_plain_data_exactly(tmp_path: Path) -> None:
    arrays = [np.arange(6, dtype=kind).reshape(2, 3) for kind in ("float32", "float64", "int64", "uint32")]
    state = {"arrays": [*arrays, np.zeros((0, 4))], "nan": math.nan, "third": 1 / 3, "none": None, "pair": (1, "ä")}
    save_state(tmp_path / "state", state)
    read = load_state(tmp_path / "state")
    for mine, wanted in zip(read["arrays"], state["arrays"], strict=True):
        assert mine.dtype == wanted.dtype and mine.shape == wanted.shape and np.array_equal(mine, wanted)
        mine += 1  # it is a copy of its own
    assert math.isnan(read["nan"]) and (read["third"], read["none"], read["pair"]) == (1 / 3, None, [1, "ä"])
    for strange in (Path("/"), np.zeros(3, np.complex128), {1, 2}):
        with pytest.raises(TypeError, match=f"a state cannot hold {type(strange).__name__}"):
            dump_state({"strange": strange})


def test_checkpoint_of_an_older_version_is_said_to_be_one(tmp_path: Path) -> None:
    zipped = io.BytesIO()
    zipfile.ZipFile(zipped, "w").writestr("archive/data.pkl", b"")
    for content in (b"cageflow checkpoint 1\n" + b"0" * 64 + b"\n", zipped.getvalue()):
        (tmp_path / "state").write_bytes(content)
        for load in (load_state, load_learner):
            with pytest.raises(UserError, match=r"was written by an older version of cageflow: go on with that one"):
                load(tmp_path / "state")


@pytest.mark.parametrize("state", [[1], {"ppo": 1}, {"logs": {"training": 1}, "run_episodes": 2}])
def test_checkpoint_of_something_else_is_refused(tmp_path: Path, state: Any) -> None:
    path = tmp_path / "run"
    make_folder(path, CONFIG).close()
    save_state(path / "checkpoint" / "run.state", state)
    with pytest.raises(UserError, match=r"run\.state is no checkpoint of a run"):
        RunFolder.resume(path, CONFIG)
