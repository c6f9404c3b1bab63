"""TensorBoard events beside the CSV files."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from cageflow.scenario.orders import log_order
from cageflow.search import Iteration
from cageflow.training.trainer import UpdateRecord, Workflow


class EventLog:
    """Scalars by the episodes of the run; a resumed run hides what came after its checkpoint.

    Args:
        folder: of the run.
        first_step: episodes done when the log is opened.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from torch.utils.tensorboard.writer import SummaryWriter

        self._summary = Summary
        self._writer = SummaryWriter(str(folder), purge_step=first_step + 1 if first_step else None)

    def update(self, order: Workflow, record: UpdateRecord, run_episodes: int) -> None:
        """Write one update."""
        scalars = {
            "train/env_reward": record.env_reward,
            "train/total_reward": record.total_reward,
            "learner/policy_loss": record.stats.policy_loss,
            "learner/value_loss": record.stats.value_loss,
            "learner/entropy": record.stats.entropy,
            "learner/approx_kl": record.stats.approx_kl,
            "learner/explained_variance": record.stats.explained_variance,
        }
        if order is not None:
            scalars["train/alignment"] = record.alignment
            scalars["train/compliance"] = record.compliance
        if isinstance(order, tuple):
            scalars[f"compliance/{log_order(order)}"] = record.compliance
            scalars[f"env_reward/{log_order(order)}"] = record.env_reward
        self._write(scalars, run_episodes)

    def trial(self, iteration: Iteration) -> None:
        """Write one trial of a search."""
        result = iteration.result
        self._write({"search/reward": result.reward, "search/compliance": result.compliance}, iteration.episodes)

    def _write(self, scalars: dict[str, float], step: int) -> None:
        """Write scalars of one moment as one event: each by itself would cost a hundred microseconds."""
        values = [self._summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
        events: Any = self._writer.file_writer  # its type says None, which it is after `close` alone
        events.add_summary(self._summary(value=values), step)
        self._writer.flush()  # its thread has no answer to a folder that is removed before it has written

    def close(self) -> None:
        """Write what is left, if the folder is still there."""
        with contextlib.suppress(FileNotFoundError):
            self._writer.close()
