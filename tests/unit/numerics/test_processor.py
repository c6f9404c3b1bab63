"""The record of a run says which processor computed, and what the arithmetic was compiled for."""

import os
import subprocess
import sys

from cageflow.numerics.processor import compiled_for, processor_name


def test_processor__has_a_name():
    assert processor_name().strip()


def test_target__is_that_of_this_process():
    here = compiled_for()
    assert list(here) == ["numba_target"]
    changed = {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx2,-avx512f,+fma",
    }
    script = "from cageflow.numerics.processor import compiled_for; print(compiled_for())"
    run = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | changed, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == str({"numba_target": "haswell, fma avx2"})


def test_target__is_that_of_kernels_that_came_with_the_package(monkeypatch):
    monkeypatch.setattr("cageflow.numerics.processor.shipped_kernels", lambda: "a list of some")
    assert compiled_for()["numba_target"] == "x86-64-v3, fma avx avx2"
