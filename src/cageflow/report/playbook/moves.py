"""Single episodes move by move, to be drawn and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.agent import BlueAgent
from cageflow.envs.inspection import LastStep, describe_step, true_states
from cageflow.envs.options import GameOptions
from cageflow.report.playbook.recording import play


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One step.

    Attributes:
        number: of the step, from 1.
        blue, red: what they did, such as "Remove User1".
        blue_success, red_success: None where the game says neither.
        reward: of blue.
        access: a digit of `inspection.Access` for each host, after the step.
    """

    number: int
    blue: str
    blue_success: bool | None
    red: str
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
    chosen: list[int] = []

    def before(step: int, states: npt.NDArray[Any], actions: npt.NDArray[Any]) -> None:
        chosen[:] = actions.tolist()

    def after(step: int, states: npt.NDArray[Any], observations: npt.NDArray[Any], rewards: npt.NDArray[Any]) -> None:
        access = true_states(network, states)["access"]
        for i, action in enumerate(chosen):
            last = describe_step(network, states[i : i + 1], action, float(rewards[i]))
            moves[i].append(_move(last, "".join(map(str, access[i].tolist()))))

    play(agent, options, seeds, before, after)
    return [tuple(one) for one in moves]


def _move(last: LastStep, access: str) -> Move:
    return Move(
        number=last.number,
        blue=last.blue_action,
        blue_success=last.blue_success,
        red=last.red_action,
        red_success=last.red_success,
        reward=round(last.reward, 1),
        access=access,
    )
