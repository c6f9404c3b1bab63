"""What keeps a run folder to one process."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

from cageflow.errors import UserError
from cageflow.files import open_file
from cageflow.runs.csv_log import check_still_there
from cageflow.runs.interrupt import RunFailedError

LOCK = "lock"
WAIT_STEP_S = 0.1

_held: weakref.WeakSet[FolderLock] = weakref.WeakSet()  # by this process


def _leave_to_parent() -> None:
    """A copy of this process that outlives it must not keep its folders from the one that goes on with them."""
    for lock in tuple(_held):
        lock.close()


os.register_at_fork(after_in_child=_leave_to_parent)


class FolderLock:
    """A lock that is held until it is closed or the process ends; a context manager. No copy of the process holds it.

    Attributes:
        is_effective: whether it keeps others out; False on a file system without locks.
    """

    def __init__(self, folder: Path, path: Path, file: IO[bytes], is_effective: bool) -> None:
        self._folder = folder
        self._path = path
        self._file = file
        self.is_effective = is_effective
        _held.add(self)

    def check(self) -> None:
        """Notice that the lock is gone, so that another process may have begun to write here.

        Raises:
            RunFailedError: it is.
        """
        if not self._folder.is_dir():
            raise RunFailedError(f"{self._folder} was removed while the run was going")
        check_still_there(self._path, self._file)

    def close(self) -> None:
        """Let others in."""
        self._file.close()

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def lock_folder(
    folder: Path, path: Path, say: Callable[[str], None] = lambda words: None, wait_s: float = 0.0
) -> FolderLock:
    """Keep a run folder to this process.

    Args:
        folder: the folder.
        path: a file in it that stands for it; made if it does not exist.
        say: is told where there is no keeping.
        wait_s: seconds for another process to let go.

    Raises:
        UserError: another process has it, or the file is a link or none.
    """
    until = time.monotonic() + wait_s
    while True:
        file = os.fdopen(open_file(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW), "r+b")
        state = _try(file)
        if state == "held":
            file.close()
            if time.monotonic() >= until:
                raise UserError(f"the run in {folder} is still going, in another process: wait for it or stop that one")
            time.sleep(WAIT_STEP_S)
            continue
        if state == "none":
            say(f"{folder} is on a file system without locks: see to it yourself that no second process writes there")
        try:
            check_still_there(path, file)
        except RunFailedError:  # removed between opening and locking
            file.close()
            continue
        return FolderLock(folder, path, file, state == "ours")


def is_locked(path: Path) -> bool:
    """Whether another process has the folder of this lock; asked without keeping it from anyone."""
    try:
        with open(open_file(path, os.O_RDONLY), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, UserError):
        return False
    return False


def _try(file: IO[bytes]) -> str:
    """Lock a file: "ours", "held" by another process, or "none" where the file system knows no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "held"
    except OSError:
        return "none"
    return "ours"
