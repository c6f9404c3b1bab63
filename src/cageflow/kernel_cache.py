"""Where compiled kernels are kept, if neither the package's folder nor the home folder can be written, and their names.

Numba keeps them beside the sources or, failing that, in the user's cache folder. Where neither can be written it gives
up with "cannot cache function: no locator available", as in a container with a read-only file system or under a
service's account. Then a folder among the temporary files does, and where there is none either, nothing is kept.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any

VARIABLE = "NUMBA_CACHE_DIR"
PACKAGE = Path(__file__).parent


def ensure_kernel_cache() -> None:
    """Have Numba find a folder for compiled kernels; call it before any is defined.

    Writes `NUMBA_CACHE_DIR` in the environment of this process, which its children inherit, and says so once, where the
    usual folders cannot be written. Nothing happens where that variable names a folder that can be.
    """
    named = os.environ.get(VARIABLE)
    if named and _can_be_written(Path(named)):
        return
    if _can_be_written(PACKAGE / "sim" / "__pycache__") or _can_be_written(_user_cache() / "numba"):
        return
    folder = _temporary_folder()
    blame = f"{named} ({VARIABLE})" if named else "the folder of the package and your home folder"
    told = logging.getLogger("cageflow")
    if folder is None:
        _keep_nothing()
        told.warning(
            "cageflow: %s cannot be written, nor can temporary files: compiled code is not kept, and every start "
            "compiles anew. Set %s to a folder that can be written.",
            blame,
            VARIABLE,
        )
        return
    os.environ[VARIABLE] = str(folder)
    if "numba" in sys.modules:  # it has read the variable already
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    told.warning(
        "cageflow: %s cannot be written, so compiled code is kept in %s. Set %s to keep it elsewhere.",
        blame,
        folder,
        VARIABLE,
    )


def name_records_by_content() -> None:
    """Have Numba name compiled functions by what a record that they take holds; call it before any is compiled.

    Numba 0.68 puts a number into the name that counts the types of its process. Kernels of two networks, compiled in
    two processes and kept, then have the same names, and where one process loads both, a rule of the one network calls
    a rule of the other: it reads the fields at wrong places.
    """
    from numba.core.types import Record

    def mangling_args(record: Record) -> tuple[str, tuple[int]]:
        return "Record", (int.from_bytes(hashlib.sha256(record.name.encode()).digest()[:8]),)

    Record.mangling_args = property(mangling_args)  # type: ignore[method-assign, assignment]


def _can_be_written(folder: Path) -> bool:
    """Whether Numba could write there: tried as Numba tries it, since the permission bits do not tell."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _user_cache() -> Path:
    """The user's cache folder, as Numba looks for it."""
    if sys.platform == "darwin":
        return Path(os.path.expanduser("~/Library/Caches"))
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))


def _temporary_folder() -> Path | None:
    """A folder among the temporary files that is this user's alone: what is kept there is loaded and run.

    The same one for every process of the user, so that only the first compiles; a new one where somebody else has that
    name.
    """
    try:
        shared = Path(tempfile.gettempdir()) / f"cageflow-kernels-{os.getuid()}"
        try:
            shared.mkdir(mode=0o700, exist_ok=True)
            found = shared.lstat()
            is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
        except OSError:
            is_ours = False
        return shared if is_ours and _can_be_written(shared) else Path(tempfile.mkdtemp(prefix="cageflow-kernels-"))
    except OSError:
        return None


def _keep_nothing() -> None:
    """Have `njit(cache=True)` compile without a cache; kernels that came with the package are still found."""
    from numba.core.caching import CacheImpl, FunctionCache, _CacheLocator

    class Nowhere(_CacheLocator):
        """A folder that cannot be."""

        @classmethod
        def from_function(cls, py_func: Any, py_file: str) -> Nowhere:
            return cls()

        def get_cache_path(self) -> str:
            return os.path.join(__file__, "nowhere")

        def get_source_stamp(self) -> None:
            return None

        def get_disambiguator(self) -> str:
            return ""

    begin = FunctionCache.__init__

    def beginning(self: FunctionCache, py_func: Any) -> None:
        begin(self, py_func)
        self.disable()  # so that nothing is looked for there

    locators: Any = CacheImpl
    locators._locator_classes = [Nowhere]
    FunctionCache.__init__ = beginning  # type: ignore[method-assign, assignment]
