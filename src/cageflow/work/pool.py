"""Tasks under way on an executor: each comes back once, whatever happens to the workers."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Generic, TypeVar

from cageflow.errors import UserError
from cageflow.work.deferring import deferring_signals
from cageflow.work.executors import ExecutorHandle, borrow, deaths_told

Task = TypeVar("Task")
Result = TypeVar("Result")

MAX_DEATHS = 3  # of workers over one task
CHECK_S = 0.2  # between looks at whether to go on waiting


class WorkerError(RuntimeError):
    """Workers died, or cannot do what they are for, by no fault of the settings.

    Attributes:
        exit_status: that of a command whose answer is no.
    """

    exit_status: ClassVar[int] = 1


class TaskLostError(WorkerError):
    """MAX_DEATHS workers died over a task.

    Attributes:
        task: which one.
    """

    def __init__(self, sentence: str, task: object) -> None:
        super().__init__(sentence)
        self.task = task


@dataclass
class _Sent(Generic[Task]):
    """A task that has not come back.

    Attributes:
        task: which one.
        handle: of the executor that has it.
        deaths: of workers over it.
    """

    task: Task
    handle: ExecutorHandle
    deaths: int


class Pool(Generic[Task, Result]):
    """Sends tasks to an executor and hands back what comes of them, in the order of completion; a context manager.

    A task whose worker dies is sent again, and an executor that broke is replaced.

    Args:
        make: starts the executor, now and when it is to be replaced.
        function: from a task to its result; importable by name where the workers are, as are its data.
        name: of a task, for messages.
    """

    def __init__(
        self, make: Callable[[], ExecutorHandle], function: Callable[[Task], Result], name: Callable[[Task], str]
    ) -> None:
        self._make = make
        self._function = function
        self._name = name
        self._handle = make()
        self._running: dict[Future[Result], _Sent[Task]] = {}
        self._done: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()

    @property
    def pending(self) -> list[Task]:
        """Tasks that have not come back."""
        return [sent.task for sent in self._running.values()]

    @property
    def description(self) -> str:
        """Of the executor, in a few words."""
        return self._handle.description

    def submit(self, task: Task) -> None:
        """Send a task off.

        Raises:
            WorkerError: the executor is broken and cannot be replaced.
        """
        self._send(task, 0)

    def next_done(self, check: Callable[[], object] = bool) -> tuple[Task, Result]:
        """Wait for a task to come back.

        Args:
            check: is called every CHECK_S seconds; what it raises ends the waiting.

        Returns:
            The task and what came of it.

        Raises:
            TaskLostError: MAX_DEATHS workers died over a task.
            WorkerError: the executor cannot be replaced, or a worker lacks what the task needs.
            Exception: what the function raised.
        """
        if not self._running:
            raise ValueError("no task is under way")
        while True:
            check()
            try:
                future = self._done.get(timeout=CHECK_S)
                sent = self._running.pop(future)
            except (queue.Empty, KeyError):  # nothing came, or what was forgotten
                continue
            try:
                return sent.task, future.result()
            except ImportError as error:
                raise WorkerError(
                    f"a worker cannot run {self._name(sent.task)} ({error}): "
                    "install this version of cageflow where it runs"
                ) from error
            except (Exception, CancelledError) as error:
                self._send_again(sent, error)

    def results(self) -> Iterator[tuple[Task, Result]]:
        """All tasks that are under way and what comes of them, as they come back; raises as `next_done`."""
        while self._running:
            yield self.next_done()

    def cancel(self) -> None:
        """Forget all tasks; those that a worker has begun may be carried out in vain."""
        for future in self._running:
            future.cancel()
        self._running.clear()

    def close(self) -> None:
        """Forget all tasks and end the executor; may be called again."""
        self.cancel()
        self._handle.close()

    def __enter__(self) -> Pool[Task, Result]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _send(self, task: Task, deaths: int) -> None:
        try:
            future = self._submit(task)
        except RuntimeError:  # it is broken or has been shut down
            self._replace(self._handle)
            try:
                future = self._submit(task)
            except RuntimeError as error:
                raise WorkerError(f"{self._name(task)} cannot be sent to a worker: {error}") from error
        self._running[future] = _Sent(task, self._handle, deaths)
        future.add_done_callback(self._done.put)

    def _submit(self, task: Task) -> Future[Result]:
        with deferring_signals():
            return self._handle.executor.submit(self._function, task)

    def _send_again(self, sent: _Sent[Task], error: BaseException) -> None:
        """Send a task off whose worker died with it; any other error is raised."""
        told = deaths_told(error)
        if told == 0:
            raise error
        deaths = sent.deaths + told
        if deaths >= MAX_DEATHS:
            reason = " ".join(str(error).split()).partition(". ")[0].rstrip(".") or type(error).__name__
            sentence = f"{self._name(sent.task)} was lost with its worker {deaths} times; the last time: {reason}"
            raise TaskLostError(sentence, sent.task) from error
        if isinstance(error, CancelledError):  # the cluster itself is gone
            self._replace(sent.handle)
        self._send(sent.task, deaths)

    def _replace(self, handle: ExecutorHandle) -> None:
        """Start another executor, unless that has been done since this one was in use."""
        if handle is not self._handle:
            return
        handle.close()
        try:
            self._handle = self._make()
        except UserError as error:
            raise WorkerError(f"the executor broke down and cannot be replaced: {error}") from error


def do_all(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    name: Callable[[Task], str],
    executor: Executor | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """What comes of tasks, in their order.

    Args:
        function, name: as for `Pool`.
        tasks: all that there are.
        executor: who does the work; it is left open. None does it here.
        on_progress: called with the tasks done and to be done in all.

    Raises:
        WorkerError: as `Pool.next_done`.
        Exception: what the function raised.
    """
    if executor is None:
        return [_told(function(task), i, len(tasks), on_progress) for i, task in enumerate(tasks, start=1)]
    results: dict[int, Result] = {}
    with Pool(partial(borrow, executor), partial(_do, function), lambda numbered: name(numbered[1])) as pool:
        for numbered in enumerate(tasks):
            pool.submit(numbered)
        for (i, _), result in pool.results():
            results[i] = _told(result, len(results) + 1, len(tasks), on_progress)
    return [results[i] for i in range(len(tasks))]


def _do(function: Callable[[Task], Result], numbered: tuple[int, Task]) -> Result:
    return function(numbered[1])


def _told(result: Result, done: int, whole: int, on_progress: Callable[[int, int], None] | None) -> Result:
    if on_progress is not None:
        on_progress(done, whole)
    return result
