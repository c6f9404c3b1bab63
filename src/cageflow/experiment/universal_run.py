"""The run of `cageflow universal`: one policy for all workflow orders, and what it is worth for each."""

from __future__ import annotations

import time
from typing import Any

from cageflow.collect import Collector
from cageflow.experiment.config import RunConfig
from cageflow.experiment.interrupt import StopRequest
from cageflow.experiment.progress import Reporter
from cageflow.experiment.run_folder import RunFolder
from cageflow.experiment.summary import RunSummary
from cageflow.experiment.tensorboard import EventLog
from cageflow.experiment.trainer import UpdateRecord
from cageflow.experiment.universal import UniversalTrainer
from cageflow.learn.policy import ANY_WORKFLOW
from cageflow.learn.policy_file import save_policy
from cageflow.learn.ppo import NonFiniteError
from cageflow.search import Landscape, LandscapeRow, best_trial, write_landscape
from cageflow.workflow.orders import ALL_ORDERS, NUM_ORDERS, Order, order_id


class UniversalRun:
    """The training and the evaluation of a universal policy in their folder.

    Args:
        config: of the run.
        folder: open.
        state: its checkpoint, empty for a new run.
        reporter: who is told.
        events: TensorBoard's log.
        stop: looked at after each update, and after each order that is evaluated.
        collector: who plays the episodes.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: RunFolder,
        state: dict[str, Any],
        reporter: Reporter,
        events: EventLog,
        stop: StopRequest,
        collector: Collector,
    ) -> None:
        self._config = config
        self._folder = folder
        self._reporter = reporter
        self._events = events
        self._stop = stop
        self._episodes_before = int(state.get("run_episodes", 0))
        self._trainer = UniversalTrainer(config, collector)
        if "trainer" in state:
            with folder.fitting():
                self._trainer.load_state_dict(state["trainer"])

    def run(self) -> RunSummary:
        """Train to the end, then evaluate on every order."""
        started = time.monotonic()
        config, folder, trainer = self._config, self._folder, self._trainer
        self._reporter.start(
            f"Training one policy for all {NUM_ORDERS} workflows against {config.game().red_agent}, "
            f"rules {config.rules}, seed {config.seed}: {folder.path}",
            config.total_episodes,
            self._episodes_before,
        )
        while not trainer.is_done:
            try:
                record = trainer.update()
            except NonFiniteError as error:
                raise NonFiniteError(f"all workflows: {error}") from error
            self._end_update(record)
        save_policy(folder.universal_policy_path, trainer.policy())
        table = Landscape(tuple(self._evaluate(order) for order in ALL_ORDERS))
        write_landscape(folder.universal_table_path, table)
        best, feasible = best_trial(table.rows, config.compliance_threshold)
        return RunSummary(
            run_dir=folder.path,
            workflow=best.order,
            feasible=feasible,
            reward=best.reward,
            reward_se=best.reward_se,
            compliance=best.compliance,
            episodes=trainer.episodes,
            trials=1,
            seconds=time.monotonic() - started,
            episodes_here=trainer.episodes - self._episodes_before,
            ending="budget",
            policy=folder.universal_policy_path,
        )

    def _end_update(self, record: UpdateRecord) -> None:
        """Have all on disk before the next update."""
        ending = "budget" if self._trainer.is_done else None
        self._folder.log_update(ANY_WORKFLOW, record, 0, record.episodes, ending)
        self._folder.checkpoint({"run_episodes": record.episodes, "trainer": self._trainer.state_dict()})
        self._events.update(ANY_WORKFLOW, record, record.episodes)
        self._reporter.update(ANY_WORKFLOW, record, record.episodes)
        self._stop.check()

    def _evaluate(self, order: Order) -> LandscapeRow:
        """What the policy is worth for one order; its seconds are its share of the training and its evaluation."""
        started = time.perf_counter()
        evaluation = self._trainer.evaluate(order)
        self._stop.check()
        return LandscapeRow(
            order=order,
            seed=1,
            reward=evaluation.reward,
            reward_se=evaluation.reward_se,
            compliance=evaluation.compliance,
            compliance_se=evaluation.compliance_se,
            episodes=int(self._trainer.episodes_of[order_id(order)]),
            ending="budget",
            threshold_episodes=None,
            seconds=self._trainer.seconds / NUM_ORDERS + time.perf_counter() - started,
        )
