"""The runs: refused, opened, carried through and closed in order, whatever ends them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from cageflow.collect import Collector, make_collector
from cageflow.envs.red_player import open_red
from cageflow.errors import UserError
from cageflow.learn.ppo import NonFiniteError
from cageflow.runs.checkpoint import read_checkpoint
from cageflow.runs.interrupt import RunFailedError, StopRequest, catching_signals
from cageflow.runs.layout import CONFIG, check_same_red, with_kept_files
from cageflow.runs.mirror import check_mirror, mirrored
from cageflow.runs.new_folder import default_run_dir, make_folder
from cageflow.runs.open_run import OpenRun
from cageflow.runs.progress import Reporter
from cageflow.runs.run_folder import RunFolder, read_settings
from cageflow.runs.search_run import SearchRun
from cageflow.runs.start import on_network_of_start, read_start
from cageflow.runs.summary import RunSummary
from cageflow.runs.tensorboard import EventLog
from cageflow.runs.training_run import TrainingRun
from cageflow.runs.unfinished import check_new
from cageflow.runs.universal_run import UniversalRun
from cageflow.scenario.red_agents import BUILT_IN
from cageflow.search import SearchState
from cageflow.settings.commands import SearchConfig, TrainConfig, TrialsConfig, UniversalConfig
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import check_named, make_config
from cageflow.training.trainer import game_spec
from cageflow.training.trials import TrialPart, TrialTask, run_trial
from cageflow.work.executors import borrow, make_executor
from cageflow.work.pool import Pool, WorkerError

WHERE = ("parallel_workflows", "executor", "address", "cyborg_path")
"""Settings that say where trials run and not what they are: a run that goes on may change them."""
NAMED_AGAIN = ("blue_agent",)
"""Settings that stay as they are, and that the user names again where they are code."""
MAY_CHANGE = (
    *("total_episodes", "final_episodes", "compare_plain", "compare_one_order", "red_agent"),
    *NAMED_AGAIN,
    *WHERE,
)
"""All that the command line may say of a run that goes on."""


def start(
    config: RunConfig,
    run_dir: Path | None,
    reporter: Reporter,
    executor: Executor | None = None,
    stop: StopRequest | None = None,
    wandb: str | None = None,
    on_open: Callable[[Path], None] | None = None,
) -> RunSummary:
    """Start a run in a new folder; see `_run`. `on_open` is told the folder when it is there."""
    if executor is not None and not config.has_trials:
        raise UserError(f"{config.command} runs in one process: leave the executor out, or use search or landscape")
    config = on_network_of_start(config)
    for note in notes_on_blue(config):
        reporter.note(note)
    path = run_dir or default_run_dir(config)
    check_new(path)
    learner = read_start(config)

    def open_folder() -> tuple[RunFolder, dict[str, Any]]:
        folder = make_folder(path, config, learner, reporter.note)
        if on_open is not None:
            on_open(path)
        return folder, {}

    return _run(config, path, open_folder, reporter, executor, stop, wandb)


def resume(
    run_dir: Path,
    command: str,
    reporter: Reporter,
    changes: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    wait_s: float = 0.0,
    stop: StopRequest | None = None,
    wandb: str | None = None,
) -> RunSummary:
    """Go on with a run that was stopped, as if it never had been; see `_run`.

    Args:
        run_dir: the folder of the run.
        command: what the user takes it for.
        reporter: who is told.
        changes: new values of `MAY_CHANGE`, the episodes of a search only, which the folder says from now on; None and
            what is left out stay as they were, but for `cyborg_path`, `address` and a `red_agent` in Python, which must
            be named again, the last by the same class of an unchanged file.
        executor, stop, wandb: as for `start`.
        wait_s: seconds for another process to leave the folder.

    Raises:
        UserError: the folder holds no run, or one of another command, or something in it is not as it was written, or
            a change cannot be made.
    """
    config = read_settings(run_dir)
    if config.command != command:
        right = f"cageflow {config.command}"
        raise UserError(f"{run_dir} is a run of `{right}`: go on with `{right} --resume {shlex.quote(str(run_dir))}`")
    kept = config.to_json()
    if (changes or {}).get("executor") in ("inline", "process"):
        kept.pop("address", None)  # it leaves the cluster
    check_named(kept, changes or {}, run_dir / CONFIG)
    red = (changes or {}).get("red_agent")
    if red is not None:
        check_same_red(red, config.red_agent, run_dir)
    changed = {name: value for name, value in (changes or {}).items() if value not in (None, kept.get(name))}
    for name in changed.keys() & set(NAMED_AGAIN):
        raise UserError(f"{name} is {changed[name]!r}, but the run was begun with {kept.get(name)!r}: name the same")
    if "total_episodes" in changed and command != "search":
        raise UserError("the episodes of a training cannot be changed: its schedules are stretched over them")
    config = with_kept_files(make_config({**kept, **changed}), run_dir)  # its file may have been moved or changed since
    if isinstance(config, SearchConfig) and changed.keys() & {"total_episodes", "final_episodes"}:
        _check_kept_back(config, run_dir)
    open_folder = partial(RunFolder.resume, run_dir, config, reporter.note, wait_s)
    return _run(config, run_dir, open_folder, reporter, executor, stop, wandb)


def _run(
    config: RunConfig,
    path: Path,
    open_folder: Callable[[], tuple[RunFolder, dict[str, Any]]],
    reporter: Reporter,
    executor: Executor | None,
    stop: StopRequest | None,
    wandb: str | None,
) -> RunSummary:
    """Run to the end. The folder is made or changed only when all that could be refused has been found in order.

    Args:
        config: of the run.
        path: of its folder.
        open_folder: opens the folder and gives the checkpoint, empty for a new run.
        reporter: who is told.
        executor: that runs the trials of a search in place of the one that the configuration names; it is left open.
        stop: whether to end before; None answers signals here.
        wandb: project of Weights & Biases that the events are sent to as well; None sends nothing.

    Raises:
        UserError: the network, the device, CybORG or the cluster cannot be had, or the checkpoint does not fit the
            configuration.
        RunStoppedError: a signal asked for the end; the checkpoint is written.
        RunFailedError: learning broke down, workers died again and again, or the disk is full; the last checkpoint is
            intact.
    """
    check_mirror(wandb)
    _ = config.game().network  # refused here if its file is wrong
    _check_reds(config)
    if isinstance(config, TrialsConfig):
        config.find_strategy()
    _check_device(config.device)
    _check_cyborg(config)
    _check_blue(config)
    advice = stop.advice if stop else f"go on with `cageflow {config.command} --resume {shlex.quote(str(path))}`"
    signals = nullcontext(stop) if stop else catching_signals(advice, reporter.stopping)
    with ExitStack() as closing, telling_failures(path, advice), signals as asked:
        closing.callback(reporter.close)
        collector = pool = None
        if isinstance(config, TrialsConfig) and (executor is not None or config.trial_executor != "inline"):
            pool = _start_pool(config, executor)
            closing.callback(pool.close)
        else:
            collector = make_collector(config.collector, game_spec(config), config.n_workers)
            closing.callback(collector.close)
        folder, state = open_folder()
        closing.callback(folder.close)
        closing.enter_context(mirrored(wandb, path, config))
        events = EventLog(path, int(state.get("run_episodes", 0)), config)
        closing.callback(events.close)

        run = OpenRun(config=config, folder=folder, state=state, reporter=reporter, events=events, stop=asked)
        summary = _kind_of_run(run, collector, pool).run()
        events.result(summary)
        return summary


def _kind_of_run(
    run: OpenRun[Any], collector: Collector | None, pool: Pool[TrialTask, TrialPart] | None
) -> SearchRun | UniversalRun | TrainingRun:
    """The run of the command that its configuration is of."""
    if isinstance(run.config, TrialsConfig):
        return SearchRun(run, collector, pool)
    assert collector is not None, "what is no trial runs in this process"
    if isinstance(run.config, UniversalConfig):
        return UniversalRun(run, collector)
    assert isinstance(run.config, TrainConfig), run.config.command
    return TrainingRun(run, collector)


def _start_pool(config: TrialsConfig, executor: Executor | None) -> Pool[TrialTask, TrialPart]:
    """Who runs the trials of a search elsewhere.

    Raises:
        UserError: the executor is not installed, or there is no cluster at the address.
    """
    if executor is None:
        make = partial(make_executor, config.trial_executor, config.parallel_workflows, config.address)
    else:
        make = partial(borrow, executor)
    return Pool(make, run_trial, lambda task: f"trial {task.request.trial}")


@contextmanager
def telling_failures(path: Path, advice: str) -> Iterator[None]:
    """Turn what can end a run, and is no fault of ours, into one sentence."""
    try:
        yield
    except (NonFiniteError, WorkerError) as error:
        raise RunFailedError(f"{error}; what was done before is in {path}") from error
    except ConnectionError:  # no file, but who read our words, or a worker
        raise
    except OSError as error:
        where = error.filename or path
        raise RunFailedError(f"{where} cannot be written: {error.strerror}; mend that and {advice}") from error


def _check_kept_back(config: SearchConfig, run_dir: Path) -> None:
    """Refuse to keep back what the trials of a search that goes on have used already.

    Raises:
        UserError: it is so.
    """
    state, _ = read_checkpoint(run_dir, config.logs)
    if not config.final_episodes or "search" not in state:
        return
    search = SearchState.from_json(state["search"])
    used = sum(result.episodes for result in search.history)
    used += sum(trial.request.max_episodes or 0 for trial in search.pending)
    if used > config.episodes_of_trials:
        raise UserError(
            f"final_episodes is {config.final_episodes:,} of {config.total_episodes:,} total_episodes, but the trials "
            f"in {run_dir} have used {used:,} already: give total_episodes of at least {used + config.final_episodes}"
        )


def _check_device(name: str) -> None:
    """Refuse a torch device that is not there.

    Raises:
        UserError: it is unknown or cannot be used.
    """
    if name == "cpu":  # where torch is not needed
        return
    import torch

    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        available = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        raise UserError(f"device {name!r} cannot be used here: choose from {available}") from error


def notes_on_blue(config: RunConfig) -> tuple[str, ...]:
    """What a user has to know of the blue agent that red learns against, a sentence each."""
    source = config.blue_source()
    return () if source is None else source.notes(config.game().blue_setting)


def _check_reds(config: RunConfig) -> None:
    """Refuse red agents that cannot be had, the judging one's and those of a mixture, here and not in a worker.

    Raises:
        UserError: a file is not there, holds no red agent, or one of another network.
    """
    game = config.game()
    for red in {game.red_agent, *(red for red, _ in config.variation().red_mixture)} - BUILT_IN.keys():
        open_red(game.against(red, game.max_steps))


def _check_blue(config: RunConfig) -> None:
    """Refuse a blue agent that red cannot learn against, here and not in a worker.

    Raises:
        UserError: it cannot be made, was not made for these games, or plays too few of them at once.
    """
    source = config.blue_source()
    if source is None:
        return
    most, count = source.load(config.game().blue_setting).max_envs, config.rollout().episodes_per_update
    if most is not None and most < count and config.collector != "sequential":
        raise UserError(
            f"{config.opponent} plays {most} games at once, and an update has {count}: give --collector sequential"
        )


def _check_cyborg(config: RunConfig) -> None:
    """Refuse a CybORG that is not there or plays other rules, here and not in a worker.

    Raises:
        UserError: it is so.
    """
    if config.simulator != "cyborg":
        return
    from cageflow.envs.cyborg import cyborg_rules

    rules = cyborg_rules(config.cyborg_path)
    if rules != config.rules:
        raise UserError(
            f"CybORG in {config.cyborg_path} plays the rules {rules}, not {config.rules}: give --rules {rules}"
        )
