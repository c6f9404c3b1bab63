"""Logs that lose no more than what came after the last checkpoint."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO


class CsvLog:
    """A CSV file that grows by whole lines and can be cut back to a checkpoint.

    Args:
        path: the file; begun with the header if it does not exist.
        header: names of the columns, separated by commas.
        length: bytes to keep of an existing file, as `length` was at the checkpoint; None keeps all of it.
    """

    def __init__(self, path: Path, header: str, length: int | None = None) -> None:
        self._num_columns = header.count(",") + 1
        is_new = not path.exists()
        self._file: IO[bytes] = path.open("ab")
        if is_new or length == 0:
            self._file.truncate(0)
            self._write([header.split(",")])
        elif length is not None:
            self._file.truncate(length)

    @property
    def length(self) -> int:
        """Bytes written so far."""
        self._file.flush()
        return os.fstat(self._file.fileno()).st_size

    def append(self, rows: Sequence[Sequence[object]]) -> None:
        """Add lines.

        Raises:
            ValueError: a row has not as many values as there are columns.
        """
        for row in rows:
            if len(row) != self._num_columns:
                raise ValueError(f"expected {self._num_columns} values, got {len(row)}")
        self._write(rows)

    def sync(self) -> None:
        """Make sure that what was appended survives a loss of power."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write what is left and close the file."""
        self._file.close()

    def _write(self, rows: Sequence[Sequence[object]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._file.write(text.getvalue().encode())
        self._file.flush()
