"""Reading the CSV logs of a run that may still be writing them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from cageflow.errors import UserError


def read_log(path: Path, columns: str) -> list[dict[str, str]]:
    """The lines of a log, by column; a last line that is not whole yet is left out.

    Args:
        path: the log; one that is not there is empty.
        columns: those that it must begin with, separated by commas.

    Raises:
        UserError: it cannot be read, or is no such log.
    """
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from error
    whole = text[: text.rfind("\n") + 1]
    if not whole:
        return []
    header, *lines = csv.reader(io.StringIO(whole))
    wanted = columns.split(",")
    if header[: len(wanted)] != wanted:
        raise UserError(f"{path} is not a log of this version: expected the columns {columns}")
    for line_number, cells in enumerate(lines, start=2):
        if len(cells) != len(header):
            raise UserError(f"{path}, line {line_number}: expected {len(header)} values, got {len(cells)}")
    return [dict(zip(header, cells, strict=True)) for cells in lines]
