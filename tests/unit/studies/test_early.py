"""What is begun beside a run while it goes is gone on with at its end, and comes to what it would have come to."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cageflow.analysis.beside import KINDS, PLAIN, PLAIN_LONG, training_path
from cageflow.runs import runs
from cageflow.runs.checkpoint import finished_policy
from cageflow.runs.progress import Quiet
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import make_config
from cageflow.studies import early
from cageflow.studies.beside import train_kind
from cageflow.studies.early import EarlyTrainings
from cageflow.studies.final import train_final
from cageflow.work.worker_process import WorkerProcess
from tests.helpers.figures import figures
from tests.helpers.searches import OneByOne

SMALL: dict[str, Any] = {"max_steps": 10, "episodes_per_update": 8, "evaluation_episodes": 4, "seed": 2}
BESIDE = {**SMALL, "total_episodes": 32, "max_episodes_per_workflow": 16, "compare_plain": 2}


def config_of(**changes: Any) -> RunConfig:
    return make_config({**BESIDE, "executor": "process", "parallel_workflows": 2, **changes})


def search(path: Path) -> Path:
    runs.start(make_config({**BESIDE, "executor": "inline"}), path, Quiet())
    return path


def policies(path: Path) -> list[bytes]:
    found = [finished_policy(training_path(path, PLAIN, number)) for number in (1, 2)]
    return [policy.read_bytes() for policy in found if policy is not None]


def let_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a process trained in, though this one has threads."""
    monkeypatch.setattr(early, "can_fork", lambda: True)
    monkeypatch.setattr(early, "WorkerProcess", lambda *given, forks: WorkerProcess(*given))


def wait_for(folder: Path) -> None:
    give_up = time.monotonic() + 100
    while time.monotonic() < give_up and not folder.is_dir():
        time.sleep(0.02)


def test_early_trainings__are_gone_on_with_and_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_begin(monkeypatch)
    begun, other = search(tmp_path / "begun"), search(tmp_path / "other")
    with EarlyTrainings(config_of(), (PLAIN,)) as plain:
        plain.begin(begun)
        wait_for(training_path(begun, PLAIN, 1))
    assert training_path(begun, PLAIN, 1).is_dir() and not training_path(other, PLAIN, 1).exists()
    wanted = train_kind(other, PLAIN, Quiet)
    assert train_kind(begun, PLAIN, Quiet) == wanted is not None
    assert policies(begun) == policies(other) and len(policies(other)) == 2


def test_final_training__has_the_others_begun_beside_it_and_all_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = config_of(total_episodes=48, final_episodes=16)
    begun, other = (runs.start(config, tmp_path / name, Quiet(), OneByOne()) for name in ("begun", "other"))
    last = training_path(begun.run_dir, PLAIN_LONG, 1)

    class Waiting(Quiet):
        def close(self) -> None:
            wait_for(last)

    final = train_final(other, Quiet)
    let_begin(monkeypatch)
    assert train_final(begun, Waiting).reward == final.reward
    assert last.is_dir() and not training_path(other.run_dir, PLAIN, 1).exists()
    for kind in KINDS:
        assert train_kind(begun.run_dir, kind, Quiet) == train_kind(other.run_dir, kind, Quiet)
    assert figures(begun.run_dir) == figures(other.run_dir)
    monkeypatch.setattr(early, "WorkerProcess", partial(pytest.fail, "a process was started"))
    train_final(begun, Quiet)  # nothing is left to do
    assert capfd.readouterr().err == "", "nobody sent a signal"


def test_early_training__goes_on_to_the_end_where_it_is_let(tmp_path: Path) -> None:
    path = search(tmp_path / "run")
    early.train_early(path, (PLAIN,))
    assert len(policies(path)) == 2


@pytest.mark.parametrize(
    "changes", [{"compare_plain": 0}, {"executor": "inline", "parallel_workflows": 1}, {"device": "cuda"}]
)
def test_nothing_is_begun__where_there_is_nothing_to_train_or_no_core_to_spare(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(early, "can_fork", lambda: True)
    monkeypatch.setattr(early, "WorkerProcess", partial(pytest.fail, "a process was started"))
    with EarlyTrainings(config_of(**changes), (PLAIN,)) as plain:
        plain.begin(Path("nowhere"))
