"""The learners of a search between its trials.

Each trial leaves its learner in a file of its own, and the checkpoint names the files that count: what a trial wrote
that no checkpoint knows of is nothing, so it begins anew from where it began before. Files that no checkpoint needs any
more are removed after it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cageflow.errors import UserError
from cageflow.files import checksum, read_whole, write_whole
from cageflow.scenario.orders import Order, OrderSpace, show_order
from cageflow.search import TrialRequest

PATTERN = "learner_*"

LearnerFile = tuple[str, str]
"""Name and check sum."""
Training = tuple[int, int]
"""Number of an order, and which of its trainings, from 1."""


class Learners:
    """The learners' files of a run.

    Args:
        folder: where they stand.
        orders: that there are.
        state: what `to_json` gave at the checkpoint; None before the first.
    """

    def __init__(self, folder: Path, orders: OrderSpace, state: Mapping[str, Any] | None) -> None:
        self._folder = folder
        self._space = orders
        saved = state or {"orders": {}, "starts": {}}
        self._trainings = {_training(name): _learner_file(file) for name, file in saved["orders"].items()}
        self._starts = {int(trial): _learner_file(file) for trial, file in saved["starts"].items()}

    def start_of(self, request: TrialRequest) -> bytes:
        """The learner that a trial begins with: of the training it starts from, as it was when the trial first began.

        Raises:
            UserError: its file is missing, or is not the one that was written.
        """
        assert request.start is not None
        training = (self._space.rank(request.start), request.start_training)
        return self._read(self._starts.setdefault(request.trial, self._trainings[training]))

    def file_of(self, order: Order, training: int) -> Path:
        """Where the learner stands that a training has left.

        Raises:
            UserError: there is none, or as `start_of`.
        """
        file = self._trainings.get((self._space.rank(order), training))
        if file is None:
            raise UserError(f"{self._folder} has no learner of training {training} of {show_order(order)}")
        self._read(file)
        return self._folder / file[0]

    def check(self) -> None:
        """Refuse files that are not those of the checkpoint; as `start_of`."""
        for file in self._needed():
            self._read(file)

    def keep(self, request: TrialRequest, content: bytes) -> None:
        """Write the learner that a trial has left; the next checkpoint makes it its training's."""
        rank = self._space.rank(request.order)
        name = f"learner_{rank:03d}_trial{request.trial}.state"
        write_whole(self._folder / name, content)
        self._trainings[rank, request.training] = (name, checksum(content))
        self._starts.pop(request.trial, None)

    def forget(self, request: TrialRequest) -> None:
        """Have the learner of a trial's training count no more, once nothing goes on from it."""
        self._trainings.pop((self._space.rank(request.order), request.training), None)
        self._starts.pop(request.trial, None)

    def to_json(self) -> dict[str, Any]:
        """Which files count, as plain data."""
        return {
            "orders": {f"{rank}.{training}": list(file) for (rank, training), file in self._trainings.items()},
            "starts": {trial: list(file) for trial, file in self._starts.items()},
        }

    def remove_others(self) -> None:
        """Remove the files that count no more; call it when the checkpoint that says so is written."""
        needed = {name for name, _ in self._needed()}
        for path in self._folder.glob(PATTERN):
            if path.name not in needed:
                path.unlink(missing_ok=True)

    def _needed(self) -> set[LearnerFile]:
        return {*self._trainings.values(), *self._starts.values()}

    def _read(self, file: LearnerFile) -> bytes:
        path = self._folder / file[0]
        try:
            content = read_whole(path)
        except OSError as error:
            raise UserError(f"the learner {path} cannot be read ({error.strerror}): put the file back") from error
        if checksum(content) != file[1]:
            raise UserError(f"the learner {path} is not the one that was written: put the file back")
        return content


def _training(name: str | int) -> Training:
    """Read the name of a training; one without a number is the first, as it was before there were others."""
    rank, _, training = str(name).partition(".")
    return int(rank), int(training or 1)


def _learner_file(saved: Any) -> LearnerFile:
    name, sha256 = saved
    return str(name), str(sha256)
