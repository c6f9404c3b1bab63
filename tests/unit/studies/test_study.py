"""Studies: the network that they keep, and what a folder of theirs is refused for."""

import json
from pathlib import Path
from typing import Any

import pytest

from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.runs.folder_lock import LOCK, lock_folder
from cageflow.runs.layout import NETWORK
from cageflow.runs.new_folder import make_folder
from cageflow.scenario import NETWORK_NAMES, load_network
from cageflow.settings.commands import TrainConfig
from cageflow.studies.study import Kind
from tests.helpers.damage import sign_again

KIND = Kind("asked.json", "study", "a study")


def begin(path: Path | None, scenario: str | None = None, words: list[str] | None = None) -> str | None:
    """A study that does nothing; the file of its network."""
    say = [].append if words is None else words.append  # type: ignore[var-annotated]
    with KIND.new(path, "ask", "ask-me", {"a": 1}, GameOptions(scenario=scenario), say) as study:
        study.check()
        study.write_table({"rows": []}, md="| |")
        return study.network


def parsed(content: dict[str, Any], path: Path) -> int:
    return int(content["a"])


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_network_by_name__is_kept_as_its_file_and_put_back_where_it_is_missing(name: str, tmp_path: Path) -> None:
    kept = begin(tmp_path / "run", name)
    assert kept == str(tmp_path / "run" / NETWORK)
    Path(kept).unlink()
    with KIND.resumed(tmp_path / "run", "ask", print) as study:
        assert study.network == kept
        assert load_network(kept).fingerprint == load_network(name).fingerprint


def test_run__of_a_network_by_name_has_it_in_its_folder(tmp_path: Path) -> None:
    make_folder(tmp_path / "run", TrainConfig(scenario="plant", total_episodes=200)).close()
    assert load_network(tmp_path / "run" / NETWORK).fingerprint == load_network("plant").fingerprint


def test_folder__holds_what_was_asked_for_the_table_and_no_default_network(tmp_path: Path) -> None:
    assert begin(tmp_path / "run") is None
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"asked.json", LOCK, "table.json", "table.md"}
    assert (tmp_path / "run" / "table.md").read_text() == "| |\n"
    assert json.loads((tmp_path / "run" / "asked.json").read_text())["network"] == load_network(None).identity.to_json()
    assert KIND.read(tmp_path / "run", parsed) == 1


def test_new_folder__is_named_after_the_study_and_no_other_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda form: "now")
    begin(None)
    begin(None)
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"ask-me-now", "ask-me-now-2"}


def test_folder_that_is_none_or_was_changed_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    begin(run)
    with pytest.raises(UserError, match="not empty"):
        begin(run)
    with pytest.raises(UserError, match=r"nothing holds no study: asked\.json cannot be read"):
        KIND.read(tmp_path / "nothing", parsed)
    with lock_folder(run, run / LOCK), pytest.raises(UserError, match="still going"), KIND.resumed(run, "ask", print):
        pass
    (run / "asked.json").write_text((run / "asked.json").read_text().replace('"a": 1', '"a": 2'))
    with pytest.raises(UserError, match="was changed after the run began"):
        KIND.read(run, parsed)
    assert KIND.read(run, parsed, is_signed=False) == 2
    sign_again(run / "asked.json", a=None)
    with pytest.raises(UserError, match="is no configuration of a study"):
        KIND.read(run, parsed)
