"""The runs: a search, a training, and what those of the other commands that train have in common with them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from cageflow.analysis.beside import KINDS, find_answer
from cageflow.analysis.beside import PLAIN as PLAIN_PPO
from cageflow.api.policies import as_text
from cageflow.api.progress import Listener, ProgressLike, listener, path_of
from cageflow.api.results import SearchResult, TrainResult, as_result
from cageflow.envs.red_code import RedAgentLike, read_red_agent
from cageflow.envs.red_speed import notes_on_red
from cageflow.errors import UserError
from cageflow.runs import runs
from cageflow.runs.saved_run import read_run
from cageflow.runs.start import notes_on_start
from cageflow.runs.summary import RunSummary
from cageflow.scenario.orders import OrderLike
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import make_config
from cageflow.settings.wording import beside_resume
from cageflow.studies.beside import train_kind
from cageflow.studies.early import EarlyTrainings
from cageflow.studies.final import train_final

PLAIN = "none"
"""In the place of a workflow: plain PPO, whatever a file of settings says."""


def search(
    *,
    network: str | Path | None = None,
    red_agent: RedAgentLike | None = None,
    total_episodes: int | None = None,
    final_episodes: int | None = None,
    max_episodes_per_workflow: int | None = None,
    seed: int | None = None,
    run_dir: str | Path | None = None,
    resume: str | Path | None = None,
    config: str | Path | None = None,
    executor: Executor | str | None = None,
    wandb: str | None = None,
    progress: ProgressLike = False,
    **settings: Any,
) -> SearchResult:
    """Search the workflows: train a defender for each order that the strategy picks, and name the best.

    What is left out is as `cageflow search --help` says.

    Args:
        network: a network by its name or file.
        red_agent: the attacker, by name or as a class in Python.
        total_episodes: training episodes in all.
        final_episodes: those of them that are kept back, with which the order that is recommended is trained on.
        max_episodes_per_workflow: of one order, at most.
        seed: decides all chance.
        run_dir: folder of the run; None is a new one in runs/.
        resume: folder of a run to go on with, which keeps its settings.
        config: a YAML file of settings; what is given here goes first.
        executor: who trains the orders: a name, as of the command line, or an executor of this program.
        wandb: a project of Weights & Biases that the figures are sent to as well.
        progress: a function that is told, True for words on standard error, False for none.
        settings: any other option of the command, by its name with underscores.

    Raises:
        UserError: a setting is not possible; nothing was written.
        RunStoppedError: Ctrl-C or SIGTERM; it is a `KeyboardInterrupt`, and the run goes on by `resume`.
        RunFailedError: learning broke down, workers died, or the disk is full; the last checkpoint is intact.
    """
    told, is_named = listener(progress), isinstance(executor, str)
    given = {
        "scenario": network,
        "red_agent": red_agent,
        "total_episodes": total_episodes,
        "final_episodes": final_episodes,
        "max_episodes_per_workflow": max_episodes_per_workflow,
        "seed": seed,
        "executor": executor if is_named else None,
    }
    summary = carry_out(
        "search",
        _joined(given, settings),
        run_dir=run_dir,
        resume=resume,
        config=config,
        executor=None if isinstance(executor, str) else executor,
        told=told,
        wandb=wandb,
    )
    cyborg_path = None if settings.get("cyborg_path") is None else str(settings["cyborg_path"])
    summary = train_final(summary, told.reporter, cyborg_path)
    train_beside(summary, told, cyborg_path)
    return as_result(summary, SearchResult, answer=find_answer(read_run(summary.run_dir)))


def train(
    workflow: OrderLike | None = None,
    *,
    network: str | Path | None = None,
    red_agent: RedAgentLike | None = None,
    total_episodes: int | None = None,
    seed: int | None = None,
    run_dir: str | Path | None = None,
    resume: str | Path | None = None,
    config: str | Path | None = None,
    wandb: str | None = None,
    progress: ProgressLike = False,
    **settings: Any,
) -> TrainResult:
    """Train one defender, for one workflow or, with the workflow "none", by plain PPO; or with side="red" an attacker.

    Args:
        workflow: the order, as `a > b > c`, as names or by its number, or "none"; None is that of the file of settings.
        network, red_agent, total_episodes, seed, run_dir, resume, config, wandb, progress: as for `search`.
        settings: any other option of `cageflow train`, by its name with underscores.

    Raises:
        UserError, RunStoppedError, RunFailedError: as for `search`.
    """
    given = {
        "scenario": network,
        "red_agent": red_agent,
        "total_episodes": total_episodes,
        "seed": seed,
        "workflow": None if workflow is None else as_text(workflow),
    }
    summary = carry_out(
        "train",
        _joined(given, settings),
        run_dir=run_dir,
        resume=resume,
        config=config,
        told=listener(progress),
        wandb=wandb,
    )
    return as_result(summary, TrainResult)


def carry_out(
    command: str,
    settings: Mapping[str, Any],
    *,
    run_dir: str | Path | None,
    resume: str | Path | None,
    config: str | Path | None,
    told: Listener,
    executor: Executor | None = None,
    wandb: str | None = None,
) -> RunSummary:
    """Start a run, or go on with one.

    Args:
        command: of the run.
        settings: by their names; None where not given.
        run_dir, resume, config, executor, wandb: as for `search`.
        told: who is told.

    Raises:
        UserError, RunStoppedError, RunFailedError: as for `search`.
    """
    if resume is not None:
        changes = {name: settings.get(name) for name in runs.MAY_CHANGE}
        given = {**settings, "config": config, "run_dir": run_dir}
        names = [name for name, value in given.items() if value is not None and name not in changes]
        if names:
            raise UserError(beside_resume(names))
        return runs.resume(Path(resume), command, told.reporter(), changes, executor=executor, wandb=wandb)
    new = _new_config(command, settings, path_of(config))
    for note in (*notes_on_start(new), *notes_on_red(new.game())):
        told.say(note)
    if executor is not None:
        return runs.start(new, path_of(run_dir), told.reporter(), executor=executor, wandb=wandb)
    with EarlyTrainings(new, (PLAIN_PPO,)) as plain:
        return runs.start(new, path_of(run_dir), told.reporter(), wandb=wandb, on_open=plain.begin)


def train_beside(summary: RunSummary, told: Listener, cyborg_path: str | Path | None = None) -> None:
    """Train what is to stand beside a run that has ended, or go on with that."""
    for kind in KINDS:
        train_kind(summary.run_dir, kind, told.reporter, None if cyborg_path is None else str(cyborg_path))


def _new_config(command: str, settings: Mapping[str, Any], file: Path | None) -> RunConfig:
    """The configuration of a new run, from what the user gave."""
    is_plain = settings.get("workflow") == PLAIN
    given = {name: value for name, value in settings.items() if not (is_plain and name == "workflow")}
    config = make_config({**given, "command": command}, file)
    if is_plain:
        return config.model_copy(update={"workflow": None})
    if config.leaves_order_open:
        raise UserError('give one of --workflow ORDER and --no-workflow; in Python an order, or "none" for plain PPO')
    return config


def _joined(given: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings together, paths as text.

    Raises:
        UserError: the network is named twice.
    """
    if given["scenario"] is not None and settings.get("scenario") is not None:
        raise UserError("network and scenario are names of one setting: leave one of them out")
    values = {**settings, **{name: value for name, value in given.items() if value is not None}}
    if isinstance(values.get("red_agent"), type):
        values["red_agent"] = read_red_agent(values["red_agent"])
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
