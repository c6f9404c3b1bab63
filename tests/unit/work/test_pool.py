"""Every task comes back once: from threads, processes, Dask and Ray, whichever workers die."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.learn.ppo import NonFiniteError
from cageflow.work.executors import ExecutorHandle, borrow, make_executor
from cageflow.work.pool import Pool, WorkerError
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


def name(task: Task) -> str:
    return f"trial {task.number}"


def drain(pool: Pool[Task, int]) -> list[tuple[int, int]]:
    return [(task.number, result) for task, result in pool.results()]


@every_executor
def test_results_come_back_with_their_tasks(make: Make) -> None:
    with Pool(make, perform, name) as pool:
        tasks = [Task(number) for number in (30, 50, 70)]
        for task in tasks:
            pool.submit(task)
        assert pool.pending == tasks
        assert sorted(drain(pool)) == [(30, 900), (50, 2500), (70, 4900)]
        assert pool.pending == []


@every_executor
def test_executor_calls_whatever_can_be_called(make: Make) -> None:
    with make() as handle:
        assert handle.executor.submit(len, "four").result() == 4
        assert handle.executor.submit(partial(divmod, 9), 4).result() == (2, 1)


@every_executor
@pytest.mark.parametrize("error", [NonFiniteError("the loss is nan"), UserError("no such thing")], ids=repr)
def test_error_of_the_task_comes_out_as_it_is_and_the_others_stay(make: Make, error: Exception) -> None:
    with Pool(make, perform, name) as pool:
        pool.submit(Task(0, error=error))
        with pytest.raises(type(error), match=str(error)) as raised:
            drain(pool)
        assert type(raised.value) is type(error)


@every_executor_of_processes
def test_killed_worker_costs_no_trial_and_doubles_none(make: Make, tmp_path: Path) -> None:
    with Pool(make, perform, name) as pool:
        for trial in range(6):
            pool.submit(Task(trial, deaths=2 if trial == 1 else 0, folder=str(tmp_path), nap_s=0.05))
        assert sorted(drain(pool)) == [(trial, trial**2) for trial in range(6)]
    assert len(list(tmp_path.iterdir())) == 2  # it did die


@every_executor_of_processes
def test_trial_that_always_kills_its_worker_is_named(make: Make, tmp_path: Path) -> None:
    with Pool(make, perform, name) as pool:
        pool.submit(Task(4, deaths=99, folder=str(tmp_path)))
        with pytest.raises(WorkerError, match=r"^trial 4 was lost with its worker [34] times; the last time: \w"):
            drain(pool)
    assert len(list(tmp_path.iterdir())) in (3, 4)  # Dask tries so often by itself


@every_executor
def test_workers_without_the_code_are_told_of(make: Make) -> None:
    with Pool(make, need_absent_module, str) as pool:
        pool.submit("cageflow_of_tomorrow")
        with pytest.raises(
            WorkerError, match=r"cannot run cageflow_of_tomorrow \(No module named 'cageflow_of_tomorrow'\): install"
        ):
            next(pool.results())


# What does not depend on the executor.


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_waiting_ends_when_the_check_wants_it(threads: Executor) -> None:
    def stop() -> None:
        if time.monotonic() > started + 0.1:
            raise TimeoutError

    with Pool(lambda: borrow(threads), perform, name) as pool:
        pool.submit(Task(0, nap_s=0.8))
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            pool.next_done(stop)
        assert time.monotonic() - started < 0.6
        assert drain(pool) == [(0, 0)]


def test_waiting_for_nothing_is_refused(threads: Executor) -> None:
    with Pool(lambda: borrow(threads), perform, name) as pool, pytest.raises(ValueError, match="no task is under way"):
        pool.next_done()


def test_closing_forgets_what_is_under_way_and_ends_the_executor_again_and_again() -> None:
    executor, closed = ThreadPoolExecutor(1), []
    pool = Pool(lambda: ExecutorHandle(executor, "one thread", lambda: closed.append(1)), perform, name)
    for trial in range(3):
        pool.submit(Task(trial, nap_s=0.2))
    pool.close()
    pool.close()
    assert pool.pending == []
    assert closed == [1, 1]
    executor.shutdown()


def test_executor_that_was_shut_down_is_replaced_once() -> None:
    executors = [ThreadPoolExecutor(1), ThreadPoolExecutor(1)]
    executors[0].shutdown()
    made = iter(executors)
    with Pool(lambda: borrow(next(made)), perform, name) as pool:
        pool.submit(Task(6))
        assert drain(pool) == [(6, 36)]
    executors[1].shutdown()


def test_executor_that_cannot_be_replaced_ends_the_run(threads: Executor) -> None:
    threads.shutdown()
    with (
        Pool(lambda: borrow(threads), perform, name) as pool,
        pytest.raises(WorkerError, match="trial 0 cannot be sent"),
    ):
        pool.submit(Task(0))


def test_cluster_that_is_gone_ends_the_run() -> None:
    executor = ThreadPoolExecutor(1)
    makes = iter([lambda: borrow(executor)])

    def make() -> ExecutorHandle:
        try:
            return next(makes)()
        except StopIteration:
            raise UserError("no Dask scheduler answers at 'HOST:1'") from None

    with Pool(make, perform, name) as pool:
        pool.submit(Task(0, nap_s=0.2))
        pool.submit(Task(1))
        executor.shutdown(wait=False, cancel_futures=True)  # as the client of a lost scheduler does
        with pytest.raises(WorkerError, match="broke down and cannot be replaced: no Dask scheduler answers"):
            drain(pool)
