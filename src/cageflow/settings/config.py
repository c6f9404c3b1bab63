"""The settings of a run: one frozen record, from the command line or a YAML file, kept in the run folder."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from reprlib import Repr
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from cageflow.collect import COLLECTORS
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.learn.config import MAX_STEPS, MAX_WEIGHT, PPOConfig
from cageflow.reading import TextError, read_yaml
from cageflow.scenario.durations import FROM_FILE
from cageflow.scenario.named import load_network
from cageflow.scenario.orders import Order, format_order, read_order
from cageflow.search.initial import find_init
from cageflow.search.kernels import KernelName
from cageflow.search.landscape import landscape_ranks
from cageflow.settings.presets import Preset, RolloutConfig, find_preset
from cageflow.settings.settings_file import SUM, read_object
from cageflow.settings.wording import expectation
from cageflow.workflow.compliance import DEFINITIONS

Count = Annotated[int, Field(ge=1, le=10**12)]  # of episodes: a century of the fastest machine
MAX_EVALUATED = 1_000_000  # episodes; they are played at once, a kilobyte each
MAX_ROLLOUT = 10**8  # steps of an update, kept at once
FewCount = Annotated[int, Field(ge=1, le=1024)]  # of threads and processes: the system breaks down on absurd numbers
Share = Annotated[float, Field(ge=0.0, le=1.0)]
EXECUTORS = ("inline", "process", "dask", "ray")
"""Where trials run: one after the other in this process, in processes of this machine, on a cluster."""
LONGEST, MAX_SENTENCE = 200, 2000
"""Characters of what was given, in a message."""
_given = Repr()
_given.maxstring = _given.maxother = _given.maxlong = LONGEST
shorten = _given.repr
CODE_FROM = {"cyborg_path": "from where CybORG is imported", "address": "a cluster that sends and is sent code"}
"""Settings that say whose code runs. In a file they are for the record: the user names them each time."""
REFERENCE_LAMBDA = 30.0
"""Weight of the alignment reward in the preset `reference`, where no other is given."""
OLD_NAMES = {"n_seeds": "repetitions"}
"""What settings were called before, and what they are called now; files may have the old names for a version."""
ABOUT, FILES, MADE_FOR = "about", "files", "network"
"""What `config.json` says beside the settings: versions, machine and time; check sums of the files beside it; the
identity of the network."""


class RunConfig(BaseModel):
    """All that decides what a run computes, and how it goes about it.

    The fields stand under the names of the command line's options.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # The game.
    red_agent: str = "B_lineAgent"
    rules: str = "v2.1"
    observation: str = "corrected"
    max_steps: Annotated[int, Field(ge=1, le=MAX_STEPS)] = 100
    green: bool = False
    scenario: str | None = None
    durations: str = FROM_FILE

    # What the run is.
    command: Literal["search", "train", "landscape", "universal"] = "search"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    total_episodes: Count = 100_000
    workflow: str | None = None  # of `train`; None is plain PPO
    start_from: str | None = None  # a run, or a learner's file, that new trainings begin with

    # The workflow's reward, and when its training ends.
    alignment_lambda: Annotated[float, Field(ge=0.0, le=MAX_WEIGHT)] = (
        5.0  # more than that drowns the game's own reward
    )
    compliance_threshold: Share = 0.95
    compliance_definition: str = "any-session"
    max_episodes_per_workflow: Count = 10_000
    min_episodes_per_trial: Count = 1000  # so that an order picked again gains more than one update
    patience_updates: Count = 12
    min_improvement: Share = 0.01
    evaluation_episodes: Annotated[int, Field(ge=2, le=MAX_EVALUATED)] = 500

    # The learner.
    preset: str = "default"
    episodes_per_update: Count | None = None  # None: the preset's
    ppo: dict[str, Any] = {}  # changes to the preset
    device: str = "cpu"
    num_threads: FewCount = 1  # a second one waits more than it works on matrices this small
    orders_per_update: Count = 10  # of a universal policy

    # The search.
    strategy: str = "gp-ucb"
    beta: Annotated[float, Field(ge=0.0, le=MAX_WEIGHT)] = 2.0
    gate: Literal["feasibility", "strict"] = "feasibility"
    kernel: KernelName = "evidence"
    init: str = "scratch"
    fixed_episodes: Count | None = None  # of each trial, without alignment reward and gate: the ablation
    repetitions: Annotated[int, Field(ge=1, le=10_000)] = 1  # trainings of each order of a landscape

    # Where trials run.
    parallel_workflows: FewCount = 1
    executor: str | None = None  # None: this process for one trial at a time, a pool of processes for several
    address: str | None = None  # of a Dask or Ray cluster

    # The collector.
    collector: str = "vector"
    n_workers: FewCount = 2
    max_staleness: Annotated[int, Field(ge=0, le=1000)] = 1
    simulator: Literal["compiled", "cyborg"] = "compiled"
    cyborg_path: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _implies(cls, values: Any) -> Any:
        """Fill in what other settings imply."""
        if not isinstance(values, dict):
            return values
        values = {OLD_NAMES.get(name, name): value for name, value in values.items()}
        fixed_episodes = values.get("fixed_episodes")
        if isinstance(fixed_episodes, int) and fixed_episodes > 0:
            values = _with_implied(values, "fixed_episodes", _ablation(fixed_episodes))
        if values.get("preset") == "reference":
            values = {"alignment_lambda": REFERENCE_LAMBDA, **values}
        if values.get("command") == "landscape":
            per_order = values.get("max_episodes_per_workflow", cls.model_fields["max_episodes_per_workflow"].default)
            orders = landscape_ranks(load_network(values.get("scenario")).orders)
            budgets = _equal_budgets(len(orders), per_order, values.get("repetitions", 1))
            values = _with_implied(values, "landscape", budgets)
        if values.get("command") == "universal":
            values = {"preset": "universal", "evaluation_episodes": 1000, **values}
        return values

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_number(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, bool) and info.field_name != "green":  # pydantic takes true for 1
            raise ValueError("only green is true or false")
        return value

    @field_validator("workflow", mode="before")
    @classmethod
    def _is_order(cls, value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)  # the number of an order; what it reads as depends on the network
        return value

    @field_validator("device")
    @classmethod
    def _is_device(cls, value: str) -> str:
        if not re.fullmatch(r"cpu|cuda(:\d+)?", value):
            raise UserError(f"unknown device {value!r}: choose cpu, cuda, or cuda:N for the N-th of several")
        return value

    @model_validator(mode="after")
    def _is_possible(self) -> RunConfig:
        # Building the parts checks them; each raises its own sentence.
        game = self.game()
        learner, num_episodes = self.learner(), self.rollout().episodes_per_update
        if self.max_steps < learner.num_minibatches:
            raise UserError(
                f"max_steps is {self.max_steps}, fewer than the learner's {learner.num_minibatches} minibatches: "
                f"give at least {learner.num_minibatches} steps, or set num_minibatches to 1 under ppo in --config"
            )
        if num_episodes * self.max_steps > MAX_ROLLOUT:
            raise UserError(
                f"episodes_per_update is {num_episodes} of {self.max_steps} steps: expected at most "
                f"{MAX_ROLLOUT:,} steps in one update"
            )
        if self.collector not in COLLECTORS:
            raise UserError(f"unknown collector {self.collector!r}: choose one of {', '.join(COLLECTORS)}")
        if (self.simulator == "cyborg") != (self.cyborg_path is not None):
            raise UserError("--simulator cyborg and --cyborg-path DIR go together: give both or neither")
        if self.simulator == "cyborg" and self.scenario is not None:
            raise UserError(f"scenario is {self.scenario!r}, but CybORG plays its own: leave it out")
        if self.simulator == "cyborg" and game.durations != FROM_FILE:
            raise UserError(
                f"durations is {self.durations!r}, but each action of CybORG takes one step: leave it out, or leave "
                "--simulator out"
            )
        if self.workflow is not None:
            self.__dict__["workflow"] = format_order(game.network.orders.parse(self.workflow))
        if self.command == "search" and self.workflow is not None:
            raise UserError(f"workflow is {self.workflow!r}, but a search picks its own: leave it out, or use train")
        if self.command == "universal" and self.workflow is not None:
            raise UserError(f"workflow is {self.workflow!r}, but a universal policy follows any: leave it out")
        if self.command == "universal" and self.start_from is not None:
            raise UserError(f"start_from is {self.start_from!r}, but a universal policy begins anew: leave it out")
        find_init(self.init)
        if self.executor is not None and self.executor not in EXECUTORS:
            raise UserError(f"unknown executor {self.executor!r}: choose one of {', '.join(EXECUTORS)}")
        if self.executor == "inline" and self.parallel_workflows > 1:
            raise UserError(
                f"the executor inline runs one trial at a time, not {self.parallel_workflows}: leave it out, or choose "
                "process, dask or ray"
            )
        if self.address is not None and self.executor not in ("dask", "ray"):
            raise UserError("--address is that of a cluster: give it with --executor dask or --executor ray")
        if self.fixed_episodes is not None and self.fixed_episodes > self.total_episodes:
            raise UserError(
                f"fixed_episodes is {self.fixed_episodes}, more than the {self.total_episodes} of the whole search"
            )
        if self.compliance_definition not in DEFINITIONS:
            raise UserError(
                f"unknown compliance definition {self.compliance_definition!r}: choose one of {', '.join(DEFINITIONS)}"
            )
        return self

    def game(self) -> GameOptions:
        """The settings of the game, one object however often it is asked for: it reads its network once."""
        return self._game

    @cached_property
    def _game(self) -> GameOptions:
        return GameOptions(**{field.name: getattr(self, field.name) for field in fields(GameOptions)})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some settings changed, which is not checked anew and reads its network itself."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied

    def __getstate__(self) -> dict[Any, Any]:
        """What a worker is sent: the settings, without the network that they name."""
        state = super().__getstate__()
        kept = {name: value for name, value in state["__dict__"].items() if name in type(self).model_fields}
        return {**state, "__dict__": kept}

    def learner(self) -> PPOConfig:
        """The settings of the learner: the preset's with its changes."""
        return self._preset.learner

    def rollout(self) -> RolloutConfig:
        """What its updates are fed, likewise."""
        return self._preset.rollout

    @cached_property
    def _preset(self) -> Preset:
        own = {} if self.episodes_per_update is None else {"episodes_per_update": self.episodes_per_update}
        return find_preset(self.preset, {**self.ppo, **own})

    def order(self) -> Order | None:
        """The workflow of `train`; None for plain PPO."""
        return None if self.workflow is None else read_order(self.workflow)

    @property
    def trial_executor(self) -> str:
        """Where trials run, one of EXECUTORS."""
        if self.command in ("train", "universal"):
            return "inline"
        return self.executor or ("process" if self.parallel_workflows > 1 else "inline")

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return self.model_dump(mode="json")


