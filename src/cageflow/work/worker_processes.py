"""Worker processes of this machine that die alone, and with their parent."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from loky.process_executor import ProcessPoolExecutor

from cageflow.work.worker_process import begin_worker

T = TypeVar("T")


class WorkerProcesses(Executor):
    """Processes of this machine, each a pool of its own, so that one that dies loses no other's trial.

    The pools are loky's and not the standard library's: they can be killed with all that they started, they never fork,
    and a script that uses them needs no `if __name__ == "__main__"`.

    Args:
        num_workers: processes; each is started when it is first needed.
    """

    def __init__(self, num_workers: int) -> None:
        self._threads = ThreadPoolExecutor(num_workers, thread_name_prefix="worker-process")
        self._idle: queue.SimpleQueue[ProcessPoolExecutor] = queue.SimpleQueue()
        self._workers: set[ProcessPoolExecutor] = set()
        for _ in range(num_workers):
            self._idle.put(self._new_worker())

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have a function called by the next idle process; it must be importable there."""
        return self._threads.submit(self._call, partial(function, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; those that are busy finish their task first."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for worker in self._workers.copy():
            worker.shutdown(wait=wait)

    def kill(self) -> None:
        """End the processes now, whatever is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers.copy():
            worker.shutdown(wait=True, kill_workers=True)
        self._threads.shutdown()

    def _call(self, call: Callable[[], T]) -> T:
        worker = self._idle.get()
        try:
            outcome: T = worker.submit(call).result()
        except BrokenExecutor:
            self._workers.remove(worker)
            worker.shutdown(wait=False)
            worker = self._new_worker()
            raise
        finally:
            self._idle.put(worker)
        return outcome

    def _new_worker(self) -> ProcessPoolExecutor:
        worker = ProcessPoolExecutor(
            1,
            initializer=begin_worker,
            env={
                "OMP_NUM_THREADS": "1",  # as Dask and Ray do; a task that wants more says so to torch
                "LOKY_MAX_MEMORY_LEAK_SIZE": "1e15",  # the second trial may well be bigger than the first
            },
        )
        self._workers.add(worker)
        return worker
