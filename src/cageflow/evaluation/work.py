"""The episodes of an evaluation, played in this process or shared among several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cageflow.agents.sources import AgentSource
from cageflow.collect.games import GameSpec, LocalGames, WorkflowSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.evaluation.episodes import Played, play_episodes

CellKey = tuple[int, str]
"""Steps of an episode and the red agent."""

COMPILED_ENVS = 4096  # games at once; each takes half a kilobyte
CYBORG_ENVS = 4  # an object of CybORG each


class WorkerError(RuntimeError):
    """A process died, by no fault of the settings.

    Attributes:
        exit_status: that of a command whose answer is no.
    """

    exit_status: ClassVar[int] = 1


@dataclass(frozen=True, eq=False)
class Share:
    """Episodes of one cell.

    Attributes:
        cell: which one.
        spec: what is played.
        seeds: (N,) uint64, an episode each.
        workflow: that fixes are judged by, or None.
    """

    cell: CellKey
    spec: GameSpec
    seeds: npt.NDArray[np.uint64]
    workflow: WorkflowSpec | None


def play_shares(
    source: AgentSource, setting: BlueSetting, shares: Sequence[Share], num_workers: int
) -> Iterator[tuple[CellKey, Played]]:
    """Play all shares, and hand over each cell once it is whole, its episodes in the order of the shares.

    Args:
        source: of the agent; one is made in each process.
        setting: of the games.
        shares: those of a cell stand together.
        num_workers: processes; 0 plays in this one.

    Raises:
        UserError: the agent cannot be made, fails, or gives what is no action.
        WorkerError: a process died.
    """
    agent = source.load(setting)  # here too, so that what is wrong with it is said before a process is started
    if num_workers == 0:
        table = _Table(agent)
        done = ((number, table.play(share)) for number, share in enumerate(shares))
        yield from _by_cell(shares, done)
        return
    before = set(multiprocessing.active_children())
    # Spawned, since a fork of a process with threads can hang.
    pool = ProcessPoolExecutor(
        num_workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(source, setting),
    )
    try:
        futures = {pool.submit(_play, share): number for number, share in enumerate(shares)}
        yield from _by_cell(shares, ((futures[future], future.result()) for future in as_completed(futures)))
    except BrokenProcessPool as error:
        raise WorkerError(f"a process that played {source.name} died; look for a lack of memory") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()  # what it still plays is of no more use


def _by_cell(shares: Sequence[Share], done: Iterator[tuple[int, Played]]) -> Iterator[tuple[CellKey, Played]]:
    waiting: dict[CellKey, list[int]] = {}
    for number, share in enumerate(shares):
        waiting.setdefault(share.cell, []).append(number)
    parts: dict[int, Played] = {}
    for number, played in done:
        parts[number] = played
        cell = shares[number].cell
        if all(one in parts for one in waiting[cell]):
            yield cell, Played.concatenate([parts.pop(one) for one in waiting[cell]])


class _Table:
    """An agent and the games that it has played in."""

    def __init__(self, agent: BlueAgent) -> None:
        self._agent = agent
        self._games: dict[GameSpec, LocalGames] = {}

    def play(self, share: Share) -> Played:
        """Play a share."""
        spec = share.spec
        if spec not in self._games:
            self._games = {spec: make_games(spec)}
        return play_episodes(
            self._agent,
            self._games[spec],
            share.seeds,
            share.workflow,
            COMPILED_ENVS if spec.cyborg_path is None else CYBORG_ENVS,
        )


_table: _Table | None = None  # of this worker process


def _start(source: AgentSource, setting: BlueSetting) -> None:
    """Make ready, once in each worker."""
    global _table
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes; the first ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _table = _Table(source.load(setting))


def _end_with_parent() -> None:
    """End this worker when the process that started it has ended, even by SIGKILL: nobody else would."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _play(share: Share) -> Played:
    """Play a share in this worker."""
    assert _table is not None
    return _table.play(share)
