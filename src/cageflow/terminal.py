"""Words for the terminal: text from files can hold what a terminal obeys, so all text passes here on its way out."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Iterable
from typing import IO, Any, ClassVar, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for tab and line break, and what turns the direction of writing."""


class OutputError(Exception):
    """Standard output or standard error cannot be written, by no fault of any file.

    Attributes:
        exit_status: that of a command that broke down.
    """

    exit_status: ClassVar[int] = 1


def clean(text: str) -> str:
    r"""Text that a terminal only shows: a control character becomes its code, such as \\x1b."""
    return _OBEYED.sub(lambda found: ascii(found.group())[1:-1], text)


def say(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Print words, cleaned, on standard output or standard error.

    Raises:
        OutputError: it cannot be written.
        BrokenPipeError: nobody reads it any more.
    """
    stream = _Stream("stderr" if err else "stdout")
    stream.write(clean(text) + end)
    stream.flush()


def make_console(*, stderr: bool = False, **settings: Any) -> Console:
    """A console for standard output or standard error, as they are when it writes; see `say` for its errors.

    What it prints is taken as it stands: square brackets in a name are no markup.
    """
    return CleanConsole(file=cast(IO[str], _Stream("stderr" if stderr else "stdout")), markup=False, **settings)


class CleanConsole(Console):
    """Rich's console, of which no text comes out that a terminal obeys; its own colours and moves do."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of what is to be shown."""
        for segment in super().render(renderable, options):
            if segment.control or not _OBEYED.search(segment.text):
                yield segment
            else:
                yield Segment(clean(segment.text), segment.style, segment.control)


class _Stream:
    """Standard output or standard error by name, so that a failure to write is told from that of a file."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def _file(self) -> Any:
        file = getattr(sys, self._name)
        return getattr(file, "rich_proxied_file", file)  # Rich puts itself there while a picture moves

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write text.

        Raises:
            OutputError: it cannot be written.
        """
        with self._telling():
            return int(self._file.write(text))

    def flush(self) -> None:
        """Hand on what was written, likewise."""
        with self._telling():
            self._file.flush()

    @contextlib.contextmanager
    def _telling(self) -> Any:
        try:
            yield
        except OSError as error:
            if error.errno == errno.EPIPE:  # who reads has gone: that is no failure, and the command line ends quietly
                raise
            what = "standard output" if self._name == "stdout" else "standard error"
            with contextlib.suppress(
                AttributeError, OSError, ValueError
            ):  # or Python would say it once more at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._file.fileno())
            raise OutputError(f"{what} cannot be written: {error.strerror}") from error
