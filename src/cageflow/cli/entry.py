"""From the command line to an exit status."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer

from cageflow import terminal
from cageflow.cli.app import EXIT_INTERRUPTED, EXIT_USAGE, app
from cageflow.errors import UserError
from cageflow.experiment.wording import expectation
from cageflow.startup import end_loading


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run a command and turn what a user can cause into one sentence and an exit status.

    0 done; 1 the command's own "no" (a mismatch, a run that broke down); 2 wrong input; 128 + n ended by signal n.

    Args:
        arguments: those of the command line; None takes them from the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no bar or ± is no reason to end a run
    end_loading()
    status = 0
    try:
        status = app(arguments, prog_name="cageflow", standalone_mode=False) or 0
    except UserError as error:
        _fail(str(error), EXIT_USAGE)
    except (KeyboardInterrupt, typer.Abort):
        status = EXIT_INTERRUPTED
    except Exception as error:
        # Typer's own, and those of a run, whose heavy modules are not loaded here.
        known = getattr(error, "exit_status", None)
        if known is not None:
            _fail(str(error), known)
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # the help is its message, or is printed by now
            terminal.say(error.format_message(), err=True, end="")
            sys.exit(EXIT_USAGE)
        _fail(_usage_sentence(error), EXIT_USAGE)
    if status == EXIT_INTERRUPTED:
        _fail("stopped by SIGINT", status)
    sys.exit(status)


def _usage_sentence(error: Any) -> str:
    """What Typer could not read, with the value that was given where it only says what was expected."""
    details = getattr(error.__cause__, "errors", None)  # of pydantic, which newer versions of Typer parse with
    if details is None or getattr(error, "param", None) is None:
        sentence = " ".join(error.format_message().split()).rstrip(".")
        sentence = sentence[:1].lower() + sentence[1:]
    else:
        first = details()[0]
        name = error.param.opts[0] if error.param.opts[0].startswith("-") else error.param.human_readable_name
        sentence = f"{name} is {first['input']!r}: {expectation(first['msg'])}"
    context = getattr(error, "ctx", None)
    return sentence if context is None else f"{sentence}; see {context.command_path} --help"


def _fail(sentence: str, status: int) -> NoReturn:
    terminal.say(f"cageflow: {sentence}", err=True)
    sys.exit(status)
