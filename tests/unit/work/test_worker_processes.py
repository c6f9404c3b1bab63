"""Worker processes take tasks in order, keep their state, and say what went wrong, whatever it is."""

import os
import threading
import time

import pytest

from cageflow.errors import UserError
from cageflow.runs.interrupt import RunStoppedError
from cageflow.work.executors import make_processes
from cageflow.work.worker_process import WorkerLostError, WorkerProcess
from cageflow.work.worker_processes import WorkerProcesses
from tests.helpers import tasks


def test_state_of_the_initializer_is_there_for_every_task_of_a_worker() -> None:
    with make_processes(1, tasks.remember, ("a word",)) as handle:
        assert [handle.executor.submit(tasks.recall).result() for _ in range(2)] == ["a word", "a word"]


def test_error_of_the_initializer_is_the_outcome_of_each_task_and_the_next_worker_gets_its_chance() -> None:
    with make_processes(1, tasks.fail, (UserError("no such thing"),)) as handle:
        for _ in range(2):
            with pytest.raises(UserError, match="no such thing"):
                handle.executor.submit(len, "four").result(60)


def test_worker_that_dies_as_it_begins_costs_a_task_and_no_hour() -> None:
    with make_processes(2, os._exit, (7,)) as handle, pytest.raises(WorkerLostError, match="exit status 7"):
        handle.executor.submit(len, "four").result(60)


def test_what_cannot_travel_is_an_error_of_its_task_and_the_worker_goes_on() -> None:
    with make_processes(1) as handle:
        submit = handle.executor.submit
        with pytest.raises(TypeError, match="pickle"):
            submit(len, threading.Lock()).result(60)
        with pytest.raises(TypeError, match="pickle"):
            submit(tasks.give_lock).result(60)
        with pytest.raises(RuntimeError, match="ValueError: <unlocked"):
            submit(tasks.fail_with_lock).result(60)
        with pytest.raises(TypeError, match="missing 1 required positional argument"):  # of what cannot be made again
            submit(tasks.fail, RunStoppedError(15, "go on")).result(60)
        with pytest.raises(SystemExit):
            submit(tasks.fail, SystemExit(3)).result(60)
        assert submit(len, "four").result(60) == 4


def test_error_of_a_task_says_where_in_the_worker_it_arose() -> None:
    with make_processes(1) as handle, pytest.raises(ValueError) as caught:
        handle.executor.submit(int, "four").result(60)
    assert "in a worker process:" in caught.value.__notes__[0]


def test_task_that_was_cancelled_is_not_begun_and_the_others_are() -> None:
    executor = WorkerProcesses(1)
    first, second, third = (executor.submit(time.sleep, 0.3), *(executor.submit(os.getpid) for _ in range(2)))
    assert second.cancel()
    executor.shutdown()  # what was not cancelled is still done
    assert (first.done(), second.cancelled(), third.result() > 0) == (True, True, True)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(os.getpid)
    executor.kill()  # again, as an exit stack may


def test_sigterm_leaves_a_task_that_answers_it_the_time_to_end(tmp_path: "os.PathLike[str]") -> None:
    executor = WorkerProcesses(1)
    under_way = executor.submit(tasks.answer_sigterm, str(tmp_path))
    waiting = executor.submit(len, "four")
    while not os.listdir(tmp_path):
        time.sleep(0.02)
    executor.terminate()
    assert under_way.result() == "in order"
    assert waiting.cancelled()


def test_calls_to_one_worker_are_answered_in_their_order() -> None:
    worker = WorkerProcess(tasks.remember, "a word")
    worker.call(tasks.recall)
    worker.call(int, "four")
    answers = [worker.answer() for _ in range(3)]
    assert [answer.value for answer in answers] == [None, "a word", None]
    assert isinstance(answers[2].error, ValueError)
    worker.end()
    worker.end()
