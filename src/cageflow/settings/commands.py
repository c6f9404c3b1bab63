"""The settings of each command that trains: what it has, what follows from it, and what it does otherwise."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from cageflow.collect import WITH_PROCESSES
from cageflow.collect.games import QUIET
from cageflow.envs.agent import BlueSource
from cageflow.errors import UserError
from cageflow.scenario.named import load_network
from cageflow.scenario.orders import Order, format_order, read_order
from cageflow.search import IN_RUNGS, Budget, Exhaustive, History, Strategy, TrialResult, anew, find_init, make_strategy
from cageflow.search import StrategySettings as StrategyOptions
from cageflow.search.landscape import landscape_ranks
from cageflow.search.strategies import KernelName
from cageflow.settings.config import RunConfig, with_implied
from cageflow.settings.ladder import ladder, read_rungs, write_rungs
from cageflow.settings.parts import (
    LandscapeSettings,
    PolicySettings,
    SearchSettings,
    TrainSettings,
    TrialsSettings,
    UniversalSettings,
)

EXECUTORS = ("inline", "process", "dask", "ray")
"""Where trials run: one after the other in this process, in processes of this machine, on a cluster."""

NOT_OF_RED = {
    "workflow": "red follows none",
    "red_agent": "red is who learns",
    "perturbed_starts": "these are of blue's learning",
    "red_mixture": "red is who learns",
}
"""Settings that a training of red has not, and why."""

PLAIN_PART = 4
"""Plain PPO beside a run costs a 4th of it at most, unless more is asked for."""


class PolicyConfig(RunConfig, PolicySettings):
    """Of a run that trains policies for one order each, or for none."""

    logs = ("training", "sampling", "acquisition")

    @property
    def start(self) -> str | None:
        """The run or file that the user names."""
        return self.start_from

    @property
    def ends_by_compliance(self) -> bool:
        """Whether compliance, or its want, may end a training; not where masks keep the order."""
        return not self.is_enforced

    @property
    def planned_episodes(self) -> int:
        """Episodes of one training, which its schedules are stretched over."""
        return self.total_episodes


class TrialsConfig(PolicyConfig, TrialsSettings):
    """Of a run that trains many orders, trial by trial.

    Attributes:
        doing: what it does with them, in a word or two.
    """

    has_trials = True
    policy_name = "best"
    doing: ClassVar[str]

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The settings with one trial at a time where the trials are here, or each has the cores to itself."""
        if values.get("executor") == "inline" or values.get("collector") in WITH_PROCESSES:
            values = {"parallel_workflows": 1, **values}
        return super().completed(values)

    def check(self) -> None:
        """Refuse as of any run, and executors that cannot be."""
        super().check()
        if self.executor is not None and self.executor not in EXECUTORS:
            raise UserError(f"unknown executor {self.executor!r}: choose one of {', '.join(EXECUTORS)}")
        if self.executor == "inline" and self.parallel_workflows > 1:
            raise UserError(
                f"the executor inline runs one trial at a time, not {self.parallel_workflows}: give "
                "--parallel-workflows 1, or leave inline out for process, dask or ray"
            )
        if self.address is not None and self.executor not in ("dask", "ray"):
            raise UserError("--address is that of a cluster: give it with --executor dask or --executor ray")

    @property
    def planned_episodes(self) -> int:
        """Those of an order, over all of its trials at most."""
        return self.max_episodes_per_workflow

    @property
    def episodes_of_trials(self) -> int:
        """Those that all trials together may train."""
        return self.total_episodes

    @property
    def plain_episodes(self) -> int:
        """Those of a training of plain PPO beside: what an order has at most."""
        return min(self.planned_episodes, self.episodes_of_trials)

    @property
    def plain_trainings(self) -> int:
        """How often plain PPO is trained beside; by default not where that would cost more than a part of the run."""
        if self.compare_plain is not None:
            return self.compare_plain
        affordable = self.total_episodes // (PLAIN_PART * self.plain_episodes)
        return min(self.usual_plain_trainings, affordable)

    @property
    def usual_plain_trainings(self) -> int:
        """How often, where that is affordable."""
        return 1

    @property
    def plain_long_trainings(self) -> int:
        """How often plain PPO is trained beside with all the episodes."""
        return 0

    @property
    def one_order_trainings(self) -> int:
        """How often one order is trained beside with all the episodes."""
        return 0

    @property
    def trial_executor(self) -> str:
        """The one that is named, or what the number of trials at once asks for."""
        return self.executor or ("process" if self.parallel_workflows > 1 else "inline")

    @abstractmethod
    def find_strategy(self) -> Strategy:
        """Who picks the orders.

        Raises:
            UserError: there is none of that name, or a setting of it is out of its range.
        """

    @abstractmethod
    def find_start(self) -> Callable[[Order, History], Order | None]:
        """With which order's learner the trial of an order begins."""

    @abstractmethod
    def budget(self) -> Budget:
        """When the run ends."""

    @property
    def has_several(self) -> bool:
        """Whether each order has several policies, which are numbered."""
        return False

    def how_many(self) -> str:
        """How many orders there are, in words."""
        return f"{len(self.game().network.orders):,}"


