"""What a document shows a reader to type: the commands and the Python programs of a Markdown page."""

import re
from dataclasses import dataclass
from typing import NamedTuple

SHELLS = ("sh", "bash", "console", "shell")
PROGRAMS = ("cageflow", "make", "pip", "python", "python3", "dask", "ray", "git", "source")
PROGRAM = re.compile(rf"(?:[A-Z_]+=(?:\$\([^)]*\)|\S+) +)*(?:\.venv/bin/)?(?:{'|'.join(PROGRAMS)}) ")
"""How a command begins: `make ` does and `make` in a sentence does not."""


class Shown(NamedTuple):
    """A line to type, or a program, and where it stands.

    Attributes:
        line: number of its (first) line on the page, from 1.
        text: without the indentation.
    """

    line: int
    text: str


@dataclass(frozen=True)
class Page:
    """What stands on a page, each kind from top to bottom.

    Attributes:
        commands: of blocks, and of the text between backquotes.
        programs: Python, of blocks.
        rest: what indented and unnamed blocks hold besides, such as output.
    """

    commands: tuple[Shown, ...]
    programs: tuple[Shown, ...]
    rest: tuple[Shown, ...]


def read_page(text: str) -> Page:
    """Sort the code on a page of Markdown."""
    commands: list[Shown] = []
    programs: list[Shown] = []
    rest: list[Shown] = []
    for kind, first, lines in _blocks(text):
        if kind == "text":
            commands += _quoted(first, lines)
        elif kind == "python" or (kind == "" and re.match(r"(?:import|from) \w", lines[0])):
            programs.append(Shown(first, "\n".join(lines) + "\n"))
        elif kind in ("", *SHELLS):
            others = []
            for i, line in enumerate(lines):
                if PROGRAM.match(f"{line} ") or (kind in SHELLS and re.match(r"[^#]", line)):
                    commands.append(Shown(first + i, re.sub(r" {2,}# .*", "", line)))
                elif line and kind == "":
                    others.append(line)
            if others:
                rest.append(Shown(first, "\n".join(others)))
    return Page(tuple(commands), tuple(programs), tuple(rest))


def _blocks(text: str) -> list[tuple[str, int, list[str]]]:
    """Paragraphs and blocks of code: (kind, number of the first line, lines).

    The kind is `text`, or the language of a fenced block; none was named for indented ones.
    """
    blocks: list[tuple[str, int, list[str]]] = [("text", 1, [])]
    fenced, blank = False, True
    for number, line in enumerate(text.splitlines(), 1):
        kind, _, lines = blocks[-1]
        if line.startswith("```"):
            fenced = not fenced
            blocks.append((line.strip("` ") if fenced else "text", number + 1, []))
        elif fenced:
            lines.append(line)
        elif line.startswith("    ") and (kind == "" or blank):
            if kind != "":
                blocks.append(("", number, []))
            blocks[-1][2].append(line[4:])
        elif not line.strip():
            if kind == "":
                lines.append("")  # a block may go on after it
            else:
                blocks.append(("text", number + 1, []))
        else:
            if kind != "text":
                blocks.append(("text", number, []))
            blocks[-1][2].append(line)
        blank = not line.strip()
    return [block for block in blocks if any(block[2])]


def _quoted(first: int, lines: list[str]) -> list[Shown]:
    """Commands between backquotes, which may go over the end of a line."""
    found = []
    paragraph = "\n".join(lines)
    for quoted in re.finditer(r"`([^`]+)`", paragraph):
        if PROGRAM.match(quoted[1]):
            found.append(Shown(first + paragraph.count("\n", 0, quoted.start()), " ".join(quoted[1].split())))
    return found
