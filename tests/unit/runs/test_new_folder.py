"""The folder of a new run: where none may be made, and what it holds then."""

import errno
import json
from pathlib import Path

import pytest
import torch

from cageflow.errors import UserError
from cageflow.runs.new_folder import default_run_dir, make_folder
from cageflow.runs.unfinished import check_new
from cageflow.settings.commands import SearchConfig
from cageflow.settings.reading import read_config

CONFIG = SearchConfig(seed=4)


def test_new_folder_holds_the_settings_the_versions_and_the_heads_of_the_logs(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run"
    make_folder(path, CONFIG).close()
    assert read_config(path / "config.json") == CONFIG
    about = json.loads((path / "config.json").read_text())["about"]
    assert about["torch"] == torch.__version__
    assert {"cageflow", "numpy", "numba", "torch", "gymnasium", "python", "machine", "started"} <= about.keys()
    assert {"processor", "cores", "numba_target"} <= about.keys()
    assert "pytest" not in about
    head = (path / "training_log.csv").read_text()
    assert head.startswith(
        "Workflow_ID,Workflow_Order,Update,Episodes,Env_Reward,Alignment_Bonus,Total_Reward,Compliance,Avg_Fixes,"
        "Collection_Time,Update_Time,"
    )
    assert head.count("\n") == 1
    assert (
        (path / "gp_sampling_log.csv")
        .read_text()
        .startswith("Iteration,Workflow,UCB_Score,Reward,Final_Compliance,Episodes_Trained,GP_Updated,")
    )
    assert (path / "policies").is_dir()
    assert (path / "checkpoint").is_dir()


def test_empty_folder_will_do_for_a_new_run(tmp_path: Path) -> None:
    make_folder(tmp_path, CONFIG).close()
    assert (tmp_path / "config.json").exists()


def test_folder_that_holds_something_is_refused_with_what_is_possible(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("")
    with pytest.raises(UserError, match="is not empty: name a new folder$"):
        check_new(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match=f"or go on with the run in it by --resume {tmp_path}"):
        check_new(tmp_path)
    with pytest.raises(UserError, match="notes is a file"):
        check_new(tmp_path / "notes")


def test_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made a run folder: Not a directory"):
        make_folder(tmp_path / "file" / "run", CONFIG)


def test_folder_that_cannot_be_filled_is_removed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(UserError, match="cannot be made a run folder: No space left on device"):
        make_folder(tmp_path / "run", CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_two_runs_never_get_the_same_default_folder(tmp_path: Path) -> None:
    first = default_run_dir(CONFIG, tmp_path)
    first.mkdir(parents=True)
    assert default_run_dir(CONFIG, tmp_path) != first
    assert first.name.startswith("search-B_lineAgent-")
    assert first.name.endswith("-seed4")
