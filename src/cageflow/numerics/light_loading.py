"""Loading compiled code without all that Numba needs to compile more, which takes three times as long as loading it."""

from __future__ import annotations

from typing import Any

from cageflow.numerics.patching import KNOWN_VERSIONS, patch_once

PACKAGE = "cageflow"


@patch_once()
def load_lightly() -> None:
    """Have Numba load the kernels of this package so from now on; what is compiled prepares itself."""
    from numba.core.caching import FunctionCache

    load = FunctionCache.load_overload

    def loading(self: Any, signature: Any, target: Any) -> Any:
        if self._py_func.__module__.partition(".")[0] != PACKAGE or not _is_known():
            return load(self, signature, target)
        prepare(target)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(signature, target)

    FunctionCache.load_overload = loading  # type: ignore[method-assign]


def prepare(target: Any) -> None:
    """Prepare what compiled code is for, Numba's `CPUContext`, for a kernel of this package to be loaded.

    All it has from outside is what manages memory.
    """
    if not _is_known():
        target.refresh()
        return
    from numba.core.runtime.nrt import rtsys

    rtsys.initialize(target)


def _is_known() -> bool:
    """Whether it is known of this Numba what its kept code needs; others prepare as they always did."""
    import numba

    return bool(numba.__version__.startswith(KNOWN_VERSIONS))
