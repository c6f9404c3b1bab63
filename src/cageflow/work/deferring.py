"""Signals that wait for a moment, so that what they raise leaves no lock taken."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferring_signals() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM wait until the end of the block.

    An executor takes locks of Python's own. What a handler raises just as one is taken would leave it taken for good,
    and the executor's threads would wait for it where they are to be ended. In other threads, which no signal
    interrupts, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if handler is not None:  # else it is not Python's, and cannot be put back
                before[number] = handler
                signal.signal(number, remember)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])
