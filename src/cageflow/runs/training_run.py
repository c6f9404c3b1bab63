"""The run of `cageflow train`: one policy, for one workflow or for none."""

from __future__ import annotations

import time
from typing import Any

from cageflow.collect import Collector
from cageflow.files import checksum, write_whole
from cageflow.learn.policy_file import dump_policy
from cageflow.runs.open_run import OpenRun
from cageflow.runs.summary import RunSummary
from cageflow.scenario.orders import show_order
from cageflow.settings.commands import TrainConfig
from cageflow.training.state_file import parse_state
from cageflow.training.trainer import Ending, PolicyTrainer, UpdateRecord
from cageflow.training.trials import train_to_the_end


class TrainingRun:
    """The training of one policy in its folder.

    Args:
        run: open.
        collector: who plays the episodes.
    """

    def __init__(
        self,
        run: OpenRun[TrainConfig],
        collector: Collector,
    ) -> None:
        self._run = run
        self._collector = collector

    def run(self) -> RunSummary:
        """Train to the end."""
        started = time.monotonic()
        config, folder = self._run.config, self._run.folder
        order = config.order()
        who = "red" if config.plays_red else "plain PPO" if order is None else show_order(order)
        self._run.reporter.start(
            f"Training {who} {config.game_in_words(with_orders=order is not None)}: {folder.path}",
            config.total_episodes,
            self._run.episodes_before,
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
        if "trainer" in self._run.state:
            with folder.fitting():
                trainer.load_state_dict(self._run.state["trainer"])
        elif (learner := folder.start()) is not None:
            trainer.ppo.start_from(parse_state(learner)["ppo"])
        ending = train_to_the_end(trainer, self._end_update)
        trainer.close()
        evaluation = trainer.evaluate()
        policy = folder.policy_path(order)
        content = dump_policy(trainer.policy(trainer.episodes))
        write_whole(policy, content)
        folder.checkpoint({**_state(trainer), "policy": [policy.name, checksum(content)]})
        return RunSummary(
            run_dir=folder.path,
            workflow=order,
            feasible=order is None or evaluation.compliance >= config.compliance_threshold,
            reward=evaluation.reward,
            reward_se=evaluation.reward_se,
            compliance=evaluation.compliance,
            compliance_se=evaluation.compliance_se,
            episodes=trainer.episodes,
            trials=1,
            seconds=time.monotonic() - started,
            episodes_here=trainer.episodes - self._run.episodes_before,
            ending=ending,
            policy=policy,
            side="red" if config.plays_red else "blue",
            opponent=config.opponent,
            tests=None if order is None else evaluation.tests,
        )

    def _end_update(self, trainer: PolicyTrainer, record: UpdateRecord, ending: Ending | None) -> None:
        """Log an update, and have all on disk before the next if a checkpoint is due."""
        self._run.folder.logs.update(trainer.workflow, record, 0, record.episodes, ending)
        written = self._run.checkpoint_if_due(lambda: _state(trainer), at_end=ending is not None)
        self._run.events.update(trainer.workflow, record, record.episodes)
        self._run.reporter.update(trainer.workflow, record, record.episodes)
        if written:
            self._run.stop.check()


def _state(trainer: PolicyTrainer) -> dict[str, Any]:
    """What the checkpoint says of a training."""
    return {"run_episodes": trainer.episodes, "trainer": trainer.state_dict()}
