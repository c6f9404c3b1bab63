"""The protocol of CAGE Challenge 2: 30, 50 and 100 steps against B-line, RedMeander and Sleep.

Each cell has episodes of its own, the same for whoever is evaluated with the same seed, and other ones in CybORG than
in the compiled simulator, so that all means are independent. The total score is the sum of the nine means.

Source: https://github.com/cage-challenge/cage-challenge-2, CybORG/Evaluation/evaluation.py and README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.sources import AgentSource
from cageflow.agents.team import MEMBERS
from cageflow.collect.games import GameSpec
from cageflow.envs.options import GameOptions, why_not
from cageflow.envs.red_player import open_red
from cageflow.envs.red_speed import notes_on_red
from cageflow.envs.seeds import EpisodeStream
from cageflow.errors import UserError
from cageflow.evaluation.exploitability import Exploitability, known_exploitability
from cageflow.evaluation.perturbed import Perturbed, evaluate_perturbed
from cageflow.evaluation.statistics import Estimate, Summary, sum_of_means, summarize
from cageflow.evaluation.work import Share, cut_shares, play_shares
from cageflow.scenario import NetworkIdentity
from cageflow.scenario.durations import FROM_FILE
from cageflow.scenario.red_agents import BUILT_IN, RED_AGENTS
from cageflow.sim.threads import available_cores
from cageflow.workflow.tested import OrderTests, pooled_tests

LENGTHS = (30, 50, 100)
REDS = tuple(RED_AGENTS)
EPISODES = 1000
MAX_EPISODES, MAX_STEPS, MAX_WORKERS = 10_000_000, 100_000, 1024


@dataclass(frozen=True)
class EvaluationSettings:
    """What is played.

    Attributes:
        game: that is played, each cell of it against its own red agent and with its own number of steps; see
            `agents.own_game.own_game` for the game that an agent was made for.
        episodes: of each cell, at least 2.
        seed: decides all chance.
        lengths: steps of an episode; none given: those of the network's protocol, which are `LENGTHS` unless its file
            says otherwise.
        red_agents: by CybORG's names; none given: those of the network's protocol, else `REDS`, that can play on it.
        left_out: those of the protocol that cannot.
        cyborg_path: folder of an installed CybORG to play on; None for the compiled simulator.
        num_workers: processes; None is one for each core on CybORG, else none beside this one.
        perturbed_episodes: from each perturbed start against each red agent, at least 2; 0 plays none.
    """

    game: GameOptions = GameOptions()
    episodes: int = EPISODES
    seed: int = 0
    lengths: tuple[int, ...] = ()
    red_agents: tuple[str, ...] = ()
    cyborg_path: Path | None = None
    num_workers: int | None = None
    perturbed_episodes: int = 0
    left_out: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        self._check_original()
        self._fill_in()
        if self.episodes < 2:
            raise UserError(f"episodes is {self.episodes}; a mean with its error needs at least 2.")
        if self.episodes > MAX_EPISODES or max(self.lengths) > MAX_STEPS:
            raise UserError(
                f"episodes is {self.episodes} of up to {max(self.lengths)} steps; expected at most {MAX_EPISODES:,} of "
                f"{MAX_STEPS:,}."
            )
        if not (self.perturbed_episodes == 0 or 2 <= self.perturbed_episodes <= MAX_EPISODES):
            raise UserError(
                f"perturbed is {self.perturbed_episodes}; expected 0 for none, or from 2 to {MAX_EPISODES:,} episodes."
            )
        if self.num_workers is not None and not 1 <= self.num_workers <= MAX_WORKERS:
            raise UserError(f"n-workers is {self.num_workers}; expected a whole number from 1 to {MAX_WORKERS:,}.")

    def _check_original(self) -> None:
        if self.cyborg_path is not None and self.game.scenario is not None:
            raise UserError("CybORG plays its own network; leave out the network file.")
        if self.cyborg_path is not None and self.game.durations != FROM_FILE:
            raise UserError(
                f"durations is {self.game.durations!r}, but each action of CybORG takes one step: leave it out, or "
                "leave out --both and --simulator cyborg."
            )

    def _fill_in(self) -> None:
        """Take from the network's protocol what is not given."""
        network = self.game.unchecked_network
        protocol = network.scenario.protocol
        if not self.lengths:
            object.__setattr__(self, "lengths", tuple(protocol.max_steps))
        if not self.red_agents:
            able = tuple(red for red in protocol.red_agents if why_not(red, network) is None)
            object.__setattr__(self, "red_agents", able or tuple(protocol.red_agents))  # refused where it is to play
            object.__setattr__(self, "left_out", tuple(red for red in protocol.red_agents if red not in able))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user has to know of what is played, a sentence each."""
        reasons = [why_not(red, self.game.unchecked_network) for red in self.left_out]
        return tuple(f"{reason}, so that it is left out of the protocol" for reason in reasons)

    @property
    def is_whole(self) -> bool:
        """Whether it is the challenge's protocol, all nine cells with green asleep."""
        cells = set(self.lengths) == set(LENGTHS) and set(self.red_agents) == set(REDS)
        return cells and not self.game.green

    @property
    def simulator(self) -> str:
        """Where it is played: "compiled" or "cyborg"."""
        return "compiled" if self.cyborg_path is None else "cyborg"

    @cached_property
    def network(self) -> NetworkIdentity:
        """The network that is played."""
        return self.game.unchecked_network.identity


