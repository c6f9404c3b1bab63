"""The trainings of a study at once, each in a process of its own that writes its checkpoint when it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from cageflow.envs.red_code import name_code
from cageflow.errors import UserError
from cageflow.runs.interrupt import RunFailedError, RunStoppedError
from cageflow.studies.training import Training
from cageflow.work.executors import ExecutorHandle
from cageflow.work.pool import Pool
from cageflow.work.worker_processes import WorkerProcesses

Name = Callable[[Training], str]


class Told(Protocol):
    """Who is told how trainings get on, and asked whether to go on: a study, or who else has trainings."""

    def check(self) -> None:
        """Raise what ends all of them."""

    def say(self, words: str) -> None:
        """Tell how one gets on."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing has been said for a while."""

    def alone(self) -> AbstractContextManager[None]:
        """A context in which who is told has no threads, so that workers can be copies of this process."""


def check_workers(num_workers: int | None) -> None:
    """Raise `UserError` for a number of processes that is none; None is one for each core."""
    if num_workers is not None and num_workers < 1:
        raise UserError(f"n_workers is {num_workers}; expected a whole number from 1")


def name_by_seed(training: Training) -> str:
    """What a training is called where the seed tells it from the others."""
    return f"seed {training.config.seed}"


def train_all(study: Told, trainings: Sequence[Training], num_workers: int, name: Name = name_by_seed) -> None:
    """Carry trainings through, at most `num_workers` at once.

    Args:
        study: that is told how they get on, and asked whether to go on.
        trainings: begun or not.
        num_workers: processes.
        name: of a training, in what is said.

    Raises:
        RunStoppedError: a signal asked for the end.
        RunFailedError: one of them failed.
    """
    if not trainings:
        return
    with study.alone():
        workers = WorkerProcesses(min(num_workers, len(trainings)), forks=True)
    handle = ExecutorHandle(workers, "", workers.terminate)

    def look() -> None:
        study.check()
        if study.is_silent:
            for training in pool.pending[:num_workers]:
                study.say(progress(training, name))

    with Pool(lambda: handle, _train, name) as pool:
        for training in trainings:
            pool.submit(training)
        while pool.pending:
            training, failure = pool.next_done(look)
            study.check()
            if failure is not None:
                raise RunFailedError(f"the training with {name(training)} failed: {failure}")
            study.say(progress(training, name))


def progress(training: Training, name: Name = name_by_seed) -> str:
    """Where a training stands, from its log."""
    updates = training.updates
    if not updates:
        return f"{name(training)}: starting"
    last = updates[-1]
    words = f"{name(training)}: {last.episodes:,} of {training.config.total_episodes:,} episodes"
    compliance = f", compliance {last.compliance:.1%}" if isinstance(last.order, tuple) else ""
    return f"{words}, return {last.env_reward:.2f}{compliance}"


def _train(training: Training) -> str | None:
    """Train in this process, a worker's; what it failed of, if it did."""
    name_code(training.config.red_agent)  # in the process that this one works for
    try:
        training.carry_through()
    except (UserError, RunFailedError, RunStoppedError) as error:
        return str(error)
    return None
