"""Of two processes that need a kernel one compiles it, and the other is told of it, waits and loads it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cageflow.numerics import compiling_once
from cageflow.numerics.compiling import being_compiled

PROBE = """
import time
from numba import njit
from numba.extending import overload

def look(x):
    pass

@overload(look)
def _look(x):
    print("compiled", flush=True)
    time.sleep(1.0)  # as a large kernel takes
    return lambda x: None

@njit(cache=True)
def kernel(x):
    look(x)
    return x + 1.0
"""
PROGRAM = """
import sys
from cageflow.numerics import compiling_once
compiling_once.PACKAGE = "probe"
if sys.argv[1] == "locked":
    compiling_once.compile_once()
from probe import kernel
print("ready", flush=True)
sys.stdin.readline()
print(kernel(1.0), flush=True)
"""


def compiled_by_two(folder: Path, how: str) -> int:
    """How many of two processes that begin together compile a kernel."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    (folder / "probe.py").write_text(PROBE)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache"), "NUMBA_DISABLE_JIT": "0"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    both = [subprocess.Popen([sys.executable, str(program), how], **pipes) for _ in range(2)]
    for process in both:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=100)[0] for process in both]
    assert all(words.endswith("2.0\n") for words in said), said
    return sum("compiled" in words for words in said)


def test_kernel__is_compiled_by_one_of_two_processes(tmp_path: Path) -> None:
    assert compiled_by_two(tmp_path, "locked") == 1


def test_kernel__is_compiled_by_both_without_the_lock(tmp_path: Path) -> None:
    assert compiled_by_two(tmp_path, "alone") == 2


def test_what_another_process_compiles_is_told_while_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling_once, "_folders", {tmp_path / "none", tmp_path})
    assert being_compiled() is None
    lock = compiling_once._lock(tmp_path, "cageflow.sim.red")
    assert (
        being_compiled()
        == "compiling the simulator for this machine, which is kept for the next time (in another process)"
    )
    os.close(lock)
    assert being_compiled() is None


def test_lock__is_waited_for_and_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling_once, "MOST_S", 0.1)
    first, second = (compiling_once._lock(tmp_path, name) for name in ("cageflow.sim.a", "cageflow.sim.b"))
    assert (tmp_path / compiling_once.LOCK).read_text() == "cageflow.sim.a"
    os.close(first)
    os.close(second)
