"""The settings of a run: one frozen record, from the command line or a YAML file, kept in the run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cageflow.collect import COLLECTORS
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.learn.config import PPOConfig, preset_config
from cageflow.workflow.compliance import DEFINITIONS
from cageflow.workflow.orders import Order, format_order, parse_order

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class RunConfig(BaseModel):
    """All that decides what a run computes, and how it goes about it.

    The fields stand under the names of the command line's options.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    # The game.
    red_agent: str = "B_lineAgent"
    rules: str = "v2.1"
    observation: str = "corrected"
    max_steps: Count = 100
    green: bool = False
    scenario: str | None = None

    # What the run is.
    command: Literal["search", "train"] = "search"
    seed: Annotated[int, Field(ge=0)] = 0
    total_episodes: Count = 100_000
    workflow: str | None = None  # of `train`; None is plain PPO

    # The workflow's reward, and when its training ends.
    alignment_lambda: Annotated[float, Field(ge=0.0)] = 30.0
    compliance_threshold: Share = 0.95
    compliance_definition: str = "any-session"
    max_episodes_per_workflow: Count = 10_000
    patience_updates: Count = 12
    min_improvement: Share = 0.01
    evaluation_episodes: Annotated[int, Field(ge=2)] = 500

    # The learner.
    preset: str = "default"
    episodes_per_update: Count | None = None  # None: the preset's
    ppo: dict[str, Any] = {}  # changes to the preset
    device: str = "cpu"
    num_threads: Count = 1  # a second one waits more than it works on matrices this small

    # The search.
    strategy: str = "gp-ucb"
    beta: Annotated[float, Field(ge=0.0)] = 2.0
    gate: Literal["feasibility", "strict"] = "feasibility"

    # The collector.
    collector: str = "vector"
    n_workers: Count = 2
    max_staleness: Annotated[int, Field(ge=0)] = 1
    simulator: Literal["compiled", "cyborg"] = "compiled"
    cyborg_path: str | None = None

    @field_validator("workflow")
    @classmethod
    def _is_order(cls, value: str | None) -> str | None:
        return None if value is None else format_order(parse_order(value))

    @model_validator(mode="after")
    def _is_possible(self) -> RunConfig:
        # Building the parts checks them; each raises its own sentence.
        self.game()
        self.learner()
        if self.collector not in COLLECTORS:
            raise UserError(f"unknown collector {self.collector!r}: choose one of {', '.join(COLLECTORS)}")
        if (self.simulator == "cyborg") != (self.cyborg_path is not None):
            raise UserError("--simulator cyborg and --cyborg-path DIR go together: give both or neither")
        if self.compliance_definition not in DEFINITIONS:
            raise UserError(
                f"unknown compliance definition {self.compliance_definition!r}: choose one of {', '.join(DEFINITIONS)}"
            )
        return self

    def game(self) -> GameOptions:
        """The settings of the game."""
        return GameOptions(
            red_agent=self.red_agent,
            rules=self.rules,
            observation=self.observation,
            max_steps=self.max_steps,
            green=self.green,
            scenario=self.scenario,
        )

    def learner(self) -> PPOConfig:
        """The settings of the learner: the preset with its changes."""
        changes = dict(self.ppo)
        if self.episodes_per_update is not None:
            changes["episodes_per_update"] = self.episodes_per_update
        return preset_config(self.preset, changes)

    def order(self) -> Order | None:
        """The workflow of `train`; None for plain PPO."""
        return None if self.workflow is None else parse_order(self.workflow)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return self.model_dump(mode="json")


def make_config(settings: Mapping[str, Any], file: Path | None = None) -> RunConfig:
    """Build a configuration.

    Args:
        settings: values by field name; they go before those of the file. None means not given.
        file: a YAML file of fields, or None.

    Raises:
        UserError: a field is unknown or a value cannot be used.
    """
    values = {} if file is None else _read_yaml(file)
    values.update({name: value for name, value in settings.items() if value is not None})
    return _validated(values, source="" if file is None else f"{file}: ")


def read_config(path: Path) -> RunConfig:
    """Read the `config.json` of a run folder.

    Raises:
        UserError: there is none, or it is no configuration of this version.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path.parent} is no run folder: {path.name} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise UserError(f"{path}: expected JSON ({error})") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected one JSON object, got {type(values).__name__}")
    values.pop("about", None)
    return _validated(values, source=f"{path}: ")


def _validated(values: dict[str, Any], source: str) -> RunConfig:
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(step) for step in first["loc"])
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, UserError):
            raise UserError(f"{source}{cause}") from error
        if first["type"] == "extra_forbidden":
            known = ", ".join(sorted(RunConfig.model_fields))
            raise UserError(f"{source}unknown setting {name!r}: choose from {known}") from error
        reason = first["msg"][0].lower() + first["msg"][1:]
        raise UserError(f"{source}{name} is {first['input']!r}: {reason}") from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected a readable YAML file ({error})") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: expected YAML ({' '.join(str(error).split())})") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected settings by name, got {type(values).__name__}")
    return values
