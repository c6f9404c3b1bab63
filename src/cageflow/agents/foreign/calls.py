"""Calls of foreign code: whatever it does becomes a sentence. The name of the agent is put before it by the game."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from cageflow.errors import UserError

MAX_WORDS = 1000


def call(what: str, function: Any, *arguments: Any, **named: Any) -> Any:
    """What a function of an agent gives.

    Raises:
        UserError: it raised something, or wanted to end the process.
    """
    try:
        return function(*arguments, **named)
    except SystemExit as error:
        raise UserError(f"ended itself by sys.exit({error.code!r}) in {what}.") from error
    except UserError:
        raise
    except BaseException as error:  # whatever the agent does
        raise UserError(f"failed in {what}: {describe(error)}.") from error


def describe(error: BaseException) -> str:
    """An error of foreign code in a line: its kind, its words, and where it arose."""
    try:
        words = " ".join(str(error).split())[:MAX_WORDS]
    except Exception:  # an exception whose own words fail
        words = ""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if len(frames) > 1 else ""
    return f"{type(error).__name__}: {words}{where}" if words else f"{type(error).__name__}{where}"


def show(answer: Any) -> str:
    """An answer as a message writes it."""
    try:
        words = repr(answer)
    except Exception:  # a thing whose own words fail
        words = f"a {type(answer).__name__}"
    return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}..."
