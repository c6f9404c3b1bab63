"""Members and run folders with made-up figures, for the tests of comparisons."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cageflow.agents.sources import BaselineSource
from cageflow.envs.options import GameOptions
from cageflow.report.compare.figures import GroupFigures, MemberFigures
from cageflow.report.compare.groups import Group
from cageflow.report.compare.members import NO_CURVE, WHAT, Curve, Game, Member
from cageflow.runs.new_folder import make_folder
from cageflow.scenario.orders import format_order
from cageflow.settings.reading import make_config
from tests.helpers.agents import policy_file
from tests.unit.runs.records import update_record
from tests.unit.runs.run_folders import FIRST


def curve(episodes: Sequence[float], rewards: Sequence[float], is_best: bool = False) -> Curve:
    return Curve(np.array(episodes, np.float64), np.array(rewards, np.float64), is_best)


def member(seed: int = 1, red_agent: str = "B_lineAgent", line: Curve = NO_CURVE, **settings: Any) -> Member:
    options = GameOptions(red_agent)
    return Member(
        path=Path(f"run-{seed}"),
        seed=seed,
        settings={WHAT: "plain PPO", "red_agent": red_agent, **settings},
        options=options,
        game=Game(red_agent, options.rules, options.max_steps, options.green, ""),
        source=BaselineSource("sleep"),
        curve=line,
        episodes=1000,
        seconds=10.0,
    )


def figures(
    label: str,
    returns: Sequence[Sequence[float]],
    *,
    red_agent: str = "B_lineAgent",
    reached: Sequence[float] | None = None,
    compliance: float | None = None,
) -> GroupFigures:
    """A group whose seeds' fresh episodes came to these returns."""
    members = tuple(member(seed, red_agent) for seed in range(1, len(returns) + 1))
    return GroupFigures(
        group=Group(label, members),
        members=tuple(
            MemberFigures(
                member=one,
                returns=np.array(values),
                compliance=compliance,
                tail=float(np.mean(values)) - 1.0,
                reached=() if reached is None else (reached[i],),
            )
            for i, (one, values) in enumerate(zip(members, returns, strict=True))
        ),
        thresholds=() if reached is None else (-30.0,),
    )


def write_training(path: Path, seed: int, rewards: Sequence[float], workflow: bool = True, **settings: Any) -> Path:
    """A training whose updates of 100 episodes came to these rewards; its policy is random."""
    order = FIRST if workflow else None
    words = None if order is None else format_order(order)
    config = make_config(
        {
            "command": "train",
            "total_episodes": 400,
            "max_steps": 5,
            "workflow": words,
            "seed": seed,
            "workflow_mode": "rewarded",
            **settings,
        }
    )
    folder = make_folder(path, config)
    for update, reward in enumerate(rewards, start=1):
        record = replace(update_record(update, 100 * update), env_reward=reward)
        folder.logs.update(order, record, 0, 100 * update, None)
    folder.close()
    policy_file(
        folder.policy_path(order), seed, workflow=words, max_steps=5, red_agent=config.red_agent, rules=config.rules
    )
    return path
