"""Tasks for executors, importable in worker processes."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple


class Task(NamedTuple):
    """What a worker is to do.

    Attributes:
        number: that is handed back, squared.
        deaths: of workers before the task succeeds.
        folder: where the deaths are counted.
        nap_s: seconds that it takes.
        error: that it raises in the end.
    """

    number: int
    deaths: int = 0
    folder: str = ""
    nap_s: float = 0.0
    error: Exception | None = None


def perform(task: Task) -> int:
    """Do a task."""
    if task.deaths:
        graves = list(Path(task.folder).glob(f"{task.number}-*"))
        if len(graves) < task.deaths:
            (Path(task.folder) / f"{task.number}-{len(graves)}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    if task.nap_s:
        time.sleep(task.nap_s)
    if task.error is not None:
        raise task.error
    return task.number**2


def whereabouts(_: object) -> dict[str, object]:
    """Of the process that this runs in."""
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "sigint_ignored": signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        or signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []),
        "omp": os.environ.get("OMP_NUM_THREADS"),
    }


def hold(folder: str) -> None:
    """Leave word that the task runs, and hold its worker for an hour."""
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(3600)


def need_absent_module(name: str) -> None:
    """Fail as a task does where its code is not installed."""
    importlib.import_module(name)


def hold_with_child(folder: str) -> None:
    """As `hold`, in a child of the worker too."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    (Path(folder) / str(child.pid)).touch()
    hold(folder)


_word: str | None = None  # of this worker process


def remember(word: str) -> None:
    """Keep a word in this process."""
    global _word
    _word = word


def recall() -> str | None:
    """The word that was kept."""
    return _word


def fail(error: BaseException) -> None:
    """Raise an error."""
    raise error


def give_lock() -> object:
    """What cannot be sent to another process."""
    return threading.Lock()


def fail_with_lock() -> None:
    """Raise what cannot be sent to another process."""
    raise ValueError(threading.Lock())


def answer_sigterm(folder: str) -> str:
    """Leave word that the task runs, and end in order when SIGTERM asks for it."""
    asked = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    (Path(folder) / "begun").touch()
    while not asked.wait(0.02):
        pass
    time.sleep(0.3)
    signal.signal(signal.SIGTERM, before)
    return "in order"


def die_first(module: str, name: str, folder: str, deaths: int, task: object) -> object:
    """Call the function of that name, but that so many processes die first."""
    grave = Path(folder) / str(len(list(Path(folder).iterdir())))
    if int(grave.name) < deaths:
        grave.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return getattr(importlib.import_module(module), name)(task)