class InRungsConfig(TrialsConfig):
    """Of a run that trains orders from rung to rung; the settings of its command have `parts.RungSettings`."""

    rungs: str | None = None

    @field_validator("rungs", mode="before")
    @classmethod
    def _are_rungs(cls, value: object) -> object:
        return None if value is None else write_rungs(read_rungs(value))

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The settings with the length of a training that its rungs imply."""
        if values.get("rungs") is not None:
            last = read_rungs(values["rungs"])[-1]
            values = with_implied(values, "the last of rungs", {"max_episodes_per_workflow": last})
        return super().completed(values)

    @property
    def ladder(self) -> tuple[int, ...]:
        """The rungs that the user gives, or that follow from the length of a training."""
        rungs = None if self.rungs is None else read_rungs(self.rungs)
        return ladder(self.max_episodes_per_workflow, self.rollout().episodes_per_update, rungs)


class SearchConfig(InRungsConfig, SearchSettings):
    """Of `search`."""

    title = "Search"
    doing = "Searching"
    picks_orders = True
    refused = {"workflow": "a search picks its own: leave it out, or use train"}
    implied_by_enforcing = {**RunConfig.implied_by_enforcing, "gate": "strict"}

    command: Literal["search"] = "search"

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The settings with what `fixed_episodes` implies, and trainings in rungs no longer than the whole search."""
        episodes = _whole(values.get("fixed_episodes"))
        if episodes > 0:
            values = with_implied(values | {"fixed_episodes": episodes}, "fixed_episodes", _ablation(episodes))
        if cls.mode_of(values) == "rewarded":  # as the earlier prototype searched
            values = {"strategy": "gp-ucb", **values}
        total = _whole(values.get("total_episodes", cls.model_fields["total_episodes"].default))
        total -= _whole(values.get("final_episodes", 0))
        longest = _whole(values.get("max_episodes_per_workflow", cls.model_fields["max_episodes_per_workflow"].default))
        is_in_rungs = values.get("strategy", cls.model_fields["strategy"].default) in IN_RUNGS
        if is_in_rungs and values.get("rungs") is None and 0 < total < longest:
            values = {**values, "max_episodes_per_workflow": total}
        return super().completed(values)

    def check(self) -> None:
        """Refuse as of any run, and strategies that cannot be."""
        super().check()
        if self.final_episodes >= self.total_episodes:
            raise UserError(
                f"final_episodes is {self.final_episodes:,}, which leaves nothing of the {self.total_episodes:,} "
                "total_episodes for the search: give fewer, such as half, or more total_episodes"
            )
        self.strategy_options()
        find_init(self.init)
        if self.rungs is not None and self.strategy not in IN_RUNGS:
            raise UserError(
                f"rungs is {self.rungs!r}, but {self.strategy} does not train in rungs: leave it out, or choose the "
                f"strategy {' or '.join(sorted(IN_RUNGS))}"
            )
        if self.ladder and self.ladder[-1] > self.episodes_of_trials:
            raise UserError(
                f"a training takes {self.ladder[-1]:,} episodes, more than the {self.episodes_of_trials:,} of the "
                "whole search: give more total_episodes, or fewer by rungs or max_episodes_per_workflow"
            )
        if self.fixed_episodes is not None and self.fixed_episodes > self.episodes_of_trials:
            raise UserError(
                f"fixed_episodes is {self.fixed_episodes}, more than the {self.episodes_of_trials} of the whole search"
            )

    @property
    def episodes_of_trials(self) -> int:
        """All but those that are kept back for the order that is recommended."""
        return self.total_episodes - self.final_episodes

    @property
    def plain_long_trainings(self) -> int:
        """How often plain PPO is trained beside with all the episodes, which a policy trained on is held against."""
        if not self.final_episodes:
            return 0
        return 1 if self.compare_plain is None else self.compare_plain

    @property
    def one_order_trainings(self) -> int:
        """As often as the user asks."""
        return self.compare_one_order

    @property
    def ends_by_compliance(self) -> bool:
        """Nor where trials have a fixed length, or rungs."""
        return super().ends_by_compliance and self.fixed_episodes is None and not self.ladder

    @property
    def ladder(self) -> tuple[int, ...]:
        """As of any run in rungs, if the strategy trains so."""
        return super().ladder if self.strategy in IN_RUNGS else ()

    def strategy_options(self) -> StrategyOptions:
        """What the strategy is told."""
        kernel = cast(KernelName, self.kernel)
        return StrategyOptions(
            beta=self.beta,
            gate=self.gate,
            kernel=kernel,
            compliance_threshold=self.compliance_threshold,
            rungs=self.ladder,
        )

    def find_strategy(self) -> Strategy:
        """The one that is named."""
        return make_strategy(self.strategy, self.game().network.orders, self.strategy_options())

    def find_start(self) -> Callable[[Order, History], Order | None]:
        """As `init` says."""
        return find_init(self.init)

    def budget(self) -> Budget:
        """All episodes; of trials of fixed length whole ones only."""
        if self.fixed_episodes is not None and not self.ladder:  # whole trials only
            trials = self.episodes_of_trials // self.fixed_episodes
            return Budget(trials=trials, episodes_per_trial=self.fixed_episodes)
        return Budget(episodes=self.episodes_of_trials, episodes_per_trial=self.max_episodes_per_workflow)

    def is_over(self, results: Sequence[TrialResult]) -> bool:
        """Whether all orders are tried, or no trial more is paid for."""
        tried = {result.order for result in results}
        if self.strategy == "exhaustive" and len(tried) == len(self.game().network.orders):
            return True
        trained = sum(result.episodes for result in results)
        return trained + (self.fixed_episodes or 1) > self.episodes_of_trials


