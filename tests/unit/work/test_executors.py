"""Executors start clean, end with all that they started, and refuse what cannot be had."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

import cageflow
from cageflow.errors import UserError
from cageflow.work.executors import borrow, deaths_told, make_executor
from tests.helpers.processes import is_alive, wait_until
from tests.helpers.tasks import hold, hold_with_child, whereabouts

ROOT = Path(__file__).parents[3]


def pids_in(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir()]


@pytest.mark.parametrize("name", ["process", pytest.param("dask", marks=pytest.mark.slow)])
def test_workers_are_processes_of_their_own_that_leave_ctrl_c_to_the_learner(name: str) -> None:
    with make_executor(name, 1) as handle:
        found = handle.executor.submit(whereabouts, None).result()
    assert found["pid"] != os.getpid()
    assert found["sigint_ignored"]
    assert found["omp"] == "1"


def test_two_processes_work_at_once(tmp_path: Path) -> None:
    with make_executor("process", 2) as handle:
        for _ in range(2):
            handle.executor.submit(hold, str(tmp_path))
        assert wait_until(lambda: len(pids_in(tmp_path)) == 2, 60)


@pytest.mark.parametrize(
    "name", ["process", pytest.param("dask", marks=pytest.mark.slow), pytest.param("ray", marks=pytest.mark.slow)]
)
def test_closing_ends_workers_that_are_busy_for_an_hour(name: str, tmp_path: Path) -> None:
    handle = make_executor(name, 2)
    handle.executor.submit(hold, str(tmp_path))
    handle.executor.submit(hold, str(tmp_path))
    assert wait_until(lambda: len(pids_in(tmp_path)) == 2, 60)
    started = time.monotonic()
    handle.close()
    assert time.monotonic() - started < 5
    assert wait_until(lambda: not any(map(is_alive, pids_in(tmp_path))), 2)
    handle.close()  # again, as an exit stack may


def test_killed_process_takes_its_own_children_with_it(tmp_path: Path) -> None:
    with make_executor("process", 1) as handle:
        handle.executor.submit(hold_with_child, str(tmp_path))
        assert wait_until(lambda: len(pids_in(tmp_path)) == 2, 60)
    assert wait_until(lambda: not any(map(is_alive, pids_in(tmp_path))), 2)


PARENT = """
import sys, time
sys.path.insert(0, sys.argv[3])
from cageflow.work.executors import make_executor
from tests.helpers.processes import is_alive, wait_until
from tests.helpers.tasks import hold

if __name__ == "__main__":
    make_executor(sys.argv[1], 1).executor.submit(hold, sys.argv[2])
    time.sleep(3600)
"""


@pytest.mark.parametrize(
    "name", ["process", pytest.param("dask", marks=pytest.mark.slow), pytest.param("ray", marks=pytest.mark.slow)]
)
def test_workers_die_with_their_parent(name: str, tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    (tmp_path / "pids").mkdir()
    command = [sys.executable, str(tmp_path / "parent.py"), name, str(tmp_path / "pids"), str(ROOT)]
    sources = os.pathsep.join(map(str, (Path(cageflow.__file__).parents[1], ROOT)))
    parent = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": sources})
    assert wait_until(lambda: len(pids_in(tmp_path / "pids")) == 1, 60)
    (worker,) = pids_in(tmp_path / "pids")
    assert is_alive(worker)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert wait_until(lambda: not is_alive(worker), 10)


def test_borrowed_executor_is_left_to_its_owner() -> None:
    with ThreadPoolExecutor(1) as executor:
        with borrow(executor) as handle:
            assert handle.description == "ThreadPoolExecutor"
        assert executor.submit(abs, -3).result() == 3


def test_errors_tell_how_many_workers_died() -> None:
    distributed = pytest.importorskip("distributed")
    assert deaths_told(BrokenProcessPool()) == 1
    assert deaths_told(CancelledError()) == 1
    assert deaths_told(distributed.KilledWorker("task", None, 3)) == 4
    assert deaths_told(ValueError()) == 0


@pytest.mark.parametrize(
    ("name", "address", "sentence"),
    [
        ("slurm", None, "unknown executor 'slurm': choose one of process, dask, ray"),
        ("process", "host:1", "address is 'host:1', but the executor process has none: choose dask or ray"),
        ("dask", "nonsense", "no Dask scheduler answers at 'nonsense': expected HOST:PORT"),
        ("ray", "host:many", "no Ray cluster answers at 'host:many': expected HOST:PORT"),
        ("dask", "carrier-pigeon://127.0.0.1:{port}", r"no Dask scheduler answers at .*: unknown address scheme"),
    ],
)
def test_what_cannot_be_is_refused(name: str, address: str | None, sentence: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(UserError, match=sentence):
            make_executor(name, 1, None if address is None else address.format(port=port))


@pytest.mark.parametrize("name", ["dask", "ray"])
def test_address_where_nobody_listens_is_refused_at_once(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(UserError, match=rf"^no \w+ \w+ answers at '127.0.0.1:{port}': .*refused"):
        make_executor(name, 1, f"127.0.0.1:{port}")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(("name", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_missing_extra_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch, name: str, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"needs {module}, which is not installed: pip install 'cageflow\[{name}\]'"):
        make_executor(name, 1)
