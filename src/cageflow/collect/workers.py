"""Persistent worker processes that play whole episodes, and which episode it was if they die of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from cageflow.collect.episodes import Episodes
from cageflow.collect.games import GameSpec, WorkflowSpec
from cageflow.collect.play import Player
from cageflow.collect.simulators import make_learners_games
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.learn.inference import ActorWeights
from cageflow.work.executors import make_processes
from cageflow.work.pool import MAX_DEATHS, Pool, TaskLostError, WorkerError
from cageflow.work.worker_process import WorkerLostError


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Episodes for one worker to play.

    Attributes:
        first: number of the first episode in its stream.
        seeds: (B,) uint64.
        version: updates that the policy has behind it.
        weights: the policy.
        workflow: that fixes are judged by, or None.
        variation: what is drawn for each of them.
    """

    first: int
    seeds: npt.NDArray[np.uint64]
    version: int
    weights: ActorWeights
    workflow: WorkflowSpec | None
    variation: Variation = UNVARIED


class Workers(Pool[Task, Episodes]):
    """A pool of processes, started once and kept. A task whose worker dies is given to another, with the same seeds.

    Args:
        spec: what is played.
        num_steps: of an episode.
        num_workers: processes.
    """

    def __init__(self, spec: GameSpec, num_steps: int, num_workers: int) -> None:
        self._start = partial(make_processes, initializer=_start, initargs=(spec, num_steps))
        super().__init__(partial(self._start, num_workers), _play, _name)

    def next_played(self) -> tuple[Task, Episodes]:
        """Wait for the first task to come back.

        Raises:
            WorkerError: workers died MAX_DEATHS times over a task; the message names the episode.
        """
        try:
            return self.next_done()
        except TaskLostError as error:
            assert isinstance(error.task, Task)
            raise WorkerError(f"workers died {MAX_DEATHS} times in a row; {self._find_culprit(error.task)}") from error

    def _find_culprit(self, task: Task) -> str:
        """Play the episodes one by one in a process each until one kills it."""
        for seed in task.seeds:
            with self._start(1) as handle:
                try:
                    handle.executor.submit(self._function, replace(task, seeds=np.array([seed]))).result()
                except WorkerLostError as error:
                    return f"the episode with seed {seed} kills its worker ({error})"
        return "no single episode does it, so look for a lack of memory or a limit on processes"


def _name(task: Task) -> str:
    return f"the task of episode {task.first}"


_player: Player | None = None  # of this worker process


def _start(spec: GameSpec, num_steps: int) -> None:
    """Make ready, once in each worker."""
    global _player
    _player = Player(make_learners_games(spec), num_steps)


def _play(task: Task) -> Episodes:
    """Play a task in this worker."""
    assert _player is not None
    return _player.play(task.weights, task.seeds, task.workflow, task.variation)
