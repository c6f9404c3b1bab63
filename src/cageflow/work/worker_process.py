"""A worker process of this machine: how it begins, is told what to do, is missed when it dies, and is ended.

Workers are loky's processes: they begin with nothing, a script that has them needs no `if __name__ == "__main__"`, each
has an environment of its own, and one is killed with all that it has started. A command that has just begun may have
copies of itself for workers instead (`can_fork`): those need not load again what it has loaded, which takes seconds.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from typing import Any, NamedTuple

from loky.backend import get_context
from loky.backend.reduction import dumps
from loky.backend.utils import kill_process_tree

from cageflow.startup import is_command

PARENT_CHECK_S = 1.0
END_S = 5.0  # for a worker that has nothing more to do, to be gone
ENVIRONMENT = {"OMP_NUM_THREADS": "1"}  # as Dask and Ray do; a task that wants more says so to torch

_pipes: weakref.WeakSet[Connection] = weakref.WeakSet()  # our ends, which no worker may keep open


class WorkerLostError(BrokenExecutor):
    """A worker was lost while it ran a task."""


class Outcome(NamedTuple):
    """What came of a call in a worker.

    Attributes:
        value: that it returned; None with an error.
        error: that it raised, or None.
    """

    value: Any
    error: BaseException | None


class WorkerProcess:
    """A process that makes one call after the other.

    The first answer is of the initializer, each later one of the calls in their order.

    Args:
        initializer: called first in the process, with `initargs`; what it keeps in its module is there for the calls.
        initargs: for it.
        forks: whether it is a copy of this process; only where `can_fork` says so.

    Raises:
        WorkerLostError: no process can be started.
    """

    def __init__(self, initializer: Callable[..., object], *initargs: Any, forks: bool = False) -> None:
        context = get_context("loky")
        self._pipe, there = context.Pipe()
        _pipes.add(self._pipe)
        serve = partial(_serve, there, partial(initializer, *initargs))
        self._process: Any
        if forks:
            self._process = multiprocessing.get_context("fork").Process(target=partial(_begin_copy, serve))
        else:
            self._process = context.Process(target=serve, env=ENVIRONMENT, daemon=False)
        try:
            _fork(self._process) if forks else self._process.start()
        except OSError as error:
            raise WorkerLostError(f"no process can be started: {error.strerror}") from error
        finally:
            there.close()
        # Before multiprocessing waits for its children when the interpreter ends.
        self._killing = Finalize(self, _kill, (self._process,), exitpriority=10)

    @property
    def pid(self) -> int:
        """Of the process."""
        return int(self._process.pid)

    def call(self, function: Callable[..., object], /, *args: Any, **kwargs: Any) -> None:
        """Have a function called, once what was asked for before is answered; it must be importable there.

        A worker that is dead is noticed where its answer is missed.
        """
        message = dumps(partial(function, *args, **kwargs))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._pipe.send_bytes(message)

    def answer(self) -> Outcome:
        """Wait for the next answer.

        Raises:
            WorkerLostError: the worker died; the message says how.
        """
        try:
            message = self._pipe.recv_bytes()
        except (EOFError, ConnectionResetError):
            self._process.join(END_S)
            raise WorkerLostError(f"exit status {self._process.exitcode}") from None
        try:
            return Outcome(*pickle.loads(message))
        except Exception as error:
            return Outcome(None, error)

    def terminate(self) -> None:
        """Ask the process to end by SIGTERM, which a task may answer in its own way."""
        self._process.terminate()

    def let_go(self) -> None:
        """Have the process end when it has done what it was asked for; nothing can be asked of it any more."""
        self._pipe.close()

    def end(self) -> None:
        """Let go of the process, and see that it ends; may be called again."""
        self.let_go()
        self._process.join(END_S)
        self.kill()

    def kill(self) -> None:
        """End the process with all that it has started, whatever is under way; may be called again."""
        self._killing()


def can_fork() -> bool:
    """Whether a worker can be a copy of this process: a command of ours on Linux without threads or a device as yet.

    A lock that another thread holds would never be free in the copy, and a program of somebody else's may have any.
    """
    torch = sys.modules.get("torch")
    return (
        sys.platform == "linux"
        and is_command()
        and threading.active_count() == 1
        and not (torch is not None and torch.cuda.is_initialized())
    )


def _fork(process: BaseProcess) -> None:
    """Start a copy of this process, which takes no signal before it has its own answers to them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        with warnings.catch_warnings():
            # Python counts the threads of linear algebra libraries, which see to it themselves that they are gone.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_copy(serve: Callable[[], None]) -> None:
    """Leave behind what is not the copy's own, and be a worker."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    for pipe in tuple(_pipes):  # or the end of this program would be no end to the workers
        pipe.close()
    os.environ.update(ENVIRONMENT)
    serve()


def _kill(process: BaseProcess) -> None:
    if process.is_alive():
        kill_process_tree(process)


def _serve(pipe: Connection, initialize: Callable[[], object]) -> None:
    """Make calls until nobody is left at the other end of the pipe."""
    begin_worker()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        pipe.send_bytes(_outcome(initialize))
        while True:
            message = pipe.recv_bytes()
            pipe.send_bytes(_outcome(partial(_make_call, message)))


def _make_call(message: bytes) -> object:
    return pickle.loads(message)()


def _outcome(call: Callable[[], object]) -> bytes:
    try:
        return bytes(dumps(Outcome(call(), None)))
    except BaseException as error:
        error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
        try:
            return bytes(dumps(Outcome(None, error)))
        except Exception:
            return bytes(dumps(Outcome(None, RuntimeError(f"{type(error).__name__}: {error}"))))


def begin_worker() -> None:
    """Leave Ctrl-C to the parent, which gets it too and ends its workers, and die with the parent even if it cannot.

    For a process that was started by `multiprocessing` or alike, in its main thread.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    while os.getppid() == parent.pid:  # `parent.join()` would do, but loky gives it nothing to wait for
        time.sleep(PARENT_CHECK_S)
    os._exit(1)
