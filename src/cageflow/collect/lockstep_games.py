"""Games spread over worker processes that all wait for each other at every step."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.collect.games import Games, GameSpec, Observations, Outcomes, WorkflowSpec
from cageflow.collect.simulators import make_games_against, make_learners_games
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.work.pool import WorkerError
from cageflow.work.worker_process import WorkerLostError, WorkerProcess


class LockstepGames:
    """B games in nearly equal shares on worker processes, in lockstep with a barrier at each step.

    Args:
        spec: what is played.
        num_workers: processes.

    Raises:
        UserError: a worker cannot play what is asked for.
    """

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        self._masks: npt.NDArray[np.uint8] | None = None
        self._red: str | None = None
        self._workers = [WorkerProcess(_start, spec) for _ in range(num_workers)]
        try:
            self._gather()
        except BaseException:
            self.close()
            raise

    def against(self, red: str) -> LockstepGames:
        """The same games, in which a policy of red's plays red, on the same workers, which these games end."""
        others = copy(self)
        others._red = red
        return others

    def reset(
        self, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None, variation: Variation = UNVARIED
    ) -> None:
        """Begin B episodes, one for each seed, which differ as `variation` says."""
        self._shares = np.array_split(np.arange(seeds.shape[0]), len(self._workers))
        for worker, share in zip(self._workers, self._shares, strict=True):
            worker.call(_reset, self._red, seeds[share], workflow, variation)
        self._look()

    @property
    def observations(self) -> Observations:
        """(B, F) uint8 what blue sees now."""
        return self._observations

    @property
    def masks(self) -> npt.NDArray[np.uint8] | None:
        """(B, A) uint8, 1 for actions that blue may choose; None where it may choose any."""
        return self._masks

    def step(
        self,
        actions: npt.NDArray[np.int16],
        env_rewards: npt.NDArray[np.float32],
        alignment_rewards: npt.NDArray[np.float32],
    ) -> None:
        """Judge (B,) actions by the workflow, then take them; both (B,) rewards are overwritten."""
        for worker, share in zip(self._workers, self._shares, strict=True):
            worker.call(_step, self._red, actions[share])
        replies = self._look()
        env_rewards[:] = np.concatenate([reply[2] for reply in replies])
        alignment_rewards[:] = np.concatenate([reply[3] for reply in replies])

    def outcomes(self) -> Outcomes:
        """How the episodes ended, once they have."""
        for worker in self._workers:
            worker.call(_outcomes, self._red)
        return Outcomes(*(np.concatenate(parts) for parts in zip(*self._gather(), strict=True)))

    def close(self) -> None:
        """End the workers, where these games began them."""
        if self._red is not None:
            return
        for worker in self._workers:
            worker.let_go()
        for worker in self._workers:
            worker.end()

    def _look(self) -> list[Any]:
        replies = self._gather()
        self._observations = np.concatenate([reply[0] for reply in replies])
        masks = [reply[1] for reply in replies]
        self._masks = None if masks[0] is None else np.concatenate(masks)
        return replies

    def _gather(self) -> list[Any]:
        """The replies of all workers, once all have come: the barrier."""
        replies = []
        for number, worker in enumerate(self._workers):
            try:
                reply, error = worker.answer()
            except WorkerLostError as lost:
                raise WorkerError(f"worker {number} of the collector sync died ({lost})") from None
            if error is not None:
                raise error
            replies.append(reply)
        return replies


_spec: GameSpec | None = None  # of this worker process
_games: dict[str | None, Games] = {}
"""Those of this worker process, by the policy that plays red; None: as the spec says."""


def _start(spec: GameSpec) -> None:
    """Make ready, once in each worker."""
    global _spec
    _spec = spec
    _games[None] = make_learners_games(spec)


def _reset(
    red: str | None, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None, variation: Variation
) -> tuple[Any, ...]:
    """Begin a share of the episodes in this worker; what blue sees, and the masks."""
    if red is not None and red not in _games:
        assert _spec is not None
        _games[red] = make_games_against(_spec, red)
    games = _games[red]
    games.reset(seeds, workflow, variation)
    return games.observations, games.masks


def _step(red: str | None, actions: npt.NDArray[np.int16]) -> tuple[Any, ...]:
    """Take a share of the actions in this worker; what blue sees, the masks and both rewards."""
    games = _games[red]
    env_rewards, alignment_rewards = np.empty((2, actions.shape[0]), np.float32)
    games.step(actions, env_rewards, alignment_rewards)
    return games.observations, games.masks, env_rewards, alignment_rewards


def _outcomes(red: str | None) -> tuple[Any, ...]:
    """How the share of the episodes ended."""
    return tuple(_games[red].outcomes())
