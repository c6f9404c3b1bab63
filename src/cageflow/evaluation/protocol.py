"""The protocol of CAGE Challenge 2: 30, 50 and 100 steps against B-line, RedMeander and Sleep.

Each cell has episodes of its own, the same for whoever is evaluated with the same seed, and other ones in CybORG than
in the compiled simulator, so that all means are independent. The total score is the sum of the nine means.

Source: https://github.com/cage-challenge/cage-challenge-2, CybORG/Evaluation/evaluation.py and README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.sources import AgentSource
from cageflow.agents.team import MEMBERS
from cageflow.collect.games import GameSpec
from cageflow.envs.agent import BlueSetting
from cageflow.envs.options import RED_AGENTS, RULES, GameOptions
from cageflow.envs.seeds import EpisodeStream
from cageflow.errors import UserError
from cageflow.evaluation.statistics import Estimate, Summary, sum_of_means, summarize
from cageflow.evaluation.work import Share, play_shares
from cageflow.scenario import NetworkIdentity, is_cage2
from cageflow.sim.threads import available_cores

LENGTHS = (30, 50, 100)
REDS = tuple(RED_AGENTS)
EPISODES = 1000
MAX_EPISODES, MAX_STEPS, MAX_WORKERS = 10_000_000, 100_000, 1024
STEPS_PER_SHARE = 1500
"""Steps that a process plays before it asks for more, two or three seconds of CybORG."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What is played.

    Attributes:
        rules: "v2.1" or "challenge".
        observation: "corrected" or "official"; None is what the agent was trained with, or else corrected.
        episodes: of each cell, at least 2.
        seed: decides all chance.
        lengths: steps of an episode.
        red_agents: by CybORG's names.
        green: whether the green agent is awake.
        scenario: a network file; None is the one that an agent brings, or else CAGE-2's own.
        cyborg_path: folder of an installed CybORG to play on; None for the compiled simulator.
        num_workers: processes; None is one for each core on CybORG, else none beside this one.
    """

    rules: str = "v2.1"
    observation: str | None = None
    episodes: int = EPISODES
    seed: int = 0
    lengths: tuple[int, ...] = LENGTHS
    red_agents: tuple[str, ...] = REDS
    green: bool = False
    scenario: Path | None = None
    cyborg_path: Path | None = None
    num_workers: int | None = None

    def __post_init__(self) -> None:
        if self.episodes < 2:
            raise UserError(f"episodes is {self.episodes}; a mean with its error needs at least 2.")
        if self.episodes > MAX_EPISODES or max(self.lengths) > MAX_STEPS:
            raise UserError(
                f"episodes is {self.episodes} of up to {max(self.lengths)} steps; expected at most {MAX_EPISODES:,} of "
                f"{MAX_STEPS:,}."
            )
        if self.num_workers is not None and not 1 <= self.num_workers <= MAX_WORKERS:
            raise UserError(f"n-workers is {self.num_workers}; expected a whole number from 1 to {MAX_WORKERS:,}.")
        if self.cyborg_path is not None and self.scenario is not None:
            raise UserError("CybORG plays its own network; leave out the network file.")
        if self.rules not in RULES:
            raise UserError(f"rules is {self.rules!r}; possible are {', '.join(RULES)}.")

    @property
    def is_whole(self) -> bool:
        """Whether it is the challenge's protocol, all nine cells with green asleep."""
        cells = set(self.lengths) == set(LENGTHS) and set(self.red_agents) == set(REDS)
        return cells and not self.green

    @property
    def simulator(self) -> str:
        """Where it is played: "compiled" or "cyborg"."""
        return "compiled" if self.cyborg_path is None else "cyborg"

    def observation_for(self, source: AgentSource) -> str:
        """The table that an agent is shown.

        Raises:
            UserError: another one is asked for than it was trained with.
        """
        if self.observation is not None and source.observation not in (None, self.observation):
            raise UserError(
                f"{source.name} was trained on the {source.observation} observation; {self.observation} is asked for."
            )
        return source.observation or self.observation or "corrected"

    def scenario_for(self, source: AgentSource) -> Path | None:
        """The network file that an agent is played on; None is CAGE-2's own network.

        Raises:
            UserError: CybORG, which plays that one alone, is to play another.
        """
        if self.cyborg_path is None:
            return self.scenario or source.scenario
        if source.network is not None and not is_cage2(source.network):
            raise UserError(
                f"{source.name} was made for the network {source.network}, and CybORG plays CAGE-2's alone: leave out "
                "--both and --simulator cyborg."
            )
        return None


