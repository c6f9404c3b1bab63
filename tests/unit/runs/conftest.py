"""Trainings here are as small as those of the learner's own tests, and have a checkpoint after every update."""

import pytest

from cageflow.runs import run_folder
from tests.unit.learn.conftest import one_thread

__all__ = ["one_thread"]


@pytest.fixture(autouse=True)
def checkpoint_after_every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their updates take milliseconds, so that how many lie between two checkpoints would be chance."""
    monkeypatch.setattr(run_folder, "CHECKPOINT_EVERY_S", 0.0)
