"""Whole episodes of an agent in a batch of games: the one loop over steps of every evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.agents.team import TeamAgent
from cageflow.collect.games import LocalGames, WorkflowSpec
from cageflow.envs.agent import BlueAgent, BlueView
from cageflow.envs.game import check_actions
from cageflow.errors import UserError


class Played(NamedTuple):
    """What B episodes amounted to.

    Attributes:
        returns: (B,) float64 sums of the game's rewards, exact to the tenth in which it counts.
        compliance: (B,) float64; NaN where no workflow was given.
        chosen: (B,) int8 places in `team.MEMBERS` of those who played in the end; None where no team played.
    """

    returns: npt.NDArray[np.float64]
    compliance: npt.NDArray[np.float64]
    chosen: npt.NDArray[np.int8] | None

    @classmethod
    def concatenate(cls, parts: Sequence[Played]) -> Played:
        """The episodes of several, in the order given."""
        chosen = [part.chosen for part in parts if part.chosen is not None]
        return cls(
            np.concatenate([part.returns for part in parts]),
            np.concatenate([part.compliance for part in parts]),
            np.concatenate(chosen) if chosen else None,
        )


def play_episodes(
    agent: BlueAgent,
    games: LocalGames,
    seeds: npt.NDArray[np.uint64],
    num_steps: int,
    num_actions: int,
    workflow: WorkflowSpec | None = None,
    max_envs: int | None = None,
) -> Played:
    """One episode for each seed, as many at once as the agent plays.

    Args:
        agent: plays blue.
        games: to play in; made for blue's masks, where the agent wants them.
        seeds: (B,) uint64; each decides the game's chance and the agent's.
        num_steps: of an episode.
        num_actions: that there are.
        workflow: that the fixes are judged by, or None.
        max_envs: most games at once, beside the agent's own limit.

    Raises:
        UserError: the agent gives what is no action.
    """
    limits = [limit for limit in (agent.max_envs, max_envs) if limit is not None]
    at_once = min([len(seeds), *limits])
    parts = [
        _play_batch(agent, games, seeds[first : first + at_once], num_steps, num_actions, workflow)
        for first in range(0, len(seeds), at_once)
    ]
    return Played.concatenate(parts)


def _play_batch(
    agent: BlueAgent,
    games: LocalGames,
    seeds: npt.NDArray[np.uint64],
    num_steps: int,
    num_actions: int,
    workflow: WorkflowSpec | None,
) -> Played:
    num_envs = len(seeds)
    games.reset(seeds, workflow)
    agent.reset(seeds)
    rewards = np.empty((num_steps, num_envs), np.float32)
    alignment_rewards = np.empty(num_envs, np.float32)
    actions: npt.NDArray[np.int16] | None = None
    for step in range(num_steps):
        view = BlueView(step, games.observations, actions, lambda: _masks(games), games.recalled, games.access)
        actions = _checked(agent.act(view), num_envs, num_actions, step)
        games.step(actions, rewards[step], alignment_rewards)
    returns: npt.NDArray[np.float64] = np.round(rewards.sum(axis=0, dtype=np.float64), 1)
    chosen = agent.chosen if isinstance(agent, TeamAgent) else None
    return Played(returns, games.outcomes().compliance, chosen)


def _masks(games: LocalGames) -> npt.NDArray[np.uint8]:
    masks = games.masks
    if masks is None:
        raise ValueError("expected games that were made for masks: the agent asks for them")
    return masks


def _checked(actions: object, num_envs: int, num_actions: int, step: int) -> npt.NDArray[np.int16]:
    """The actions in the type that the games take.

    Raises:
        UserError: they are not one whole number for each game, or one is out of range.
    """
    array = np.asarray(actions)
    if array.shape != (num_envs,):
        raise UserError(f"in step {step + 1} the agent gave {array.shape} actions; expected one for each game.")
    try:
        check_actions(array, num_actions)
    except UserError as error:
        raise UserError(f"in step {step + 1} the agent gave no action: {error}") from None
    return array.astype(np.int16, copy=False)
