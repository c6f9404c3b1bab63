"""A batch shared among threads.

Plain threads that call a loop compiled without the interpreter's lock, and not Numba's own parallel loops: those wait
for each other by spinning, which is a hundred times slower where the machine has other work, and abort a process that
is forked later.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cageflow.errors import UserError


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class BatchThreads:
    """Runs a loop over a batch in slices, one on each thread. Environments are independent: the slices cannot matter.

    Args:
        num_envs: B, the batch.
        num_threads: at most so many, and no more than there are environments.

    Raises:
        UserError: `num_threads` is below 1.
    """

    def __init__(self, num_envs: int, num_threads: int) -> None:
        if num_threads < 1:
            raise UserError(f"num_threads is {num_threads}; at least 1 is possible.")
        self.num_threads = min(num_threads, num_envs)
        bounds = [num_envs * i // self.num_threads for i in range(self.num_threads + 1)]
        self._slices = [slice(a, b) for a, b in zip(bounds, bounds[1:], strict=False)]
        self._pool: ThreadPoolExecutor | None = None
        self._pool_process = 0

    def run(self, loop: Callable[[slice], object]) -> None:
        """Call `loop` with each slice of the batch and wait for all; an error in any is raised."""
        if self.num_threads == 1:
            loop(self._slices[0])
            return
        if self._pool is None or self._pool_process != os.getpid():  # a forked process has no threads of its parent
            self._pool, self._pool_process = ThreadPoolExecutor(self.num_threads - 1), os.getpid()
        others = [self._pool.submit(loop, part) for part in self._slices[1:]]
        loop(self._slices[0])
        for other in others:
            other.result()

    def close(self) -> None:
        """End the threads; another run would start new ones."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def __getstate__(self) -> dict[str, Any]:
        """A copy, in this process or another, starts threads of its own when it first runs."""
        return self.__dict__ | {"_pool": None}
