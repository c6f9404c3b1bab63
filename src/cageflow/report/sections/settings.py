"""The run's full configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cageflow.report.content import Section, Table
from cageflow.report.material import Material
from cageflow.runs.saved_run import SavedRun
from cageflow.settings.spelled import default_of


def section(material: Material) -> Section:
    """The section."""
    return settings_of(material.run)


def settings_of(run: SavedRun) -> Section:
    """The same of any run."""
    default = default_of(run.config)
    blocks = [
        _settings(
            "Settings of the run, as in config.json; bold where they are not the default",
            run.config.to_json(),
            default.to_json(),
        ),
        _settings(
            "The learner: the preset with its changes; bold where it is not that of the default",
            asdict(run.config.rollout()) | asdict(run.config.learner()),
            asdict(default.rollout()) | asdict(default.learner()),
        ),
    ]
    about = tuple((name, str(value)) for name, value in run.about.items())
    if about:
        blocks.append(Table("Versions, machine and start", ("What", "Value"), about))
    return Section("settings", "Full configuration", tuple(blocks), "Run")


def _settings(caption: str, values: Mapping[str, Any], default: Mapping[str, Any]) -> Table:
    """Settings with the default beside those that have another value."""
    rows = tuple(
        (name, _value(value), "" if value == default[name] else _value(default[name])) for name, value in values.items()
    )
    other = frozenset(i for i, (name, value) in enumerate(values.items()) if value != default[name])
    return Table(caption, ("Setting", "Value", "Default"), rows, marked=other)


def _value(value: object) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_value(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_value(one) for one in value) or "none"
    return str(value)
