"""The record of a run says which processor computed, and what the arithmetic was compiled for."""

import os
import subprocess
import sys

from cageflow.numerics.processor import compiled_for, processor_name


def test_processor__has_a_name():
    assert processor_name().strip()


def test_target__is_that_of_this_process():
    here = compiled_for()
    assert list(here) == ["numba_target", "torch_target"]
    changed = {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx2,-avx512f,+fma",
        "ATEN_CPU_CAPABILITY": "default",
    }
    script = "from cageflow.numerics.processor import compiled_for; print(compiled_for())"
    run = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | changed, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == str({"numba_target": "haswell, fma avx2", "torch_target": "DEFAULT"})
