"""The logs of a run: which there are, and what a line of each says, the same for who writes and who reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np

from cageflow.csv_format import Column, CsvFormat, decimals, flag, or_nan, or_none, significant, table, whole
from cageflow.learn.policy import ANY_WORKFLOW, RED
from cageflow.scenario.orders import Order, OrderSpace, log_order, read_order
from cageflow.search import LANDSCAPE, Acquisition, Iteration, TrialResult
from cageflow.training.trainer import UpdateRecord, Workflow

WHOLE_ACQUISITION, BEST_ACQUISITION = 720, 500
"""Up to so many orders `acquisition.csv` has all of them at each iteration, else so many of the best."""


def log_workflow(workflow: Workflow) -> str:
    """A workflow as the logs write it; "none" for plain PPO, "red" where red is who learns."""
    return log_order(workflow) if isinstance(workflow, tuple) else workflow or "none"


def _read_workflow(cell: str) -> Workflow:
    named: dict[str, Workflow] = {"none": None, ANY_WORKFLOW: ANY_WORKFLOW, RED: RED}
    return named[cell] if cell in named else read_order(cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedUpdate:
    """One line of `training_log.csv`; `compliance` and `fixes` are NaN for plain PPO and red, `workflow_id` there -1.

    The learner's figures are those of `UpdateStats`, the others those of `UpdateRecord`.
    """

    workflow_id: Annotated[int, whole("Workflow_ID")]
    order: Annotated[Workflow, Column("Workflow_Order", log_workflow, _read_workflow)]
    update: Annotated[int, whole("Update")]
    episodes: Annotated[int, whole("Episodes")]
    env_reward: Annotated[float, decimals("Env_Reward", 4)]
    alignment: Annotated[float, decimals("Alignment_Bonus", 4)]
    total_reward: Annotated[float, decimals("Total_Reward", 4)]
    compliance: Annotated[float, or_nan(decimals("Compliance", 4))]
    fixes: Annotated[float, or_nan(decimals("Avg_Fixes", 2))]
    collection_s: Annotated[float, decimals("Collection_Time", 4)]
    update_s: Annotated[float, decimals("Update_Time", 4)]
    trial: Annotated[int, whole("Trial")]
    run_episodes: Annotated[int, whole("Run_Episodes")]
    policy_loss: Annotated[float, significant("Policy_Loss", 6)]
    value_loss: Annotated[float, significant("Value_Loss", 6)]
    entropy: Annotated[float, significant("Entropy", 6)]
    approx_kl: Annotated[float, significant("Approx_KL", 6)]
    clip_fraction: Annotated[float, decimals("Clip_Fraction", 4)]
    explained_variance: Annotated[float, decimals("Explained_Variance", 4)]
    grad_norm: Annotated[float, significant("Grad_Norm", 6)]
    learning_rate: Annotated[float, significant("Learning_Rate", 6)]
    distinct_observations: Annotated[int, whole("Distinct_Observations")]
    ending: Annotated[str | None, or_none(Column("Ending"))]
    training: Annotated[int, whole("Training")]
    training_episodes: Annotated[int, whole("Training_Episodes")]
    tested: Annotated[float, or_nan(decimals("Tested", 4))]
    tested_compliant: Annotated[float, or_nan(decimals("Tested_Compliant", 4))]
    known_tested: Annotated[float, or_nan(decimals("Known_Tested", 4))]
    known_compliant: Annotated[float, or_nan(decimals("Known_Compliant", 4))]

    @classmethod
    def of(
        cls,
        orders: OrderSpace,
        order: Workflow,
        record: UpdateRecord,
        *,
        trial: int,
        run_episodes: int,
        ending: str | None,
        training: int = 1,
        trained_episodes: int = 0,
    ) -> LoggedUpdate:
        """What is said of an update.

        Args:
            orders: of the network.
            order: that is trained.
            record: of the update.
            trial: number of the trial.
            run_episodes: of the whole run so far.
            ending: why the trial ends; None where it goes on.
            training: which training of its order it is.
            trained_episodes: of that training before the trial.
        """
        stats, is_unjudged = record.stats, order in (None, RED)
        return cls(
            workflow_id=orders.rank(order) if isinstance(order, tuple) else -1,
            order=order,
            update=record.update,
            episodes=record.episodes,
            env_reward=record.env_reward,
            alignment=record.alignment,
            total_reward=record.total_reward,
            compliance=math.nan if is_unjudged else record.compliance,
            fixes=math.nan if is_unjudged else record.fixes,
            collection_s=record.collection_s,
            update_s=stats.seconds,
            trial=trial,
            run_episodes=run_episodes,
            policy_loss=stats.policy_loss,
            value_loss=stats.value_loss,
            entropy=stats.entropy,
            approx_kl=stats.approx_kl,
            clip_fraction=stats.clip_fraction,
            explained_variance=stats.explained_variance,
            grad_norm=stats.grad_norm,
            learning_rate=stats.learning_rate,
            distinct_observations=stats.distinct_observations,
            ending=ending,
            training=training,
            training_episodes=trained_episodes + record.episodes,
            tested=math.nan if is_unjudged else record.tests.tested,
            tested_compliant=math.nan if is_unjudged else record.tests.tested_compliant,
            known_tested=math.nan if is_unjudged else record.tests.known_tested,
            known_compliant=math.nan if is_unjudged else record.tests.known_compliant,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedTrial:
    """One line of `gp_sampling_log.csv`: the figures of `TrialResult` and of the search's `Iteration`.

    Raises:
        ValueError: the figures are those of no trial.
    """

    number: Annotated[int, whole("Iteration")]
    order: Annotated[Order, Column("Workflow", log_order, read_order)]
    ucb: Annotated[float | None, or_none(decimals("UCB_Score", 4))]
    reward: Annotated[float, decimals("Reward", 4)]
    compliance: Annotated[float, decimals("Final_Compliance", 4)]
    episodes: Annotated[int, whole("Episodes_Trained")]
    gp_updated: Annotated[bool, flag("GP_Updated")]
    workflow_id: Annotated[int, whole("Workflow_ID")]
    reward_se: Annotated[float, decimals("Reward_SE", 4)]
    compliance_se: Annotated[float | None, or_none(decimals("Compliance_SE", 4))]
    total_episodes: Annotated[int, whole("Workflow_Episodes")]
    run_episodes: Annotated[int, whole("Run_Episodes")]
    ending: Annotated[str, Column("Ending")]
    seconds: Annotated[float, decimals("Seconds", 2)]
    training: Annotated[int, whole("Training")]
    tested: Annotated[float | None, or_none(decimals("Tested", 4))]
    tested_compliant: Annotated[float | None, or_none(decimals("Tested_Compliant", 4))]
    known_tested: Annotated[float | None, or_none(decimals("Known_Tested", 4))]
    known_compliant: Annotated[float | None, or_none(decimals("Known_Compliant", 4))]
    contests: Annotated[tuple[tuple[float, ...], ...] | None, or_none(table("Contests", 4))]

    def __post_init__(self) -> None:
        _ = self.result

    @classmethod
    def of(cls, orders: OrderSpace, iteration: Iteration) -> LoggedTrial:
        """What is said of a trial that has ended."""
        result = iteration.result
        return cls(
            number=iteration.request.trial,
            order=result.order,
            ucb=iteration.ucb,
            reward=result.reward,
            compliance=result.compliance,
            episodes=result.episodes,
            gp_updated=iteration.gp_updated,
            workflow_id=orders.rank(result.order),
            reward_se=result.reward_se,
            compliance_se=result.compliance_se,
            total_episodes=result.total_episodes,
            run_episodes=iteration.episodes,
            ending=result.ending,
            seconds=result.seconds,
            training=result.training,
            tested=result.tested,
            tested_compliant=result.tested_compliant,
            known_tested=result.known_tested,
            known_compliant=result.known_compliant,
            contests=result.contests,
        )

    @property
    def result(self) -> TrialResult:
        """What the trial came to."""
        return TrialResult(
            order=self.order,
            reward=self.reward,
            reward_se=self.reward_se,
            compliance=self.compliance,
            compliance_se=self.compliance_se,
            episodes=self.episodes,
            total_episodes=self.total_episodes,
            ending=self.ending,
            seconds=self.seconds,
            training=self.training,
            tested=self.tested,
            tested_compliant=self.tested_compliant,
            known_tested=self.known_tested,
            known_compliant=self.known_compliant,
            contests=self.contests,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedBelief:
    """One line of `acquisition.csv`: the figures of `Acquisition` for one order."""

    iteration: Annotated[int, whole("Iteration")]
    workflow_id: Annotated[int, whole("Workflow_ID")]
    order: Annotated[Order, Column("Workflow", log_order, read_order)]
    mean: Annotated[float, significant("Mean", 6)]
    std: Annotated[float, significant("Std", 6)]
    ucb: Annotated[float, significant("UCB", 6)]
    feasibility: Annotated[float, significant("Feasibility", 6)]
    score: Annotated[float, significant("Score", 6)]

    @classmethod
    def all_of(
        cls, orders: OrderSpace, iteration: int, acquisition: Acquisition, tried: Sequence[Order]
    ) -> list[LoggedBelief]:
        """Those of one iteration: of all orders up to WHOLE_ACQUISITION, else of the best by UCB and of all tried."""
        ranks = np.arange(len(orders))
        if len(orders) > WHOLE_ACQUISITION:
            best = np.argsort(-acquisition.ucb, kind="stable")[:BEST_ACQUISITION]
            ranks = np.unique([*best.tolist(), *(orders.rank(order) for order in tried)])
        return [
            cls(
                iteration=iteration,
                workflow_id=i,
                order=orders.unrank(i),
                mean=acquisition.mean[i],
                std=acquisition.std[i],
                ucb=acquisition.ucb[i],
                feasibility=acquisition.feasibility[i],
                score=acquisition.score[i],
            )
            for i in ranks.tolist()
        ]


UPDATES, TRIALS, BELIEFS = CsvFormat(LoggedUpdate), CsvFormat(LoggedTrial), CsvFormat(LoggedBelief)


class LogFile(NamedTuple):
    """Where a log stands in the folder of its run, and the form of its lines."""

    name: str
    format: CsvFormat[Any]


LOGS = {
    "training": LogFile("training_log.csv", UPDATES),
    "sampling": LogFile("gp_sampling_log.csv", TRIALS),
    "acquisition": LogFile("acquisition.csv", BELIEFS),
    "landscape": LogFile("landscape.csv", LANDSCAPE),
}
