"""The one loop over steps in which an agent plays a batch of games: of evaluations, recordings and replays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.collect.games import LocalGames
from cageflow.envs.agent import BlueAgent, BlueView
from cageflow.envs.memory import checked_actions


class TakenStep(NamedTuple):
    """A step that B games have just taken; the games tell the rest.

    Attributes:
        number: of it, from 0.
        actions: (B,) int16 blue's.
        rewards: (B,) float32 of the game, overwritten in the next step.
    """

    number: int
    actions: npt.NDArray[np.int16]
    rewards: npt.NDArray[np.float32]


def play_steps(agent: BlueAgent, games: LocalGames, seeds: npt.NDArray[np.uint64]) -> Iterator[TakenStep]:
    """Play the episodes that games have begun, and hand over each step once it is taken.

    Args:
        agent: plays blue; it is shown the table without what blue remembers, which it may ask for.
        games: just reset with the seeds.
        seeds: (B,) uint64; the agent's chance comes from them too.

    Raises:
        UserError: the agent gives what is no action.
    """
    num_envs = len(seeds)
    agent.reset(seeds)
    rewards, alignment_rewards = np.empty(num_envs, np.float32), np.empty(num_envs, np.float32)
    actions: npt.NDArray[np.int16] | None = None
    for step in range(games.spec.options.max_steps):
        view = BlueView(step, games.table, actions, games.known_masks, games.recalled, games.access, games.in_turn)
        actions = checked_actions(agent.act(view), num_envs, len(games.spec.options.network.codec), step)
        games.step(actions, rewards, alignment_rewards)
        yield TakenStep(step, actions, rewards)
