"""TensorBoard can compare runs: their settings and final figures stand in their events."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from cageflow.errors import UserError
from cageflow.runs import runs
from cageflow.runs.progress import Quiet
from cageflow.runs.tensorboard import FINAL
from cageflow.settings.reading import make_config
from tests.helpers.agents import NETWORK

SMALL = {"max_steps": 10, "episodes_per_update": 8, "evaluation_episodes": 6, "seed": 2}
TRAIN = make_config({**SMALL, "command": "train", "total_episodes": 16, "ppo": {"learning_rate": 0.001}})
SEARCH = make_config({**SMALL, "total_episodes": 24, "max_episodes_per_workflow": 16, "executor": "inline"})


def hparams_of(path: Path) -> tuple[dict[str, Any], set[str], set[str], dict[str, float]]:
    """Settings of a run, columns and metrics of its table, and final figures."""
    events = EventAccumulator(str(path)).Reload()

    def content(tag: str) -> bytes:
        return events.SummaryMetadata(tag).plugin_data.content

    begin = metadata.parse_session_start_info_plugin_data(content(metadata.SESSION_START_INFO_TAG))
    table = metadata.parse_experiment_plugin_data(content(metadata.EXPERIMENT_TAG))
    own = {name: getattr(value, value.WhichOneof("kind")) for name, value in begin.hparams.items()}
    figures = {tag: events.Scalars(tag)[-1].value for tag in events.Tags()["scalars"] if tag in FINAL}
    columns, metrics = {one.name for one in table.hparam_infos}, {one.name.tag for one in table.metric_infos}
    return own, columns, metrics, figures


def test_runs_of_two_commands_have_one_table(tmp_path: Path) -> None:
    search, train = tmp_path / "search", tmp_path / "train"
    found = runs.start(SEARCH, search, Quiet())
    plain = runs.start(TRAIN, train, Quiet())
    own, columns, metrics, figures = hparams_of(search)
    other, other_columns, _, plain_figures = hparams_of(train)
    assert (own["command"], own["seed"], own["network"], own["strategy"]) == (
        "search",
        2,
        NETWORK.scenario.name,
        "curves",
    )
    assert (other["command"], other["ppo.learning_rate"], other["green"]) == ("train", 0.001, False)
    assert own.keys() <= columns and other.keys() <= other_columns
    assert columns ^ other_columns == {"ppo.learning_rate"}
    assert not {"executor", "num_threads", "cyborg_path", "device"} & columns
    assert metrics == set(FINAL)
    assert figures["final/reward"] == pytest.approx(found.reward) and figures["final/trials"] == found.trials
    assert plain_figures["final/reward"] == pytest.approx(plain.reward)
    assert "final/compliance" in figures and "final/compliance" not in plain_figures


class Sent:
    """What stands for Weights & Biases: it keeps how it was begun and whether it was ended."""

    begun: list[dict[str, Any]] = []
    ended = 0

    @classmethod
    def init(cls, **settings: Any) -> "type[Sent]":
        cls.begun.append(settings)
        return cls

    @classmethod
    def finish(cls) -> None:
        cls.ended += 1


def test_wandb_takes_the_events_of_a_run_and_of_its_resumption_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("wandb")
    module.init, module.__spec__ = Sent.init, object()  # type: ignore[attr-defined, assignment]
    monkeypatch.setitem(sys.modules, "wandb", module)
    runs.start(TRAIN, tmp_path / "run", Quiet(), wandb="mine")
    runs.resume(tmp_path / "run", "train", Quiet(), wandb="mine")
    first, second = Sent.begun
    assert (first["project"], first["name"], first["sync_tensorboard"]) == ("mine", "run", True)
    assert first["config"]["command"] == "train"
    assert Path(first["dir"]) == tmp_path  # events inside the run's folder would be read again
    assert first["id"] == second["id"] and first["resume"] == "allow"
    assert Sent.ended == 2


def test_wandb_that_is_not_installed_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cageflow.runs.mirror.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"wandb is 'mine', but .* is not installed: pip install 'cageflow\[wandb\]'"):
        runs.start(TRAIN, tmp_path / "run", Quiet(), wandb="mine")
    assert not list(tmp_path.iterdir())