def _ablation(episodes: int) -> dict[str, Any]:
    """Trials of equal length without alignment reward and without a gate."""
    return {
        "alignment_lambda": 0.0,
        "compliance_threshold": 0.0,
        "gate": "strict",  # with a threshold of 0 it lets every trial pass, and needs no process on compliance
        **_equal_lengths(episodes),
    }


def _equal_budgets(num_orders: int, episodes: object, repetitions: object) -> dict[str, Any]:
    """A landscape: every one of its orders trained for as many episodes, as often."""
    if not (isinstance(episodes, int) and isinstance(repetitions, int) and episodes > 0 and repetitions > 0):
        return {}  # refused where the fields are checked
    total = num_orders * repetitions * episodes
    return {"strategy": "exhaustive", "total_episodes": total, **_equal_lengths(episodes)}


def _equal_lengths(episodes: int) -> dict[str, Any]:
    """Neither compliance nor its want may end a trial early."""
    return {
        "max_episodes_per_workflow": episodes,
        "min_episodes_per_trial": episodes,
        "patience_updates": episodes,  # no training has as many updates
    }


def _with_implied(values: Mapping[str, Any], name: str, implied: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with those that another implies.

    Raises:
        UserError: one of these is given another value.
    """
    for key, value in implied.items():
        if values.get(key, value) != value:
            raise UserError(f"{key} is {values[key]!r}, but {name} sets it to {value!r}: leave it out")
    return {**values, **implied}


def make_config(settings: Mapping[str, Any], file: Path | None = None) -> RunConfig:
    """Build a configuration.

    Args:
        settings: values by field name; they go before those of the file. None means not given.
        file: a YAML file of fields, or None. The `config.json` of a run will do.

    Raises:
        UserError: a field is unknown or a value cannot be used.
    """
    values = {} if file is None else _settings_in(_read_yaml(file))
    given = {name: value for name, value in settings.items() if value is not None}
    if file is not None:
        check_named(values, given, file)
    return _validated({**values, **given}, source="" if file is None else f"{file}: ", beside=given.keys())


def check_named(values: Mapping[str, Any], given: Mapping[str, Any], file: Path) -> None:
    """Refuse to run code from where a file says and the user does not.

    Args:
        values: settings in the file.
        given: settings that the user named this time, None where not.
        file: the file.

    Raises:
        UserError: the file names a CybORG or a cluster, and the user none.
    """
    for name, what in CODE_FROM.items():
        if values.get(name) is not None and given.get(name) is None:
            option = "--" + name.replace("_", "-")
            raise UserError(
                f"{file} says {name} {values[name]!r}, {what}, and a file alone does not decide whose code runs: name "
                f"it yourself by {option}"
            )


def renamed_settings(file: Path) -> dict[str, str]:
    """The old names that a file of settings has, each with the name of today.

    Raises:
        UserError: the file cannot be read.
    """
    return {old: OLD_NAMES[old] for old in _read_yaml(file) if old in OLD_NAMES}


def read_config(path: Path) -> RunConfig:
    """Read the `config.json` of a run folder.

    Raises:
        UserError: there is none, or it is no configuration of this version.
    """
    try:
        values = read_object(path)
    except OSError as error:
        raise UserError(f"{path.parent} is no run folder: {path.name} cannot be read ({error.strerror})") from error
    return _validated(_settings_in(values), source=f"{path} is not the configuration of a run: ")


def _settings_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """What `config.json` holds, without what is no setting."""
    return {
        name: value
        for name, value in values.items()
        if name not in (ABOUT, FILES, SUM) and not (name == MADE_FOR and isinstance(value, Mapping))
    }


def _validated(values: dict[str, Any], source: str, beside: Container[str] = ()) -> RunConfig:
    """Check the settings; `source` is where they come from, but for those of the names `beside`."""
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(step) for step in first["loc"])
        source = "" if name in beside else source
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, UserError):
            raise UserError(f"{source}{str(cause)[:MAX_SENTENCE]}") from error
        if first["type"] == "extra_forbidden":
            raise UserError(f"{source}unknown setting {name[:LONGEST]!r}: choose from {_known()}") from error
        raise UserError(f"{source}{name} is {shorten(first['input'])}: {expectation(first['msg'])}") from error


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
            raise UserError(f"{path}: {name!r} is no name of a setting: choose from {_known()}")
    return values


def _known() -> str:
    return ", ".join(sorted(RunConfig.model_fields))
