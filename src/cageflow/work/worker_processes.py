"""Worker processes of this machine as a `concurrent.futures.Executor`; one that dies loses no task but its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from cageflow.work.worker_process import WorkerLostError, WorkerProcess, can_fork

T = TypeVar("T")


class WorkerProcesses(Executor):
    """Processes of this machine, each with a thread here that waits for it, so they go on while nobody else does.

    The task that a process died with ends in `WorkerLostError`; the next one gets a new process.

    Args:
        num_workers: processes; each is started when it is first needed.
        initializer: called first in each, with `initargs`; what it raises is the outcome of the task at hand.
        initargs: for it.
        forks: have them be copies of this process where that can be, all started now; a process that takes the place
            of one that died is none. Files that are open stay open in a copy.
    """

    def __init__(
        self,
        num_workers: int,
        initializer: Callable[..., object] = bool,
        initargs: tuple[Any, ...] = (),
        *,
        forks: bool = False,
    ) -> None:
        copies: list[WorkerProcess] = []
        with contextlib.suppress(WorkerLostError):  # those that are missing are started when they are needed
            while forks and len(copies) < num_workers and can_fork():
                copies.append(WorkerProcess(initializer, *initargs, forks=True))
        self._threads = ThreadPoolExecutor(num_workers, thread_name_prefix="worker-process")
        self._start = partial(WorkerProcess, initializer, *initargs)
        self._lock = threading.Lock()  # so that none is started while all are being ended
        self._workers: set[WorkerProcess] = set(copies)
        self._begun = copies  # whose initializer is not answered
        self._idle: list[WorkerProcess] = []
        self._is_ended = False

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have a function called by the next idle process; it must be importable there."""
        return self._threads.submit(self._call, partial(function, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; those that are busy finish their task first."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait:
            self._end(WorkerProcess.let_go)

    def terminate(self) -> None:
        """End the processes by SIGTERM, which a task under way may answer in its own time and way."""
        self._end(WorkerProcess.terminate)

    def kill(self) -> None:
        """End the processes now with all that they have started, whatever is under way."""
        self._end(WorkerProcess.kill)

    def _end(self, how: Callable[[WorkerProcess], None]) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._is_ended = True
            workers = self._workers.copy()
        for worker in workers:
            how(worker)
        self._threads.shutdown()
        for worker in workers:
            worker.end()

    def _call(self, call: Callable[[], T]) -> T:
        """Have a process make a call; in a thread."""
        worker = self._take()
        try:
            worker.call(call)
            outcome = worker.answer()
        except WorkerLostError:
            self._forget(worker)
            raise
        except Exception:  # the call cannot be sent
            self._idle.append(worker)
            raise
        self._idle.append(worker)
        if outcome.error is not None:
            raise outcome.error
        value: T = outcome.value
        return value

    def _take(self) -> WorkerProcess:
        """An idle process, or a new one."""
        with self._lock:
            if self._is_ended:
                raise WorkerLostError("it was ended")
            if self._idle:
                return self._idle.pop()
            worker = self._begun.pop() if self._begun else self._start()
            self._workers.add(worker)
        try:
            error: BaseException | None = worker.answer().error
        except WorkerLostError as lost:
            error = lost
        if error is not None:
            self._forget(worker)
            raise error
        return worker

    def _forget(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._workers.discard(worker)
        worker.end()
