"""A worker process leaves Ctrl-C to its parent and does not outlive it."""

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