@dataclass(frozen=True)
class Cell:
    """One of the nine.

    Attributes:
        max_steps: of an episode.
        red_agent: by CybORG's name.
        returns: (N,) float64.
        compliance: mean share of fixes that follow the workflow; None without one.
        chosen: of a team: how many episodes ended with each member at play; else None.
        tests: which fixes tested the workflow; None without one.
    """

    max_steps: int
    red_agent: str
    returns: npt.NDArray[np.float64]
    compliance: float | None = None
    chosen: Mapping[str, int] | None = None
    tests: OrderTests | None = None

    @property
    def summary(self) -> Summary:
        """Mean and deviation of the returns."""
        return summarize(self.returns)


@dataclass(frozen=True)
class Evaluation:
    """An agent's results.

    Attributes:
        source: who was evaluated.
        settings: what was played.
        cells: by length, then by red agent.
        notes: what a user has to know of the agent in these games, a sentence each.
        perturbed: what it came to from perturbed starts; None where none was played.
        exploitability: what `cageflow exploit` has found of it under these rules; None where it was not asked.
    """

    source: AgentSource
    settings: EvaluationSettings
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    perturbed: Perturbed | None = None
    exploitability: Exploitability | None = None

    @property
    def total(self) -> Estimate:
        """The sum of the means."""
        return sum_of_means([cell.summary for cell in self.cells])

    @property
    def tests(self) -> OrderTests | None:
        """Which fixes tested the workflow, over the episodes of all cells; None without one."""
        return pooled_tests([cell.tests for cell in self.cells if cell.tests is not None])

    def to_json(self) -> dict[str, Any]:
        """What `cageflow evaluate --json` prints of it."""
        total, game = self.total, self.settings.game
        return {
            "policy": self.source.name,
            "rules": game.rules,
            "simulator": self.settings.simulator,
            "observation": game.observation,
            "network": self.settings.network.to_json(),
            "durations": game.durations,
            "notes": list(self.notes),
            "actions": self.source.actions,
            "seed": self.settings.seed,
            "cells": [_cell_json(cell) for cell in self.cells],
            "total": total.mean,
            "total_se": total.se,
            "total_interval": list(total.interval()),
            **({} if self.tests is None else self.tests.to_json()),
            **({} if self.perturbed is None else {"perturbed": self.perturbed.to_json()}),
            **({} if self.exploitability is None else {"exploit": self.exploitability.to_json()}),
        }


