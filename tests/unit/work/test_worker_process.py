"""A worker process leaves Ctrl-C to its parent and does not outlive it, a copy of a command as any other."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.helpers.processes import is_alive, wait_until

PARENT = """
import multiprocessing, os, sys, time
from cageflow.work.worker_process import begin_worker

def work():
    begin_worker()
    print(os.getpid(), flush=True)
    time.sleep(3600)

if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=work).start()
    time.sleep(3600)
"""


def test_worker_ignores_ctrl_c_and_dies_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, signal.SIGINT)
        assert not wait_until(lambda: not is_alive(worker), 0.5)
        parent.kill()
        assert wait_until(lambda: not is_alive(worker), 10)


COMMAND = """
import os, signal, sys, time
from cageflow.work.worker_process import can_fork
from cageflow.work.worker_processes import WorkerProcesses

sys.kept = "loaded before"
signal.signal(signal.SIGTERM, lambda *_: None)
workers = WorkerProcesses(2, time.sleep, (0.2,), forks=True)  # so long that each has a task
for value in [workers.submit(getattr, sys, "kept", "nothing") for _ in range(2)]:
    print(value.result())
for handler in [workers.submit(signal.getsignal, signal.SIGTERM) for _ in range(2)]:
    print(handler.result() is signal.SIG_DFL)
print(can_fork())  # it has threads now
began = time.monotonic()
workers.shutdown()
print(time.monotonic() - began < 4)
"""


def test_copies_of_a_command_know_what_it_has_loaded_and_end_when_they_are_let_go(tmp_path: Path) -> None:
    command = tmp_path / "cageflow"
    command.write_text(COMMAND)
    said = subprocess.run([sys.executable, str(command)], capture_output=True, text=True, check=True).stdout.split("\n")
    assert said[:5] == ["loaded before"] * 2 + ["True"] * 2 + ["False"]
    assert said[5] == "True", "a copy kept the pipe of another open"


def test_a_program_of_somebody_elses_has_no_copies(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text("from cageflow.work.worker_process import can_fork\nprint(can_fork())")
    said = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True).stdout
    assert said == "False\n"
