"""Code runs only from where the user says, this time: never from where a file that came with data says."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cageflow.errors import UserError
from cageflow.runs import runs
from cageflow.runs.progress import Quiet
from cageflow.settings.commands import COMMANDS, TrainConfig
from cageflow.settings.reading import make_config
from cageflow.settings.settings_file import dump_settings
from cageflow.studies import champion


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that looks like one of CybORG; importing from it leaves a file `ran`."""
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "trap" / "CybORG"
    package.mkdir(parents=True)
    for name in ("__init__.py", "CybORG.py"):
        (package / name).write_text(f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    yield tmp_path / "trap"
    for name in [name for name in sys.modules if name.partition(".")[0] == "CybORG"]:
        del sys.modules[name]


def run_folder(path: Path, **settings: Any) -> Path:
    path.mkdir()
    config = COMMANDS[settings.get("command", "search")].model_validate(settings)
    (path / "config.json").write_bytes(dump_settings(config.to_json()))
    return path


def test_run_folder__does_not_say_which_cyborg_is_imported(trap: Path, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", simulator="cyborg", cyborg_path=str(trap))
    with pytest.raises(
        UserError, match=r"config\.json says cyborg_path '.*trap', .*: name it yourself by --cyborg-path"
    ):
        runs.resume(folder, "search", Quiet())
    assert not (tmp_path / "ran").exists()
    with pytest.raises(UserError, match=r"CybORG in .*trap cannot be imported"):  # named, it is tried
        runs.resume(folder, "search", Quiet(), {"cyborg_path": str(trap)})
    assert (tmp_path / "ran").exists()


def test_run_folder__does_not_say_which_cluster_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(runs, "_start_pool", lambda config, executor: asked.append(config.address) or 1 / 0)
    folder = run_folder(tmp_path / "run", executor="dask", address="tcp://elsewhere:1")
    with pytest.raises(UserError, match=r"config\.json says address 'tcp://elsewhere:1', .* yourself by --address"):
        runs.resume(folder, "search", Quiet())
    assert asked == []
    for changes, address in (
        ({"address": "tcp://elsewhere:1"}, "tcp://elsewhere:1"),
        ({"address": "tcp://here:2"}, "tcp://here:2"),
        ({"executor": "process"}, None),
    ):
        with pytest.raises(ZeroDivisionError):
            runs.resume(folder, "search", Quiet(), changes)
        assert asked.pop() == address


def test_file_of_settings__does_not_say_it_either(trap: Path, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"simulator: cyborg\ncyborg_path: {trap}\n")
    with pytest.raises(UserError, match=r"settings\.yaml says cyborg_path"):
        make_config({}, file)
    assert make_config({"cyborg_path": "own"}, file).cyborg_path == "own"
    file.write_text("executor: ray\naddress: elsewhere:1\n")
    with pytest.raises(UserError, match=r"settings\.yaml says address"):
        make_config({"executor": "ray"}, file)


def test_folder_of_a_champion__does_not_say_it_either(trap: Path, tmp_path: Path) -> None:
    folder = tmp_path / "champion"
    folder.mkdir()
    config = TrainConfig(simulator="cyborg", cyborg_path=str(trap)).to_json()
    content = {"config": config, "seeds": [0], "evaluation_episodes": 2}
    (folder / champion.SETTINGS).write_bytes(dump_settings(content))
    with pytest.raises(UserError, match="says cyborg_path"):
        champion.go_on(folder, None, print)
    assert not (tmp_path / "ran").exists()
