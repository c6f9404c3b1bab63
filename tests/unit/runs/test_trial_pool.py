"""Every trial comes back once: from threads, processes, Dask and Ray, whichever workers die."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from cageflow.collect import CollectError
from cageflow.errors import UserError
from cageflow.learn.ppo import NonFiniteError
from cageflow.runs.trial_pool import TrialPool
from cageflow.work.executors import ExecutorHandle, borrow, make_executor
from tests.helpers.tasks import Task, need_absent_module, perform

Make = Callable[[], ExecutorHandle]
OF_PROCESSES = [
    "standard",
    "process",
    pytest.param("dask", marks=pytest.mark.slow),
    pytest.param("ray", marks=pytest.mark.slow),
]
every_executor = pytest.mark.parametrize("make", ["threads", *OF_PROCESSES], indirect=True)
every_executor_of_processes = pytest.mark.parametrize("make", OF_PROCESSES, indirect=True)


def standard_pool() -> ExecutorHandle:
    """The standard library's processes, of which one that dies takes all with it."""
    executor = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
    return ExecutorHandle(executor, "standard", partial(executor.shutdown, cancel_futures=True))


@pytest.fixture(scope="module")
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Gives an executor, started once; the standard library's anew, since it breaks."""
    if request.param == "threads":
        with ThreadPoolExecutor(2) as executor:
            yield lambda: borrow(executor)
    elif request.param == "standard":
        yield standard_pool
    else:
        with make_executor(request.param, 2) as handle:
            yield lambda: borrow(handle.executor)


def drain(pool: TrialPool[Task, int]) -> list[tuple[int, int]]:
    done = []
    while pool.pending:
        one = pool.next_done()
        if one is not None:
            done.append(one)
    return done


@every_executor
def test_outcomes_come_back_under_their_numbers(make: Make) -> None:
    with TrialPool(make, perform) as pool:
        for trial in (3, 5, 7):
            pool.submit(trial, Task(trial * 10))
        assert pool.pending == [3, 5, 7]
        assert sorted(drain(pool)) == [(3, 900), (5, 2500), (7, 4900)]
        assert pool.pending == []


@every_executor
def test_executor_calls_whatever_can_be_called(make: Make) -> None:
    with make() as handle:
        assert handle.executor.submit(len, "four").result() == 4
        assert handle.executor.submit(partial(divmod, 9), 4).result() == (2, 1)


@every_executor
@pytest.mark.parametrize("error", [NonFiniteError("the loss is nan"), UserError("no such thing")], ids=repr)
def test_error_of_the_task_comes_out_as_it_is_and_the_others_stay(make: Make, error: Exception) -> None:
    with TrialPool(make, perform) as pool:
        pool.submit(0, Task(0, error=error))
        with pytest.raises(type(error), match=str(error)) as raised:
            drain(pool)
        assert type(raised.value) is type(error)


@every_executor_of_processes
def test_killed_worker_costs_no_trial_and_doubles_none(make: Make, tmp_path: Path) -> None:
    with TrialPool(make, perform) as pool:
        for trial in range(6):
            pool.submit(trial, Task(trial, deaths=2 if trial == 1 else 0, folder=str(tmp_path), nap_s=0.05))
        assert sorted(drain(pool)) == [(trial, trial**2) for trial in range(6)]
    assert len(list(tmp_path.iterdir())) == 2  # it did die


@every_executor_of_processes
def test_trial_that_always_kills_its_worker_is_named(make: Make, tmp_path: Path) -> None:
    with TrialPool(make, perform) as pool:
        pool.submit(4, Task(4, deaths=99, folder=str(tmp_path)))
        with pytest.raises(CollectError, match=r"^trial 4 was lost with its worker [34] times; the last time: \w"):
            drain(pool)
    assert len(list(tmp_path.iterdir())) in (3, 4)  # Dask tries so often by itself


@every_executor
def test_workers_without_the_code_are_told_of(make: Make) -> None:
    with TrialPool(make, need_absent_module) as pool:
        pool.submit(2, "cageflow_of_tomorrow")
        with pytest.raises(
            CollectError, match=r"cannot run trial 2 \(No module named 'cageflow_of_tomorrow'\): install"
        ):
            drain(pool)  # type: ignore[arg-type]


# What does not depend on the executor.


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_waiting_ends_when_the_time_is_up(threads: Executor) -> None:
    with TrialPool(lambda: borrow(threads), perform) as pool:
        pool.submit(0, Task(0, nap_s=0.8))
        started = time.monotonic()
        assert pool.next_done(timeout=0.1) is None
        assert time.monotonic() - started < 0.6
        assert drain(pool) == [(0, 0)]


def test_misuse_is_refused(threads: Executor) -> None:
    with TrialPool(lambda: borrow(threads), perform) as pool:
        with pytest.raises(ValueError, match="no trial is under way"):
            pool.next_done()
        pool.submit(0, Task(0))
        with pytest.raises(ValueError, match="trial 0 is under way already"):
            pool.submit(0, Task(0))


def test_closing_forgets_what_is_under_way_and_ends_the_executor_again_and_again() -> None:
    executor, closed = ThreadPoolExecutor(1), []
    pool = TrialPool(lambda: ExecutorHandle(executor, "one thread", lambda: closed.append(1)), perform)
    for trial in range(3):
        pool.submit(trial, Task(trial, nap_s=0.2))
    pool.close()
    pool.close()
    assert pool.pending == []
    assert closed == [1, 1]
    executor.shutdown()


def test_executor_that_was_shut_down_is_replaced_once() -> None:
    executors = [ThreadPoolExecutor(1), ThreadPoolExecutor(1)]
    executors[0].shutdown()
    made = iter(executors)
    with TrialPool(lambda: borrow(next(made)), perform) as pool:
        pool.submit(0, Task(6))
        assert drain(pool) == [(0, 36)]
    executors[1].shutdown()


def test_executor_that_cannot_be_replaced_ends_the_run(threads: Executor) -> None:
    threads.shutdown()
    with (
        TrialPool(lambda: borrow(threads), perform) as pool,
        pytest.raises(CollectError, match="trial 0 cannot be sent"),
    ):
        pool.submit(0, Task(0))


def test_cluster_that_is_gone_ends_the_run() -> None:
    executor = ThreadPoolExecutor(1)
    makes = iter([lambda: borrow(executor)])

    def make() -> ExecutorHandle:
        try:
            return next(makes)()
        except StopIteration:
            raise UserError("no Dask scheduler answers at 'HOST:1'") from None

    with TrialPool(make, perform) as pool:
        pool.submit(0, Task(0, nap_s=0.2))
        pool.submit(1, Task(1))
        executor.shutdown(wait=False, cancel_futures=True)  # as the client of a lost scheduler does
        with pytest.raises(CollectError, match="broke down and cannot be replaced: no Dask scheduler answers"):
            drain(pool)
