"""Logs that lose no more than what came after the last checkpoint."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from cageflow.csv_format import csv_text
from cageflow.errors import UserError
from cageflow.files import open_file
from cageflow.runs.interrupt import RunFailedError


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Where a log ended at a checkpoint.

    Attributes:
        length: bytes up to there.
        sha256: check sum of these.
    """

    length: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """The end as plain data."""
        return asdict(self)


class CsvLog:
    """A CSV file that grows by whole lines and can be cut back to a checkpoint; nobody else can open it as one.

    Args:
        path: the file; made if it does not exist and is to begin anew.
        header: names of the columns, separated by commas.
        end: at the checkpoint to which `begin` cuts it back; None to begin anew.

    Raises:
        UserError: it is no file or a link, another process writes it, or it is not the log of the checkpoint. It is
            left as it was.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, header: str, end: LogEnd | None = None) -> None:
        self._path = path
        self._columns = header.split(",")
        self._end = end
        self._sum = hashlib.sha256()
        self._length = 0
        self._synced = -1  # the length that is known to survive
        self._file = _open(path, is_new=end is None)
        try:
            _lock(path, self._file)
            if end is not None:
                self._check(end)
        except UserError:
            self._file.close()
            raise

    def begin(self) -> None:
        """Cut it back to the checkpoint, or to its header."""
        self._file.truncate(0 if self._end is None else self._end.length)
        self._synced = -1
        if self._end is None:
            self._write([self._columns])

    @property
    def end(self) -> LogEnd:
        """Where it ends now."""
        return LogEnd(self._length, self._sum.hexdigest())

    def append(self, rows: Sequence[Sequence[object]]) -> None:
        """Add lines.

        Raises:
            ValueError: a row has not as many values as there are columns.
        """
        for row in rows:
            if len(row) != len(self._columns):
                raise ValueError(f"expected {len(self._columns)} values, got {len(row)}")
        self._write(rows)

    def sync(self) -> None:
        """Make sure that what was appended survives a loss of power.

        Raises:
            RunFailedError: the file has been removed or replaced, so that what was appended is nowhere.
        """
        if self._synced != self._length:
            os.fsync(self._file.fileno())
            self._synced = self._length
        check_still_there(self._path, self._file)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check(self, end: LogEnd) -> None:
        """Read as much as there was at the checkpoint, and refuse it if it is not what there was."""
        self._file.seek(0)
        content = self._file.read(end.length)
        if len(content) < end.length:
            raise UserError(
                f"{self._path} has {len(content)} bytes, but had {end.length} at the checkpoint: put the file back"
            )
        self._sum.update(content)
        self._length = end.length
        if self._sum.hexdigest() != end.sha256:
            raise UserError(f"{self._path} is not as it was at the checkpoint: put the file back")

    def _write(self, rows: Sequence[Sequence[object]]) -> None:
        content = csv_text(rows).encode()
        self._file.write(content)
        self._file.flush()
        self._sum.update(content)
        self._length += len(content)


def check_still_there(path: Path, file: IO[bytes]) -> None:
    """Notice that an open file is no longer the one of its name.

    Raises:
        RunFailedError: it is so.
    """
    try:
        is_same = os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        is_same = False
    if not is_same:
        raise RunFailedError(f"{path} was removed or replaced while the run was going")


def _open(path: Path, is_new: bool) -> IO[bytes]:
    """Open for reading and appending; a link is not followed, since cutting the log back would cut its target.

    Raises:
        UserError: it is missing, a link, has another name, or is no file.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW
    try:
        file = os.fdopen(open_file(path, flags | os.O_CREAT if is_new else flags), "a+b")
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: put the file back") from error
    if os.fstat(file.fileno()).st_nlink > 1:
        file.close()
        raise UserError(f"{path} has another name, whose content would be cut too: put a copy in its place")
    return file


def _lock(path: Path, file: IO[bytes]) -> None:
    """Keep the log to this process, even where the folder's own lock was removed.

    Raises:
        UserError: another process has it.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(f"{path} is being written by another process: wait for it or stop that one") from None
    except OSError:  # a file system without locks, which the folder's lock says
        pass
