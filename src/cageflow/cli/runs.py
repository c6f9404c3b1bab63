"""The commands that train: search, train and landscape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cageflow import terminal
from cageflow.cli.answers import print_answer, print_differences
from cageflow.cli.app import app
from cageflow.cli.options import Asked, refuse_beside_resume, takes
from cageflow.cli.output import print_json
from cageflow.errors import UserError
from cageflow.settings.parts import LandscapeSettings, SearchSettings, TrainSettings

if TYPE_CHECKING:
    from pathlib import Path

    from cageflow.api.progress import InWords
    from cageflow.measure.differences import Differences
    from cageflow.runs.summary import RunSummary


@app.command()
@takes(SearchSettings)
def search(asked: Asked) -> None:
    """Search the workflows: train a defender for each order that the strategy picks, and name the best."""
    from cageflow.api.runs import search as search_workflows

    result = search_workflows(**arguments(asked))
    if asked.as_json:
        print_json(result.to_json())
    else:
        _print_summary(result)
        print_answer(result.answer)


@app.command()
@takes(TrainSettings, own_after="workflow")
def train(asked: Asked, no_workflow: Annotated[bool, typer.Option("--no-workflow", help="Plain PPO.")] = False) -> None:
    """Train one defender, for one workflow or by plain PPO; or with --side red an attacker against one."""
    from cageflow.api.runs import PLAIN
    from cageflow.api.runs import train as train_defender

    given = arguments(asked, no_workflow=no_workflow)
    if no_workflow and given["workflow"] is not None:
        raise UserError("--workflow and --no-workflow exclude each other: give one of them")
    result = train_defender(**{**given, "workflow": PLAIN if no_workflow else given["workflow"]})
    if asked.as_json:
        print_json(result.to_json())
    else:
        _print_summary(result, searched=False)


@app.command()
@takes(LandscapeSettings)
def landscape(asked: Asked) -> None:
    """Train all workflows alike and write what each came to: what `cageflow regret` measures strategies on."""
    from cageflow.api.results import TrialsResult, as_result
    from cageflow.api.runs import train_beside

    summary = run_command("landscape", asked)
    train_beside(summary, told(asked), asked.settings.get("cyborg_path"))
    table = summary.run_dir / "landscape.csv"
    found = _differences(table)
    if asked.as_json:
        differences = None if found is None else found.to_json()
        content = as_result(summary, TrialsResult).to_json()
        print_json({**content, "landscape": str(table), "differences": differences})
    else:
        _print_summary(summary)
        terminal.say(f"  landscape   {table}")
        if found is not None:
            print_differences(terminal.make_console(highlight=False, soft_wrap=True), found)


def run_command(command: str, asked: Asked) -> RunSummary:
    """Start a run of a command or go on with one, as the user asks."""
    from cageflow.api.runs import carry_out

    given = arguments(asked)
    named = {name: given.pop(name) for name in ("run_dir", "resume", "config", "wandb")}
    del given["progress"]
    return carry_out(command, given, **named, told=told(asked))


def arguments(asked: Asked, **others: bool) -> dict[str, Any]:
    """What a user asks for, as arguments of the functions of `cageflow.api.runs`.

    Args:
        asked: what the user asks for.
        others: options that are no settings, and whether they are given.

    Raises:
        UserError: something is given beside `--resume` that only a new run takes.
    """
    from cageflow.cli.names import say_renamed
    from cageflow.runs.runs import MAY_CHANGE
    from cageflow.settings.reading import renamed_settings

    if asked.resume is not None:
        given = {**asked.of_new_run(), **{name: value or None for name, value in others.items()}}
        refuse_beside_resume({name: value for name, value in given.items() if name not in MAY_CHANGE})
    if asked.config is not None:
        for old, new in renamed_settings(asked.config).items():
            say_renamed(f"{asked.config}: {old}", new)
    named = {"run_dir": asked.run_dir, "resume": asked.resume, "config": asked.config, "wandb": asked.wandb}
    return {**asked.settings, **named, "progress": told(asked)}


def told(asked: Asked) -> InWords:
    """Who is told how a run gets on: the user, where the result leaves room."""
    from cageflow.api.progress import InWords

    return InWords(stderr=asked.as_json, quiet=asked.quiet)


def _differences(table: Path) -> Differences | None:
    """Whether the orders of a landscape differ; None where there is but one order."""
    from cageflow.analysis.landscapes import open_landscape

    found = open_landscape(table)
    return None if len(found.table.space) < 2 else found.differences()


def _print_summary(summary: RunSummary, *, searched: bool = True) -> None:
    """Print what a run came to; `searched` where it had orders to choose from."""
    from rich.text import Text

    from cageflow.scenario.orders import show_order

    console = terminal.make_console(highlight=False, soft_wrap=True)
    whose = ""
    if summary.side == "red":
        title, whose = Text(f"Red against {summary.opponent}", "bold"), "red's, which is what blue loses: "
    elif summary.workflow is None:
        title = Text("Plain PPO", "bold")
    else:
        what = "Workflow"
        if searched:
            what = "Best workflow" if summary.feasible else "No workflow complied; closest"
        title = Text.assemble((f"{what}  ", "bold"), (show_order(summary.workflow), "bold green"))
    lines = [
        f"  reward      {summary.reward:.2f} ± {summary.reward_se:.2f}, {whose}"
        "mean and standard error of fresh episodes",
    ]
    if (before := summary.before_final) is not None:
        lines.append(f"  before      {before.reward:.2f} ± {before.reward_se:.2f}, of the policy that the search left")
    if summary.workflow is not None:
        missed = "" if summary.feasible else ", below the threshold: it needs more episodes"
        lines.append(f"  compliance  {summary.compliance:.1%}{missed}")
        if summary.tests is not None:
            known, true = summary.tests.in_words()
            lines.append(f"  tested      {known}, as blue could know; by the truth {true}")
    trials = "" if summary.trials == 1 else f" in {summary.trials} trials"
    if summary.final_episodes:
        trials += f", and the last {summary.final_episodes:,} of them on the best workflow"
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
