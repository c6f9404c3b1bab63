"""The command that exports a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import ADVANCED, ORDER_FORMS, Json, PolicyDurations, PolicyScenario, option
from cageflow.cli.output import print_json
from cageflow.cli.telling import Telling


@app.command()
def export(
    policy: Annotated[
        Path,
        typer.Argument(
            metavar="POLICY",
            help="A policy file, a run folder (its best policy), champion, champion-robust or champion-ordered.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        option("The file to write, .onnx, or a folder for it.", "beside the policy file; a champion here"),
    ] = None,
    rules: Annotated[
        str | None,
        option("Rules of the evaluation in its card, where it was trained under both: v2.1 or challenge.", "v2.1"),
    ] = None,
    workflow: Annotated[
        str | None, option(f"The order that a universal policy is to follow. {ORDER_FORMS}", "the policy's own")
    ] = None,
    evaluation_episodes: Annotated[
        int,
        typer.Option(
            help="Fresh episodes of each cell of the evaluation in the model card; 0 leaves it out.",
            min=0,
            metavar="<int>",
        ),
    ] = 1000,
    green: Annotated[
        bool, typer.Option("--green/--no-green", help="For games with the green agent awake.", rich_help_panel=ADVANCED)
    ] = False,
    scenario: PolicyScenario = None,
    durations: PolicyDurations = None,
    seed: Annotated[int, typer.Option(help="Of the evaluation.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Write a policy as an ONNX file that needs nothing of cageflow, and a model card beside it."""
    from cageflow.analysis.found import found_with
    from cageflow.export.export import export as export_policy

    with Telling() as say:
        written = export_policy(
            policy,
            out=out,
            rules=rules,
            order=workflow,
            episodes=evaluation_episodes,
            seed=seed,
            green=green,
            scenario=scenario,
            durations=durations,
            say=say,
            found_with=found_with,
        )
    if as_json:
        print_json(written.to_json())
    else:
        terminal.say(f"Wrote {written.model} and its model card {written.card}.")
