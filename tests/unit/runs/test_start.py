"""Runs whose trainings begin with the learner of another run."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.runs import runs
from cageflow.runs.progress import Quiet
from cageflow.runs.run_folder import RunFolder
from cageflow.runs.start import notes_on_start, on_network_of_start, read_start
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import make_config, read_config
from cageflow.training.state_file import load_learner, load_state, parse_state, save_state
from cageflow.training.trainer import PolicyTrainer
from tests.helpers.networks import network_file

WORKFLOW = "defender,enterprise,op_server,op_host,user"
SMALL = {"max_steps": 10, "episodes_per_update": 8, "evaluation_episodes": 4, "seed": 2}


def config_of(command: str, **changes: Any) -> RunConfig:
    return make_config({**SMALL, "command": command, "total_episodes": 40, **changes})


def learner_of(run: Path) -> dict[str, Any]:
    ppo: dict[str, Any] = load_state(run / "checkpoint" / "run.state")["trainer"]["ppo"]
    return ppo


def same_weights(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(np.array_equal(other["networks"][name], w) for name, w in one["networks"].items() if name != "order")


@pytest.fixture(scope="module")
def universal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "universal"
    runs.start(config_of("universal"), path, Quiet())
    return path


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The learners of the trainers at their first update, as they were before it."""
    found: list[dict[str, Any]] = []
    update = PolicyTrainer.update

    def noting(trainer: PolicyTrainer) -> Any:
        if trainer.updates == 0:
            found.append(trainer.ppo.state_dict())
        return update(trainer)

    monkeypatch.setattr(PolicyTrainer, "update", noting)
    return found


@pytest.mark.parametrize(
    ("command", "changes", "number"),
    [
        ("train", {"workflow": WORKFLOW}, 1),
        ("search", {"max_episodes_per_workflow": 16, "strategy": "round-robin", "executor": "inline"}, 3),
    ],
)
def test_new_trainings__begin_with_the_learner_of_the_run_that_was_named(
    universal: Path, tmp_path: Path, begun: list[dict[str, Any]], command: str, changes: dict[str, Any], number: int
) -> None:
    runs.start(config_of(command, start_from=str(universal), **changes), tmp_path / "run", Quiet())
    assert len(begun) == number
    assert all(same_weights(learner, learner_of(universal)) for learner in begun)
    assert all(learner["optimizer"]["num_steps"] == 0 for learner in begun)
    assert same_weights(parse_state((tmp_path / "run" / "checkpoint" / "start.state").read_bytes())["ppo"], begun[0])


def test_training__begins_from_scratch_unless_told_otherwise(
    universal: Path, tmp_path: Path, begun: list[dict[str, Any]]
) -> None:
    runs.start(config_of("train", workflow=WORKFLOW), tmp_path / "run", Quiet())
    assert not same_weights(begun[0], learner_of(universal))
    assert not (tmp_path / "run" / "checkpoint" / "start.state").exists()


def test_run_stopped_before_its_first_checkpoint__still_begins_there_though_the_other_run_is_gone(
    universal: Path, tmp_path: Path, begun: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = tmp_path / "start.state"
    config = config_of("train", workflow=WORKFLOW)
    start.write_bytes((universal / "checkpoint" / "run.state").read_bytes())
    named = config.model_copy(update={"start_from": str(start)})

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "checkpoint", stop)
        with pytest.raises(KeyboardInterrupt):
            runs.start(named, tmp_path / "run", Quiet())
    start.unlink()
    runs.resume(tmp_path / "run", "train", Quiet())
    assert len(begun) == 2
    assert same_weights(begun[1], learner_of(universal))


def test_start__that_does_not_say_what_it_was_made_for_is_taken_for_it(tmp_path: Path, universal: Path) -> None:
    alone = shutil.copy(universal / "checkpoint" / "run.state", tmp_path / "learner.state")
    config = config_of("train", workflow=WORKFLOW, start_from=str(alone))
    assert read_start(config) is not None
    (note,) = notes_on_start(config)
    assert note == f"{alone} does not say what it was made for: it is taken for a learner of this game"
    known = config_of("train", workflow=WORKFLOW, start_from=str(universal))
    assert notes_on_start(known) == ()
    (note,) = notes_on_start(known.model_copy(update={"rules": "challenge"}))
    assert "was trained under the rules v2.1 and plays under challenge here" in note
    assert notes_on_start(config_of("train", workflow=WORKFLOW)) == ()


def test_learners_file_of_a_search__will_do(tmp_path: Path, universal: Path) -> None:
    runs.start(config_of("search", max_episodes_per_workflow=40, executor="inline"), tmp_path / "run", Quiet())
    (path,) = (tmp_path / "run" / "checkpoint").glob("learner_*.state")
    content = read_start(config_of("search", start_from=str(path)))
    assert content is not None
    assert same_weights(parse_state(content)["ppo"], load_learner(path)["ppo"])


def test_what_cannot_be_started_from__is_refused_before_a_folder_is_made(universal: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.state").write_bytes(b"something")
    save_state(tmp_path / "other.state", {"name": 1})
    wider = {"hidden_sizes": [8, 8]}
    official = {"observation": "official"}
    for start, changes, words in (
        (universal, official, "was trained on the corrected observation, but official is asked for"),
        (universal / "checkpoint" / "run.state", official, "was trained on the corrected observation"),
        (universal, {"scenario": str(network_file(tmp_path / "own.yaml"))}, "leave --scenario out"),
        (tmp_path / "none", {}, "there is no learner .*none to start from"),
        (tmp_path, {}, "there is no learner .*run.state to start from"),
        (tmp_path / "broken.state", {}, "is damaged, or no checkpoint of this version"),
        (tmp_path / "other.state", {}, "has no learner to start from: name a run of `cageflow universal`"),
        (universal, {"ppo": wider}, "cannot be started from: the saved learner does not fit this configuration"),
        (universal, {"workflow": None}, r"expected actor.0.weight of shape \(64, 52\), got \(64, 77\)"),
    ):
        config = config_of("train", **{"workflow": WORKFLOW, **changes}, start_from=str(start))
        with pytest.raises(UserError, match=words):
            runs.start(config, tmp_path / "run", Quiet())
        assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="a universal policy begins anew: leave it out"):
        config_of("universal", start_from=str(universal))


def test_durations__are_those_of_the_run_that_was_named_unless_others_are_given(tmp_path: Path) -> None:
    path = tmp_path / "slow"
    runs.start(config_of("train", workflow=WORKFLOW, durations="blue-cage4"), path, Quiet())
    config = config_of("train", workflow=WORKFLOW, start_from=str(path))
    assert on_network_of_start(config).game().durations == "blue-cage4"
    assert on_network_of_start(config_of("train", start_from=str(path), durations="cage4")).durations == "cage4"
    runs.start(config, tmp_path / "run", Quiet())
    assert read_config(tmp_path / "run" / "config.json").durations == "blue-cage4"
    at_once = config_of("train", workflow=WORKFLOW, start_from=str(path), durations="file")
    (note,) = notes_on_start(at_once)
    assert "where actions take several steps (analyse 2, remove 3, restore 5, decoy 2), and here each action" in note
    runs.start(at_once, tmp_path / "at_once", Quiet())
