"""Games spread over worker processes that all wait for each other at every step."""

from __future__ import annotations

import contextlib
import multiprocessing
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.collect.games import GameSpec, Observations, Outcomes, WorkflowSpec
from cageflow.collect.simulators import make_games
from cageflow.collect.workers import CollectError
from cageflow.errors import UserError
from cageflow.work.worker_process import begin_worker


class LockstepGames:
    """B games in nearly equal shares on worker processes, in lockstep with a barrier at each step.

    Args:
        spec: what is played.
        num_workers: processes.

    Raises:
        UserError: a worker cannot play what is asked for.
    """

    def __init__(self, spec: GameSpec, num_workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._masked = spec.masked
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(num_workers):
            here, there = context.Pipe()
            process = context.Process(target=serve, args=(there, spec), daemon=True)
            process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)
        self._masks: npt.NDArray[np.uint8] | None = None
        self._gather()

    def reset(self, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> None:
        """Begin B episodes, one for each seed."""
        self._shares = np.array_split(np.arange(seeds.shape[0]), len(self._pipes))
        for pipe, share in zip(self._pipes, self._shares, strict=True):
            send(pipe, ("reset", seeds[share], workflow))
        self._look()

    @property
    def observations(self) -> Observations:
        """(B, F) uint8 what blue sees now."""
        return self._observations

    @property
    def masks(self) -> npt.NDArray[np.uint8] | None:
        """(B, A) uint8, 1 for actions that may be of use; None where they are not asked for."""
        return self._masks

    def step(
        self,
        actions: npt.NDArray[np.int16],
        env_rewards: npt.NDArray[np.float32],
        alignment_rewards: npt.NDArray[np.float32],
    ) -> None:
        """Judge (B,) actions by the workflow, then take them; both (B,) rewards are overwritten."""
        for pipe, share in zip(self._pipes, self._shares, strict=True):
            send(pipe, ("step", actions[share], None))
        replies = self._look()
        env_rewards[:] = np.concatenate([reply[2] for reply in replies])
        alignment_rewards[:] = np.concatenate([reply[3] for reply in replies])

    def outcomes(self) -> Outcomes:
        """How the episodes ended, once they have."""
        for pipe in self._pipes:
            send(pipe, ("outcomes", None, None))
        return Outcomes(*(np.concatenate(parts) for parts in zip(*self._gather(), strict=True)))

    def close(self) -> None:
        """End the workers."""
        for pipe in self._pipes:
            pipe.close()  # a worker ends when nobody is left at the other end
        for process in self._processes:
            process.join(timeout=5.0)
            process.terminate()

    def _look(self) -> list[Any]:
        replies = self._gather()
        self._observations = np.concatenate([reply[0] for reply in replies])
        if self._masked:
            self._masks = np.concatenate([reply[1] for reply in replies])
        return replies

    def _gather(self) -> list[Any]:
        """The replies of all workers, once all have come: the barrier."""
        replies = []
        for number, pipe in enumerate(self._pipes):
            try:
                reply = pipe.recv()
            except (EOFError, ConnectionResetError):
                status = self._processes[number].exitcode
                raise CollectError(f"worker {number} of the collector sync died (exit status {status})") from None
            if isinstance(reply, Exception):
                raise reply
            replies.append(reply)
        return replies


def send(pipe: Connection, message: tuple[str, Any, WorkflowSpec | None]) -> None:
    """Send to a worker; one that is dead is noticed where its reply is missed."""
    with contextlib.suppress(BrokenPipeError):
        pipe.send(message)


def serve(pipe: Connection, spec: GameSpec) -> None:
    """Run a share of the games until the other end of the pipe is closed."""
    begin_worker()
    try:
        games = make_games(spec)
    except UserError as error:
        pipe.send(error)
        return
    pipe.send(None)
    env_rewards = alignment_rewards = np.empty(0, np.float32)
    while True:
        try:
            what, data, workflow = pipe.recv()
        except EOFError:
            return
        if what == "outcomes":
            pipe.send(tuple(games.outcomes()))
            continue
        if what == "reset":
            games.reset(data, workflow)
            env_rewards = np.empty(data.shape[0], np.float32)
            alignment_rewards = np.empty_like(env_rewards)
        else:
            games.step(data, env_rewards, alignment_rewards)
        pipe.send((games.observations, games.masks, env_rewards, alignment_rewards))
