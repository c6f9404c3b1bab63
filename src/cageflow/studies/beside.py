"""What is trained beside a search or a landscape: plain PPO, held to no order, and one order throughout.

Each training is a run of `cageflow train` in the run's own folder, such as `plain_ppo/seed1`. It is carried to its end
when the run itself has ended, so it takes nothing of its budget, and goes on with it by `--resume`; `early` may have
begun it by then.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from cageflow.analysis.answer import Trainings
from cageflow.analysis.beside import ONE_ORDER, PLAIN, PLAIN_LONG, training_path, write_beside
from cageflow.runs import runs
from cageflow.runs.interrupt import StopRequest, catching_signals
from cageflow.runs.layout import CONFIG, with_kept_files
from cageflow.runs.progress import Quiet, Reporter
from cageflow.runs.run_folder import read_settings
from cageflow.runs.summary import RunSummary
from cageflow.scenario.orders import format_order
from cageflow.scenario.red_agents import is_code
from cageflow.scenario.worth import order_by_worth
from cageflow.settings.commands import SearchConfig, TrainConfig, TrialsConfig
from cageflow.settings.reading import make_config_of
from cageflow.studies.training import ORPHAN_S, Training, whole_budget
from cageflow.studies.trainings import train_all

OF_THE_RUN = ("command", "workflow", "start_from", "cyborg_path")
"""Settings that a training beside has not from the run beside which it stands."""
MOST_THREADS = 2
"""Of a learner: more than it uses."""


def train_plain(path: Path, make_reporter: Callable[[], Reporter], cyborg_path: str | None = None) -> Trainings | None:
    """Train plain PPO beside a run that has ended, as often as its settings say, or go on with that.

    Args:
        path: folder of the run.
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
    if not isinstance(config, TrialsConfig):
        return None
    configs = [plain_config(config, number, cyborg_path) for number in range(1, config.plain_trainings + 1)]
    return _train(path, PLAIN, config, configs, make_reporter)


def train_plain_long(
    path: Path, make_reporter: Callable[[], Reporter], cyborg_path: str | None = None
) -> Trainings | None:
    """Train plain PPO with all the episodes of a search that has a final training; as `train_plain`."""
    config = with_kept_files(read_settings(path), path)
    if not isinstance(config, SearchConfig):
        return None
    configs = [plain_long_config(config, number, cyborg_path) for number in range(1, config.plain_long_trainings + 1)]
    return _train(path, PLAIN_LONG, config, configs, make_reporter)


def train_one_order(
    path: Path, make_reporter: Callable[[], Reporter], cyborg_path: str | None = None
) -> Trainings | None:
    """Train the order by worth with all the episodes of a search that has ended; as `train_plain`."""
    config = with_kept_files(read_settings(path), path)
    if not isinstance(config, SearchConfig):
        return None
    configs = [one_order_config(config, number, cyborg_path) for number in range(1, config.compare_one_order + 1)]
    return _train(path, ONE_ORDER, config, configs, make_reporter)


def plain_config(config: TrialsConfig, number: int, cyborg_path: str | None = None) -> TrainConfig:
    """The training of plain PPO beside a run, `number` from 1: that of the run's seed, the next one, and so on."""
    own = {
        name: value
        for name, value in config.to_json().items()
        if name in TrainConfig.model_fields and name not in OF_THE_RUN
    }
    seed = (config.seed + number - 1) % 2**63
    changed = {"total_episodes": config.plain_episodes, "seed": seed, "cyborg_path": cyborg_path}
    return make_config_of(TrainConfig, {**own, **changed})


def plain_long_config(config: SearchConfig, number: int, cyborg_path: str | None = None) -> TrainConfig:
    """The training of plain PPO with all the episodes of a search."""
    return plain_config(config, number, cyborg_path).model_copy(update={"total_episodes": config.total_episodes})


def one_order_config(config: SearchConfig, number: int, cyborg_path: str | None = None) -> TrainConfig:
    """The training of the order by worth beside a search: nothing but its budget ends it."""
    order = format_order(order_by_worth(config.game().network))
    own = {**plain_config(config, number, cyborg_path).to_json(), "workflow": order}
    return make_config_of(TrainConfig, {**own, **whole_budget(config.total_episodes), "cyborg_path": cyborg_path})


def _train(
    path: Path, kind: str, config: TrialsConfig, configs: Sequence[TrainConfig], make_reporter: Callable[[], Reporter]
) -> Trainings | None:
    """Train all of a kind and keep what they came to; None where there are none."""
    if not configs:
        return None
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
            carry_through(folder, one, make_reporter, stop) for folder, one in zip(folders, configs, strict=True)
        ]
    trainings = Trainings(
        rewards=tuple(one.reward for one in summaries),
        rewards_se=tuple(one.reward_se for one in summaries),
        episodes=summaries[0].episodes,  # as when they began, should the run have more by now
    )
    write_beside(path, kind, trainings)
    return trainings


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


def carry_through(
    path: Path, config: TrainConfig, make_reporter: Callable[[], Reporter], stop: StopRequest
) -> RunSummary:
    """Train in a folder, or go on with that; what has ended is told again."""
    if (path / CONFIG).exists():
        changes = {"cyborg_path": config.cyborg_path}
        if is_code(config.red_agent):
            changes["red_agent"] = config.red_agent
        return runs.resume(path, "train", make_reporter(), changes, wait_s=ORPHAN_S, stop=stop)
    return runs.start(config, path, make_reporter(), stop=stop)
