"""TensorBoard events beside the CSV files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

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

        from cageflow.runs.event_file import EventFile

        self._summary = Summary
        self._file = EventFile(folder, first_step + 1 if first_step else 0)
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
        """Write scalars of one moment as one event."""
        values = [self._summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
        self._file.add(self._summary(value=values), step)

    def result(self, summary: RunSummary) -> None:
        """Write what the run came to."""
        figures = {name: float(getattr(summary, name.partition("/")[2])) for name in FINAL}
        self._write({name: value for name, value in figures.items() if math.isfinite(value)}, summary.episodes)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _hyperparameters(self, own: Mapping[str, bool | int | float | str]) -> None:
        """Write the settings. Of several runs TensorBoard takes the columns of one, so each has those of all."""
        from tensorboard.plugins.hparams import api_pb2 as api
        from tensorboard.plugins.hparams import plugin_data_pb2 as data

        kinds = {True: api.DATA_TYPE_STRING, False: api.DATA_TYPE_FLOAT64}
        columns = api.Experiment(
            hparam_infos=[
                api.HParamInfo(name=name, type=kinds[isinstance(value, str)])
                for name, value in {**_columns(), **own}.items()
            ],
            metric_infos=[api.MetricInfo(name=api.MetricName(tag=name)) for name in FINAL],
        )
        begins = data.SessionStartInfo()
        for name, value in own.items():
            if isinstance(value, str):
                begins.hparams[name].string_value = value
            else:
                begins.hparams[name].number_value = value
        ends = data.SessionEndInfo(status=api.STATUS_SUCCESS)
        for tag, content in (
            ("experiment", data.HParamsPluginData(experiment=columns)),
            ("session_start_info", data.HParamsPluginData(session_start_info=begins)),
            ("session_end_info", data.HParamsPluginData(session_end_info=ends)),
        ):
            about = self._summary.Value(tag=f"_hparams_/{tag}")
            about.metadata.plugin_data.plugin_name = "hparams"
            about.metadata.plugin_data.content = content.SerializeToString()
            self._file.add(self._summary(value=[about]))


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
