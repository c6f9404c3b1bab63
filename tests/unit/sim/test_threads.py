"""How a batch is shared among threads."""

import threading

import pytest

from cageflow.errors import UserError
from cageflow.sim.threads import BatchThreads


@pytest.mark.parametrize(("num_envs", "num_threads"), [(1, 1), (1, 4), (7, 2), (7, 3), (7, 7), (64, 5)])
def test_slices__cover_every_environment_once_and_alike(num_envs, num_threads):
    threads = BatchThreads(num_envs, num_threads)
    seen, sizes, lock = [], [], threading.Lock()

    def loop(part):
        with lock:
            seen.extend(range(num_envs)[part])
            sizes.append(part.stop - part.start)

    threads.run(loop)
    threads.close()
    assert sorted(seen) == list(range(num_envs))
    assert len(sizes) == min(num_envs, num_threads)
    assert max(sizes) - min(sizes) <= 1


def test_error_on_any_thread__is_raised():
    threads = BatchThreads(4, 2)

    def loop(part):
        if part.start > 0:
            raise ArithmeticError("on the second thread")

    with pytest.raises(ArithmeticError):
        threads.run(loop)
    threads.close()


def test_no_thread__is_refused():
    with pytest.raises(UserError, match="num_threads is 0"):
        BatchThreads(4, 0)
