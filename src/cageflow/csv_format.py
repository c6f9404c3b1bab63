"""CSV tables as records: a column stands once, at the field of the record that it holds, for who writes and who reads.

@dataclass(frozen=True)
class Row:
order: Annotated[Order, Column("Workflow", log_order, read_order)]
reward: Annotated[float, decimals("Reward", 4)]

ROWS = CsvFormat(Row)
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: in the first line.
        write: a value as its cell.
        read: a cell as its value; raises ValueError where it is none.
    """

    name: str
    write: Callable[[Any], str] = str
    read: Callable[[str], Any] = str


def whole(name: str) -> Column:
    """A column of whole numbers."""
    return Column(name, read=int)


def flag(name: str) -> Column:
    """A column of yes and no, as 1 and 0."""
    return Column(name, lambda value: str(int(value)), lambda cell: bool(int(cell)))


def decimals(name: str, digits: int) -> Column:
    """A column of numbers with so many digits after the point."""
    return Column(name, lambda value: f"{value:.{digits}f}", float)


def significant(name: str, digits: int) -> Column:
    """A column of numbers with so many significant digits."""
    return Column(name, lambda value: f"{value:.{digits}g}", float)


def table(name: str, digits: int) -> Column:
    """A column of tables of numbers with so many significant digits: blanks between numbers, `;` between rows."""

    def write(rows: Sequence[Sequence[float]]) -> str:
        return ";".join(" ".join(f"{value:.{digits}g}" for value in row) for row in rows)

    def read(cell: str) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(map(float, row.split())) for row in cell.split(";"))

    return Column(name, write, read)


def or_none(column: Column) -> Column:
    """The column with empty cells where there is None."""
    return Column(
        column.name,
        lambda value: "" if value is None else column.write(value),
        lambda cell: column.read(cell) if cell else None,
    )


def or_nan(column: Column) -> Column:
    """The column with empty cells where a figure is not a number."""
    return Column(
        column.name,
        lambda value: "" if math.isnan(value) else column.write(value),
        lambda cell: column.read(cell) if cell else math.nan,
    )


class CsvFormat(Generic[Record]):
    """How records of a kind stand in a CSV file.

    Args:
        record: a dataclass each of whose fields is annotated with its `Column`, or is such a dataclass itself, whose
            columns then stand in its place.
    """

    def __init__(self, record: type[Record]) -> None:
        self._record = record
        self._columns: dict[str, Column | CsvFormat[Any]] = {}
        hints = get_type_hints(record, include_extras=True)
        for field in fields(record):
            hint = hints[field.name]
            is_record = isinstance(hint, type) and is_dataclass(hint)
            self._columns[field.name] = CsvFormat(hint) if is_record else hint.__metadata__[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(
            name
            for part in self._columns.values()
            for name in (part.columns if isinstance(part, CsvFormat) else (part.name,))
        )

    @property
    def header(self) -> str:
        """The first line, without its end."""
        return ",".join(self.columns)

    def cells(self, record: Record) -> list[str]:
        """The line of a record."""
        cells: list[str] = []
        for name, part in self._columns.items():
            value = getattr(record, name)
            cells += part.cells(value) if isinstance(part, CsvFormat) else [part.write(value)]
        return cells

    def parse(self, line: Mapping[str, str]) -> Record:
        """The record of a line, which may have further columns.

        Raises:
            ValueError: a cell cannot be understood.
        """
        values = {
            name: part.parse(line) if isinstance(part, CsvFormat) else part.read(line[part.name])
            for name, part in self._columns.items()
        }
        return self._record(**values)


def csv_text(lines: Iterable[Sequence[object]]) -> str:
    """Lines as the text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