@dataclass(frozen=True)
class Cell:
    """One of the nine.

    Attributes:
        max_steps: of an episode.
        red_agent: by CybORG's name.
        returns: (N,) float64.
        compliance: mean share of fixes that follow the workflow; None without one.
        chosen: of a team: how many episodes ended with each member at play; else None.
    """

    max_steps: int
    red_agent: str
    returns: npt.NDArray[np.float64]
    compliance: float | None = None
    chosen: Mapping[str, int] | None = None

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
        observation: the table that it was shown.
        network: that was played on.
        cells: by length, then by red agent.
        notes: what a user has to know of the agent in these games, a sentence each.
    """

    source: AgentSource
    settings: EvaluationSettings
    observation: str
    network: NetworkIdentity
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> Estimate:
        """The sum of the means."""
        return sum_of_means([cell.summary for cell in self.cells])

    def to_json(self) -> dict[str, Any]:
        """What `cageflow evaluate --json` prints of it."""
        total = self.total
        return {
            "policy": self.source.name,
            "rules": self.settings.rules,
            "simulator": self.settings.simulator,
            "observation": self.observation,
            "network": self.network.to_json(),
            "notes": list(self.notes),
            "actions": self.source.actions,
            "seed": self.settings.seed,
            "cells": [_cell_json(cell) for cell in self.cells],
            "total": total.mean,
            "total_se": total.se,
            "total_interval": list(total.interval()),
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
    observation, scenario = settings.observation_for(source), settings.scenario_for(source)
    specs = {
        (max_steps, red): GameSpec(
            GameOptions(red, settings.rules, observation, max_steps, settings.green, scenario),
            masked=True,
            cyborg_path=None if settings.cyborg_path is None else str(settings.cyborg_path),
        )
        for max_steps in settings.lengths
        for red in settings.red_agents
    }
    first = next(iter(specs.values())).options
    setting = BlueSetting(first.network, settings.rules, observation, settings.green)
    num_workers = _num_workers(settings)
    shares = []
    for key, spec in specs.items():
        seeds = _seeds(settings, *key)
        size = len(seeds) if num_workers == 0 else max(1, STEPS_PER_SHARE // key[0])
        shares += [Share(key, spec, seeds[i : i + size], source.workflow) for i in range(0, len(seeds), size)]
    cells: dict[tuple[int, str], Cell] = {}
    for key, played in play_shares(source, setting, shares, num_workers):
        compliance = None if source.workflow is None else float(played.compliance.mean())
        chosen = None
        if played.chosen is not None:
            chosen = {name: int((played.chosen == i).sum()) for i, name in enumerate(MEMBERS)}
        cells[key] = cell = Cell(*key, played.returns, compliance, chosen)
        summary = cell.summary
        say(f"{settings.simulator}: {key[0]} steps against {key[1]}: {summary.mean:.2f} ± {summary.se:.2f}")
    return Evaluation(
        source,
        settings,
        observation,
        setting.network.identity,
        tuple(cells[key] for key in specs),
        source.notes(setting),
    )


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
    }
    if cell.compliance is not None:
        content["compliance"] = cell.compliance
    if cell.chosen is not None:
        content["chosen"] = dict(cell.chosen)
    return content
