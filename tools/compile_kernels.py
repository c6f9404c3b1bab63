"""Compile what most commands need, for every x86-64 processor with AVX2: `python -m tools.compile_kernels FOLDER`.

Commands are run as a user runs them, small, in an environment in which Numba compiles for that level of processors.
What its cache holds then becomes the file of kernels and the list of them (`cageflow.numerics.shipped_kernels`), which
`make compiled-wheel` puts into a wheel. It takes some minutes.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pickle
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cageflow.numerics.shipped_kernels import (
    FEATURES,
    KERNELS,
    LIST,
    PACKAGE,
    PROCESSOR,
    Place,
    Shipped,
    digest,
    made_with,
    name_of,
)
from hatch_build import wheel_platform
from tools.numba_cache_dir import compiled_sources

KEPT = "--kept"
LISTING = 6
"""Where the listing stands among the parts of a kernel as Numba 0.68 keeps it (`CompileResult._reduce`)."""
ROOT = PACKAGE.parents[1]
TARGET = {"NUMBA_CPU_NAME": PROCESSOR, "NUMBA_CPU_FEATURES": ",".join(f"+{one}" for one in FEATURES)}

SMALL = "--quiet --seed 1 --evaluation-episodes 30"
COMMANDS = (
    "search --red-agent bline --total-episodes 20000 --quiet --seed 1 --run-dir search",
    f"train --no-workflow --red-agent bline --total-episodes 600 {SMALL} --run-dir plain",
    f"search --workflow-mode rewarded --strategy gp-ucb --total-episodes 600 --max-episodes-per-workflow 200 {SMALL}",
    f"train --preset champion --no-workflow --total-episodes 1200 {SMALL}",
    "report search --evaluation-episodes 100",
    "evaluate search --evaluation-episodes 30",
    "evaluate champion champion-ordered react sleep --evaluation-episodes 30",
    "evaluate champion champion-ordered react sleep --evaluation-episodes 30 --rules challenge",
    "play --blue search --red-agent bline --max-steps 3",
    "watch champion --max-steps 3 --out watch.html",
)
"""What is to start quickly. The first has trainings long enough to need all that a search does."""
NETWORKS = ("plant", "clinic", "campus")
"""Each has rules of its own: its records are of other types."""


def commands() -> tuple[str, ...]:
    """All that is run."""
    of_networks = (
        (
            f"train --scenario {name} --no-workflow --red-agent meander --total-episodes 200 {SMALL} --run-dir {name}",
            f"evaluate {name} --evaluation-episodes 30 --red-agent bline",
        )
        for name in NETWORKS
    )
    return (*COMMANDS, *(command for pair in of_networks for command in pair))


def run_all(programs: Sequence[Sequence[str]], cache: Path) -> None:
    """Run Python's programs with a folder as Numba's cache, one after the other, in a folder of their own."""
    env = os.environ | TARGET | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": f"{PACKAGE.parent}:{ROOT}"}
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            print(*program, flush=True)
            subprocess.run([sys.executable, *program], env=env, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def modules() -> list[str]:
    """Modules of the package that have kernels."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if b"@njit" in path.read_bytes()]
    return [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths]


def kernels_of(module: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of what Numba's cache of this process holds of a module's, compiled for its target."""
    from numba.core.caching import FunctionCache
    from numba.core.dispatcher import Dispatcher
    from numba.core.registry import cpu_target

    target = cpu_target.target_context.codegen().magic_tuple()
    for value in list(vars(importlib.import_module(module)).values()):
        if not isinstance(value, Dispatcher) or value.py_func.__module__ != module:
            continue
        if not isinstance(value._cache, FunctionCache):
            continue
        kept = value._cache._cache_file
        for (signature, compiled_for, _), file in kept._load_index().items():
            name = name_of(value.py_func, signature)
            if name is not None and compiled_for == target:
                yield name, _without_listing(Path(kept._data_path(file)).read_bytes())


def _without_listing(content: bytes) -> bytes:
    """A kernel as Numba keeps it without the listing of its sources, which names folders of this machine."""
    from numba.core.serialize import dumps

    parts = list(pickle.loads(content))
    parts[LISTING] = ""
    smaller: bytes = dumps(tuple(parts))
    return smaller


def write(folder: Path, kernels: Iterable[tuple[str, bytes]]) -> Shipped:
    """Write the file of kernels and the list of them.

    Args:
        folder: is made where it is not there.
        kernels: names and contents.
    """
    sources = tuple(path.relative_to(PACKAGE).as_posix() for path in compiled_sources(ROOT))
    places: dict[str, Place] = {}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / KERNELS.name).open("wb") as file:
        for name, content in sorted(kernels):
            places[name] = Place(file.tell(), len(content), hashlib.sha256(content).hexdigest())
            file.write(content)
    shipped = Shipped(made_with(), sources, digest(sources), places)
    (folder / LIST.name).write_text(shipped.to_json(), encoding="utf-8")
    return shipped


def main(words: Sequence[str]) -> None:
    """Compile and write; with `KEPT` before the folder: write what the cache holds that the environment names."""
    folder = Path(words[-1]).resolve()
    if words[0] == KEPT:
        write(folder, (kernel for module in modules() for kernel in kernels_of(module)))
        return
    try:
        wheel_platform(made_with()["platform"])
    except ValueError as error:
        sys.exit(f"Error: {error}.")
    with tempfile.TemporaryDirectory() as cache:
        typed = [("-m", "cageflow", *shlex.split(command)) for command in commands()]
        run_all([*typed, ("-m", "tools.compile_kernels", KEPT, str(folder))], Path(cache))
    places = Shipped.from_json((folder / LIST.name).read_text(encoding="utf-8")).places
    print(f"{len(places)} kernels, {sum(one.size for one in places.values()) / 1e6:.1f} MB, in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
