"""Name the folder for Numba's disk cache after what is compiled.

Numba looks only at the file of the function it loads: after an edit in another file, a cached caller goes on running
the old callee. A folder named by a hash of all compiled sources cannot hide an edit, and is quick when nothing changed.
The Makefile and tests/conftest.py set NUMBA_CACHE_DIR to it.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

ALWAYS_COMPILED = ("sim", "scenario", "workflow")
_USES_NUMBA = re.compile(rb"\bnumba\b")


def compiled_sources(root: Path) -> list[Path]:
    """List the Python files whose edits can change compiled code.

    These are all files of the three packages that the kernels are made of, and of any other package in which a file
    speaks of Numba, since a kernel there may freeze a constant of its neighbour.

    Args:
        root: the project's folder.

    Returns:
        The files, sorted.
    """
    package = root / "src" / "cageflow"
    by_folder: dict[str, list[Path]] = {}
    for path in sorted(package.rglob("*.py")):
        by_folder.setdefault(path.relative_to(package).parts[0], []).append(path)
    return [
        path
        for folder, paths in sorted(by_folder.items())
        if folder in ALWAYS_COMPILED or any(_USES_NUMBA.search(path.read_bytes()) for path in paths)
        for path in paths
    ]


def numba_cache_dir(root: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Give the cache folder for the sources as they stand, apart for code compiled with bounds checks.

    Args:
        root: the project's folder.
        environ: where NUMBA_BOUNDSCHECK is read, which Numba's own cache does not tell apart.

    Returns:
        `root/.numba_cache/<hash>`; nothing is created.
    """
    digest = hashlib.sha256()
    for path in compiled_sources(root):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    boundscheck = environ.get("NUMBA_BOUNDSCHECK", "0") not in ("", "0")
    return root / ".numba_cache" / (digest.hexdigest()[:16] + ("-boundscheck" if boundscheck else ""))


if __name__ == "__main__":
    print(numba_cache_dir(Path(__file__).resolve().parents[1]))
