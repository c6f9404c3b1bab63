"""Runs against a red agent in Python: what they keep of it, how they go on, and that no folder runs code by itself."""

from pathlib import Path
from typing import Any

import pytest

from cageflow.envs import red_code
from cageflow.errors import UserError
from cageflow.runs import runs
from cageflow.runs.progress import Quiet
from cageflow.runs.saved_run import read_run
from cageflow.settings.reading import make_config
from tests.e2e.command_line import cageflow

RED = """
import pathlib

pathlib.Path(__file__).with_suffix(".ran").touch()

class Sleepy:
    def reset(self, network, seed):
        pass

    def act(self, view):
        return "Sleep" if view.step < 3 else "sweep User"
"""
TINY = {"total_episodes": 8, "episodes_per_update": 4, "evaluation_episodes": 4, "max_steps": 6}
TINY_OPTIONS = [text for name, value in TINY.items() for text in (f"--{name.replace('_', '-')}", value)]


@pytest.fixture
def red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(red_code, "_named", set())
    path = tmp_path / "my_red.py"
    path.write_text(RED)
    return f"{path}:Sleepy"


def train(red: str, path: Path, **settings: Any) -> None:
    runs.start(make_config({"command": "train", "red_agent": red, **TINY, **settings}), path, Quiet())


def forget(red: str) -> Path:
    """As if another process came: nothing has been named. The file that tells that the code has run."""
    red_code._named.clear()
    red_code._module.cache_clear()
    ran = Path(red.rpartition(":")[0]).with_suffix(".ran")
    ran.unlink(missing_ok=True)
    return ran


def test_run__keeps_a_copy_and_goes_on_only_with_the_same_file_named_again(red: str, tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(red, path)
    assert (path / "red_agent.py").read_text() == RED
    ran = forget(red)
    with pytest.raises(
        UserError, match=r"json says red_agent '.*Sleepy', an agent whose code would run, .* by --red-agent"
    ):
        runs.resume(path, "train", Quiet())
    assert not ran.exists()
    moved = tmp_path / "moved.py"
    moved.write_text(RED)
    runs.resume(path, "train", Quiet(), {"red_agent": f"{moved}:Sleepy"})
    with pytest.raises(UserError, match=r"the run in .* is against .*Sleepy, not .*:Other"):
        runs.resume(path, "train", Quiet(), {"red_agent": f"{moved}:Other"})
    moved.write_text(RED + "\n")
    with pytest.raises(UserError, match=r"moved.py is not what the run in .* was begun with: that is kept in .*_agent"):
        runs.resume(path, "train", Quiet(), {"red_agent": f"{moved}:Sleepy"})


def test_run_against_what_is_built_in__keeps_its_red_agent(tmp_path: Path) -> None:
    path = tmp_path / "run"
    train("sleep", path)
    assert not list(path.glob("red_agent*"))
    with pytest.raises(UserError, match="a resumed run keeps its settings: leave out --red-agent"):
        runs.resume(path, "train", Quiet(), {"red_agent": "bline"})


def test_report__runs_nothing_that_the_user_has_not_named(red: str, tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(red, path)
    ran = forget(red)
    assert read_run(path).config.red_agent == red  # to read it is harmless
    outcome = cageflow("report", path, "--evaluation-episodes", 100)
    assert outcome.status == 2
    assert f"red agent {red} is code, and a file alone does not decide whose code runs: name it" in outcome.err
    assert not ran.exists()
    assert cageflow("export", path, "--evaluation-episodes", 0, "--out", tmp_path / "p.onnx").status == 0
    assert not ran.exists(), "nor does the card of a policy"
    asked = ("compare", path, "--evaluation-episodes", 2)
    assert "name it yourself by --red-agent" in cageflow(*asked).err and not ran.exists()
    assert cageflow(*asked, "--red-agent", red).status == 0 and ran.exists()


def test_settings_file__does_not_say_whose_code_runs(red: str, tmp_path: Path) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(f"red_agent: {red}\n")
    outcome = cageflow("train", "--no-workflow", "--config", config, *TINY_OPTIONS)
    assert outcome.status == 2 and "name it yourself by --red-agent" in outcome.err
    network = tmp_path / "network.yaml"
    assert not forget(red).exists() and not network.exists()


def test_file_that_cannot_be_kept__is_refused_before_the_folder_is_made(tmp_path: Path) -> None:
    class Local:
        def reset(self, network: object, seed: int) -> None:
            pass

        def act(self, view: object) -> str:
            return "Sleep"

    Local.__module__ = "nowhere"  # as of a notebook
    name = red_code.name_of_class(Local)
    with pytest.raises(UserError, match="is to keep the red agent's file, and nowhere.py cannot be read"):
        train(name, tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()
