"""Compiled code that came with the package, so that a first start compiles nothing of what most commands need.

A wheel for one platform (`make compiled-wheel`) holds a file of kernels and a list of them, in the package's folder for
data. They were compiled for every x86-64 processor with AVX2, the level that is called x86-64-v3, and compute the same
as what is compiled for this one. They are read and never written, and only where all that they were compiled from is
the same to the letter: sources, Python, Numba, LLVM, NumPy. Anything else is compiled as ever, and so is what is not
among them, such as the rules for a network of one's own.
"""

from __future__ import annotations

import functools
import hashlib
import json
import pickle
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cageflow.numerics.light_loading import prepare
from cageflow.numerics.patching import patch_once
from cageflow.reading import parse_json

PACKAGE = Path(__file__).parents[1]
KERNELS = PACKAGE / "data" / "kernels.bin"
LIST = PACKAGE / "data" / "kernels.json"

PROCESSOR = "x86-64-v3"
"""LLVM's name of what shipped kernels are compiled for."""
FEATURES = (
    *("cmov", "cx8", "fxsr", "mmx", "sse", "sse2", "64bit"),
    *("cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3"),
    *("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"),
)
"""What every processor of that level can, in LLVM's words."""
USUAL = {
    **{"CPU_NAME": None, "CPU_FEATURES": None, "BOUNDSCHECK": None},
    **{"OPT": 3, "LOOP_VECTORIZE": 1, "SLP_VECTORIZE": 0, "DEBUGINFO_DEFAULT": 0},
}
"""Options of Numba's that change what it compiles: who changes one wants other code than was shipped."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a kernel stands in the file of kernels.

    Attributes:
        start: of its first byte.
        size: in bytes.
        sha256: of these bytes: what differs is not even looked at, since Python and LLVM trust what they load.
    """

    start: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Shipped:
    """The list of kernels.

    Attributes:
        made_with: what they were compiled with, see `made_with`.
        sources: files whose edits can change a kernel, by their path in the package.
        sha256: of these files, see `digest`.
        places: where each kernel stands, by `name_of`.
    """

    made_with: dict[str, str]
    sources: tuple[str, ...]
    sha256: str
    places: dict[str, Place] = field(default_factory=dict)

    def to_json(self) -> str:
        """The list as text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Shipped:
        """The list from text.

        Raises:
            ValueError: it is none.
        """
        content = parse_json(text)
        try:
            places = {
                name: Place(max(int(place["start"]), 0), int(place["size"]), place["sha256"])
                for name, place in content["places"].items()
            }
            sources = tuple(str(one) for one in content["sources"])
            return cls(dict(content["made_with"]), sources, content["sha256"], places)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"no list of kernels: {error}") from error


def made_with() -> dict[str, str]:
    """What decides whether a kernel of another process can be used in this one, but for sources and processor."""
    import llvmlite
    import numba
    import numpy as np
    from llvmlite import binding

    return {
        "python": f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}",
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "numpy": ".".join(np.__version__.split(".")[:2]),
        "platform": binding.get_process_triple().rstrip("0123456789."),  # but for the version that macOS has there
    }


def digest(sources: Sequence[str]) -> str:
    """The sha256 of files of the package, with their names.

    Raises:
        OSError: one cannot be read.
    """
    found = hashlib.sha256()
    for name in sources:
        found.update(f"{name}\0".encode())
        found.update(hashlib.sha256((PACKAGE / name).read_bytes()).digest())
    return found.hexdigest()


def name_of(function: Any, signature: Any) -> str | None:
    """A name for a function compiled for types; None where more than these decides what it does.

    Args:
        function: the Python function.
        signature: Numba's types of its arguments.
    """
    if function.__closure__ is not None or not isinstance(signature, tuple):
        return None
    types = hashlib.sha256("; ".join(str(one) for one in signature).encode()).hexdigest()[:32]
    return f"{function.__module__}:{function.__code__.co_firstlineno}:{function.__qualname__}:{types}"


@functools.cache
def shipped_kernels() -> Shipped | None:
    """The kernels that came with the package, None where there are none or they are not for here; found out once."""
    try:
        shipped = Shipped.from_json(LIST.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not _is_usual() or shipped.made_with != made_with():
        return None
    try:
        return shipped if shipped.sha256 == digest(shipped.sources) else None
    except (OSError, ValueError):
        return None


@patch_once()
def use_shipped_kernels() -> None:
    """Have Numba look among the shipped kernels before it looks into its cache, from now on."""
    if not LIST.exists():
        return
    from numba.core.caching import FunctionCache

    load = FunctionCache.load_overload

    def loading(self: Any, signature: Any, target: Any) -> Any:
        content = _content(self._py_func, signature)
        if content is None:
            return load(self, signature, target)
        prepare(target)
        return self._impl.rebuild(target, pickle.loads(content))

    FunctionCache.load_overload = loading  # type: ignore[method-assign]


def _content(function: Any, signature: Any) -> bytes | None:
    """A shipped kernel as Numba keeps it, None where it is not there or not as it was."""
    shipped = shipped_kernels()
    name = None if shipped is None else name_of(function, signature)
    place = None if shipped is None or name is None else shipped.places.get(name)
    if place is None:
        return None
    try:
        with KERNELS.open("rb") as file:
            file.seek(place.start)
            content = file.read(place.size)
    except (OSError, OverflowError, ValueError):
        return None
    return content if hashlib.sha256(content).hexdigest() == place.sha256 else None


def _is_usual() -> bool:
    """Whether Numba would compile here as it compiles if nothing is said, on a processor that can what is needed."""
    from llvmlite import binding
    from numba import config

    if any(getattr(config, name, usual) != usual for name, usual in USUAL.items()):
        return False
    has = binding.get_host_cpu_features()
    return all(has.get(one, False) for one in FEATURES)
