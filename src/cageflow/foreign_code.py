"""Code of a user's, imported and called: whatever it does becomes a sentence. Who calls puts its name before it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable
from itertools import dropwhile
from pathlib import Path
from types import ModuleType
from typing import Any

from cageflow.errors import UserError

MAX_WORDS = 1000
PACKAGE = Path(__file__).parent


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
    frame = _own(traceback.extract_tb(error.__traceback__))
    where = "" if frame is None else f" ({Path(frame.filename).name}, line {frame.lineno})"
    return f"{type(error).__name__}: {words}{where}" if words else f"{type(error).__name__}{where}"


def _own(frames: Iterable[traceback.FrameSummary]) -> traceback.FrameSummary | None:
    """The innermost line that stands in the folder of the code that was called, not in a library that this called."""
    in_files = [one for one in frames if not one.filename.startswith("<")]
    called = list(dropwhile(lambda one: PACKAGE in Path(one.filename).parents, in_files))
    folder = Path(called[0].filename).parent if called else None
    return next((one for one in reversed(called) if Path(one.filename).parent == folder), None)


def show(answer: Any) -> str:
    """An answer as a message writes it."""
    try:
        words = repr(answer)
    except Exception:  # a thing whose own words fail
        words = f"a {type(answer).__name__}"
    return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}..."


def import_code(name: str, advice: Callable[[BaseException, bool], str] = lambda error, is_file: "") -> ModuleType:
    """A module from a file or from `sys.path`, with its folder, or the working folder, to import from.

    Args:
        name: `path/to/file.py`, or `package.module`.
        advice: what to add to an error of the import, told whether it is one of a file.

    Raises:
        UserError: there is no such file, or importing it failed.
    """
    is_file = name.endswith(".py")
    if is_file and not Path(name).is_file():
        raise UserError(f"is not there: there is no file {name} to take an agent from.")
    folder = str(Path(name).resolve().parent if is_file else Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        if not is_file:
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(f"cageflow_agent_{Path(name).stem}", name)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look themselves up there
        spec.loader.exec_module(module)
    except SystemExit as error:
        raise UserError(f"ended itself by sys.exit({error.code!r}) while it was imported.") from error
    except BaseException as error:  # whatever the file does at import
        raise UserError(f"cannot be imported: {describe(error)}{advice(error, is_file)}.") from error
    return module
