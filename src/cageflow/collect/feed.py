"""What the learner eats: the episodes of one training, batch by batch, fresh or a few updates old."""

from __future__ import annotations

from typing import Any, Protocol

from cageflow.collect.collectors import Collector, ProcessCollector
from cageflow.collect.episodes import Episodes
from cageflow.collect.games import WorkflowSpec
from cageflow.collect.workers import Task
from cageflow.envs.seeds import EpisodeStream
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.learn.inference import ActorWeights


class Feed(Protocol):
    """The episodes of one training; each of the stream's episodes is handed over exactly once."""

    def next_batch(self, weights: ActorWeights, count: int) -> Episodes:
        """`count` episodes, of this policy or a recent one."""

    def state_dict(self) -> dict[str, Any]:
        """Which episodes have been handed over, as plain data."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after the episodes that were handed over."""

    def close(self) -> None:
        """Forget what is under way."""


class SynchronousFeed:
    """Episodes of the present policy, in the order of the stream.

    Args:
        collector: who plays.
        stream: the episodes.
        workflow: that fixes are judged by, or None.
        variation: what is drawn for each of them.
    """

    def __init__(
        self,
        collector: Collector,
        stream: EpisodeStream,
        workflow: WorkflowSpec | None,
        variation: Variation = UNVARIED,
    ) -> None:
        self._collector = collector
        self._stream = stream
        self._workflow = workflow
        self._variation = variation
        self._next = 0

    def next_batch(self, weights: ActorWeights, count: int) -> Episodes:
        """`count` episodes of this policy."""
        seeds = self._stream.seeds(self._next, count)
        episodes = self._collector.play(weights, seeds, self._workflow, self._variation)
        self._next += count
        return episodes

    def state_dict(self) -> dict[str, Any]:
        """Which episodes have been handed over, as plain data."""
        return {"next": self._next}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after the episodes that were handed over."""
        self._next = state["next"]

    def close(self) -> None:
        """Nothing is under way."""


class AsynchronousFeed:
    """Episodes as they come in, while the workers go on with the next ones.

    The oldest come first, and no more than `max_staleness + 1` batches are ever under way or waiting, so an episode is
    learned from at most `max_staleness` updates after its policy was the present one.

    Args:
        collector: who plays.
        stream: the episodes.
        workflow: that fixes are judged by, or None.
        max_staleness: at least 1.
        max_episodes: after which the stream ends.
        variation: what is drawn for each of them.
    """

    def __init__(
        self,
        collector: ProcessCollector,
        stream: EpisodeStream,
        workflow: WorkflowSpec | None,
        max_staleness: int,
        max_episodes: int,
        variation: Variation = UNVARIED,
    ) -> None:
        self._workers = collector.workers
        self._task_episodes = collector.task_episodes
        self._stream = stream
        self._workflow = workflow
        self._variation = variation
        self._max_staleness = max_staleness
        self._max_episodes = max_episodes
        self._version = 0
        self._next = 0
        self._again: list[list[int]] = []  # first and count of episodes begun before a stop, to be played again
        self._ready: list[tuple[Task, Episodes]] = []

    def next_batch(self, weights: ActorWeights, count: int) -> Episodes:
        """`count` episodes of this policy or of one at most `max_staleness` updates older, the oldest first.

        Raises:
            WorkerError: workers die again and again.
        """
        self._top_up(weights, count)
        while (batch := self._take(count)) is None:
            self._ready.append(self._workers.next_played())
        self._version += 1
        return Episodes.concatenate(batch)

    def state_dict(self) -> dict[str, Any]:
        """Which episodes have been handed over, as plain data."""
        begun = self._workers.pending + [task for task, _ in self._ready]
        open_tasks = [[task.first, len(task.seeds)] for task in begun] + self._again
        return {"next": self._next, "again": sorted(open_tasks), "version": self._version}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after the episodes that were handed over; those under way then are played again."""
        self._next, self._version = state["next"], state["version"]
        self._again = [list(task) for task in state["again"]]

    def close(self) -> None:
        """Forget what is under way."""
        self._workers.cancel()
        self._ready.clear()

    def _take(self, count: int) -> list[Episodes] | None:
        """The oldest `count` episodes that are ready, or None where it is better to wait.

        It is better where fewer are ready, or where those left behind could not all be learned from in time: of the
        versions up to v, no more may be left than the batches that may still hold them.
        """
        self._ready.sort(key=lambda pair: (pair[0].version, pair[0].first))
        num_taken = num_tasks = 0
        while num_taken < count and num_tasks < len(self._ready):
            num_taken += len(self._ready[num_tasks][0].seeds)
            num_tasks += 1
        if num_taken < count:
            return None
        left = [task for task, _ in self._ready[num_tasks:]] + self._workers.pending
        for version in {task.version for task in left}:
            num_left = sum(len(task.seeds) for task in left if task.version <= version)
            if num_left > count * (version + self._max_staleness - self._version):
                return None
        assert num_taken == count, "tasks are cut so that whole ones make a batch"
        taken, self._ready = self._ready[:num_tasks], self._ready[num_tasks:]
        return [episodes for _, episodes in taken]

    def _num_ready(self) -> int:
        return sum(len(task.seeds) for task, _ in self._ready)

    def _top_up(self, weights: ActorWeights, count: int) -> None:
        """Begin tasks until `max_staleness + 1` batches are under way or ready, or the stream ends."""
        size = largest_divisor(count, self._task_episodes)
        wanted = (self._max_staleness + 1) * count
        under_way = self._num_ready() + sum(len(task.seeds) for task in self._workers.pending)
        while under_way < wanted and (self._again or self._next < self._max_episodes):
            if self._again:
                first, num_episodes = self._again.pop(0)
            else:
                first, num_episodes = self._next, min(size, self._max_episodes - self._next)
                self._next += num_episodes
            seeds = self._stream.seeds(first, num_episodes)
            self._workers.submit(Task(first, seeds, self._version, weights, self._workflow, self._variation))
            under_way += num_episodes


def largest_divisor(number: int, limit: int) -> int:
    """The largest divisor of `number` that is at most `limit`, so that whole tasks make a batch."""
    return next(size for size in range(min(number, limit), 0, -1) if number % size == 0)


def make_feed(
    collector: Collector,
    stream: EpisodeStream,
    workflow: WorkflowSpec | None,
    max_staleness: int,
    max_episodes: int,
    variation: Variation = UNVARIED,
) -> Feed:
    """The feed that a collector can give: asynchronous over processes if staleness is allowed."""
    if isinstance(collector, ProcessCollector) and max_staleness > 0:
        return AsynchronousFeed(collector, stream, workflow, max_staleness, max_episodes, variation)
    return SynchronousFeed(collector, stream, workflow, variation)
