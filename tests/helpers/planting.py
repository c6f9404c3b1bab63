"""Plants faults in the sources of the package, for as long as a test wants them.

Compiled rules are frozen when they are first called; plain functions can be given other code. So whoever plants faults
in rules runs with NUMBA_DISABLE_JIT=1.
"""

import importlib
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

DATA = Path(__file__).parents[1] / "data"
SOURCES = Path(__file__).parents[2] / "src" / "cageflow"


@dataclass(frozen=True)
class Fault:
    """One fault: a text of a source file, and what stands there instead."""

    name: str
    file: str
    old: str
    new: str

    def apply(self, source: str) -> str:
        """The source with the fault in it."""
        assert self.old in source, (
            f"{self.file} no longer has the text in which the fault {self.name!r} is planted: say in tests/data how it "
            "is planted now"
        )
        return source.replace(self.old, self.new)


def read_faults(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a file of tests/data says of each fault, with the source file that it is planted in."""
    by_file = yaml.safe_load((DATA / name).read_text(encoding="utf-8"))
    return ((file, fault) for file, faults in by_file.items() for fault in faults)


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """Give the functions and tables of one module the fault's code and values, as long as the block lasts."""
    module = importlib.import_module("cageflow." + fault.file.removesuffix(".py").replace("/", "."))
    faulty = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(fault.apply((SOURCES / fault.file).read_text(encoding="utf-8")), fault.file, "exec"), faulty)
    sound, wrong = dict(_functions(vars(module), module.__name__)), dict(_functions(faulty, module.__name__))
    codes = [(function, function.__code__) for function in sound.values()]
    tables = {name: value.copy() for name, value in vars(module).items() if isinstance(value, np.ndarray)}
    for name, function in sound.items():
        function.__code__ = wrong[name].__code__
    for name in tables:
        vars(module)[name][:] = faulty[name]
    try:
        yield
    finally:
        for function, code in codes:
            function.__code__ = code
        for name, values in tables.items():
            vars(module)[name][:] = values


def _functions(names: dict[str, Any], module: str) -> Iterator[tuple[str, types.FunctionType]]:
    """The functions and methods that a module defines itself, by their names."""
    for name, value in names.items():
        if isinstance(value, type):
            if value.__module__ == module:
                yield from ((f"{name}.{inner}", function) for inner, function in _functions(dict(vars(value)), module))
            continue
        inner = getattr(value, "__func__", None) if isinstance(value, staticmethod | classmethod) else value
        inner = value.fget if isinstance(value, property) else inner
        inner = value.func if isinstance(value, cached_property) else inner
        if isinstance(inner, types.FunctionType) and inner.__module__ == module:
            yield name, inner
