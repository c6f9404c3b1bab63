"""What every run is asked for: one frozen record, from the command line or a YAML file, kept in the run folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from cageflow.collect import COLLECTORS, WorkflowSpec
from cageflow.envs.agent import BlueSource
from cageflow.envs.options import MIXED_RULES, GameOptions, why_not
from cageflow.envs.red_code import from_file
from cageflow.envs.varying import Variation, format_mixture, parse_mixture
from cageflow.errors import UserError
from cageflow.learn.config import PPOConfig
from cageflow.scenario.durations import FROM_FILE, words_on_time
from cageflow.scenario.orders import Order
from cageflow.search import TrialResult
from cageflow.settings.parts import CommonSettings
from cageflow.settings.presets import Preset, RolloutConfig, find_preset
from cageflow.workflow.compliance import DEFINITIONS

MAX_ROLLOUT = 10**8  # steps of an update, kept at once
REFERENCE_LAMBDA = 30.0
"""Weight of the alignment reward in the preset `reference`, where no other is given."""
OF_REWARD = (
    "alignment_lambda",
    "compliance_threshold",
    "gate",
    "patience_updates",
    "min_episodes_per_trial",
    "fixed_episodes",
)
"""Settings that mean nothing where orders are enforced: who gives one of them has orders rewarded."""


class RunConfig(BaseModel, CommonSettings):
    """What decides what any run computes, and how it goes about it; `cageflow.settings.commands` has those of each.

    The fields stand under the names of the command line's options. What a run of this kind does otherwise than others
    stands in the class too.

    Attributes:
        title: of its report.
        tries_orders: whether it compares orders.
        picks_orders: whether a strategy picks them, one after the other.
        trains_anew: whether each trial trains its order from the beginning, so that trials of one order are alike.
        follows_any: whether its one policy is told any order.
        has_trials: whether it is made of trials, which can run elsewhere.
        logs: that it keeps, of `cageflow.runs.run_folder.LOGS`.
        policy_name: of the file of its best policy; None where that is named after the order.
        refused: settings that only others have, and why; the words follow "but".
        implied_by_enforcing: settings where orders are enforced: nothing is paid for complying, and nothing depends on
            it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    title: ClassVar[str]
    tries_orders: ClassVar[bool] = True
    picks_orders: ClassVar[bool] = False
    trains_anew: ClassVar[bool] = False
    follows_any: ClassVar[bool] = False
    has_trials: ClassVar[bool] = False
    logs: ClassVar[tuple[str, ...]] = ("training",)
    policy_name: ClassVar[str | None] = None
    refused: ClassVar[Mapping[str, str]] = {}
    implied_by_enforcing: ClassVar[Mapping[str, Any]] = {"alignment_lambda": 0.0, "compliance_threshold": 0.0}

    command: str
    ppo: dict[str, Any] = {}  # changes to the preset

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        return cls.completed(dict(values)) if isinstance(values, dict) else values

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The settings with what others imply.

        Raises:
            UserError: one of these is given another value.
        """
        values = {"workflow_mode": cls.mode_of(values), **values}
        if values["workflow_mode"] == "enforced":
            cure = "leave it out, or have orders rewarded by workflow_mode"
            return with_implied(values, "workflow_mode enforced", cls.implied_by_enforcing, cure)
        return {"alignment_lambda": REFERENCE_LAMBDA, **values} if values.get("preset") == "reference" else values

    @classmethod
    def mode_of(cls, values: Mapping[str, Any]) -> Any:
        """How settings, before they are completed, have orders kept: who speaks of the reward wants it."""
        speaks_of_reward = values.get("preset") == "reference" or any(
            values.get(name) is not None for name in OF_REWARD
        )
        default = "rewarded" if speaks_of_reward else cls.model_fields["workflow_mode"].default
        return values.get("workflow_mode", default)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_number(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, bool) and info.field_name != "green":  # pydantic takes true for 1
            raise ValueError("only green is true or false")
        return value

    @field_validator("red_mixture", mode="before")
    @classmethod
    def _is_mixture(cls, value: object) -> object:
        return None if value is None else format_mixture(value)

    @field_validator("device")
    @classmethod
    def _is_device(cls, value: str) -> str:
        if not re.fullmatch(r"cpu|cuda(:\d+)?", value):
            raise UserError(f"unknown device {value!r}: choose cpu, cuda, or cuda:N for the N-th of several")
        return value

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        self.check()
        return self

    def check(self) -> None:
        """Refuse what cannot be, in the sentence of who knows why.

        Raises:
            UserError: two settings exclude each other, or a name is unknown.
        """
        game = self.game()
        for red, _ in self.variation().red_mixture:
            reason = why_not(red, game.unchecked_network)
            if reason is not None:
                raise UserError(f"{reason}. Leave it out of red_mixture.")
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
        if self.simulator == "cyborg" and (self.green_share is not None or self.red_mixture is not None):
            raise UserError(
                "green_share and red_mixture have episodes differ, but all of CybORG's have one red and one green "
                "agent: leave them out, or leave --simulator out"
            )
        if self.simulator == "cyborg" and self.scenario is not None:
            raise UserError(f"scenario is {self.scenario!r}, but CybORG plays its own: leave it out")
        if self.simulator == "cyborg" and game.durations != FROM_FILE:
            raise UserError(
                f"durations is {self.durations!r}, but each action of CybORG takes one step: leave it out, or leave "
                "--simulator out"
            )
        if self.compliance_definition not in DEFINITIONS:
            raise UserError(
                f"unknown compliance definition {self.compliance_definition!r}: choose one of {', '.join(DEFINITIONS)}"
            )

    def game(self) -> GameOptions:
        """The settings of the game, one object however often it is asked for: it reads its network once."""
        return self._game

    @cached_property
    def _game(self) -> GameOptions:
        given = self._game_settings()
        return GameOptions(**{**given, "red_agent": from_file(given["red_agent"])})

    def _game_settings(self) -> dict[str, Any]:
        """Those of the game by name."""
        return {field.name: getattr(self, field.name) for field in fields(GameOptions)}

    def variation(self) -> Variation:
        """What is drawn for each of the episodes that are learned from; those that judge are as the game says."""
        mixture = () if self.red_mixture is None else parse_mixture(self.red_mixture)
        return Variation(self.perturbed_starts, self.green_share, mixture)

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

    @property
    def is_enforced(self) -> bool:
        """Whether masks keep orders, so that compliance is a figure to report and no more."""
        return self.workflow_mode == "enforced"

    def workflow_spec(self, order: Order) -> WorkflowSpec:
        """How a policy is brought to follow an order in this run."""
        return WorkflowSpec(order, self.alignment_lambda, self.compliance_definition, self.workflow_mode)

    def order(self) -> Order | None:
        """The one workflow that is trained; None where there are many or none."""
        return None

    @property
    def plays_red(self) -> bool:
        """Whether red is who learns."""
        return False

    def blue_source(self) -> BlueSource | None:
        """Who plays blue where red learns; None where blue does.

        Raises:
            UserError: the user names nobody who can.
        """
        return None

    @property
    def opponent(self) -> str:
        """Whom the learner plays against, as the user calls it."""
        return self.game().red_agent

    @property
    def leaves_order_open(self) -> bool:
        """Whether the user has yet to say that no order is wanted."""
        return False

    @property
    def tells_order(self) -> bool:
        """Whether the policies are told an order."""
        return True

    @property
    def tells_rules(self) -> bool:
        """Whether its policies are told which of the rules they play, being trained for both."""
        is_told = self.rollout().tell_rules and self.rules == MIXED_RULES
        return is_told and not self.follows_any and not self.plays_red

    @property
    def start(self) -> str | None:
        """What new trainings begin with: a run, or a learner's file; None for nothing."""
        return None

    def game_in_words(self, *, with_orders: bool = True) -> str:
        """On which network, how long actions take there, how orders are kept, against whom and by which rules."""
        game = self.game()
        scenario = game.network.scenario
        orders = f", orders {self.workflow_mode}" if with_orders else ""
        return (
            f"on {scenario.name}, {words_on_time(scenario)}{orders}, against {self.opponent}, rules {self.rules}, "
            f"seed {self.seed}"
        )

    @property
    def trial_executor(self) -> str:
        """Where trials run, one of `commands.EXECUTORS`."""
        return "inline"

    @property
    def ladder(self) -> tuple[int, ...]:
        """Episodes at which each training is judged, the last being its full budget; empty where none has rungs."""
        return ()

    def is_over(self, results: Sequence[TrialResult]) -> bool:
        """Whether trials that have ended are all that there will be; of a single training the folder says it."""
        return True

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

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return self.model_dump(mode="json")


def with_implied(
    values: Mapping[str, Any], name: str, implied: Mapping[str, Any], cure: str = "leave it out"
) -> dict[str, Any]:
    """The settings with those that another, called `name`, implies; `cure` is what else to do.

    Raises:
        UserError: one of these is given another value.
    """
    for key, value in implied.items():
        if values.get(key, value) != value:
            raise UserError(f"{key} is {values[key]!r}, but {name} sets it to {value!r}: {cure}")
    return {**values, **implied}
