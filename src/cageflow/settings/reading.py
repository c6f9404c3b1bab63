"""Settings from the command line and from files, checked, and refused in one sentence."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

from pydantic import ValidationError

from cageflow.envs.red_code import name_code
from cageflow.errors import UserError
from cageflow.files import name_some
from cageflow.reading import TextError, read_yaml
from cageflow.settings.commands import COMMANDS, SearchConfig
from cageflow.settings.config import RunConfig
from cageflow.settings.settings_file import SUM, read_object
from cageflow.settings.wording import expectation

LONGEST, MAX_SENTENCE = 200, 2000
"""Characters of what was given, in a message."""
_given = Repr()
_given.maxstring = _given.maxother = _given.maxlong = LONGEST
shorten = _given.repr
CODE_FROM = {"cyborg_path": "from where CybORG is imported", "address": "a cluster that sends and is sent code"}
"""Settings that say whose code runs. In a file they are for the record: the user names them each time."""
AGENTS_IN_PYTHON = {"blue_agent": "an agent whose code would run", "red_agent": "an agent whose code would run"}
"""Settings that name an agent, which may be code; likewise where it is."""
OLD_NAMES = {"n_seeds": "repetitions"}
"""What settings were called before, and what they are called now; files may have the old names for a version."""
BEFORE = {"workflow_mode": "rewarded"}
"""What runs did before there was a setting for it, whatever its default is now."""
ABOUT, FILES, MADE_FOR = "about", "files", "network"
"""What `config.json` says beside the settings: versions, machine and time; check sums of the files beside it; the
identity of the network."""
Kind = TypeVar("Kind", bound=RunConfig)


def make_config(settings: Mapping[str, Any], file: Path | None = None) -> RunConfig:
    """Build a configuration of the command that `command` names, or of a search.

    Args:
        settings: values by field name, as the user gave them or `check_named` has passed them; they go before those of
            the file. None means not given.
        file: a YAML file of fields, or None. The `config.json` of a run will do.

    Raises:
        UserError: a field is unknown, not one of the command, or a value cannot be used.
    """
    values = {} if file is None else _settings_in(_read_yaml(file))
    given = {name: value for name, value in settings.items() if value is not None}
    name_code(given.get("red_agent"))
    if file is not None:
        check_named(values, given, file)
    return _validated({**values, **given}, source="" if file is None else f"{file}: ", beside=given.keys())


def make_config_of(kind: type[Kind], settings: Mapping[str, Any], file: Path | None = None) -> Kind:
    """As `make_config`, of one command, whatever the settings say."""
    config = make_config({**settings, "command": kind.model_fields["command"].default}, file)
    assert isinstance(config, kind), "the command decides the kind"
    return config


def check_named(values: Mapping[str, Any], given: Mapping[str, Any], file: Path) -> None:
    """Refuse to run code from where a file says and the user does not.

    Args:
        values: settings in the file.
        given: settings that the user named this time, None where not.
        file: the file.

    Raises:
        UserError: the file names a CybORG, a cluster or a red agent in Python, and the user none.
    """
    foreign = {name: what for name, what in AGENTS_IN_PYTHON.items() if is_code(values.get(name))}
    for name, what in {**CODE_FROM, **foreign}.items():
        if values.get(name) is not None and given.get(name) is None:
            option = "--" + name.replace("_", "-")
            raise UserError(
                f"{file} says {name} {values[name]!r}, {what}, and a file alone does not decide whose code runs: name "
                f"it yourself by {option}"
            )


def is_code(agent: object) -> bool:
    """Whether the name of an agent is that of a class, a function or a model that carries code."""
    return isinstance(agent, str) and (":" in agent or agent.endswith((".py", ".zip", ".json")))


def renamed_settings(file: Path) -> dict[str, str]:
    """The old names that a file of settings has, each with the name of today.

    Raises:
        UserError: the file cannot be read.
    """
    return {old: OLD_NAMES[old] for old in _read_yaml(file) if old in OLD_NAMES}


def read_config(path: Path) -> RunConfig:
    """Read the `config.json` of a run folder; settings that its command never read are passed over.

    Raises:
        UserError: there is none, or it is no configuration of this version.
    """
    try:
        values = read_object(path)
    except OSError as error:
        why = f"{path.name} cannot be read ({error.strerror}){_runs_below(path.parent, path.name)}"
        raise UserError(f"{path.parent} is no run folder: {why}") from error
    source = f"{path} is not the configuration of a run: "
    return _validated({**BEFORE, **_settings_in(values)}, source=source, keeps_foreign=False)


def _runs_below(folder: Path, config: str) -> str:
    """That a folder holds runs, as one of a champion or a duel does, and which; nothing where it has none."""
    below = sorted(found.parent for depth in ("*", "*/*") for found in folder.glob(f"{depth}/{config}"))
    if not below:
        return ""
    return f"; it holds {len(below)}, of which name one: {name_some(below)}"


def _settings_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """What `config.json` or another file holds, without what is no setting."""
    settings = {
        name: value
        for name, value in values.items()
        if name not in (ABOUT, FILES, SUM) and not (name == MADE_FOR and isinstance(value, Mapping))
    }
    return {**BEFORE, **settings} if ABOUT in values else settings


def _validated(
    values: Mapping[str, Any], source: str, beside: Container[str] = (), keeps_foreign: bool = True
) -> RunConfig:
    """Check settings.

    Args:
        values: the settings.
        source: where they come from, but for those of the names `beside`.
        beside: names.
        keeps_foreign: whether what is set, and no setting of the command, is refused.
    """
    values = {OLD_NAMES.get(name, name): value for name, value in values.items()}
    kind = _kind(values, source)
    try:
        return kind.model_validate(_own(values, kind, None if not keeps_foreign else source, beside))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(step) for step in first["loc"])
        source = "" if name in beside else source
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, UserError):
            raise UserError(f"{source}{str(cause)[:MAX_SENTENCE]}") from error
        if first["type"] == "extra_forbidden":
            raise UserError(f"{source}unknown setting {name[:LONGEST]!r}: choose from {_listed(kind)}") from error
        raise UserError(f"{source}{name} is {shorten(first['input'])}: {expectation(first['msg'])}") from error


def _kind(values: Mapping[str, Any], source: str) -> type[RunConfig]:
    """The settings' command."""
    command = values.get("command", SearchConfig.model_fields["command"].default)
    if not isinstance(command, str) or command not in COMMANDS:
        *others, last = (repr(name) for name in COMMANDS)
        raise UserError(f"{source}command is {shorten(command)}: expected {', '.join(others)} or {last}")
    return COMMANDS[command]


