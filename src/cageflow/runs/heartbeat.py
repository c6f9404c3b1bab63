"""A sign of life where nothing has been said for a while."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType

from cageflow.numerics.compiling import being_compiled
from cageflow.terminal import OutputError

LOADING = "loading, and compiling what has changed since the last run"
"""What a command is at until it says something else."""
FIRST_S, MOST_S = 2.0, 60.0
"""Silence before the first sign of life, and the longest before another: each one doubles the wait."""


def waiting_for(doing: str) -> str:
    """What a command that is at something waits for: the compiler, if that is at work in this process."""
    return being_compiled() or doing


class Heartbeat:
    """Calls a function from a thread of its own while nothing else is heard; a context.

    Args:
        beat: is told the seconds since the last `note`.
        first_s: silence before the first call, `FIRST_S` unless given; each further one waits twice as long.
    """

    def __init__(self, beat: Callable[[float], None], first_s: float | None = None) -> None:
        self._beat = beat
        self._first_s = FIRST_S if first_s is None else first_s
        self._heard = self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def note(self) -> None:
        """Something was heard."""
        with self._changed:
            self._heard = True
            self._changed.notify()

    def close(self) -> None:
        """Listen no more; a call that is under way has ended when this returns. May be called again."""
        with self._changed:
            self._over = True
            self._changed.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Heartbeat:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        since, wait_s = time.monotonic(), self._first_s
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._heard or self._over, wait_s)
                if self._over:
                    return
                if self._heard:
                    self._heard = False
                    since, wait_s = time.monotonic(), self._first_s
                    continue
            with contextlib.suppress(
                OSError, ValueError, OutputError
            ):  # who listened has gone; the command will find out
                self._beat(time.monotonic() - since)
            wait_s = max(self._first_s, min(2.0 * wait_s, MOST_S))
