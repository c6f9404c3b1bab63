"""Lists that a user writes in one word, with commas between: an entry that holds one stands in double quotes.

The names of files may hold anything, so who writes such a list quotes them (`quoted`), and who reads one takes the
quotes off. A quote in a quoted entry is doubled, as in a CSV file.
"""

from __future__ import annotations

import re

QUOTING = "; a name with a comma in it stands in double quotes"
"""What a sentence says of it that asks for a list of names with weights."""

_NAME = r'\s*(?:"((?:[^"]|"")*)"|([^,]*?))\s*'
_ENTRY = re.compile(_NAME + r"(?:,|\Z)")
_WEIGHTED = re.compile(_NAME + r"(?:=\s*([^,=]*?)\s*)?(?:,|\Z)")
_NEEDS_QUOTES = re.compile(r'[,="]|^\s|\s$')


def quoted(name: str) -> str:
    """A name as it stands in a list: in quotes if it would be read as something else without."""
    return '"' + name.replace('"', '""') + '"' if _NEEDS_QUOTES.search(name) else name


def split_list(text: str) -> list[str]:
    """The entries of "A,B" or of '"A,1",B'."""
    return [_name(entry) for entry in _entries(_ENTRY, text)]


def split_weighted(text: str) -> list[tuple[str, str | None]]:
    """Names and what stands behind the last equals sign of each, of "A=2,B=1" or of '"A,1"=2,B=1'; None without one."""
    return [(_name(entry), entry[3]) for entry in _entries(_WEIGHTED, text)]


def _entries(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """All of them, an empty one behind a last comma included."""
    found, at = [], 0
    while entry := pattern.match(text, at):
        found.append(entry)
        at = entry.end()
        if at == len(text) and not entry.group().endswith(","):
            break
    return found


def _name(entry: re.Match[str]) -> str:
    return entry[2] if entry[1] is None else entry[1].replace('""', '"')
