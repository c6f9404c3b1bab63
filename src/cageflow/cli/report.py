"""The command that makes the page of a run: report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import ADVANCED, Json, option
from cageflow.cli.output import print_json
from cageflow.cli.telling import Telling

if TYPE_CHECKING:
    from cageflow.report.report import Report


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.", show_default=False)],
    out: Annotated[Path | None, option("The HTML file to write.", "report.html in the run folder")] = None,
    evaluation_episodes: Annotated[
        int, typer.Option(help="Fresh episodes that the playbook is made of, at least 100.")
    ] = 1000,
    against: Annotated[
        list[Path] | None,
        option("A run folder to compare with on the same episodes, such as one of plain PPO; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the fresh episodes.", min=0)] = 0,
    red_agent: Annotated[
        str | None,
        option("The run's red agent where it is code, which a folder alone does not have run.", panel=ADVANCED),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make one HTML page of a run: the best workflow, how it was found, and a playbook of what its policy does."""
    from cageflow.envs.red_code import name_code
    from cageflow.report.report import Report, write_report

    name_code(red_agent)
    with Telling() as say:
        written = write_report(run, out=out, episodes=evaluation_episodes, seed=seed, against=against or (), say=say)
    if as_json:
        print_json(_figures(written) if isinstance(written, Report) else written.to_json())
    else:
        terminal.say(f"Wrote {written.page}; its charts are in {written.charts}.")


def _figures(written: Report) -> dict[str, Any]:
    """What `--json` prints."""
    from statistics import fmean

    from cageflow.scenario.orders import format_order

    material, run = written.material, written.material.run
    return {
        "report": str(written.page),
        "charts": str(written.charts),
        "run_dir": str(run.path),
        "workflow": None if run.order is None else format_order(run.order),
        "feasible": run.is_feasible if run.tries_orders else None,
        "reward": material.fresh.mean,
        "reward_interval": list(material.fresh.interval()),
        "compliance": fmean(material.playbook.compliance) if material.playbook.compliance else None,
        "episodes": material.playbook.num_episodes,
        "complete": run.is_over,
    }
