"""What a page is made of: sections of prose, figures, tables and charts. Plain data, with no word of HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_A_LETTER, PIXELS_BETWEEN, LONG_HEADING = 7.2, 16, 136
"""Of a table: a letter of it, what stands between two columns, and the least that a row's long heading takes."""

Draw = Callable[["Figure", bool], None]
"""Draws on an empty figure; told whether it is the narrow one, for a window of a telephone's width."""


@dataclass(frozen=True)
class Prose:
    """Paragraphs of plain text."""

    kind: ClassVar[str] = "prose"
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Points:
    """A list of short sentences; what stands before the first colon of each is set bold."""

    kind: ClassVar[str] = "points"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Card:
    """One figure to be seen first.

    Attributes:
        label: what it is.
        value: the figure.
        note: its unit, interval or reservation.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Cards:
    """Figures side by side."""

    kind: ClassVar[str] = "cards"
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row is its heading.

    Attributes:
        caption: what it shows, for those who cannot see where it stands.
        columns: headings; one that begins with "#" is of numbers, which stand to the right.
        rows: cells.
        marked: rows to be set off, by number.
        folded: words of the line that unfolds it; empty where it is open.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()
    folded: str = ""

    @property
    def width(self) -> int:
        """About how wide it is, in pixels: for the word that a narrow window shows but a part of it."""
        widths = []
        for i, column in enumerate(self.columns):
            words = max(column.removeprefix("#").split(), key=len, default="")
            cells = [row[i] for row in self.rows]
            if not column.startswith("#"):  # these break into lines
                cells = [max(cell.split(), key=len, default="") for cell in cells]
            least = LONG_HEADING if i == 0 and any(len(row[0]) > 16 for row in self.rows) else 0
            widths.append(max(least, PIXELS_A_LETTER * max(map(len, (words, *cells)))) + PIXELS_BETWEEN)
        return round(sum(widths))

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.caption}: expected {len(self.columns)} cells, got {row}")


@dataclass(frozen=True)
class Chart:
    """A picture.

    Attributes:
        name: of its files, unique in the page.
        title: what it shows, in a few words.
        text: the same and what is to be seen in it, for those who do not see it.
        draw: draws it.
        heights: in pixels, wide and narrow.
        note: how it is to be read.
        table: the figures in it.
    """

    kind: ClassVar[str] = "chart"
    name: str
    title: str
    text: str
    draw: Draw
    heights: tuple[int, int]
    note: str = ""
    table: Table | None = None


@dataclass(frozen=True)
class Code:
    """Lines to be copied.

    Attributes:
        label: what they are.
        text: the lines.
    """

    kind: ClassVar[str] = "code"
    label: str
    text: str


@dataclass(frozen=True)
class Watch:
    """Episodes to be looked at step by step; a page has at most one of them.

    Attributes:
        data: of `watch.data.watch_data`.
        tables: what happens in each, in words.
    """

    kind: ClassVar[str] = "watch"
    data: dict[str, Any]
    tables: tuple[Table, ...]


Block = Prose | Points | Cards | Code | Table | Chart | Watch


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: its anchor.
        title: its heading.
        blocks: what stands in it.
        group: what it belongs to with others, in a word for the navigation.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]
    group: str


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        title: of the window.
        heading: at its top.
        facts: of the run, in a few words each.
        notice: what a reader has to know first, or nothing.
        sections: the rest.
    """

    title: str
    heading: str
    facts: tuple[str, ...]
    notice: str
    sections: tuple[Section, ...]

    @property
    def groups(self) -> tuple[tuple[str, tuple[Section, ...]], ...]:
        """The sections by the groups of the navigation, both in the order of the page."""
        return tuple((name, tuple(part)) for name, part in groupby(self.sections, key=lambda section: section.group))

    @property
    def charts(self) -> tuple[Chart, ...]:
        """All charts, in the order of the page."""
        return tuple(block for section in self.sections for block in section.blocks if isinstance(block, Chart))

    @property
    def watch(self) -> Watch | None:
        """The episodes that it shows."""
        return next((block for section in self.sections for block in section.blocks if isinstance(block, Watch)), None)
