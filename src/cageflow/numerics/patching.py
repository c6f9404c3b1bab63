"""Changes of Numba's inner workings: each is made once a process, and only of versions whose workings are known."""

from __future__ import annotations

import functools
from collections.abc import Callable

KNOWN_VERSIONS = ("0.68.",)
"""Versions of Numba whose compiler is known so well; others compile as they always did."""


def patch_once(*versions: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Have a function that changes Numba do so at its first call alone, and not at all where Numba is another.

    Args:
        versions: how those begin that it is for; none is for all.
    """

    def decorate(patch: Callable[[], None]) -> Callable[[], None]:
        @functools.cache
        def patch_at_first() -> None:
            import numba

            if not versions or numba.__version__.startswith(versions):
                patch()

        functools.update_wrapper(patch_at_first, patch)
        return patch_at_first

    return decorate
