"""Plants faults in the simulator and replays the recorded steps in which they must show.

Run as a program without compilation, it plants every fault of the rules, one after the other, and prints as JSON how
many steps of its replay differ: `NUMBA_DISABLE_JIT=1 python -m tests.parity.planting`. Compiled rules are frozen when
they are first called; plain functions can be given other code.
"""

import dataclasses
import importlib
import json
import types
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from cageflow.parity.recording import FIELDS, Recording, load_recording
from cageflow.parity.replay import replay

DATA = Path(__file__).parents[1] / "data"
SOURCES = Path(__file__).parents[2] / "src" / "cageflow"


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault of tests/data/faults.yaml."""

    name: str
    file: str
    old: str
    new: str
    shows: tuple[str, int, int]

    def apply(self, source: str) -> str:
        """The source with the fault in it."""
        assert self.old in source, (
            f"{self.file} no longer has the text in which the fault {self.name!r} is planted: say in "
            "tests/data/faults.yaml how it is planted now"
        )
        return source.replace(self.old, self.new)


def _read() -> list[Fault]:
    by_file = yaml.safe_load((DATA / "faults.yaml").read_text(encoding="utf-8"))
    return [Fault(file=file, **fault) for file, faults in by_file.items() for fault in faults]


FAULTS = _read()
IN_RULES = [fault for fault in FAULTS if fault.file.endswith(".py")]
IN_NETWORK = [fault for fault in FAULTS if fault.file.endswith(".yaml")]


@cache
def _recording(name: str) -> Recording:
    return load_recording(DATA / name)


def steps_that_show(fault: Fault) -> Recording:
    """The recorded steps in which a fault must show."""
    name, episode, steps = fault.shows
    recording = _recording(name)
    return dataclasses.replace(
        recording,
        **{
            field: getattr(recording, field)[episode : episode + 1, : steps + axes.axes.startswith("T+1")]
            for field, axes in FIELDS.items()
        },
    )


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """Give the functions and tables of one module the fault's code and values, as long as the block lasts."""
    module = importlib.import_module("cageflow." + fault.file.removesuffix(".py").replace("/", "."))
    faulty = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(fault.apply((SOURCES / fault.file).read_text(encoding="utf-8")), fault.file, "exec"), faulty)
    codes, tables = [], []
    for name, value in vars(module).items():
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
            codes.append((value, value.__code__))
            value.__code__ = faulty[name].__code__
        elif isinstance(value, np.ndarray):
            tables.append((value, value.copy()))
            value[:] = faulty[name]
    try:
        yield
    finally:
        for function, code in codes:
            function.__code__ = code
        for table, values in tables:
            table[:] = values


if __name__ == "__main__":
    found = {}
    for one in IN_RULES:
        with np.errstate(all="ignore"), planted(one):
            found[one.name] = replay(steps_that_show(one)).mismatches
    with np.errstate(over="ignore"):  # the random stream wraps, which plain NumPy scalars warn of
        sound = sum(replay(steps_that_show(one)).mismatches for one in IN_RULES)
    print(json.dumps({"found": found, "without a fault": sound}))
