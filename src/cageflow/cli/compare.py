"""The command that compares runs: compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import ADVANCED, Json, option
from cageflow.cli.output import print_json
from cageflow.cli.telling import Telling

if TYPE_CHECKING:
    from rich.console import Console

    from cageflow.report.content import Table


@app.command()
def compare(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN...", help="Run folders, also of `cageflow baseline`.", show_default=False),
    ] = None,
    group: Annotated[
        list[str] | None,
        option("A group of your own, NAME=RUN,RUN; may be repeated.", "runs that differ in nothing but their seed"),
    ] = None,
    against: Annotated[
        str | None, option("The group, or a run of it, that the others are held against.", "the first")
    ] = None,
    evaluation_episodes: Annotated[int, typer.Option(help="Fresh episodes that judge each run's policy.")] = 1000,
    window: Annotated[int, typer.Option(help="Training episodes that the last reward is a mean of.")] = 1000,
    threshold: Annotated[
        list[float] | None,
        option("Reward; says after how many episodes the mean of the last --window reached it. May be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        option("Folder for the curves and what searches found as pictures, table.md, table.tex and comparison.json."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the fresh episodes.", min=0)] = 0,
    red_agent: Annotated[
        str | None,
        option(
            "The runs' red agents where they are code, which a folder alone does not have run; separated by commas.",
            panel=ADVANCED,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare runs: learning curves over seeds, differences with intervals, effect sizes, tables for a paper."""
    from cageflow.envs.red_code import name_code
    from cageflow.files import check_output_folder
    from cageflow.listed import split_list
    from cageflow.report.compare.compare import compare as compare_runs
    from cageflow.report.compare.compare import write_comparison

    for named in split_list(red_agent or ""):
        name_code(named)
    if out is not None:
        check_output_folder(out)
    console = terminal.make_console(stderr=as_json, highlight=False, soft_wrap=True)
    with Telling() as say:
        found = compare_runs(
            runs or (),
            named=group or (),
            against=against,
            episodes=evaluation_episodes,
            seed=seed,
            window=window,
            thresholds=threshold or (),
            say=say,
        )
        files = [] if out is None else write_comparison(found, out)
    if as_json:
        print_json({**found.to_json(), "files": [str(file) for file in files]})
        return
    for table in found.tables:
        _print_table(console, table)
    for note in found.notes:
        console.print(note, markup=False)
    if files:
        console.print(f"Wrote {', '.join(map(str, files))}.", markup=False)


def _print_table(console: Console, table: Table) -> None:
    from rich import box
    from rich.table import Table as RichTable

    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    for column in table.columns:
        is_number = column.startswith("#")
        drawn.add_column(column.removeprefix("#"), justify="right" if is_number else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*row)
    console.print(table.caption, style="bold", markup=False)
    console.print(drawn, soft_wrap=False)
    console.print()
