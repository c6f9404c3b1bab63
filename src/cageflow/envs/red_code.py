"""Red agents in Python: classes by name, `path/to/file.py:Name`, and names of classes that are handed over.

A class is imported where it is to play, and only if the user has named it in this process, or in the one that this one
works for: what a file says of a red agent in Python is for the record (`SECURITY.md`).
"""

from __future__ import annotations

import inspect
import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from functools import lru_cache
from pathlib import Path
from typing import Any

from cageflow.errors import UserError
from cageflow.foreign_code import import_code
from cageflow.scenario.red_agents import POLICY_SUFFIX, Given, is_code, parse_red_agent, short_red_name

RedAgentLike = str | type
"""A red agent as a user gives it: a name, a file, or a class in Python."""
NAMING = "a file alone does not decide whose code runs: name it yourself by --red-agent"
METHODS = ("reset", "act")
POLICIES = "policies"
"""Where the folder of a run has its policies."""
SHAPE = "reset(network, seed) and act(view)"


class Unnamed(str):
    """The type of the name of code that stands in a file and that the user has not named."""


_named: set[str] = set()


def name_code(red_agent: object) -> None:
    """Take a red agent as named by the user, who may run it; nothing happens where it is no code."""
    if isinstance(red_agent, str) and not isinstance(red_agent, Unnamed) and is_code(red_agent):
        _named.add(red_agent)


def from_file(red_agent: str) -> str:
    """A red agent as settings that may come from a file name it: code is not to run unless the user has named it."""
    return Unnamed(red_agent) if is_code(red_agent) and red_agent not in _named else red_agent


def read_red_agent(red_agent: RedAgentLike) -> str:
    """The name of a red agent as settings keep it.

    Args:
        red_agent: a name as for `parse_red_agent`, a class in a file as `file.py:Name`, a policy of red's or the folder
            of the run that made it, or a class.

    Raises:
        UserError: it is none of these. Whether there is such a file is for `check_red_agent` to say.
    """
    if isinstance(red_agent, type):
        return name_of_class(red_agent)
    if isinstance(red_agent, Given | Unnamed):
        return red_agent
    if isinstance(red_agent, str) and (is_code(red_agent) or red_agent.endswith(POLICY_SUFFIX)):
        return red_agent
    more = f", a class in Python as file.py:Name, or a policy of red's ({POLICY_SUFFIX}, or the folder of its training)"
    try:
        return parse_red_agent(red_agent, more)
    except UserError:
        policy = policy_in(red_agent)
        if policy is None:
            raise
        return policy


def policy_in(folder: object) -> str | None:
    """The policy's file in the folder of a training; None where that is none, or has several."""
    if not isinstance(folder, str) or not folder:
        return None
    found = sorted((Path(folder) / POLICIES).glob(f"*{POLICY_SUFFIX}"))
    return str(found[0]) if len(found) == 1 else None


def check_red_agent(name: str) -> None:
    """Refuse a red agent whose file is not there, or holds none.

    Raises:
        UserError: it is so.
    """
    if is_code(name):
        class_of(name)
    elif name.endswith(POLICY_SUFFIX) and not Path(name).is_file():
        raise UserError(f"red agent {name} is not there: there is no such file.")


_handed: dict[str, type] = {}  # classes that were handed over in this process, by the names made of them


def name_of_class(cls: type) -> str:
    """A red agent's name for a class, `path/to/file.py:Name`, by which `class_of` gives it back.

    Raises:
        UserError: it is no red agent.
    """
    try:
        file = inspect.getsourcefile(cls)
    except (OSError, TypeError):  # of a notebook, or typed in
        file = None
    name = f"{file if file and file.endswith('.py') else cls.__module__ + '.py'}:{cls.__name__}"
    _check_class(name, cls)
    _handed[name] = cls
    return name


def elsewhere_than_results(name: str) -> AbstractContextManager[object]:
    """Has what the code of a red agent prints come out on standard error, since a command's result stands on the other.

    A class that a program has handed over prints where that program does.
    """
    return nullcontext() if name in _handed else redirect_stdout(sys.stderr)


def class_of(name: str) -> type:
    """The class of a red agent in Python.

    Raises:
        UserError: there is none, it cannot be imported, or it is no red agent; or the user has not named it.
    """
    if isinstance(name, Unnamed):
        raise UserError(f"red agent {name} is code, and {NAMING} {name}.")
    if name in _handed:
        return _handed[name]
    file = name.rpartition(":")[0]
    try:
        path = Path(file)
        when = path.stat().st_mtime_ns if path.is_file() else 0
        with elsewhere_than_results(name):
            module = _module(file, when)
        found = getattr(module, short_red_name(name), None)
    except UserError as error:
        raise UserError(f"red agent {name} {error}") from error
    if found is None:
        raise UserError(f"red agent {name} is not there: {file} has no {short_red_name(name)!r}.")
    _check_class(name, found)
    cls: type = found
    return cls


@lru_cache(maxsize=16)
def _module(file: str, when: int) -> Any:
    """What a file holds; read again once it has been written, which `when` tells."""
    return import_code(file)


def _check_class(name: str, cls: object) -> None:
    if not inspect.isclass(cls):
        raise UserError(f"red agent {name} is no class; expected one with {SHAPE}.")
    missing = [method for method in METHODS if not callable(getattr(cls, method, None))]
    if missing:
        raise UserError(f"red agent {name} has no {' and no '.join(missing)}; expected a class with {SHAPE}.")
