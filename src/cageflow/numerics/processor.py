"""Which processor computes, and what its arithmetic was compiled for: for the record, since no figure hangs on it."""

from __future__ import annotations

import platform
from pathlib import Path

from cageflow.numerics.shipped_kernels import FEATURES, PROCESSOR, shipped_kernels

WIDE = ("fma", "avx", "avx2", "avx512f", "neon", "sve", "sve2")
"""What a processor can that decides how arithmetic is compiled: products added with one rounding, and vectors."""


def processor_name() -> str:
    """The processor, as the system calls it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def compiled_for() -> dict[str, str]:
    """What Numba compiles for, `NUMBA_CPU_NAME` and `NUMBA_CPU_FEATURES` heeded.

    Returns:
        "numba_target": its name for the processor and what of `WIDE` that has, of code that came with the package where
        there is any.
    """
    from numba.core.registry import cpu_target

    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    able = {one[1:] for one in features.split(",") if one.startswith("+")}
    if shipped_kernels() is not None:
        name, able = PROCESSOR, set(FEATURES)
    has = [one for one in WIDE if one in able]
    return {"numba_target": f"{name}, {' '.join(has) or 'no vectors'}"}
