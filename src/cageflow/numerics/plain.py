"""Whether compiled code runs as plain Python, where what is written in the compiler's own terms has a stand-in."""

from numba import config

JIT_DISABLED = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]
