"""Ending in order when the user or the system asks for it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import ClassVar


class RunStoppedError(KeyboardInterrupt):
    """A run was asked to end and has written its checkpoint.

    As Python's own it passes all that handles errors, so a program that runs a search ends by Ctrl-C as any other.

    Attributes:
        exit_status: what a shell expects, 128 + the signal's number.
    """

    def __init__(self, signal_number: int, advice: str) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}; {advice}")
        self.exit_status = 128 + signal_number


class RunFailedError(Exception):
    """A run cannot go on, by no fault of its settings; its last checkpoint is intact.

    Attributes:
        exit_status: that of a command whose answer is no.
    """

    exit_status: ClassVar[int] = 1


class StopRequest:
    """Whether a signal has asked for the end; looked at between updates.

    Args:
        advice: how to go on with the run; an attribute.
        say: is told at once that the signal has been seen, in its handler.
    """

    def __init__(self, advice: str, say: Callable[[str], None]) -> None:
        self.advice = advice
        self._say = say
        self._signal_number: int | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a signal has come."""
        return self._signal_number is not None

    def check(self) -> None:
        """Raise `RunStoppedError` if a signal has come."""
        if self._signal_number is not None:
            raise RunStoppedError(self._signal_number, self.advice)

    def note(self, signal_number: int, _frame: FrameType | None) -> None:
        """Remember the signal; a second one ends the process as it always does."""
        self._signal_number = signal_number
        signal.signal(signal_number, signal.SIG_DFL)
        self._say(f"{signal.Signals(signal_number).name}: stopping as soon as all is on disk; again to stop at once")


@contextlib.contextmanager
def catching_signals(advice: str, say: Callable[[str], None]) -> Iterator[StopRequest]:
    """Turn Ctrl-C and SIGTERM into a request that the run meets at its next checkpoint; `StopRequest` has the rest.

    In another thread than the main one, which alone is sent signals, nothing is ever asked.
    """
    request = StopRequest(advice, say)
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, request.note) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
