"""What is trained beside a search or a landscape: plain PPO, held to no order, and one order throughout.

Each training is a run of `cageflow train` in the run's own folder, such as `plain_ppo/seed1`. It is carried to its end
when the run itself has ended, so it takes nothing of its budget, and goes on with it by `--resume`; `early` may have
begun it by then.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cageflow.analysis.answer import Trainings
from cageflow.analysis.beside import ONE_ORDER, PLAIN, PLAIN_LONG, training_path, write_beside
from cageflow.runs import runs
from cageflow.runs.interrupt import StopRequest, catching_signals
from cageflow.runs.layout import with_kept_files
from cageflow.runs.progress import Quiet, Reporter
from cageflow.runs.run_folder import read_settings
from cageflow.scenario.orders import format_order
from cageflow.scenario.worth import order_by_worth
from cageflow.settings.commands import TrainConfig, TrialsConfig
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import make_config_of
from cageflow.studies.training import Training, carry_through, whole_budget
from cageflow.studies.trainings import train_all

OF_THE_RUN = ("command", "workflow", "start_from", "cyborg_path")
"""Settings that a training beside has not from the run beside which it stands."""
MOST_THREADS = 2
"""Of a learner: more than it uses."""


@dataclass(frozen=True)
class _Kind:
    """What tells the kinds of trainings beside a run apart.

    Attributes:
        count: how many a run is to have.
        changes: to the run's own settings.
    """

    count: Callable[[TrialsConfig], int]
    changes: Callable[[TrialsConfig], Mapping[str, Any]]


def _by_worth(run: TrialsConfig) -> dict[str, Any]:
    """One order with all the episodes of a run: nothing but its budget ends it."""
    order = format_order(order_by_worth(run.game().network))
    return {"workflow": order, **whole_budget(run.total_episodes)}


_KINDS: Mapping[str, _Kind] = {
    PLAIN: _Kind(lambda run: run.plain_trainings, lambda run: {"total_episodes": run.plain_episodes}),
    PLAIN_LONG: _Kind(lambda run: run.plain_long_trainings, lambda run: {"total_episodes": run.total_episodes}),
    ONE_ORDER: _Kind(lambda run: run.one_order_trainings, _by_worth),
}


def train_kind(
    path: Path, kind: str, make_reporter: Callable[[], Reporter], cyborg_path: str | None = None
) -> Trainings | None:
    """Train all of a kind beside a run that has ended, as often as its settings say, or go on with that.

    Args:
        path: folder of the run.
        kind: of `analysis.beside.KINDS`.
        make_reporter: makes who is told, for each training.
        cyborg_path: folder of CybORG, where the run played there.

    Returns:
        What they came to, which is kept in the folder; None where there are to be none.

    Raises:
        UserError: something in the folder is not as it was written.
        RunStoppedError: a signal asked for the end.
        RunFailedError: learning broke down, or the disk is full.
    """
    config = with_kept_files(read_settings(path), path)
    configs = configs_beside(config, kind, cyborg_path)
    if not configs:
        return None
    assert isinstance(config, TrialsConfig), "only those have something beside"
    trainings = _train(path, kind, config, configs, make_reporter)
    write_beside(path, kind, trainings)
    return trainings


def configs_beside(run: RunConfig, kind: str, cyborg_path: str | None = None) -> list[TrainConfig]:
    """The trainings of a kind that are to stand beside a run: of the run's seed, the next one, and so on."""
    if not isinstance(run, TrialsConfig):
        return []
    of_kind = _KINDS[kind]
    count = of_kind.count(run)
    changes = of_kind.changes(run) if count else {}
    seeds = [(run.seed + number) % 2**63 for number in range(count)]
    return [config_beside(run, {**changes, "seed": seed, "cyborg_path": cyborg_path}) for seed in seeds]


def config_beside(run: TrialsConfig, changes: Mapping[str, Any]) -> TrainConfig:
    """A training of plain PPO with the settings of a run, but for the changes."""
    own = {
        name: value
        for name, value in run.to_json().items()
        if name in TrainConfig.model_fields and name not in OF_THE_RUN
    }
    return make_config_of(TrainConfig, {**own, **changes})


def _train(
    path: Path, kind: str, config: TrialsConfig, configs: Sequence[TrainConfig], make_reporter: Callable[[], Reporter]
) -> Trainings:
    """Train all of a kind; what they come to."""
    folders = [training_path(path, kind, number) for number, _ in enumerate(configs, start=1)]
    advice = go_on_by(config, path)
    with (
        runs.telling_failures(path, advice),
        catching_signals(advice, lambda words: make_reporter().stopping(words)) as stop,
    ):
        if config.trial_executor == "process" and len(configs) > 1:
            _all_at_once(configs, folders, min(config.parallel_workflows, len(configs)), make_reporter(), stop)
            make_reporter = Quiet  # there is nothing left to do
        else:
            configs = [with_free_cores(config, one) for one in configs]
        summaries = [
            carry_through(one, folder, make_reporter(), stop) for folder, one in zip(folders, configs, strict=True)
        ]
    return Trainings(
        rewards=tuple(one.reward for one in summaries),
        rewards_se=tuple(one.reward_se for one in summaries),
        episodes=summaries[0].episodes,  # as when they began, should the run have more by now
    )


def _all_at_once(
    configs: Sequence[TrainConfig], folders: Sequence[Path], num_workers: int, reporter: Reporter, stop: StopRequest
) -> None:
    """Have workers train those that have not ended; what they leave is as if they had been trained here."""
    both = zip(configs, folders, strict=True)
    missing = [one for one in (Training(config, folder) for config, folder in both) if not one.is_finished]
    if not missing:
        return
    try:
        reporter.note(f"Training {_in_words(configs[0])} beside, {len(configs)} times, {num_workers} at once")
        train_all(_Told(reporter, stop), missing, num_workers)
    finally:
        reporter.close()


@dataclass(frozen=True)
class _Told:
    """The reporter and the signals, for trainings in workers; the run's own progress is told when each has ended."""

    reporter: Reporter
    stop: StopRequest
    is_silent: bool = False

    def check(self) -> None:
        """Raise where a signal asked for the end."""
        self.stop.check()

    def say(self, words: str) -> None:
        """Tell it."""
        self.reporter.note(words)

    def alone(self) -> AbstractContextManager[None]:
        """Nothing to be done: a reporter has no threads before its run begins."""
        return nullcontext()


def _in_words(config: TrainConfig) -> str:
    return "plain PPO" if config.workflow is None else "one order throughout"


def go_on_by(config: TrialsConfig, path: Path) -> str:
    """What a user is to do when the run in a folder, or what stands beside it, was stopped."""
    return f"go on with `cageflow {config.command} --resume {shlex.quote(str(path))}`"


def with_free_cores(config: TrialsConfig, training: TrainConfig) -> TrainConfig:
    """A training by itself beside a run, with the cores that the run's workers have left."""
    if config.parallel_workflows == 1:
        return training
    return training.model_copy(update={"num_threads": max(MOST_THREADS, config.num_threads)})
