"""Run folders with made-up figures, written by what writes the real ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cageflow.runs.new_folder import make_folder
from cageflow.scenario.orders import Order, format_order
from cageflow.search import Acquisition, Iteration, SearchState, TrialRequest, TrialResult
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import make_config
from tests.helpers.agents import policy_file
from tests.helpers.orders import ALL_ORDERS, parse_order
from tests.unit.runs.records import update_record

FIRST = parse_order("enterprise,op_server,user,op_host,defender")
SECOND = parse_order("op_host,enterprise,op_server,user,defender")
THIRD = parse_order("user,enterprise,op_server,op_host,defender")


@dataclass(frozen=True)
class Made:
    """A trial to be written."""

    order: Order
    reward: float
    compliance: float
    episodes: int = 200
    ending: str = "threshold"
    seconds: float = 3.0
    reward_se: float = 0.5
    training: int = 1


TRIALS = (
    Made(FIRST, -30.0, 0.96),
    Made(SECOND, -25.0, 0.97),
    Made(THIRD, -10.0, 0.60, ending="plateau"),
    Made(FIRST, -20.0, 0.98, episodes=300),
)
"""A search whose best is the second training of its first order; the best reward of all does not comply."""


def write_run(
    path: Path,
    trials: Sequence[Made] = TRIALS,
    *,
    policy: bool = True,
    beliefs: bool = True,
    best: Order | None = None,
    **settings: Any,
) -> Path:
    """Write a search or a landscape of these trials, two updates each; gives the folder."""
    total = sum(trial.episodes for trial in trials)
    config = make_config(
        {"command": "search", "total_episodes": total, "max_steps": 12, "workflow_mode": "rewarded", **settings}
    )
    folder = make_folder(path, config)
    run_episodes = 0
    trained: Counter[tuple[Order, int]] = Counter()
    for number, trial in enumerate(trials):
        if beliefs and config.command == "search":
            folder.logs.acquisition(number, acquisition(number))
        for update in (1, 2):
            record = replace(
                update_record(update, trial.episodes * update // 2), env_reward=trial.reward - 2.0 + update
            )
            ending = trial.ending if update == 2 else None
            before = trained[trial.order, trial.training]
            at = run_episodes + record.episodes
            folder.logs.update(trial.order, record, number, at, ending, trial.training, before)
        run_episodes += trial.episodes
        trained[trial.order, trial.training] += trial.episodes
        folder.logs.iteration(_iteration(number, trial, run_episodes, trained[trial.order, trial.training]))
    folder.close()
    if policy:
        feasible = [trial for trial in trials if trial.compliance >= config.compliance_threshold]
        order = best or max(feasible or trials, key=lambda trial: trial.reward).order
        policy_file(path / "policies" / "best.safetensors", workflow=format_order(order), max_steps=12)
    return path


def write_training(path: Path, order: Order | None = None, *, policy: bool = True, total_episodes: int = 400) -> Path:
    """Write a single training; gives the folder."""
    workflow = None if order is None else format_order(order)
    config: RunConfig = make_config(
        {
            "command": "train",
            "total_episodes": total_episodes,
            "max_steps": 12,
            "workflow": workflow,
            "workflow_mode": "rewarded",
        }
    )
    folder = make_folder(path, config)
    for update in (1, 2, 3, 4):
        folder.logs.update(order, update_record(update, 100 * update), 0, 100 * update, None)
    folder.close()
    if policy:
        policy_file(folder.policy_path(order), workflow=workflow, max_steps=12)
    return path


def acquisition(number: int) -> Acquisition:
    """Beliefs that tell orders and iterations apart: the mean of order i is -i - 0.1 * number."""
    mean = -np.arange(len(ALL_ORDERS)) - 0.1 * number
    std = np.full(len(ALL_ORDERS), 2.0)
    feasibility = np.where(np.arange(len(ALL_ORDERS)) % 2, 0.9, 0.1)
    return Acquisition(mean, std, mean + 2 * std, feasibility, mean)


def _iteration(number: int, trial: Made, run_episodes: int, total_episodes: int) -> Iteration:
    result = TrialResult(
        order=trial.order,
        reward=trial.reward,
        reward_se=trial.reward_se,
        compliance=trial.compliance,
        compliance_se=0.01,
        episodes=trial.episodes,
        total_episodes=total_episodes,
        ending=trial.ending,
        seconds=trial.seconds,
        training=trial.training,
    )
    request = TrialRequest(
        trial=number, order=trial.order, seed=1, start=None, trained_episodes=0, max_episodes=None, cap="episode-cap"
    )
    return Iteration(
        request=request,
        ucb=None,
        result=result,
        gp_updated=False,
        episodes=run_episodes,
        state=SearchState(0, (result,)),
    )
