"""Names and other text of a user's in Markdown, as what they are and nothing else."""

from __future__ import annotations

import re

_MARKS = re.compile(r"[\\|`*<\[\]$&~]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown reads as more than a character; an underscore within a word is none."""


def plain(text: str) -> str:
    """Text that Markdown shows as it is, in a table too."""
    return _MARKS.sub(lambda mark: f"\\{mark[0]}", text)


def code(text: str) -> str:
    """Text in letters of a program, between as many backticks as it needs, for a line or a cell of a table."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, gap = "`" * (longest + 1), " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{gap}{text.replace('|', chr(92) + '|')}{gap}{fence}"
