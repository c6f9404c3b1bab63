"""A Ray cluster as a `concurrent.futures.Executor`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

from cageflow.work.worker_process import WorkerLostError

T = TypeVar("T")


class RayExecutor(Executor):
    """Tasks of the Ray cluster that this process is connected to, one CPU each."""

    def __init__(self, ray: ModuleType) -> None:
        self._ray = ray
        self._refs: dict[Future[Any], Any] = {}

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have a function called by a worker; it must be importable there."""
        # Who submits counts the deaths of workers, so Ray is not to try again by itself.
        name = getattr(function, "__name__", type(function).__name__)  # under which Ray and `ps` list the task
        task = self._ray.remote(num_cpus=1, max_retries=0)(_call).options(name=name)
        ref = task.remote(function, *args, **kwargs)
        future: Future[T] = Future()
        self._refs[future] = ref
        ref.future().add_done_callback(partial(self._pass_on, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the tasks, or cancel them; the cluster stays."""
        running = self._refs.copy()
        if cancel_futures:
            self._refs.clear()
            for future, ref in running.items():
                future.cancel()
                self._ray.cancel(ref, force=True)
        if wait and running:
            self._ray.wait(list(running.values()), num_returns=len(running))

    def _pass_on(self, future: Future[Any], done: Future[Any]) -> None:
        """Hand on what Ray's future holds, without Ray's wrapping."""
        self._refs.pop(future, None)
        if not future.set_running_or_notify_cancel():
            return
        error = done.exception()
        if error is None:
            future.set_result(done.result())
        elif isinstance(error, self._ray.exceptions.RayTaskError):
            future.set_exception(error.cause or error)
        else:
            future.set_exception(WorkerLostError(" ".join(str(error).split())))


def _call(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What Ray calls: it takes functions only, and no other things that can be called."""
    return function(*args, **kwargs)
