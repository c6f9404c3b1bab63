"""Whether what a search prints of its policy is what the policy is worth: many small searches, each measured once more.

    python -m tests.helpers.unbiased --searches 30

The episodes of the second measurement are others, and many. Beside it stands the same of the best trial and its policy:
what it came to owes part of it to luck, and a search that printed that would be found out.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from cageflow.collect import make_collector
from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import load_policy
from cageflow.runs import runs
from cageflow.runs.progress import Quiet
from cageflow.runs.saved_run import read_run
from cageflow.scenario.orders import Order
from cageflow.search import best_trial
from cageflow.settings.commands import SearchConfig
from cageflow.settings.reading import make_config_of
from cageflow.training.measured import measure_afresh
from cageflow.training.trainer import FreshEvaluation, game_spec

SMALL: dict[str, Any] = {
    "executor": "inline",
    "total_episodes": 400,
    "max_episodes_per_workflow": 40,
    "episodes_per_update": 10,
    "evaluation_episodes": 20,
    "max_steps": 30,
    "ppo": {"hidden_sizes": [16]},
    "compliance_threshold": 0.0,
}
AGAIN = 1000
"""Episodes of the second measurement."""


@dataclass(frozen=True)
class Gap:
    """By how much a figure of a search lies above what its policy came to when it was played again, and its error."""

    mean: float
    se: float

    @classmethod
    def over(cls, figures: list[float], again: list[float], errors: list[float]) -> Gap:
        """The mean over searches, with the standard error that the episodes leave."""
        gaps = [figure - other for figure, other in zip(figures, again, strict=True)]
        return cls(fmean(gaps), math.sqrt(sum(error**2 for error in errors)) / len(gaps))


def measure(searches: int, **changes: Any) -> tuple[Gap, Gap]:
    """How far what searches print, and what their best trials came to, lies above what the policies are worth."""
    printed, printed_again, errors = [], [], []
    best, best_again, best_errors = [], [], []
    for seed in range(searches):
        config = make_config_of(SearchConfig, {**SMALL, "seed": seed, **changes})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run"
            summary = runs.start(config, path, Quiet())
            run = read_run(path)
            leader, _ = best_trial([trial.result for trial in run.comparable], config.compliance_threshold)
            assert summary.workflow is not None
            worth = _again(load_policy(summary.policy), summary.workflow, config)
            number = f"_seed{leader.training}" if leader.training > 1 else ""
            file = path / "policies" / f"{run.orders.file_name(leader.order)}{number}.safetensors"
            best_worth = _again(load_policy(file), leader.order, config)
        printed.append(summary.reward)
        printed_again.append(worth.reward)
        errors.append(math.hypot(summary.reward_se, worth.reward_se))
        best.append(leader.reward)
        best_again.append(best_worth.reward)
        best_errors.append(math.hypot(leader.reward_se, best_worth.reward_se))
    return Gap.over(printed, printed_again, errors), Gap.over(best, best_again, best_errors)


def _again(policy: Policy, order: Order, config: SearchConfig) -> FreshEvaluation:
    """A policy on many episodes that no search has seen."""
    more = config.model_copy(update={"evaluation_episodes": AGAIN, "seed": 10**9 + config.seed})
    with closing(make_collector("vector", game_spec(more), 1)) as collector:
        return measure_afresh(policy, order, more, collector)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--searches", type=int, default=30)
    parser.add_argument("--strategy", nargs="*", default=["gp-ucb", "curves"])
    arguments = parser.parse_args()
    status = 0
    for strategy in arguments.strategy:
        printed, best = measure(arguments.searches, strategy=strategy)
        is_fine = abs(printed.mean) <= 2 * printed.se
        status |= not is_fine
        print(
            f"{strategy}: {arguments.searches} searches, printed less worth {printed.mean:+.2f} ± {printed.se:.2f}, "
            f"its best trial {best.mean:+.2f} ± {best.se:.2f}",
            file=sys.stderr,
        )
        print(json.dumps({"strategy": strategy, "printed": vars(printed), "best_trial": vars(best)}))
    return status


if __name__ == "__main__":
    sys.exit(main())
