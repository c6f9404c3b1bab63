"""The commands that train: search, train and landscape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cageflow import terminal
from cageflow.cli.answers import answer_json, print_answer, print_differences
from cageflow.cli.app import app
from cageflow.cli.options import Asked, refuse_beside_resume, takes
from cageflow.cli.output import print_json
from cageflow.errors import UserError
from cageflow.settings.parts import LandscapeSettings, SearchSettings, TrainSettings

if TYPE_CHECKING:
    from pathlib import Path

    from cageflow.analysis.answer import Answer, PlainPPO
    from cageflow.measure.differences import Differences
    from cageflow.runs.summary import RunSummary
    from cageflow.settings.config import RunConfig


@app.command()
@takes(SearchSettings)
def search(asked: Asked) -> None:
    """Search the workflows: train a defender for each order that the strategy picks, and name the best."""
    summary = run_command("search", asked)
    answer = _answer(summary, asked)
    if asked.as_json:
        print_json({**_search_json(summary), **answer_json(answer)})
    else:
        _print_summary(summary)
        print_answer(answer)


@app.command()
@takes(TrainSettings, own_after="workflow")
def train(asked: Asked, no_workflow: Annotated[bool, typer.Option("--no-workflow", help="Plain PPO.")] = False) -> None:
    """Train one defender, for one workflow or by plain PPO."""
    summary = run_command("train", asked, no_workflow=no_workflow)
    if asked.as_json:
        print_json(_train_json(summary))
    else:
        _print_summary(summary, searched=False)


@app.command()
@takes(LandscapeSettings)
def landscape(asked: Asked) -> None:
    """Train all workflows alike and write what each came to: what `cageflow regret` measures strategies on."""
    summary = run_command("landscape", asked)
    _train_plain(summary, asked)
    table = summary.run_dir / "landscape.csv"
    found = _differences(summary, table)
    if asked.as_json:
        differences = None if found is None else found.to_json()
        print_json({**_search_json(summary), "landscape": str(table), "differences": differences})
    else:
        _print_summary(summary)
        terminal.say(f"  landscape   {table}")
        if found is not None:
            print_differences(terminal.make_console(highlight=False, soft_wrap=True), found)


def run_command(command: str, asked: Asked, *, no_workflow: bool = False) -> RunSummary:
    """Start a run or go on with one.

    Args:
        command: the command itself.
        asked: what the user asks for.
        no_workflow: of `train`, whether plain PPO is asked for.
    """
    from cageflow.runs import runs
    from cageflow.runs.progress import make_reporter
    from cageflow.runs.start import notes_on_start

    reporter = make_reporter(terminal.make_console(stderr=asked.as_json), asked.quiet)
    if asked.resume is not None:
        changes = {name: asked.settings.get(name) for name in runs.MAY_CHANGE}
        given = {**asked.of_new_run(), "no_workflow": no_workflow or None}
        refuse_beside_resume({name: value for name, value in given.items() if name not in changes})
        return runs.resume(asked.resume, command, reporter, changes)
    new = _new_config(command, asked, no_workflow)
    for note in notes_on_start(new):
        terminal.say(note, err=True)
    return runs.start(new, asked.run_dir, reporter)


def _answer(summary: RunSummary, asked: Asked) -> Answer:
    """What a search that has ended found, after plain PPO was trained beside it."""
    from cageflow.analysis.answer import saved_answer
    from cageflow.runs.saved_run import read_run

    plain = _train_plain(summary, asked)
    return saved_answer(read_run(summary.run_dir), plain)


def _differences(summary: RunSummary, table: Path) -> Differences | None:
    """Whether the orders of a landscape differ; None where there is but one order."""
    from cageflow.analysis.plain_runs import plain_of_landscape
    from cageflow.measure.differences import differences_of
    from cageflow.runs.run_folder import read_settings
    from cageflow.search.landscape import read_landscape

    landscape, plain = read_landscape(table), plain_of_landscape(table)
    if len(landscape.space) < 2:
        return None
    threshold = read_settings(summary.run_dir).compliance_threshold
    return differences_of(landscape, threshold, () if plain is None else plain.rewards)


def _train_plain(summary: RunSummary, asked: Asked) -> PlainPPO | None:
    """Train plain PPO beside a run that has ended, or go on with that."""
    from cageflow.runs.progress import make_reporter
    from cageflow.studies.beside import train_plain

    console = terminal.make_console(stderr=asked.as_json)
    return train_plain(summary.run_dir, lambda: make_reporter(console, asked.quiet), asked.settings.get("cyborg_path"))


def _new_config(command: str, asked: Asked, no_workflow: bool) -> RunConfig:
    """The configuration of a new run, from what the user gave."""
    from cageflow.cli.names import say_renamed
    from cageflow.settings.reading import make_config, renamed_settings

    if no_workflow and asked.settings["workflow"] is not None:
        raise UserError("--workflow and --no-workflow exclude each other: give one of them")
    if asked.config is not None:
        for old, new in renamed_settings(asked.config).items():
            say_renamed(f"{asked.config}: {old}", new)
    config = make_config({**asked.settings, "command": command}, asked.config)
    if no_workflow:
        return config.model_copy(update={"workflow": None})
    if not config.tries_orders and not config.tells_order:
        raise UserError("give one of --workflow ORDER and --no-workflow")
    return config


def _search_json(summary: RunSummary) -> dict[str, Any]:
    from cageflow.scenario.orders import format_order

    assert summary.workflow is not None, "a search has tried a workflow"
    return {
        "run_dir": str(summary.run_dir),
        "best_workflow": format_order(summary.workflow) if summary.feasible else None,
        "workflow": format_order(summary.workflow),
        "feasible": summary.feasible,
        "reward": summary.reward,
        "reward_se": summary.reward_se,
        "belief": summary.belief,
        "compliance": summary.compliance,
        **({} if summary.tests is None else summary.tests.to_json()),
        "episodes": summary.episodes,
        "trials": summary.trials,
        "seconds": summary.seconds,
        "episodes_per_s": summary.episodes_here / summary.seconds,
        "policy": str(summary.policy),
    }


def _train_json(summary: RunSummary) -> dict[str, Any]:
    from cageflow.scenario.orders import format_order

    return {
        "run_dir": str(summary.run_dir),
        "workflow": None if summary.workflow is None else format_order(summary.workflow),
        "reward": summary.reward,
        "reward_se": summary.reward_se,
        "compliance": None if summary.workflow is None else summary.compliance,
        **({} if summary.tests is None else summary.tests.to_json()),
        "ending": summary.ending,
        "episodes": summary.episodes,
        "seconds": summary.seconds,
        "episodes_per_s": summary.episodes_here / summary.seconds,
        "policy": str(summary.policy),
    }


def _print_summary(summary: RunSummary, *, searched: bool = True) -> None:
    """Print what a run came to; `searched` where it had orders to choose from."""
    from rich.text import Text

    from cageflow.scenario.orders import show_order

    console = terminal.make_console(highlight=False, soft_wrap=True)
    if summary.workflow is None:
        title = Text("Plain PPO", "bold")
    else:
        what = "Workflow"
        if searched:
            what = "Best workflow" if summary.feasible else "No workflow complied; closest"
        title = Text.assemble((f"{what}  ", "bold"), (show_order(summary.workflow), "bold green"))
    lines = [
        f"  reward      {summary.reward:.2f} ± {summary.reward_se:.2f}, mean and standard error of fresh episodes",
    ]
    if summary.workflow is not None:
        missed = "" if summary.feasible else ", below the threshold: it needs more episodes"
        lines.append(f"  compliance  {summary.compliance:.1%}{missed}")
    trials = "" if summary.trials == 1 else f" in {summary.trials} trials"
    rate = f"{summary.seconds:.0f} s, {summary.episodes_here / summary.seconds:.0f} episodes/s"
    if summary.episodes_here < summary.episodes:
        rate = f"{summary.episodes_here:,} of them now, {rate}" if summary.episodes_here else "all of them before"
    lines += [
        f"  training    {summary.episodes:,} episodes{trials}, {rate}",
        f"  ended by    {summary.ending}",
        f"  policy      {summary.policy}",
        f"  run folder  {summary.run_dir}",
    ]
    console.print(Text("\n") + title)
    console.print("\n".join(lines))