class LandscapeConfig(InRungsConfig, LandscapeSettings):
    """Of `landscape`."""

    title = "Landscape"
    doing = "Training all"
    trains_anew = True
    logs = ("training", "sampling", "landscape")

    command: Literal["landscape"] = "landscape"

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The settings with equal budgets for all orders."""
        values = {"workflow_mode": cls.mode_of(values), **values}  # before they say what ends no training
        if values.get("rungs") is not None:
            values = {"max_episodes_per_workflow": read_rungs(values["rungs"])[-1], **values}
        names = ("max_episodes_per_workflow", "sample", "repetitions")
        per_order, sample, repetitions = (_whole(values.get(name, getattr(cls, name))) for name in names)
        values |= {name: _whole(values[name]) for name in names if _whole(values.get(name)) > 0}
        orders = load_network(values.get("scenario")).orders
        number = len(landscape_ranks(orders, sample)) if sample > 0 else 0
        budgets = _equal_budgets(number, per_order, repetitions)
        return super().completed(with_implied(values, "landscape", budgets))

    def find_strategy(self) -> Strategy:
        """All orders in their turn."""
        space = self.game().network.orders
        options = StrategyOptions(compliance_threshold=self.compliance_threshold, rungs=self.ladder)
        return Exhaustive(space, options, self.repetitions, self.ranks)

    def find_start(self) -> Callable[[Order, History], Order | None]:
        """With none."""
        return anew

    def budget(self) -> Budget:
        """A trial for each rung of each training."""
        return Budget(trials=self._num_trials, episodes_per_trial=self.max_episodes_per_workflow)

    @property
    def usual_plain_trainings(self) -> int:
        """As often as an order."""
        return self.repetitions

    @property
    def has_several(self) -> bool:
        """Where orders are trained again."""
        return self.repetitions > 1

    def how_many(self) -> str:
        """How many orders are trained, and of how many where that is but a sample."""
        number, trained = len(self.game().network.orders), len(self.ranks)
        return super().how_many() if trained == number else f"a sample of {trained:,} of the {number:,}"

    def is_over(self, results: Sequence[TrialResult]) -> bool:
        """Whether every order was trained as often and as long as it was to be."""
        return len(results) >= self._num_trials

    @property
    def _num_trials(self) -> int:
        return len(self.ranks) * self.repetitions * len(self.ladder)

    @property
    def ranks(self) -> NDArray[np.int64]:
        """(K,) of the orders that are trained, ascending."""
        return landscape_ranks(self.game().network.orders, self.sample)


class TrainConfig(PolicyConfig, TrainSettings):
    """Of `train`."""

    title = "Training"
    tries_orders = False

    command: Literal["train"] = "train"

    @field_validator("workflow", mode="before")
    @classmethod
    def _is_order(cls, value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)  # the number of an order; what it reads as depends on the network
        return value

    def check(self) -> None:
        """Refuse as of any run, an order that the network has not, and what only the other side has."""
        super().check()
        if self.plays_red:
            self._check_red()
        elif self.blue_agent is not None:
            raise UserError(
                f"blue_agent is {self.blue_agent!r}, but blue is who learns: leave it out, or give --side red"
            )
        if self.workflow is not None:
            self.__dict__["workflow"] = format_order(self.game().network.orders.parse(self.workflow))

    def _check_red(self) -> None:
        """Refuse what red has not, and a training against nobody."""
        if self.blue_agent is None:
            raise UserError("side is 'red': say by --blue-agent whom it is to play against, such as champion")
        if self.simulator == "cyborg":
            raise UserError("side is 'red', which learns on the compiled simulator alone: leave --simulator out")
        for name, why in NOT_OF_RED.items():
            value = getattr(self, name)
            if value != type(self).model_fields[name].default:
                raise UserError(f"{name} is {value!r}, but {why}: leave it out, or give --side blue")

    @property
    def plays_red(self) -> bool:
        """As the user says."""
        return self.side == "red"

    def blue_source(self) -> BlueSource | None:
        """The agent that the user names."""
        if self.blue_agent is None:
            return None
        from cageflow.agents.mixture import find_blue  # so that no search waits for it
        from cageflow.agents.sources import SourceOptions

        deterministic = self.blue_actions == "deterministic"
        return find_blue(self.blue_agent, SourceOptions(deterministic=deterministic, scenario=self.scenario))

    @property
    def opponent(self) -> str:
        """Of red the blue agent."""
        return self.blue_agent or super().opponent

    @property
    def leaves_order_open(self) -> bool:
        """Where blue is told none."""
        return self.workflow is None and not self.plays_red

    def _game_settings(self) -> dict[str, Any]:
        """With a red agent that can play on every network, whose place the learner takes, where red learns."""
        return super()._game_settings() | ({"red_agent": QUIET} if self.plays_red else {})

    def order(self) -> Order | None:
        """The workflow; None for plain PPO."""
        return None if self.workflow is None else read_order(self.workflow)

    @property
    def tells_order(self) -> bool:
        """But to plain PPO."""
        return self.workflow is not None


class UniversalConfig(RunConfig, UniversalSettings):
    """Of `universal`."""

    title = "Universal policy"
    follows_any = True
    policy_name = "universal"
    refused = {
        "workflow": "a universal policy follows any: leave it out",
        "start_from": "a universal policy begins anew: leave it out",
    }

    command: Literal["universal"] = "universal"


COMMANDS: dict[str, type[RunConfig]] = {
    str(kind.model_fields["command"].default): kind
    for kind in (SearchConfig, TrainConfig, LandscapeConfig, UniversalConfig)
}
"""The commands with their settings."""


def _whole(value: object) -> int:
    """A number of episodes as a user may write it, such as 3e3; 0 where it is none, which its field refuses."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0
    return int(number) if number.is_integer() else 0


def _ablation(episodes: int) -> dict[str, Any]:
    """Trials of equal length without alignment reward and without a gate."""
    return {
        "alignment_lambda": 0.0,
        "compliance_threshold": 0.0,
        "gate": "strict",  # with a threshold of 0 it lets every trial pass, and needs no process on compliance
        **_equal_lengths(episodes),
    }


def _equal_budgets(num_orders: int, episodes: int, repetitions: int) -> dict[str, Any]:
    """A landscape: every one of its orders trained for as many episodes, as often."""
    if min(num_orders, episodes, repetitions) <= 0:
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
