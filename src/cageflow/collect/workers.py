"""Persistent worker processes that play whole episodes, and what happens when one of them dies."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cageflow.collect.episodes import Episodes
from cageflow.collect.games import GameSpec, WorkflowSpec
from cageflow.collect.play import Player
from cageflow.collect.simulators import make_games
from cageflow.learn.inference import ActorWeights
from cageflow.work.worker_process import begin_worker

MAX_DEATHS = 3  # of workers, one after the other without an episode between them


class CollectError(RuntimeError):
    """A worker died and could not be replaced; the message says which, or over which seed."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Episodes for one worker to play.

    Attributes:
        first: number of the first episode in its stream.
        seeds: (B,) uint64.
        version: updates that the policy has behind it.
        weights: the policy.
        workflow: that fixes are judged by, or None.
    """

    first: int
    seeds: npt.NDArray[np.uint64]
    version: int
    weights: ActorWeights
    workflow: WorkflowSpec | None


class Workers:
    """A pool of processes, started once and kept. A task whose worker dies is given to another, with the same seeds.

    Args:
        spec: what is played.
        num_steps: of an episode.
        num_workers: processes.
    """

    def __init__(self, spec: GameSpec, num_steps: int, num_workers: int) -> None:
        self.num_workers = num_workers
        self._spec = spec
        self._num_steps = num_steps
        self._pool = self._start_pool(num_workers)
        self._running: dict[Future[Episodes], Task] = {}
        self._deaths = 0

    @property
    def tasks(self) -> list[Task]:
        """Tasks that have not come back."""
        return list(self._running.values())

    def submit(self, task: Task) -> None:
        """Give a task to the next free worker."""
        try:
            future = self._pool.submit(_play, task.weights, task.seeds, task.workflow)
        except BrokenProcessPool:
            self._replace_pool()
            future = self._pool.submit(_play, task.weights, task.seeds, task.workflow)
        self._running[future] = task

    def next_done(self) -> tuple[Task, Episodes]:
        """Wait for the first task to come back.

        Raises:
            CollectError: workers died MAX_DEATHS times in a row.
        """
        while True:
            future = next(as_completed(self._running))
            try:
                episodes = future.result()
            except BrokenProcessPool:
                self._replace_pool()
                continue
            self._deaths = 0
            return self._running.pop(future), episodes

    def cancel(self) -> None:
        """Forget all tasks; those under way are played to their end in vain."""
        for future in self._running:
            future.cancel()
        self._running.clear()

    def close(self) -> None:
        """End the workers."""
        self.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start_pool(self, num_workers: int) -> ProcessPoolExecutor:
        # Spawned, since a fork of a process with threads can hang.
        return ProcessPoolExecutor(
            num_workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(self._spec, self._num_steps),
        )

    def _replace_pool(self) -> None:
        """Start new workers in place of a pool in which one died, and give them all that had not come back."""
        self._deaths += 1
        self._pool.shutdown(wait=False, cancel_futures=True)
        unfinished = [task for future, task in self._running.items() if not _has_result(future)]
        self._running = {future: task for future, task in self._running.items() if _has_result(future)}
        if self._deaths >= MAX_DEATHS:
            raise CollectError(f"workers died {self._deaths} times in a row; {self._find_culprit(unfinished)}")
        self._pool = self._start_pool(self.num_workers)
        for task in unfinished:
            self.submit(task)

    def _find_culprit(self, tasks: list[Task]) -> str:
        """Play the episodes one by one in a process each until one kills it."""
        for task in tasks:
            for seed in task.seeds:
                with self._start_pool(1) as pool:
                    try:
                        pool.submit(_play, task.weights, np.array([seed]), task.workflow).result()
                    except BrokenProcessPool as error:
                        return f"the episode with seed {seed} kills its worker ({error})"
        return "no single episode does it, so look for a lack of memory or a limit on processes"


def _has_result(future: Future[Episodes]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


_player: Player | None = None  # of this worker process


def _start(spec: GameSpec, num_steps: int) -> None:
    """Make ready, once in each worker."""
    global _player
    begin_worker()
    _player = Player(make_games(spec), num_steps)


def _play(weights: ActorWeights, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> Episodes:
    """Play a task in this worker."""
    assert _player is not None
    return _player.play(weights, seeds, workflow)
