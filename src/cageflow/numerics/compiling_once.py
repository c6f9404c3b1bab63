"""Processes that need the same kernels at the same time: one compiles them, the others wait and load what it kept.

Numba's cache knows of no other process, so the workers of a first search would each compile all that the others do.
Here whoever misses a kernel locks the folder where it is to be kept, looks once more, and compiles. Calls go down the
house only, so no two processes wait for each other; what waits too long compiles by itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from pathlib import Path
from typing import Any

from cageflow.numerics.patching import patch_once

PACKAGE = "cageflow"
"""Whose kernels these are."""
LOCK = "compiling.lock"
"""In each folder of kernels: whoever compiles for it has locked it, and has written the module of the function."""
MOST_S = 300.0
"""Longer than all kernels take on a machine that is full."""
POLL_S = 0.02

_folders: set[Path] = set()  # of kernels of ours


class _Mine(threading.local):
    """What this thread is at: how many functions it compiles, one for the sake of the last, and the locks it has."""

    def __init__(self) -> None:
        self.depth = 0
        self.locks: dict[Path, int] = {}


_mine = _Mine()


@patch_once()
def compile_once() -> None:
    """Have Numba compile a kernel of this package in one process at a time, from now on."""
    from numba.core.caching import FunctionCache
    from numba.core.dispatcher import Dispatcher

    begin, load, compile_one = FunctionCache.__init__, FunctionCache.load_overload, Dispatcher.compile

    def beginning(self: Any, function: Any) -> None:
        begin(self, function)
        if function.__module__.partition(".")[0] == PACKAGE:
            _folders.add(Path(self.cache_path))

    def loading(self: Any, signature: Any, target: Any) -> Any:
        kernel = load(self, signature, target)
        folder = Path(self.cache_path)
        if kernel is None and folder in _folders and folder not in _mine.locks:
            with contextlib.suppress(OSError):  # where it cannot be locked, each process compiles
                _mine.locks[folder] = _lock(folder, self._py_func.__module__)
                kernel = load(self, signature, target)
        return kernel

    def compiling(self: Any, signature: Any) -> Any:
        _mine.depth += 1
        try:
            return compile_one(self, signature)
        finally:
            _mine.depth -= 1
            if not _mine.depth:
                while _mine.locks:
                    os.close(_mine.locks.popitem()[1])

    for kind, name, replacement in (
        (FunctionCache, "__init__", beginning),
        (FunctionCache, "load_overload", loading),
        (Dispatcher, "compile", compiling),
    ):
        setattr(kind, name, replacement)


def compiled_elsewhere() -> str | None:
    """A module of ours for which another process compiles at the moment; None where none does."""
    for folder in sorted(_folders):
        try:
            file = os.open(folder / LOCK, os.O_RDONLY)
        except OSError:  # nobody ever has
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.read(file, 1000).decode() or None
        except OSError:
            continue
        finally:
            os.close(file)
    return None


def _lock(folder: Path, module: str) -> int:
    """Wait until nobody else compiles for a folder, and say for what module it is done now; gives the open lock."""
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    give_up_at = time.monotonic() + MOST_S
    while time.monotonic() < give_up_at:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(POLL_S)
            continue
        os.ftruncate(file, 0)
        os.pwrite(file, module.encode(), 0)
        break
    return file
