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
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search import TrialRequest

PATTERN = "learner_*.pt"

LearnerFile = tuple[str, str]
"""Name and check sum."""


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
        self._orders = {int(number): _learner_file(file) for number, file in saved["orders"].items()}
        self._starts = {int(trial): _learner_file(file) for trial, file in saved["starts"].items()}

    def start_of(self, request: TrialRequest) -> bytes:
        """The learner that a trial begins with: of the order it starts from, as it was when the trial first began.

        Raises:
            UserError: its file is missing, or is not the one that was written.
        """
        assert request.start is not None
        return self._read(self._starts.setdefault(request.trial, self._orders[self._space.rank(request.start)]))

    def check(self) -> None:
        """Refuse files that are not those of the checkpoint; as `start_of`."""
        for file in self._needed():
            self._read(file)

    def keep(self, trial: int, order: Order, content: bytes) -> None:
        """Write the learner that a trial has left; the next checkpoint makes it the order's."""
        name = f"learner_{self._space.rank(order):03d}_trial{trial}.pt"
        write_whole(self._folder / name, content)
        self._orders[self._space.rank(order)] = (name, checksum(content))
        self._starts.pop(trial, None)

    def to_json(self) -> dict[str, Any]:
        """Which files count, as plain data."""
        return {
            "orders": {number: list(file) for number, file in self._orders.items()},
            "starts": {trial: list(file) for trial, file in self._starts.items()},
        }

    def remove_others(self) -> None:
        """Remove the files that count no more; call it when the checkpoint that says so is written."""
        needed = {name for name, _ in self._needed()}
        for path in self._folder.glob(PATTERN):
            if path.name not in needed:
                path.unlink(missing_ok=True)

    def _needed(self) -> set[LearnerFile]:
        return {*self._orders.values(), *self._starts.values()}

    def _read(self, file: LearnerFile) -> bytes:
        path = self._folder / file[0]
        try:
            content = read_whole(path)
        except OSError as error:
            raise UserError(f"the learner {path} cannot be read ({error.strerror}): put the file back") from error
        if checksum(content) != file[1]:
            raise UserError(f"the learner {path} is not the one that was written: put the file back")
        return content


def _learner_file(saved: Any) -> LearnerFile:
    name, sha256 = saved
    return str(name), str(sha256)
