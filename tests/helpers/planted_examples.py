"""Faults that a worked example must notice: tests/data/example_faults.yaml.

Of what the original has no rule for - actions that take time, ways through any network - no recording can tell; worked
examples do. Run as a program without compilation, it plants every fault, one after the other, calls the tests that are
named with it, and prints as JSON what they say: `NUMBA_DISABLE_JIT=1 python -m tests.helpers.planted_examples`.
"""

import importlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.helpers.planting import Fault, planted, read_faults


@dataclass(frozen=True)
class ExampleFault(Fault):
    """A fault, and the test that notices it: its file below tests/unit, and its name."""

    noticed_by: str


FAULTS = [ExampleFault(file=file, **fault) for file, fault in read_faults("example_faults.yaml")]


def find_test(name: str) -> Callable[..., Any]:
    """The test function of a name like `sim/test_crews.py::test_that`."""
    file, function = name.split("::")
    module = importlib.import_module("tests.unit." + file.removesuffix(".py").replace("/", "."))
    test: Callable[..., Any] = getattr(module, function)
    return test


def cases(test: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """The arguments of each case of a test, as its marks give them; tests with fixtures are none that fit here."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    tables = []
    for mark in marks:
        names, values = mark.args[0], mark.args[1]
        names = [names] if isinstance(names, str) else names
        tables.append([dict(zip(names, row if len(names) > 1 else [row], strict=True)) for row in values])
    for rows in itertools.product(*tables):
        yield {name: value for row in rows for name, value in row.items()}


def complaint(test: Callable[..., Any]) -> str | None:
    """What the first case that fails raises; None where all pass."""
    for arguments in cases(test):
        try:
            test(**arguments)
        except Exception as error:  # a fault may lead anywhere
            return f"{type(error).__name__}: {error}"[:200]
    return None


if __name__ == "__main__":
    tests = {fault.noticed_by: find_test(fault.noticed_by) for fault in FAULTS}
    said = {}
    with np.errstate(all="ignore"):
        sound = {name: complaint(test) for name, test in tests.items()}
        for one in FAULTS:
            with planted(one):
                said[one.name] = complaint(tests[one.noticed_by])
    print(json.dumps({"said": said, "without a fault": sound}))
