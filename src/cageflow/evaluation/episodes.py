"""What whole episodes of an agent amount to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.agents.playing import play_steps
from cageflow.agents.team import TeamAgent
from cageflow.collect.games import LocalGames, WorkflowSpec
from cageflow.envs.agent import BlueAgent


class Played(NamedTuple):
    """What B episodes amounted to.

    Attributes:
        returns: (B,) float64 sums of the game's rewards, exact to the tenth in which it counts.
        compliance: (B,) float64; NaN where no workflow was given.
        tests: (B, 4) int32, which fixes tested the workflow, see `workflow.tested.TestedFixes`; 0 where none was given.
        contests: (B, T, T) int32, whom these passed over, likewise.
        chosen: (B,) int8 places in `team.MEMBERS` of those who played in the end; None where no team played.
    """

    returns: npt.NDArray[np.float64]
    compliance: npt.NDArray[np.float64]
    tests: npt.NDArray[np.int32]
    contests: npt.NDArray[np.int32]
    chosen: npt.NDArray[np.int8] | None

    @classmethod
    def concatenate(cls, parts: Sequence[Played]) -> Played:
        """The episodes of several, in the order given."""
        chosen = [part.chosen for part in parts if part.chosen is not None]
        return cls(
            np.concatenate([part.returns for part in parts]),
            np.concatenate([part.compliance for part in parts]),
            np.concatenate([part.tests for part in parts]),
            np.concatenate([part.contests for part in parts]),
            np.concatenate(chosen) if chosen else None,
        )


def play_episodes(
    agent: BlueAgent,
    games: LocalGames,
    seeds: npt.NDArray[np.uint64],
    workflow: WorkflowSpec | None = None,
    max_envs: int | None = None,
    lead_in: int = 0,
) -> Played:
    """One episode for each seed, as many at once as the agent plays.

    Args:
        agent: plays blue.
        games: to play in.
        seeds: (B,) uint64; each decides the game's chance and the agent's.
        workflow: that the fixes are judged by, or None.
        max_envs: most games at once, beside the agent's own limit.
        lead_in: first steps of the games that are neither counted nor judged.

    Raises:
        UserError: the agent gives what is no action.
    """
    limits = [limit for limit in (agent.max_envs, max_envs) if limit is not None]
    at_once = min([len(seeds), *limits])
    parts = [
        _play_batch(agent, games, seeds[first : first + at_once], workflow, lead_in)
        for first in range(0, len(seeds), at_once)
    ]
    return Played.concatenate(parts)


def _play_batch(
    agent: BlueAgent, games: LocalGames, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None, lead_in: int
) -> Played:
    games.reset(seeds, workflow)
    returns = np.zeros(len(seeds), np.float64)
    for step in play_steps(agent, games, seeds):
        if step.number >= lead_in:
            returns += step.rewards
        elif step.number == lead_in - 1 and games.tracker is not None:
            games.tracker.restart()
    chosen = agent.chosen if isinstance(agent, TeamAgent) else None
    outcomes = games.outcomes()
    return Played(np.round(returns, 1), outcomes.compliance, outcomes.tests, outcomes.contests, chosen)