def _own(
    values: Mapping[str, Any], kind: type[RunConfig], source: str | None, beside: Container[str]
) -> dict[str, Any]:
    """The settings without those that only other commands have.

    Args:
        values: the settings.
        kind: of the command.
        source: as for `_validated`; None passes over what others have, whatever its value.
        beside: as for `_validated`.

    Raises:
        UserError: one of these has another value than where it is not given.
    """
    for name, value in values.items():
        others = [one.model_fields[name].default for one in COMMANDS.values() if name in one.model_fields]
        if source is not None and others and name not in kind.model_fields and value not in others:
            command = kind.model_fields["command"].default
            why = kind.refused.get(name, f"`cageflow {command}` has no such setting: leave it out")
            raise UserError(f"{'' if name in beside else source}{name} is {shorten(value)}, but {why}")
    known = {name for one in COMMANDS.values() for name in one.model_fields}
    return {name: value for name, value in values.items() if name in kind.model_fields or name not in known}


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values, _ = read_yaml(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except TextError as error:
        where = str(path) if error.line is None else f"{path}, line {error.line}"
        raise UserError(f"{where}: {error.problem}") from error
    if not isinstance(values, dict):
        given = "nothing" if values is None else f"a {type(values).__name__}"
        raise UserError(f"{path} holds {given}: expected settings by name, such as 'seed: 1'")
    for name in values:
        if not isinstance(name, str):
            raise UserError(f"{path}: {name!r} is no name of a setting: choose from {_listed(*COMMANDS.values())}")
    return values


def _listed(*kinds: type[RunConfig]) -> str:
    return ", ".join(sorted({name for kind in kinds for name in kind.model_fields}))
