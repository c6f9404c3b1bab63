"""What is said of a run when it has ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from cageflow.scenario.orders import Order
from cageflow.training.trainer import FreshEvaluation
from cageflow.workflow.tested import OrderTests


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """How a run ended.

    Attributes:
        run_dir: its folder.
        workflow: the best workflow, or the one that was trained; None for plain PPO.
        feasible: whether its compliance reached the threshold.
        reward, reward_se, compliance: of fresh episodes, where there was something to choose from of episodes that did
            not choose; compliance is NaN for plain PPO.
        episodes: trained in all.
        trials: of a search or a landscape.
        seconds: wall-clock time of this process's part of the run.
        episodes_here: trained in this process's part of the run.
        ending: why it ended.
        policy: the policy file.
        tests: which fixes tested the workflow, in the same episodes; None where it was not counted.
        belief: what the search expected of the best workflow, reward at the full budget; None where it chose nothing.
        side: who learned; the reward is its own, which of red is what blue loses.
        opponent: whom it met in training; None where that was not noted.
        compliance_se: standard error of `compliance`, NaN where it was not estimated.
        final_episodes: of a search, those with which the best workflow was trained on.
        before_final: what the policy that the search left came to before that; None where it was not trained on.
    """

    run_dir: Path
    workflow: Order | None
    feasible: bool
    reward: float
    reward_se: float
    compliance: float
    episodes: int
    trials: int
    seconds: float
    episodes_here: int
    ending: str
    policy: Path
    tests: OrderTests | None = field(default=None, repr=False)
    belief: float | None = None
    side: str = "blue"
    opponent: str | None = None
    compliance_se: float = math.nan
    final_episodes: int = 0
    before_final: FreshEvaluation | None = field(default=None, repr=False)
