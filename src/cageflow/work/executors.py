"""Executors of trials: processes of this machine, a Dask cluster or a Ray cluster, told by name."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from cageflow.errors import UserError
from cageflow.work.ray_executor import RayExecutor
from cageflow.work.worker_processes import WorkerProcesses

T = TypeVar("T")

LISTEN_S = 5.0  # for a port to open
CONNECT_S = 20.0  # for the cluster behind it to answer
CLOSE_S = 1.0  # for a worker of this machine to go by itself
OBJECT_STORE_BYTES = 128 * 2**20  # of a Ray cluster of this machine; an outcome has less than 1 MB


@dataclass(frozen=True, slots=True)
class ExecutorHandle:
    """An executor and how it is ended; a context manager.

    Attributes:
        executor: that runs the tasks.
        description: of it, in a few words.
        close: ends it with all that was started for it, whatever is under way; may be called again.
    """

    executor: Executor
    description: str
    close: Callable[[], None]

    def __enter__(self) -> ExecutorHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def make_executor(name: str, num_workers: int, address: str | None = None) -> ExecutorHandle:
    """Start an executor, or connect to the one of a cluster.

    Args:
        name: "process", "dask" or "ray". Processes of a command that has no threads as yet are copies of it, with all
            that it has open.
        num_workers: that are started on this machine; a cluster at an address has its own.
        address: of a Dask scheduler or of a Ray cluster that is running already; None starts one on this machine.

    Raises:
        UserError: there is no such executor, its library is not installed, or no cluster answers at the address.
    """
    if name not in _MAKERS:
        raise UserError(f"unknown executor {name!r}: choose one of {', '.join(_MAKERS)}")
    if name == "process" and address is not None:
        raise UserError(f"address is {address!r}, but the executor process has none: choose dask or ray")
    return _MAKERS[name](num_workers, address)


def borrow(executor: Executor) -> ExecutorHandle:
    """A handle that leaves the executor to its owner."""
    return ExecutorHandle(executor, type(executor).__name__, lambda: None)


def deaths_told(error: BaseException) -> int:
    """How many deaths of workers an error of a future tells of; 0 for an error of the task itself."""
    if isinstance(error, BrokenExecutor | CancelledError):  # nobody but a lost cluster cancels tasks
        return 1
    distributed = sys.modules.get("distributed")  # not imported: the executor is of another kind
    if distributed is not None and isinstance(error, distributed.KilledWorker):
        return int(error.allowed_failures) + 1  # Dask has tried again by itself
    return 0


def make_processes(
    num_workers: int,
    initializer: Callable[..., object] = bool,
    initargs: tuple[Any, ...] = (),
    *,
    forks: bool = False,
) -> ExecutorHandle:
    """Processes of this machine that are made ready for their tasks; see `WorkerProcesses`."""
    workers = WorkerProcesses(num_workers, initializer, initargs, forks=forks)
    return ExecutorHandle(workers, f"{_count(num_workers, 'process', 'es')} of this machine", workers.kill)


# What each is made of.


def _dask(num_workers: int, address: str | None) -> ExecutorHandle:
    distributed = _extra("distributed", "dask")
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # a lost scheduler is ours to tell
    with ExitStack() as starting:
        if address is None:
            cluster = _dask_cluster(distributed, num_workers)
            starting.callback(_end_dask_cluster, cluster)
            client = distributed.Client(cluster, set_as_default=False)
        else:
            client = _connect(
                lambda: distributed.Client(address, timeout=CONNECT_S, set_as_default=False), "Dask scheduler", address
            )
        starting.callback(client.close, timeout=CLOSE_S)
        threads = sum(client.nthreads().values())
        executor = client.get_executor(pure=False)  # each trial is run, whatever was run before
        starting.callback(executor.shutdown, wait=False)  # cancels our tasks
        closing = starting.pop_all()
    where = "of this machine" if address is None else f"at {address}"
    return ExecutorHandle(executor, f"Dask cluster {where}, {_count(threads, 'worker thread')}", closing.close)


def _dask_cluster(distributed: ModuleType, num_workers: int) -> Any:
    import dask

    # Daemons could not start the processes of `--collector process`.
    with dask.config.set({"distributed.worker.daemon": False}):
        return distributed.LocalCluster(
            n_workers=num_workers,
            threads_per_worker=1,
            dashboard_address=":0",  # any free port: with None it takes the usual one
            memory_limit=None,
            silence_logs=logging.CRITICAL,  # a worker's death is ours to tell
            preload=["import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"],  # see begin_worker
        )


def _end_dask_cluster(cluster: Any) -> None:
    """End the workers before the cluster, which would wait for what they are doing."""

    async def end_workers() -> None:
        await asyncio.gather(*(nanny.close(timeout=CLOSE_S) for nanny in cluster.workers.values()))

    cluster.sync(end_workers)
    cluster.close()


def _ray(num_workers: int, address: str | None) -> ExecutorHandle:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = _extra("ray", "ray")
    logging.getLogger("ray").setLevel(logging.ERROR)
    quiet = {"log_to_driver": False, "configure_logging": False}
    if address is None:
        with _telling("no Ray cluster can be started on this machine"), _keeping_sigterm():
            ray.init(
                address="local",  # without it, Ray would connect to any cluster that runs here
                num_cpus=num_workers,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                **quiet,
            )
    else:
        _connect(lambda: ray.init(address=address, **quiet), "Ray cluster", address)
    # It would print each death of a worker on standard output, which may be for one JSON object alone.
    ray._private.worker._worker_logs_enabled = False
    executor = RayExecutor(ray)
    closing = ExitStack()
    closing.callback(ray.shutdown)
    closing.callback(executor.shutdown, wait=False, cancel_futures=True)
    cpus = int(ray.cluster_resources().get("CPU", 0))
    where = "of this machine" if address is None else f"at {address}"
    return ExecutorHandle(executor, f"Ray cluster {where}, {_count(cpus, 'CPU')}", closing.close)


# What both clusters need.


def _extra(module: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"the executor {extra} needs {module}, which is not installed: pip install 'cageflow[{extra}]'"
        ) from error


def _connect(connect: Callable[[], T], what: str, address: str) -> T:
    """Connect in bounded time: in a thread, since neither library gives up where something else listens.

    Raises:
        UserError: nothing came of it.
    """
    connected: Future[T] = Future()

    def work() -> None:
        try:
            connected.set_result(connect())
        except BaseException as error:
            connected.set_exception(error)

    with _telling(f"no {what} answers at {address!r}"):
        _check_listening(address)
        threading.Thread(target=work, daemon=True).start()
        return connected.result(CONNECT_S)


def _check_listening(address: str) -> None:
    """Find out at once, and without a library's words on standard error, that nobody is there."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if address != "auto":
        if not host or not port.isdecimal():
            raise ValueError("expected HOST:PORT")
        socket.create_connection((host.strip("[]"), int(port)), timeout=LISTEN_S).close()


@contextmanager
def _telling(what: str) -> Iterator[None]:
    """Turn any error into a sentence: each library has a dozen of its own, and Ray may raise SystemExit."""
    try:
        yield
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, TimeoutError):
            reason += f" after {CONNECT_S:.0f} s (a Ray cluster with tokens answers only to RAY_AUTH_MODE=token)"
        raise UserError(f"{what}: {reason}") from error


@contextmanager
def _keeping_sigterm() -> Iterator[None]:
    """Ray takes SIGTERM when it starts in the main thread; a run has its own use for it."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _count(number: int, thing: str, plural: str = "s") -> str:
    return f"{number} {thing}{'' if number == 1 else plural}"


_MAKERS: dict[str, Callable[[int, str | None], ExecutorHandle]] = {
    "process": lambda num_workers, address: make_processes(num_workers, forks=True),
    "dask": _dask,
    "ray": _ray,
}
