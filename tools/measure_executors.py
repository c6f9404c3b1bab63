"""Measure what an executor costs: its start, and the way of a task to a worker and back.

    python tools/measure_executors.py process
    python tools/measure_executors.py dask 50

The arguments are the executor and how often a task of each size is sent.
"""

import statistics
import sys
import time

from cageflow.work.executors import make_executor

TRIAL_BYTES = 345_000  # of a task that goes on with a learner


def main(name: str, repeats: int = 200) -> None:
    """Start an executor of two workers and send it tasks that do nothing.

    Args:
        name: of the executor.
        repeats: tasks of each size.
    """
    started = time.perf_counter()
    with make_executor(name, 2) as handle:
        handle.executor.submit(bytes, b"").result()
        print(f"{name}: first task back after {time.perf_counter() - started:.2f} s")
        for size in (0, TRIAL_BYTES):
            seconds = []
            for _ in range(repeats):
                sent = time.perf_counter()
                handle.executor.submit(bytes, bytes(size)).result()
                seconds.append(time.perf_counter() - sent)
            print(f"{name}: {size:,} bytes there and back, median {statistics.median(seconds) * 1000:.1f} ms")
        closing = time.perf_counter()
    print(f"{name}: closed in {time.perf_counter() - closing:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
