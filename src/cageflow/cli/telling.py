"""What a command says while it works: on standard error, and never nothing for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from cageflow import terminal
from cageflow.runs.heartbeat import LOADING, Heartbeat, waiting_for

if TYPE_CHECKING:
    from rich.status import Status

INTERVAL_S = 5.0
"""Between lines on how far a command is, where it is no terminal that they are written to."""


class Telling:
    """Says what a command does: a line for each thing, and how far it is; a context.

    In a terminal how far it is stands in one line that changes; elsewhere it is written every few seconds. Where the
    command says nothing for 2 seconds, it is said what it was at, and for how long.

    Args:
        doing: what the command is at from the beginning.
        quiet: whether to say nothing.
    """

    def __init__(self, doing: str = LOADING, quiet: bool = False) -> None:
        self._doing = doing
        self._quiet = quiet
        self._since = self._last_line_at = time.monotonic()
        self._status: Status | None = None
        self._of_status: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._heartbeat = Heartbeat(self._beat)

    def __call__(self, words: str) -> None:
        """Say something, which is also what the command is at from now on."""
        self._set(words)
        if not self._quiet:
            self._print(words)

    def doing(self, words: str) -> None:
        """Say what the command is at, such as "replays, 3 of 9", where that has not been said just before."""
        self._set(words)
        if not self._quiet and self._status is None and time.monotonic() - self._last_line_at >= INTERVAL_S:
            self._print(words)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Have the line that changes out of the way while something else is printed."""
        if self._status is not None:
            self._status.stop()
        yield
        if self._status is not None:
            self._status.start()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have no threads of its own, so that this process can be copied; nothing is said by itself meanwhile."""
        self._stop()
        try:
            yield
        finally:
            self._heartbeat = Heartbeat(self._beat)
            self._start()

    def counting(self, what: str) -> Callable[[int, int], None]:
        """A function that is told how much of something is done, and says so."""
        return lambda done, whole: self.doing(f"{what}, {done:,} of {whole:,}")

    def __enter__(self) -> Telling:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        if self._quiet:
            return
        from rich.text import Text

        console = terminal.make_console(stderr=True)
        if console.is_terminal:
            others = threading.enumerate()
            self._status = console.status(Text(self._doing))
            self._status.start()
            self._of_status = [thread for thread in threading.enumerate() if thread not in others]
        self._heartbeat.start()

    def _stop(self) -> None:
        self._heartbeat.close()
        if self._status is not None:
            self._status.stop()
            self._status = None
        for thread in self._of_status:  # which Rich does not wait for
            thread.join()
        self._of_status = []

    def _set(self, words: str) -> None:
        self._doing, self._since = words, time.monotonic()
        self._show(words)
        self._heartbeat.note()

    def _show(self, words: str) -> None:
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(words))

    def _beat(self, _silence_s: float) -> None:
        words = f"{waiting_for(self._doing)}, {time.monotonic() - self._since:.0f} s so far"
        if self._status is None:
            self._print(words)
        else:
            self._show(words)

    def _print(self, words: str) -> None:
        with self._lock:
            self._last_line_at = time.monotonic()
            if self._status is None:
                terminal.say(words, err=True)
            else:
                self._status.console.print(words, markup=False, highlight=False, soft_wrap=True)
