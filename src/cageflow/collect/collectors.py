"""The four collectors. All give the same episodes for the same seeds and policy; they differ in who waits for whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cageflow.collect.episodes import Episodes
from cageflow.collect.games import GameSpec, WorkflowSpec
from cageflow.collect.lockstep_games import LockstepGames
from cageflow.collect.play import Player
from cageflow.collect.simulators import make_games
from cageflow.collect.workers import Task, Workers
from cageflow.errors import UserError
from cageflow.learn.inference import ActorWeights

CYBORG_TASK_EPISODES = 1  # an episode of CybORG takes a seventh of a second
COMPILED_TASK_EPISODES = 50  # one of the compiled simulator some 0.1 milliseconds, in a batch


class Collector(Protocol):
    """Plays whole episodes."""

    def play(self, weights: ActorWeights, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> Episodes:
        """One episode for each seed, in the order of the seeds."""

    def close(self) -> None:
        """End the processes, if there are any."""


class VectorCollector:
    """All episodes in step in this process, actions chosen for all at once."""

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        self._player = Player(make_games(spec), spec.options.max_steps)

    def play(self, weights: ActorWeights, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> Episodes:
        """One episode for each seed, in the order of the seeds."""
        return self._player.play(weights, seeds, workflow)

    def close(self) -> None:
        """End the games."""
        self._player.close()


class SequentialCollector:
    """One environment, one episode after the other."""

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        self._player = Player(make_games(spec), spec.options.max_steps)

    def play(self, weights: ActorWeights, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> Episodes:
        """One episode for each seed, in the order of the seeds."""
        return Episodes.concatenate([self._player.play(weights, seeds[i : i + 1], workflow) for i in range(len(seeds))])

    def close(self) -> None:
        """End the games."""
        self._player.close()


class SyncCollector:
    """All episodes in step over processes, which wait for the slowest at each step."""

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        self._player = Player(LockstepGames(spec, num_workers), spec.options.max_steps)

    def play(self, weights: ActorWeights, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> Episodes:
        """One episode for each seed, in the order of the seeds."""
        return self._player.play(weights, seeds, workflow)

    def close(self) -> None:
        """End the processes."""
        self._player.close()


class ProcessCollector:
    """Whole episodes on persistent worker processes; nobody waits for anybody before the last episode is in.

    Attributes:
        workers: the processes; `feed.AsynchronousFeed` keeps them busy while the learner learns.
        task_episodes: episodes of one task.
    """

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        self.workers = Workers(spec, spec.options.max_steps, num_workers)
        self.task_episodes = COMPILED_TASK_EPISODES if spec.cyborg_path is None else CYBORG_TASK_EPISODES

    def play(self, weights: ActorWeights, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> Episodes:
        """One episode for each seed, in the order of the seeds.

        Raises:
            CollectError: workers die again and again.
        """
        for first in range(0, len(seeds), self.task_episodes):
            self.workers.submit(Task(first, seeds[first : first + self.task_episodes], 0, weights, workflow))
        done = {}
        while self.workers.tasks:
            task, episodes = self.workers.next_done()
            done[task.first] = episodes
        return Episodes.concatenate([done[first] for first in sorted(done)])

    def close(self) -> None:
        """End the processes."""
        self.workers.close()


COLLECTORS: dict[str, Callable[[GameSpec, int], Collector]] = {
    "vector": VectorCollector,
    "process": ProcessCollector,
    "sync": SyncCollector,
    "sequential": SequentialCollector,
}
"""The collectors by the names that a user gives; a new one is a class and a line."""


def make_collector(name: str, spec: GameSpec, num_workers: int) -> Collector:
    """Start a collector.

    Raises:
        UserError: there is none of that name, or CybORG is asked for and is not there.
    """
    if name not in COLLECTORS:
        raise UserError(f"unknown collector {name!r}: choose one of {', '.join(COLLECTORS)}")
    return COLLECTORS[name](spec, num_workers)
