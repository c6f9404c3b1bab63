"""The run of `cageflow universal`: one policy for all workflow orders, and what it is worth for each."""

from __future__ import annotations

import time

from cageflow.collect import Collector
from cageflow.learn.policy import ANY_WORKFLOW
from cageflow.learn.policy_file import save_policy
from cageflow.learn.ppo import NonFiniteError
from cageflow.runs.open_run import OpenRun
from cageflow.runs.summary import RunSummary
from cageflow.scenario.orders import Order
from cageflow.search import Landscape, LandscapeRow, best_trial, write_landscape
from cageflow.settings.commands import UniversalConfig
from cageflow.training.trainer import UpdateRecord
from cageflow.training.universal import UniversalTrainer


class UniversalRun:
    """The training and the evaluation of a universal policy in their folder.

    Args:
        run: open.
        collector: who plays the episodes.
    """

    def __init__(
        self,
        run: OpenRun[UniversalConfig],
        collector: Collector,
    ) -> None:
        self._run = run
        self._trainer = UniversalTrainer(run.config, collector)
        network = run.config.game().network
        self._network, self._space = network.fingerprint, network.orders
        if "trainer" in run.state:
            with run.folder.fitting():
                self._trainer.load_state_dict(run.state["trainer"])

    def run(self) -> RunSummary:
        """Train to the end, then evaluate on every order."""
        started = time.monotonic()
        config, folder, trainer = self._run.config, self._run.folder, self._trainer
        self._run.reporter.start(
            f"Training one policy for all {len(self._space):,} workflows {config.game_in_words()}: {folder.path}",
            config.total_episodes,
            self._run.episodes_before,
        )
        while not trainer.is_done:
            try:
                record = trainer.update()
            except NonFiniteError as error:
                raise NonFiniteError(f"all workflows: {error}") from error
            self._end_update(record)
        save_policy(folder.universal_policy_path, trainer.policy())
        table = Landscape(self._space, tuple(self._evaluate(order) for order in self._space))
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
            episodes_here=trainer.episodes - self._run.episodes_before,
            ending="budget",
            policy=folder.universal_policy_path,
        )

    def _end_update(self, record: UpdateRecord) -> None:
        """Log an update, and have all on disk before the next if a checkpoint is due."""
        ending = "budget" if self._trainer.is_done else None
        self._run.folder.logs.update(ANY_WORKFLOW, record, 0, record.episodes, ending)
        written = self._run.checkpoint_if_due(
            lambda: {"run_episodes": record.episodes, "trainer": self._trainer.state_dict()},
            at_end=ending is not None,
        )
        self._run.events.update(ANY_WORKFLOW, record, record.episodes)
        self._run.reporter.update(ANY_WORKFLOW, record, record.episodes)
        if written:
            self._run.stop.check()

    def _evaluate(self, order: Order) -> LandscapeRow:
        """What the policy is worth for one order; its seconds are its share of the training and its evaluation."""
        started = time.perf_counter()
        evaluation = self._trainer.evaluate(order)
        self._run.stop.check()
        return LandscapeRow(
            order=order,
            seed=1,
            reward=evaluation.reward,
            reward_se=evaluation.reward_se,
            compliance=evaluation.compliance,
            compliance_se=evaluation.compliance_se,
            episodes=int(self._trainer.episodes_of[self._space.rank(order)]),
            ending="budget",
            threshold_episodes=None,
            seconds=self._trainer.seconds / len(self._space) + time.perf_counter() - started,
            network=self._network,
        )
