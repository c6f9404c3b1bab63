"""Blue agents of which one plays each episode: a mixed strategy, drawn by the seeds of the episodes."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cageflow.agents.sources import AgentSource, SourceOptions, find_agent
from cageflow.envs.agent import Actions, BlueAgent, BlueSetting, BlueSource, BlueView
from cageflow.envs.seeds import scramble
from cageflow.errors import UserError
from cageflow.listed import QUOTING, split_weighted

WHO_SALT = np.uint64(0xD6E8FEB86659FD93)
"""Keeps the draw of who plays apart from what they draw."""
EXAMPLE = f"expected agents with weights, such as champion=2,react=1{QUOTING}"


@dataclass(frozen=True)
class MixtureSource:
    """Agents with their shares of the episodes, which sum to 1; see `envs.agent.BlueSource`."""

    members: tuple[tuple[AgentSource, float], ...]

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agents.

        Raises:
            UserError: one of them was not made for these games, or cannot be made.
        """
        return MixtureAgent([source.load(setting) for source, _ in self.members], [share for _, share in self.members])

    def notes(self, setting: BlueSetting) -> tuple[str, ...]:
        """Those of all, each once."""
        return tuple(dict.fromkeys(note for source, _ in self.members for note in source.notes(setting)))


class MixtureAgent:
    """Plays each episode by one of several agents, as likely as its share says.

    Args:
        agents: who may play.
        shares: of the episodes, one for each.
    """

    def __init__(self, agents: Sequence[BlueAgent], shares: Sequence[float]) -> None:
        self._agents = tuple(agents)
        self._bounds = np.cumsum(shares)[:-1]
        self._games: tuple[npt.NDArray[np.intp], ...] = ()

    @property
    def max_envs(self) -> int | None:
        """Most games that it can play at once: all of them may fall to the same agent."""
        limits = [agent.max_envs for agent in self._agents if agent.max_envs is not None]
        return min(limits) if limits else None

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; who plays one depends on its seed alone."""
        units = (scramble(seeds ^ WHO_SALT) >> np.uint64(11)) / float(2**53)
        who = np.searchsorted(self._bounds, units, side="right")
        self._games = tuple(np.flatnonzero(who == number) for number in range(len(self._agents)))
        for agent, games in zip(self._agents, self._games, strict=True):
            if len(games):
                agent.reset(seeds[games])

    def act(self, view: BlueView) -> Actions:
        """(B,) actions, each of the agent that plays the game."""
        actions = np.zeros(len(view.observations), np.int64)
        for agent, games in zip(self._agents, self._games, strict=True):
            if len(games):
                actions[games] = agent.act(view.of(games))
        return actions


def find_blue(text: str, options: SourceOptions) -> BlueSource:
    """What a user means by a blue agent: one that `find_agent` finds, or several by weight, as A=2,B=1.

    Raises:
        UserError: it is neither.
    """
    pairs = split_weighted(text)
    if os.path.exists(text) or any(value is None or not name for name, value in pairs):
        return find_agent(text, options)
    weights: dict[str, float] = {}
    for name, value in pairs:
        try:
            weight = float(str(value))
        except ValueError:
            if len(pairs) == 1:  # code in a folder with an equals sign in its name
                return find_agent(text, options)
            raise UserError(f"{name} has the weight {value!r}; {EXAMPLE}.") from None
        if not 0.0 <= weight < math.inf or name in weights:
            raise UserError(f"{text!r} gives {name} a weight below 0, or two; {EXAMPLE}.")
        weights[name] = weight
    total = sum(weights.values())
    if total <= 0.0:
        raise UserError(f"{text!r} gives no agent any weight; {EXAMPLE}.")
    members = [(find_agent(name, options), weight / total) for name, weight in weights.items() if weight > 0.0]
    return MixtureSource(tuple(members))
