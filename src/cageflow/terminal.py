"""Words for the terminal: text from files can hold what a terminal obeys, so all text passes here on its way out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for tab and line break, and what turns the direction of writing."""


def clean(text: str) -> str:
    r"""Text that a terminal only shows: a control character becomes its code, such as \\x1b."""
    return _OBEYED.sub(lambda found: ascii(found.group())[1:-1], text)


def say(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Print words, cleaned, on standard output or standard error."""
    stream = sys.stderr if err else sys.stdout
    stream.write(clean(text) + end)
    stream.flush()


class CleanConsole(Console):
    """Rich's console, of which no text comes out that a terminal obeys; its own colours and moves do."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of what is to be shown."""
        for segment in super().render(renderable, options):
            if segment.control or not _OBEYED.search(segment.text):
                yield segment
            else:
                yield Segment(clean(segment.text), segment.style, segment.control)


def make_console(*, stderr: bool = False, **settings: Any) -> Console:
    """A console for standard output or standard error."""
    return CleanConsole(stderr=stderr, **settings)
