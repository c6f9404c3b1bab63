"""A kernel is loaded without what compiling needs, and what is compiled after it has all that."""

import subprocess
import sys

import numba
import numpy as np

from cageflow.numerics import light_loading
from cageflow.numerics.linear import exps

LOADING = """
import sys
import numpy as np
import cageflow.sim.handover
from cageflow.numerics.linear import exps
assert exps(np.zeros(3)).tolist() == [1.0, 1.0, 1.0]
print("numba.np.polynomial.polynomial_core" in sys.modules)
from numba import njit
@njit
def norm(x):
    return np.linalg.norm(x) + len([str(i) for i in range(3)]) + {1: 2.0}[1]
print(norm(np.array([3.0, 4.0])))
print("numba.np.polynomial.polynomial_core" in sys.modules)
"""


def test_kernel__is_loaded_without_what_compiling_needs() -> None:
    exps(np.zeros(3))  # is kept from now on, if it was not
    run = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "10.0", "True"]


def test_other_versions__prepare_for_compiling(monkeypatch) -> None:
    class Target:
        refreshed = 0

        def refresh(self) -> None:
            self.refreshed += 1

    target = Target()
    monkeypatch.setattr(numba, "__version__", "0.99.0")
    light_loading.prepare(target)
    assert target.refreshed == 1
