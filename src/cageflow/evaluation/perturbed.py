"""What an agent does where it has never been: its episodes after perturbed starts, beside those of a rule by flags.

Each start is played against each red agent that attacks, in episodes as long as the longest of the protocol, the same
for whoever is evaluated with the same seed. See `cageflow.envs.perturbing` for what a start is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.sources import AgentSource, BaselineSource
from cageflow.collect.games import GameSpec, WorkflowSpec
from cageflow.envs.perturbing import PERTURBING_STEPS, STARTS
from cageflow.envs.seeds import EpisodeStream
from cageflow.evaluation.episodes import Played
from cageflow.evaluation.statistics import Summary, summarize
from cageflow.evaluation.work import CellKey, Share, cut_shares, play_shares
from cageflow.scenario import RedAgent
from cageflow.scenario.red_agents import RED_AGENTS
from cageflow.workflow.tested import OrderTests, pooled_tests

RULE = BaselineSource("flagged")
"""Whom agents are compared with."""


@dataclass(frozen=True)
class PerturbedCell:
    """Episodes of one start against one red agent.

    Attributes:
        start: one of `STARTS`.
        red_agent: by CybORG's name.
        returns: (N,) float64, of the steps after the start.
        rule_returns: (N,) float64, those of the rule.
        compliance: mean share of fixes that follow the workflow; None without one.
        tests: which fixes tested the workflow; None without one.
    """

    start: str
    red_agent: str
    returns: npt.NDArray[np.float64]
    rule_returns: npt.NDArray[np.float64]
    compliance: float | None
    tests: OrderTests | None


@dataclass(frozen=True)
class Perturbed:
    """What an agent came to.

    Attributes:
        max_steps: of an episode, after its start.
        cells: by start, then by red agent.
    """

    max_steps: int
    cells: tuple[PerturbedCell, ...]

    def of(self, start: str) -> Perturbed:
        """The cells of one start."""
        return Perturbed(self.max_steps, tuple(cell for cell in self.cells if cell.start == start))

    @property
    def mean(self) -> tuple[float, float]:
        """Mean return over the cells, and its standard error."""
        return _mean([summarize(cell.returns) for cell in self.cells])

    @property
    def rule_mean(self) -> tuple[float, float]:
        """Likewise of the rule."""
        return _mean([summarize(cell.rule_returns) for cell in self.cells])

    @property
    def tests(self) -> OrderTests | None:
        """Which fixes tested the workflow, over all cells; None without one."""
        return pooled_tests([cell.tests for cell in self.cells if cell.tests is not None])

    def to_json(self) -> dict[str, Any]:
        """What `cageflow evaluate --json` prints of it."""
        return {
            "steps": PERTURBING_STEPS,
            "max_steps": self.max_steps,
            **self._figures(),
            "starts": {start: self.of(start)._figures() for start in STARTS},
            "cells": [
                {"start": cell.start, "red_agent": cell.red_agent, **Perturbed(self.max_steps, (cell,))._figures()}
                for cell in self.cells
            ],
        }

    def _figures(self) -> dict[str, Any]:
        (mean, se), (rule_mean, rule_se) = self.mean, self.rule_mean
        content: dict[str, Any] = {
            "mean": mean,
            "se": se,
            "rule_mean": rule_mean,
            "rule_se": rule_se,
            "episodes": sum(len(cell.returns) for cell in self.cells),
        }
        shares = [cell.compliance for cell in self.cells if cell.compliance is not None]
        if shares:
            content["compliance"] = sum(shares) / len(shares)
        return content | ({} if self.tests is None else self.tests.to_json())


def evaluate_perturbed(
    source: AgentSource,
    specs: Sequence[GameSpec],
    seed: int,
    episodes: int,
    num_workers: int,
    say: Callable[[str], None] = lambda words: None,
) -> Perturbed:
    """Play an agent, and the rule, from perturbed starts.

    Args:
        source: the agent.
        specs: the games that its protocol plays, whatever their order.
        seed: decides all chance.
        episodes: of each cell, at least 2.
        num_workers: processes beside this one.
        say: is told of each cell that is done.

    Raises:
        UserError, WorkerError: as for `evaluation.protocol.evaluate`.
    """
    shares = perturbed_shares(specs, seed, episodes, source.workflow)
    parts = [part for share in shares for part in cut_shares(share, num_workers)]
    setting = shares[0].spec.options.blue_setting
    rule = dict(play_shares(RULE, setting, parts, num_workers))
    played = {}
    for key, one in play_shares(source, setting, parts, num_workers):
        played[key] = one
        summary, (start, red) = summarize(one.returns), key
        say(f"{start} for {PERTURBING_STEPS} steps, against {red}: {summary.mean:.2f} ± {summary.se:.2f}")
    return perturbed_of(shares, played, rule)


def perturbed_shares(specs: Sequence[GameSpec], seed: int, episodes: int, workflow: WorkflowSpec | None) -> list[Share]:
    """The cells that are played: a share of each start against each red agent that attacks.

    Args:
        specs: the games that a protocol plays, whatever their order.
        seed: decides all chance.
        episodes: of each cell, at least 2.
        workflow: that fixes are judged by, or None.
    """
    max_steps = max(spec.options.max_steps for spec in specs)
    played_against = {spec.options.red_agent: spec for spec in specs}
    attackers = [red for red in played_against if RED_AGENTS.get(red) != RedAgent.SLEEP] or list(played_against)
    shares: list[Share] = []
    for start in STARTS:
        for red in attackers:
            spec = played_against[red]
            spec = replace(spec, options=spec.options.against(red, max_steps + PERTURBING_STEPS))
            purpose = f"evaluate {'compiled' if spec.cyborg_path is None else 'cyborg'} {start} {max_steps} {red}"
            seeds = EpisodeStream(seed, purpose).seeds(0, episodes)
            shares.append(Share((start, red), spec, seeds, workflow, start))
    return shares


def perturbed_of(
    shares: Sequence[Share], played: Mapping[CellKey, Played], rule: Mapping[CellKey, Played]
) -> Perturbed:
    """What the episodes of all shares amount to, beside those of the rule."""
    cells = []
    for share in shares:
        (start, red), one, judged = share.cell, played[share.cell], share.workflow is not None
        cells.append(
            PerturbedCell(
                start,
                red,
                one.returns,
                rule[share.cell].returns,
                float(one.compliance.mean()) if judged else None,
                OrderTests.of(one.tests, one.contests) if judged else None,
            )
        )
    return Perturbed(shares[0].spec.options.max_steps - PERTURBING_STEPS, tuple(cells))


def _mean(summaries: Sequence[Summary]) -> tuple[float, float]:
    """Mean of the means of independent cells, and its standard error."""
    count = len(summaries)
    mean = sum(one.mean for one in summaries) / count
    return mean, math.sqrt(sum(one.se**2 for one in summaries)) / count
