"""Single episodes move by move, to be drawn and read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cageflow.agents.playing import play_steps
from cageflow.collect.games import GameSpec, LocalGames
from cageflow.envs.agent import BlueAgent
from cageflow.envs.game import GameBatch
from cageflow.envs.inspection import LastStep, describe_step
from cageflow.envs.options import GameOptions
from cageflow.envs.rendering import blue_words
from cageflow.scenario import BlueKind, RedKind

ON_NO_HOST = (RedKind.SLEEP, RedKind.DISCOVER_REMOTE_SYSTEMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One step.

    Attributes:
        number: of the step, from 1.
        blue, red: what they did, such as "Remove User1"; of blue also what ended and what is under way, where that
            takes time.
        blue_kind, blue_host: a `BlueKind`, and the index of the host it was aimed at, -1 for none; of what was begun.
        red_kind, red_host: a `RedKind`, and likewise for what red does to a host.
        blue_success, red_success: None where the game says neither.
        reward: of blue.
        access: a digit of `inspection.Access` for each host, after the step.
    """

    number: int
    blue: str
    blue_kind: int
    blue_host: int
    blue_success: bool | None
    red: str
    red_kind: int
    red_host: int
    red_success: bool | None
    reward: float
    access: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleEpisode:
    """An episode to look at.

    Attributes:
        role: "good", "median" or "bad".
        seed: of the episode.
        share: of all episodes that ended lower.
        env_return: what it came to.
        compliance: None without a workflow.
        moves: its steps.
    """

    role: str
    seed: int
    share: float
    env_return: float
    compliance: float | None
    moves: tuple[Move, ...]


def replay_moves(agent: BlueAgent, options: GameOptions, seeds: npt.NDArray[np.uint64]) -> list[tuple[Move, ...]]:
    """Play the episodes of some seeds again, and write every move down."""
    network = options.network
    moves: list[list[Move]] = [[] for _ in seeds]
    before: list[LastStep | None] = [None for _ in seeds]
    batch = GameBatch(options, len(seeds))
    games = LocalGames(GameSpec(options, masked=False), batch)
    games.reset(seeds, None)
    for step in play_steps(agent, games, seeds):
        access, states = games.access(), batch.states
        for i, action in enumerate(step.actions.tolist()):
            last = describe_step(network, states[i : i + 1], action, float(step.rewards[i]))
            red_kind = int(states["red_kind"][i])
            was = before[i]
            crews_left = network.scenario.crews - (0 if was is None else len(was.under_way))
            moves[i].append(
                Move(
                    number=last.number,
                    blue=blue_words(network, last, was) if network.blue_takes_time else last.blue_action,
                    blue_kind=int(network.codec.kind[action]) if crews_left else int(BlueKind.SLEEP),
                    blue_host=int(network.codec.host[action]) if crews_left else -1,
                    blue_success=None if network.blue_takes_time else last.blue_success,
                    red=last.red_action,
                    red_kind=red_kind,
                    red_host=-1 if red_kind in ON_NO_HOST else int(states["red_target"][i]),
                    red_success=last.red_success,
                    reward=round(last.reward, 1),
                    access="".join(map(str, access[i].tolist())),
                )
            )
            before[i] = last
    return [tuple(one) for one in moves]
