"""The time, for compiled code that says where it went."""

from __future__ import annotations

import time

from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

if config.DISABLE_JIT:  # type: ignore[attr-defined]

    def _now() -> float:
        """The same in plain Python."""
        return time.monotonic()

else:
    from llvmlite import ir

    _WORD = ir.IntType(64)
    _TIME = ir.LiteralStructType([_WORD, _WORD])  # C's timespec where a long has 64 bits

    @intrinsic
    def _now(context):
        """Seconds of a clock that never goes back."""

        def generate(context, builder, signature, args):
            kind = ir.FunctionType(ir.IntType(32), [ir.IntType(32), _TIME.as_pointer()])
            ask = cgutils.get_or_insert_function(builder.module, kind, "clock_gettime")
            here = cgutils.alloca_once(builder, _TIME)
            builder.call(ask, [ir.Constant(ir.IntType(32), time.CLOCK_MONOTONIC), here])
            parts = [builder.extract_value(builder.load(here), i) for i in (0, 1)]
            whole, rest = (builder.sitofp(part, ir.DoubleType()) for part in parts)
            return builder.fadd(whole, builder.fmul(rest, ir.Constant(ir.DoubleType(), 1e-9)))

        return types.float64(), generate


@njit(nogil=True)
def now():
    """Seconds of a clock that never goes back, as `time.monotonic` gives them."""
    return _now()
