"""How records reach compiled code.

Rules read records by attribute, so that they run alike compiled and not; NumPy's own recarrays and record scalars are
slow to hand over, though: 25 microseconds a call against 1 for plain arrays of the same memory. Compiled loops
therefore take plain arrays, a single record as an array of one. Without compilation they take recarrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import config

from cageflow.kernel_cache import name_records_by_content
from cageflow.numerics.compiling import watch_compiling
from cageflow.numerics.compiling_once import compile_once
from cageflow.numerics.light_loading import load_lightly
from cageflow.numerics.shipped_kernels import use_shipped_kernels
from cageflow.numerics.together import compile_together
from cageflow.numerics.typing_once import type_once
from cageflow.sim.state import Array

name_records_by_content()
watch_compiling()
load_lightly()
compile_once()
compile_together()
type_once()
use_shipped_kernels()

JIT_DISABLED = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]


def plain(records: Array) -> Array:
    """A view of (B,) records that is quick to hand over."""
    return records.view(np.recarray) if JIT_DISABLED else records.view(np.ndarray)


def row(record: Any) -> Array:
    """(1,) copy of one record, such as a network's tables or a run's settings."""
    return plain(np.asarray(record).reshape(1))
