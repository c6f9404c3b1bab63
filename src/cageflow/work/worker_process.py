"""What every worker process of this machine does first."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

PARENT_CHECK_S = 1.0


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
