"""The run of `cageflow train`: one policy, for one workflow or for none."""

from __future__ import annotations

import time
from typing import Any

from cageflow.collect import Collector
from cageflow.experiment.config import RunConfig
from cageflow.experiment.interrupt import StopRequest
from cageflow.experiment.progress import Reporter
from cageflow.experiment.run_folder import RunFolder, order_text
from cageflow.experiment.state_file import parse_state
from cageflow.experiment.summary import RunSummary
from cageflow.experiment.tensorboard import EventLog
from cageflow.experiment.trainer import Ending, PolicyTrainer, UpdateRecord
from cageflow.experiment.trials import train_to_the_end
from cageflow.learn.policy_file import save_policy


class TrainingRun:
    """The training of one policy in its folder.

    Args:
        config: of the run.
        folder: open.
        state: its checkpoint, empty for a new run.
        reporter: who is told.
        events: TensorBoard's log.
        stop: looked at after each update.
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
        self._state = state
        self._reporter = reporter
        self._events = events
        self._stop = stop
        self._collector = collector

    def run(self) -> RunSummary:
        """Train to the end."""
        started = time.monotonic()
        config, folder = self._config, self._folder
        order = config.order()
        episodes_before = int(self._state.get("run_episodes", 0))
        self._reporter.start(
            f"Training {'plain PPO' if order is None else order_text(order)} against {config.game().red_agent}, "
            f"rules {config.rules}, seed {config.seed}: {folder.path}",
            config.total_episodes,
            episodes_before,
        )
        trainer = PolicyTrainer(
            config,
            config.game(),
            order,
            config.seed,
            max_episodes=config.total_episodes,
            cap="budget",
            collector=self._collector,
        )
        if "trainer" in self._state:
            with folder.fitting():
                trainer.load_state_dict(self._state["trainer"])
        elif (learner := folder.start()) is not None:
            trainer.ppo.start_from(parse_state(learner)["ppo"])
        ending = train_to_the_end(trainer, self._end_update)
        trainer.close()
        evaluation = trainer.evaluate()
        policy = folder.policy_path(order)
        save_policy(policy, trainer.policy(trainer.episodes))
        return RunSummary(
            run_dir=folder.path,
            workflow=order,
            feasible=order is None or evaluation.compliance >= config.compliance_threshold,
            reward=evaluation.reward,
            reward_se=evaluation.reward_se,
            compliance=evaluation.compliance,
            episodes=trainer.episodes,
            trials=1,
            seconds=time.monotonic() - started,
            episodes_here=trainer.episodes - episodes_before,
            ending=ending,
            policy=policy,
        )

    def _end_update(self, trainer: PolicyTrainer, record: UpdateRecord, ending: Ending | None) -> None:
        """Have all on disk before the next update."""
        self._folder.log_update(trainer.order, record, 0, record.episodes, ending)
        self._folder.checkpoint({"run_episodes": record.episodes, "trainer": trainer.state_dict()})
        self._events.update(trainer.order, record, record.episodes)
        self._reporter.update(trainer.order, record, record.episodes)
        self._stop.check()
