"""From the command line to an exit status."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, NoReturn

import typer

from cageflow import terminal
from cageflow.cli.app import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_TERMINATED, EXIT_USAGE, app
from cageflow.cli.output import print_json
from cageflow.errors import UserError
from cageflow.settings.wording import expectation
from cageflow.startup import end_loading, was_interrupted

LONGEST_NAME = 200
"""Of a file, in a message."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run a command and turn what a user can cause into one sentence and an exit status.

    0 done; 1 a check failed (a mismatch) or a run broke down; 2 wrong input; 128 + n ended by signal n.
    With `--json` what went wrong is one JSON object on standard output too.

    Args:
        arguments: those of the command line; None takes them from the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no bar or ± is no reason to end a run
    end_loading()
    as_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    status = 0
    try:
        with _answering_sigterm():
            status = app(arguments, prog_name="cageflow", standalone_mode=False) or 0
    except UserError as error:
        _fail(str(error), EXIT_USAGE, as_json)
    except (KeyboardInterrupt, typer.Abort):
        status = EXIT_INTERRUPTED
    except _TerminatedError:
        _fail("stopped by SIGTERM", EXIT_TERMINATED, as_json)
    except Exception as error:
        if was_interrupted():
            _fail("stopped by SIGINT", EXIT_INTERRUPTED, as_json)
        # Typer's own, and those of a run, whose heavy modules are not loaded here.
        known = getattr(error, "exit_status", None)
        if known is not None:
            _fail(str(error), known, as_json)
        if isinstance(error, MemoryError):
            _fail("the memory of this machine does not suffice for what was asked; ask for less", EXIT_FAILED, as_json)
        if isinstance(error, OSError) and error.filename is not None:  # a name too long, a folder without rights
            _fail(f"{_shortened(str(error.filename))} cannot be used: {error.strerror}", EXIT_USAGE, as_json)
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # the help is its message, or is printed by now
            terminal.say(error.format_message(), err=True, end="")
            sys.exit(EXIT_USAGE)
        _fail(_usage_sentence(error), EXIT_USAGE, as_json)
    if status == EXIT_INTERRUPTED:
        _fail("stopped by SIGINT", status, as_json)
    sys.exit(status)


def _usage_sentence(error: Any) -> str:
    """What Typer could not read, with the value that was given where it only says what was expected."""
    details = getattr(error.__cause__, "errors", None)  # of pydantic, which newer versions of Typer parse with
    if details is None or getattr(error, "param", None) is None:
        sentence = " ".join(error.format_message().split()).rstrip(".")
        sentence = sentence[:1].lower() + sentence[1:]
    else:
        first = details()[0]
        param = error.param
        name = param.opts[0] if param.opts[0].startswith("-") else param.metavar or param.name
        sentence = f"{name} is {first['input']!r}: {expectation(first['msg'])}"
    context = getattr(error, "ctx", None)
    return sentence if context is None else f"{sentence}; see {context.command_path} --help"


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}... ({len(name):,} characters)"


def _fail(sentence: str, status: int, as_json: bool) -> NoReturn:
    terminal.say(f"cageflow: {sentence}", err=True)
    if as_json:
        print_json({"error": sentence, "exit_status": status})
    sys.exit(status)


class _TerminatedError(BaseException):
    """SIGTERM has come; as `KeyboardInterrupt` it passes all that handles errors, and closes what is open."""


@contextlib.contextmanager
def _answering_sigterm() -> Iterator[None]:
    """End in order on SIGTERM, at once on a second; runs that write checkpoints have their own answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_DFL)
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
