"""The command line's root, and the exit statuses that its commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from cageflow import terminal
from cageflow.cli.names import App

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED, EXIT_TERMINATED = 1, 2, 130, 143

app = App(
    name="cageflow",
    help="Find the order in which a network's compromised machines should be fixed, and train the defender that "
    "follows it, on an exact and very fast simulator of CAGE Challenge 2.",
    epilog="Exit status: 0 done; 1 a check failed or a run broke down (recordings differ, learning diverged); 2 wrong "
    "input, nothing was written; 130 or 143 stopped by Ctrl-C or SIGTERM, with a checkpoint to go on from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
bench_app = App(help="Measure this machine.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")


def _print_version(wanted: bool) -> None:
    if wanted:
        from cageflow import __version__

        terminal.say(f"cageflow {__version__}")
        raise typer.Exit


@app.callback()
def cageflow(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What stands before the command."""
