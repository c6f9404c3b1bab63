"""Ending in order when the user or the system asks for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class RunStoppedError(Exception):
    """A run was asked to end and has written its checkpoint.

    Attributes:
        exit_status: what a shell expects, 128 + the signal's number.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.exit_status = 128 + signal_number


class StopRequest:
    """Whether a signal has asked for the end; looked at between updates."""

    def __init__(self) -> None:
        self._signal_number: int | None = None

    def check(self) -> None:
        """Raise `RunStoppedError` if a signal has come."""
        if self._signal_number is not None:
            raise RunStoppedError(self._signal_number)

    def note(self, signal_number: int, _frame: FrameType | None) -> None:
        """Remember the signal; a second one ends the process as it always does."""
        self._signal_number = signal_number
        signal.signal(signal_number, signal.SIG_DFL)


@contextmanager
def catching_signals() -> Iterator[StopRequest]:
    """Turn Ctrl-C and SIGTERM into a request that the run meets at its next checkpoint."""
    request = StopRequest()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, request.note) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
