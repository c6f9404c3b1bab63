"""Reading the CSV logs of a run that may still be writing them."""

from __future__ import annotations

from pathlib import Path

from cageflow.csv_format import CsvFormat, Record
from cageflow.errors import UserError
from cageflow.reading import TextError, parse_rows, read_text


def read_log(path: Path, form: CsvFormat[Record]) -> list[Record]:
    """The records of a log; as `read_lines`.

    Raises:
        UserError: it cannot be read, is no such log, or a line cannot be understood.
    """
    records = []
    for line_number, line in enumerate(read_lines(path, form), start=2):
        try:
            records.append(form.parse(line))
        except ValueError as error:
            raise UserError(f"{path}, line {line_number}: {error}") from error
    return records


def read_lines(path: Path, form: CsvFormat[Record]) -> list[dict[str, str]]:
    """The lines of a log, by column; a last line that is not whole yet is left out.

    Args:
        path: the log; one that is not there is empty.
        form: with whose columns it must begin.

    Raises:
        UserError: it cannot be read, or is no such log.
    """
    if not path.exists():
        return []
    try:
        text = read_text(path)
        rows = parse_rows(text[: text.rfind("\n") + 1])
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except TextError as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    if not rows:
        return []
    header, *lines = rows
    if tuple(header[: len(form.columns)]) != form.columns:
        raise UserError(f"{path} is not a log of this version: expected the columns {form.header}")
    for line_number, cells in enumerate(lines, start=2):
        if len(cells) != len(header):
            raise UserError(f"{path}, line {line_number}: expected {len(header)} values, got {len(cells)}")
    return [dict(zip(header, cells, strict=True)) for cells in lines]
