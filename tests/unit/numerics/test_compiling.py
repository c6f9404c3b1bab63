"""What is being compiled is told while it is, and nothing afterwards."""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.core import event
from numba.extending import overload

from cageflow.numerics.compiling import being_compiled, watch_compiling
from cageflow.runs.heartbeat import LOADING, waiting_for

heard: list[str] = []


def look() -> None:
    """Say what is being compiled; its compiled form does nothing, and says so when it is made."""


@overload(look)
def _look():
    heard.append(waiting_for(LOADING))
    return lambda: None


def test_function_of_ours__is_named_while_it_is_compiled() -> None:
    watch_compiling()
    watch_compiling()  # a second time changes nothing

    def inner(x):
        look()
        return x + 1.0

    def outer(x):
        return inner(x)

    inner.__module__ = "cageflow.sim.red"
    outer.__module__ = "cageflow.learn.dense"
    inner = njit(inner)
    heard.clear()
    assert njit(outer)(np.float64(1.0)) == 2.0
    assert heard and all(
        words.startswith("compiling the simulator for this machine") and "(inner, function " in words for words in heard
    )
    assert being_compiled() is None
    assert waiting_for(LOADING) == LOADING


def test_function_of_others__is_not_told() -> None:
    watch_compiling()
    said = []

    class Other:
        py_func = len

    with event.trigger_event("numba:compile", data={"dispatcher": Other, "args": (), "return_type": types.none}):
        said.append(being_compiled())
    assert said == [None]
