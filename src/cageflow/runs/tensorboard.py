"""TensorBoard events beside the CSV files."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from cageflow.learn.policy import RED
from cageflow.runs.summary import RunSummary
from cageflow.scenario.orders import log_order
from cageflow.search import Iteration
from cageflow.settings.commands import COMMANDS
from cageflow.settings.config import RunConfig
from cageflow.training.trainer import UpdateRecord, Workflow

FINAL = ("final/reward", "final/reward_se", "final/compliance", "final/episodes", "final/trials", "final/seconds")
"""Figures of a whole run, by which runs are compared under HPARAMS."""
ELSEWHERE = {"command", "address", "cyborg_path", "device", "executor", "n_workers", "num_threads"}
"""Settings that say where a run computes, or stand under another name."""


class EventLog:
    """Scalars by the episodes of the run; a resumed run hides what came after its checkpoint.

    A run's settings and its final figures stand there too, so that TensorBoard compares runs under HPARAMS.

    Args:
        folder: of the run.
        first_step: episodes done when the log is opened.
        config: of the run.
    """

    def __init__(self, folder: Path, first_step: int, config: RunConfig) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from torch.utils.tensorboard.writer import SummaryWriter

        self._summary = Summary
        self._writer = SummaryWriter(str(folder), purge_step=first_step + 1 if first_step else None)
        if not first_step:
            self._hyperparameters(hyperparameters(config))

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
        if order not in (None, RED):
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

    def result(self, summary: RunSummary) -> None:
        """Write what the run came to."""
        figures = {name: float(getattr(summary, name.partition("/")[2])) for name in FINAL}
        self._write({name: value for name, value in figures.items() if math.isfinite(value)}, summary.episodes)

    def close(self) -> None:
        """Write what is left, if the folder is still there."""
        with contextlib.suppress(FileNotFoundError):
            self._writer.close()

    def _hyperparameters(self, own: Mapping[str, Any]) -> None:
        """Write the settings. Of several runs TensorBoard takes the columns of one, so each has those of all."""
        from torch.utils.tensorboard.summary import hparams

        columns, _, _ = hparams({**_columns(), **own}, dict.fromkeys(FINAL, 0.0))
        _, begins, ends = hparams(dict(own), {})
        events: Any = self._writer.file_writer
        for summary in (columns, begins, ends):
            events.add_summary(summary)


def hyperparameters(config: RunConfig) -> dict[str, bool | int | float | str]:
    """The settings of a run that say what it computes, those that are set; `ppo` by its entries."""
    values = config.to_json()
    changes = {f"ppo.{name}": value for name, value in values.pop("ppo").items()}
    settings = {"command": config.command, "network": config.game().network.scenario.name, **values, **changes}
    return {
        name: value if isinstance(value, bool | int | float | str) else str(value)
        for name, value in settings.items()
        if value is not None and (name == "command" or name not in {*ELSEWHERE, "scenario"})
    }


def _columns() -> dict[str, float | str]:
    """Every setting of every command, with a value of its kind."""
    columns: dict[str, float | str] = {}
    for command in COMMANDS.values():
        for name, field in command.model_fields.items():
            kinds = {field.annotation, *get_args(field.annotation)}
            if name not in {*ELSEWHERE, "scenario", "ppo"}:
                columns[name] = 0.0 if kinds & {int, float} else ""
    return columns
