"""Trainings of a study that take no time."""

from pathlib import Path
from typing import Any

import pytest

from cageflow.studies.training import Training


def leave_empty_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every training leave an empty policy at once, and be finished when it has."""

    def carry_through(training: Training, *_: Any) -> Path:
        path = training.path / "policies" / "policy.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    monkeypatch.setattr(Training, "carry_through", carry_through)
    monkeypatch.setattr(Training, "is_finished", property(lambda one: (one.path / "policies").exists()))