def evaluate(
    source: AgentSource, settings: EvaluationSettings, say: Callable[[str], None] = lambda words: None
) -> Evaluation:
    """Evaluate an agent.

    Args:
        source: the agent.
        settings: what is played.
        say: is told of each cell that is done, where they take their time.

    Raises:
        UserError: the agent does not fit the games, fails, or gives what is no action; or CybORG is not there.
        WorkerError: a process died.
    """
    _ = settings.network
    specs = {
        (max_steps, red): GameSpec(
            settings.game.against(red, max_steps),
            masked=True,
            cyborg_path=None if settings.cyborg_path is None else str(settings.cyborg_path),
        )
        for max_steps in settings.lengths
        for red in settings.red_agents
    }
    for spec in specs.values():
        _ = spec.options.network  # so that a red agent without a way is refused at once
        if spec.options.red_agent not in BUILT_IN:
            open_red(spec.options)  # so that what is wrong with it is said before a process is started
    slow = _notes_on_reds(settings)
    setting = next(iter(specs.values())).options.blue_setting
    num_workers = _num_workers(settings)
    shares: list[Share] = []
    for key, spec in specs.items():
        shares += cut_shares(Share(key, spec, _seeds(settings, *key), source.workflow), num_workers)
    cells = {}
    for key, played in play_shares(source, setting, shares, num_workers):
        compliance, tests = None, None
        if source.workflow is not None:
            compliance, tests = float(played.compliance.mean()), OrderTests.of(played.tests, played.contests)
        chosen = None
        if played.chosen is not None:
            chosen = {name: int((played.chosen == i).sum()) for i, name in enumerate(MEMBERS)}
        cells[key] = cell = Cell(*key, played.returns, compliance, chosen, tests)
        summary = cell.summary
        say(f"{settings.simulator}: {key[0]} steps against {key[1]}: {summary.mean:.2f} ± {summary.se:.2f}")
    perturbed = None
    if settings.perturbed_episodes:
        perturbed = evaluate_perturbed(
            source, list(specs.values()), settings.seed, settings.perturbed_episodes, num_workers, say
        )
    notes = (*settings.notes, *slow, *source.notes(setting))
    exploited = known_exploitability(source, settings.game)
    return Evaluation(source, settings, tuple(cells[key] for key in specs), notes, perturbed, exploited)


def _notes_on_reds(settings: EvaluationSettings) -> tuple[str, ...]:
    """What a user has to know of the red agents' speed."""
    game = settings.game
    if settings.cyborg_path is not None:
        return ()
    reds = [game.against(red, game.max_steps) for red in settings.red_agents]
    return tuple(note for options in reds for note in notes_on_red(options))


def _num_workers(settings: EvaluationSettings) -> int:
    """Processes beside this one."""
    if settings.num_workers is None:
        return 0 if settings.cyborg_path is None else available_cores()
    return 0 if settings.num_workers == 1 and settings.cyborg_path is None else settings.num_workers


def _seeds(settings: EvaluationSettings, max_steps: int, red_agent: str) -> npt.NDArray[np.uint64]:
    purpose = f"evaluate {settings.simulator} {max_steps} {red_agent}"
    return EpisodeStream(settings.seed, purpose).seeds(0, settings.episodes)


def _cell_json(cell: Cell) -> dict[str, Any]:
    summary = cell.summary
    content: dict[str, Any] = {
        "max_steps": cell.max_steps,
        "red_agent": cell.red_agent,
        "mean": summary.mean,
        "se": summary.se,
        "episodes": summary.size,
        "sd": summary.sd,
        "interval": list(summary.estimate.interval()),
        "worst": float(cell.returns.min()),
    }
    if cell.compliance is not None:
        content["compliance"] = cell.compliance
    if cell.tests is not None:
        content |= cell.tests.to_json()
    if cell.chosen is not None:
        content["chosen"] = dict(cell.chosen)
    return content
