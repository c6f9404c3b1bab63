"""Functions are compiled together with what they call."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from numba import njit

PROGRAM = """
import numpy as np
from numba.core import event
from cageflow.sim import draws, handover
from cageflow.collect.seeds import action_uniforms

compiled = []

class Watch(event.Listener):
    def on_start(self, started):
        compiled.append(started.data["dispatcher"].py_func.__name__)

    def on_end(self, ended):
        pass

event.register("numba:compile", Watch())
out = np.empty(2)
action_uniforms(np.arange(2, dtype=np.uint64), 3, out)
places = [type(result.entry_point).__name__ for result in draws.mix.overloads.values()]
number = draws.mix(np.uint64(5))
kinds = [type(result.entry_point).__name__ for result in draws.mix.overloads.values()]
print(",".join(compiled), out.tobytes().hex(), places, kinds, number, sep="|")
"""


def run(cache: Path) -> list[str]:
    environ = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip().split("|")


def test_called_functions_are_compiled_for_their_callers_and_for_python_when_it_calls_them(tmp_path: Path) -> None:
    first = run(tmp_path)
    assert first[0].split(",") == ["action_uniforms", "action_uniform", "mix", "unit_of", "mix"]
    assert first[2:4] == ["['Place']", "['builtin_function_or_method']"]
    kept = {path.name.split("-")[0] for path in tmp_path.rglob("*.nbi")}
    assert kept == {"draws.mix", "seeds.action_uniforms"}

    again = run(tmp_path)
    assert again[0] == ""  # all is found in the cache
    assert (again[1], again[4]) == (first[1], first[4])


def test_functions_of_others_are_compiled_as_ever() -> None:
    @njit
    def inner(x):
        return x + 1

    @njit
    def outer(x):
        return inner(x) * 2

    assert outer(np.int64(3)) == 8
    assert [callable(result.entry_point) for result in inner.overloads.values()] == [True]


CALLED_LATER = """
import numpy as np
from numba import njit

@njit
def inner(x):
    return x + 1

@njit
def first(x):
    return inner(x) * 2

@njit
def second(x):
    return inner(x) * 3

@njit
def outer(x):
    nothing = x - x  # which is told only after `first` was taken in
    return first(x) if nothing != 0 else second(x)
"""


def test_what_a_dropped_call_uses_is_there_for_the_next(tmp_path: Path) -> None:
    (tmp_path / "later.py").write_text(CALLED_LATER)
    program = f"""
import importlib.util, sys
import cageflow.sim.handover
spec = importlib.util.spec_from_file_location("cageflow.later", {str(tmp_path / "later.py")!r})
later = importlib.util.module_from_spec(spec)
sys.modules["cageflow.later"] = later
spec.loader.exec_module(later)
print(later.outer(4))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("15", 0), done.stderr
