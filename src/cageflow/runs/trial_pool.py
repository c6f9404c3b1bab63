"""Trials under way on an executor: each comes back once, whatever happens to the workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import Generic, TypeVar

from cageflow.collect import CollectError
from cageflow.errors import UserError
from cageflow.work.executors import ExecutorHandle, deaths_told

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

MAX_DEATHS = 3  # of workers over one trial


class TrialPool(Generic[Task, Outcome]):
    """Sends tasks to an executor and hands back what comes of them; a context manager.

    A task whose worker dies is sent again, and an executor that broke is replaced.

    Args:
        make: starts the executor, now and when it is to be replaced.
        function: from a task to its outcome; importable by name where the workers are, as are its data.
    """

    def __init__(self, make: Callable[[], ExecutorHandle], function: Callable[[Task], Outcome]) -> None:
        self._make = make
        self._function = function
        self._handle = make()
        self._tasks: dict[int, Task] = {}
        self._deaths: Counter[int] = Counter()
        self._running: dict[Future[Outcome], tuple[int, ExecutorHandle]] = {}

    @property
    def pending(self) -> list[int]:
        """Numbers of the trials that have not come back, as they were submitted."""
        return list(self._tasks)

    @property
    def description(self) -> str:
        """Of the executor, in a few words."""
        return self._handle.description

    def submit(self, trial: int, task: Task) -> None:
        """Send a task off.

        Args:
            trial: its number, under which it comes back.
            task: for the function.

        Raises:
            CollectError: the executor is broken and cannot be replaced.
        """
        if trial in self._tasks:
            raise ValueError(f"trial {trial} is under way already")
        self._tasks[trial] = task
        self._send(trial)

    def next_done(self, timeout: float = 0.2) -> tuple[int, Outcome] | None:
        """Wait for a trial to come back.

        Args:
            timeout: seconds after which to give up for now.

        Returns:
            Its number and its outcome; None if the time was up.

        Raises:
            CollectError: MAX_DEATHS workers died over a trial, the executor cannot be replaced, or a worker lacks
                what the task needs.
            Exception: what the function raised.
        """
        if not self._tasks:
            raise ValueError("no trial is under way")
        wait(self._running, timeout, return_when=FIRST_COMPLETED)
        for future in list(self._running):
            if not future.done():
                continue
            trial, handle = self._running.pop(future)
            try:
                outcome = future.result()
            except ImportError as error:
                raise CollectError(
                    f"a worker cannot run trial {trial} ({error}): install this version of cageflow where it runs"
                ) from error
            except (Exception, CancelledError) as error:
                deaths = deaths_told(error)
                if deaths == 0:
                    raise
                self._note_deaths(trial, deaths, error)
                if isinstance(error, CancelledError):  # the cluster itself is gone
                    self._replace(handle)
                self._send(trial)
                continue
            del self._tasks[trial]
            return trial, outcome
        return None

    def close(self) -> None:
        """Forget all trials and end the executor; may be called again."""
        for future in self._running:
            future.cancel()
        self._running.clear()
        self._tasks.clear()
        self._handle.close()

    def __enter__(self) -> TrialPool[Task, Outcome]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _send(self, trial: int) -> None:
        task = self._tasks[trial]
        try:
            future = self._handle.executor.submit(self._function, task)
        except RuntimeError:  # it is broken or has been shut down
            self._replace(self._handle)
            try:
                future = self._handle.executor.submit(self._function, task)
            except RuntimeError as error:
                raise CollectError(f"trial {trial} cannot be sent to a worker: {error}") from error
        self._running[future] = (trial, self._handle)

    def _note_deaths(self, trial: int, deaths: int, error: BaseException) -> None:
        self._deaths[trial] += deaths
        if self._deaths[trial] >= MAX_DEATHS:
            reason = " ".join(str(error).split()).partition(". ")[0].rstrip(".") or type(error).__name__
            raise CollectError(
                f"trial {trial} was lost with its worker {self._deaths[trial]} times; the last time: {reason}"
            ) from error

    def _replace(self, handle: ExecutorHandle) -> None:
        """Start another executor, unless that has been done since this one was in use."""
        if handle is not self._handle:
            return
        handle.close()
        try:
            self._handle = self._make()
        except UserError as error:
            raise CollectError(f"the executor broke down and cannot be replaced: {error}") from error
