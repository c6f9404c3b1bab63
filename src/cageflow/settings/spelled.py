"""A run's settings as the command that asks for them."""

from __future__ import annotations

import shlex
from typing import Any

from cageflow.errors import UserError
from cageflow.settings.commands import TrainConfig
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import make_config

DECIDES_OTHERS = ("workflow_mode",)
"""Settings that others follow from; so those are left out first."""


def default_of(config: RunConfig) -> RunConfig:
    """The settings that the same command has where nothing is given."""
    return make_config({"command": config.command})


def given_settings(config: RunConfig) -> dict[str, Any] | None:
    """The settings that have to be given to get these: neither defaults nor implied by others.

    None where no settings give these, as for a run of an earlier version.
    """
    wanted, default = config.to_json(), default_of(config).to_json()
    given = {name: value for name, value in wanted.items() if value != default[name]}
    if not _gives(given, wanted):
        return None
    for name in sorted(given, key=lambda one: one in DECIDES_OTHERS):
        fewer = {key: value for key, value in given.items() if key != name}
        if _gives(fewer, wanted):
            given = fewer
    return given


def command_of(config: RunConfig) -> str | None:
    """The command line that asks for these settings; None where some have no option."""
    given = given_settings(config)
    if given is None or "ppo" in given or any(value is None for value in given.values()):
        return None
    words = ["cageflow", config.command]
    if isinstance(config, TrainConfig) and config.workflow is None:
        words.append("--no-workflow")
    for name, value in given.items():
        option = name.replace("_", "-")
        words += (
            [f"--{option}" if value else f"--no-{option}"] if isinstance(value, bool) else [f"--{option}", str(value)]
        )
    return shlex.join(words)


def _gives(given: dict[str, Any], wanted: dict[str, Any]) -> bool:
    try:
        return make_config({**given, "command": wanted["command"]}).to_json() == wanted
    except UserError:
        return False
