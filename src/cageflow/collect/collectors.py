"""The four collectors. All give the same episodes for the same seeds and policy; they differ in who waits for whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from cageflow.collect.episodes import Episodes
from cageflow.collect.games import Games, GameSpec, WorkflowSpec
from cageflow.collect.lockstep_games import LockstepGames
from cageflow.collect.play import Player
from cageflow.collect.simulators import make_learners_games
from cageflow.collect.workers import Task, Workers
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.errors import UserError
from cageflow.learn.inference import ActorWeights

SLOW_TASK_EPISODES = 1  # an episode of CybORG takes a seventh of a second
COMPILED_TASK_EPISODES = 50  # one of the compiled simulator some 0.1 milliseconds, in a batch


class Job(NamedTuple):
    """Episodes of one policy, one for each seed, judged by one workflow or by none."""

    weights: ActorWeights
    seeds: npt.NDArray[np.uint64]
    workflow: WorkflowSpec | None
    variation: Variation = UNVARIED


class Collector(Protocol):
    """Plays whole episodes."""

    def play(
        self,
        weights: ActorWeights,
        seeds: npt.NDArray[np.uint64],
        workflow: WorkflowSpec | None,
        variation: Variation = UNVARIED,
    ) -> Episodes:
        """One episode for each seed, in their order, which differ as `variation` says."""

    def close(self) -> None:
        """End the processes, if there are any."""


class _InStep:
    """All episodes of a call in step."""

    def __init__(self, games: Games, num_steps: int) -> None:
        self._player = Player(games, num_steps)

    def play(
        self,
        weights: ActorWeights,
        seeds: npt.NDArray[np.uint64],
        workflow: WorkflowSpec | None,
        variation: Variation = UNVARIED,
    ) -> Episodes:
        """One episode for each seed, in the order of the seeds."""
        return self._player.play(weights, seeds, workflow, variation)

    def close(self) -> None:
        """End the games, and the processes that they run in."""
        self._player.close()


class VectorCollector(_InStep):
    """All episodes in step in this process, actions chosen for all at once."""

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        super().__init__(make_learners_games(spec), spec.options.max_steps)


class SequentialCollector:
    """One environment, one episode after the other."""

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        self._player = Player(make_learners_games(spec), spec.options.max_steps)

    def play(
        self,
        weights: ActorWeights,
        seeds: npt.NDArray[np.uint64],
        workflow: WorkflowSpec | None,
        variation: Variation = UNVARIED,
    ) -> Episodes:
        """One episode for each seed, in the order of the seeds."""
        return Episodes.concatenate(
            [self._player.play(weights, seeds[i : i + 1], workflow, variation) for i in range(len(seeds))]
        )

    def close(self) -> None:
        """End the games."""
        self._player.close()


class SyncCollector(_InStep):
    """All episodes in step over processes, which wait for the slowest at each step."""

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        super().__init__(LockstepGames(spec, num_workers), spec.options.max_steps)


class ProcessCollector:
    """Whole episodes on persistent worker processes; nobody waits for anybody before the last episode is in.

    Attributes:
        workers: the processes; `feed.AsynchronousFeed` keeps them busy while the learner learns.
        task_episodes: episodes of one task.
    """

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        self.workers = Workers(spec, spec.options.max_steps, num_workers)
        self.task_episodes = SLOW_TASK_EPISODES if spec.is_slow else COMPILED_TASK_EPISODES

    def play(
        self,
        weights: ActorWeights,
        seeds: npt.NDArray[np.uint64],
        workflow: WorkflowSpec | None,
        variation: Variation = UNVARIED,
    ) -> Episodes:
        """One episode for each seed, in the order of the seeds.

        Raises:
            WorkerError: workers die again and again.
        """
        return self.play_each([Job(weights, seeds, workflow, variation)])[0]

    def play_each(self, jobs: Sequence[Job]) -> list[Episodes]:
        """The episodes of several policies, played beside one another.

        Raises:
            WorkerError: workers die again and again.
        """
        size = self.task_episodes
        starts = [(number, first) for number, job in enumerate(jobs) for first in range(0, len(job.seeds), size)]
        for place, (number, first) in enumerate(starts):
            weights, seeds, workflow, variation = jobs[number]
            self.workers.submit(Task(place, seeds[first : first + size], 0, weights, workflow, variation))
        done = {}
        while self.workers.pending:
            task, episodes = self.workers.next_played()
            done[task.first] = episodes
        return [
            Episodes.concatenate([done[place] for place, start in enumerate(starts) if start[0] == number])
            for number in range(len(jobs))
        ]

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

WITH_PROCESSES = ("process", "sync")
"""Those that start worker processes."""
RESUMED_EXACTLY = ("vector", "sync", "sequential")
"""Those whose trainings go on from a saved state as if they never had stopped; "process" plays ahead of the learner."""


def play_each(collector: Collector, jobs: Sequence[Job]) -> list[Episodes]:
    """The episodes of several policies, one after the other or, where a collector can, beside one another."""
    if isinstance(collector, ProcessCollector):
        return collector.play_each(jobs)
    return [collector.play(*job) for job in jobs]


def check_collector(name: str) -> None:
    """Refuse a name that no collector has.

    Raises:
        UserError: there is none of that name.
    """
    if name not in COLLECTORS:
        raise UserError(f"unknown collector {name!r}: choose one of {', '.join(COLLECTORS)}")


def make_collector(name: str, spec: GameSpec, num_workers: int) -> Collector:
    """Start a collector.

    Raises:
        UserError: there is none of that name, or CybORG is asked for and is not there.
    """
    check_collector(name)
    return COLLECTORS[name](spec, num_workers)
