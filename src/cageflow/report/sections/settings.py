"""The run's full configuration."""

from __future__ import annotations

from dataclasses import asdict

from cageflow.report.content import Section, Table
from cageflow.report.material import Material


def section(material: Material) -> Section:
    """The section."""
    run = material.run
    settings = tuple((name, _value(value)) for name, value in run.config.to_json().items())
    of_preset = asdict(run.config.rollout()) | asdict(run.config.learner())
    learner = tuple((name, _value(value)) for name, value in of_preset.items())
    about = tuple((name, str(value)) for name, value in run.about.items())
    blocks = [
        Table("Settings of the run, as in config.json", ("Setting", "Value"), settings),
        Table("The learner: the preset with its changes", ("Setting", "Value"), learner),
    ]
    if about:
        blocks.append(Table("Versions, machine and start", ("What", "Value"), about))
    return Section("settings", "Full configuration", tuple(blocks))


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
