"""The episodes of an evaluation, played in this process or shared among several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.perturbed import PerturbedAgent
from cageflow.agents.sources import AgentSource
from cageflow.collect.games import GameSpec, LocalGames, WorkflowSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.envs.perturbing import PERTURBING_STEPS
from cageflow.evaluation.episodes import Played, play_episodes
from cageflow.work.executors import make_processes
from cageflow.work.pool import Pool, TaskLostError, WorkerError

CellKey = tuple[Any, ...]
"""What a cell is known by."""

COMPILED_ENVS = 4096  # games at once; each takes half a kilobyte
CYBORG_ENVS = 4  # an object of CybORG each
STEPS_PER_SHARE = 1500
"""Steps that a process plays before it asks for more, two or three seconds of CybORG."""


@dataclass(frozen=True, eq=False)
class Share:
    """Episodes of one cell.

    Attributes:
        cell: which one.
        spec: what is played.
        seeds: (N,) uint64, an episode each.
        workflow: that fixes are judged by, or None.
        start: what is done in the agent's place before its episodes begin, one of `envs.perturbing.STARTS`; None if
            nothing is. The game's steps are those of both.
    """

    cell: CellKey
    spec: GameSpec
    seeds: npt.NDArray[np.uint64]
    workflow: WorkflowSpec | None
    start: str | None = None


def cut_shares(whole: Share, num_workers: int) -> list[Share]:
    """The episodes of a cell in parts that keep processes busy; in one where there are none."""
    seeds = whole.seeds
    size = len(seeds) if num_workers == 0 else max(1, STEPS_PER_SHARE // whole.spec.options.max_steps)
    return [replace(whole, seeds=seeds[first : first + size]) for first in range(0, len(seeds), size)]


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
        WorkerError: processes died, one after the other.
    """
    agent = source.load(setting)  # here too, so that what is wrong with it is said before a process is started
    if num_workers == 0:
        table = _Table(agent)
        yield from _by_cell(shares, ((share, table.play(share)) for share in shares))
        return
    pool = Pool(partial(make_processes, num_workers, _start, (source, setting)), _play, lambda share: source.name)
    with pool:
        for share in shares:
            pool.submit(share)
        try:
            yield from _by_cell(shares, pool.results())
        except TaskLostError as error:
            raise WorkerError(f"a process that played {source.name} died; look for a lack of memory") from error


def _by_cell(shares: Sequence[Share], done: Iterable[tuple[Share, Played]]) -> Iterator[tuple[CellKey, Played]]:
    parts: dict[CellKey, dict[Share, Played | None]] = {}
    for share in shares:
        parts.setdefault(share.cell, {})[share] = None
    for share, played in done:
        parts[share.cell][share] = played
        whole = [part for part in parts[share.cell].values() if part is not None]
        if len(whole) == len(parts[share.cell]):
            del parts[share.cell]
            yield share.cell, Played.concatenate(whole)


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
        return play_share(self._agent, share, self._games[spec])


def play_share(agent: BlueAgent, share: Share, games: LocalGames | None = None) -> Played:
    """Play a share with an agent, in games of its spec that are there already or in new ones."""
    spec, lead_in = share.spec, 0
    if share.start is not None:
        agent, lead_in = PerturbedAgent(agent, spec.options.blue_setting, share.start), PERTURBING_STEPS
    return play_episodes(
        agent,
        make_games(spec) if games is None else games,
        share.seeds,
        share.workflow,
        COMPILED_ENVS if spec.cyborg_path is None else CYBORG_ENVS,
        lead_in,
    )


_table: _Table | None = None  # of this worker process


def _start(source: AgentSource, setting: BlueSetting) -> None:
    """Make ready, once in each worker."""
    global _table
    _table = _Table(source.load(setting))


def _play(share: Share) -> Played:
    """Play a share in this worker."""
    assert _table is not None
    return _table.play(share)
