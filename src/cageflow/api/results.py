"""What runs come to, and a run folder to be read: records, and rows such as pandas makes tables of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from cageflow.analysis.answer import Answer
from cageflow.analysis.answer_words import sentences
from cageflow.analysis.beside import find_answer
from cageflow.api.policies import LoadedPolicy, load_policy
from cageflow.runs.saved_run import SavedRun
from cageflow.runs.saved_run import read_run as read_saved
from cageflow.runs.summary import RunSummary
from cageflow.scenario.orders import Order, format_order, show_order
from cageflow.settings.commands import SearchConfig

Row = dict[str, Any]
BEFORE = ("reward", "reward_se", "compliance")
"""What is said of a policy that was trained on after the search had left it."""
Kind = TypeVar("Kind", bound="TrainResult")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult(RunSummary):
    """How a training ended; the attributes are those of `RunSummary`."""

    def rows(self) -> list[Row]:
        """A row for each update; see `Run.updates`."""
        return self.run().updates()

    def run(self) -> Run:
        """What its folder holds."""
        return read_run(self.run_dir)

    def load_policy(self, *, deterministic: bool = False, seed: int | None = None) -> LoadedPolicy:
        """Its policy, to be asked for actions on the network of the run."""
        return load_policy(self.policy, deterministic=deterministic, seed=seed)

    def to_json(self) -> Row:
        """What `cageflow train --json` prints."""
        return {
            "run_dir": str(self.run_dir),
            "side": self.side,
            "opponent": self.opponent,
            "workflow": None if self.workflow is None else format_order(self.workflow),
            "reward": self.reward,
            "reward_se": self.reward_se,
            "compliance": None if self.workflow is None else self.compliance,
            **({} if self.tests is None else self.tests.to_json()),
            "ending": self.ending,
            "episodes": self.episodes,
            "seconds": self.seconds,
            "episodes_per_s": self.episodes_here / self.seconds,
            "policy": str(self.policy),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsResult(TrainResult):
    """How a run that trains many orders ended; `workflow` is the best."""

    def rows(self) -> list[Row]:
        """A row for each trial; see `Run.trials`."""
        return self.run().trials()

    def to_json(self) -> Row:
        """What `cageflow landscape --json` prints of it."""
        assert self.workflow is not None, "a search has tried a workflow"
        return {
            "run_dir": str(self.run_dir),
            "best_workflow": format_order(self.workflow) if self.feasible else None,
            "workflow": format_order(self.workflow),
            "feasible": self.feasible,
            "reward": self.reward,
            "reward_se": self.reward_se,
            "belief": self.belief,
            "compliance": self.compliance,
            **({} if self.tests is None else self.tests.to_json()),
            "episodes": self.episodes,
            "trials": self.trials,
            "seconds": self.seconds,
            "episodes_per_s": self.episodes_here / self.seconds,
            "policy": str(self.policy),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult(TrialsResult):
    """How a search ended.

    Attributes:
        answer: what it found: which types come before which, how surely, what turning them costs, plain PPO beside.
    """

    answer: Answer = field(repr=False)  # of what thousands of orders may be worth: a screenful where a result is shown

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words, as the command's last lines."""
        return sentences(self.answer)

    def precedences(self) -> list[Row]:
        """A row for each precedence that holds in all orders that cannot be told from the best."""
        return [] if self.answer.orders is None else [one.to_json() for one in self.answer.orders.precedences]

    def to_json(self) -> Row:
        """What `cageflow search --json` prints."""
        before = self.before_final
        figures = None if before is None else {name: getattr(before, name) for name in BEFORE}
        final = {"final_episodes": self.final_episodes, "before_final": figures}
        return {**super(SearchResult, self).to_json(), **final, **answer_json(self.answer)}


def answer_json(answer: Answer) -> Row:
    """The entries of an answer."""
    orders, gain = answer.orders, answer.over_plain
    beside = {} if answer.plain is None else {"plain_ppo": answer.plain}
    if answer.plain_long is not None:
        beside["plain_ppo_long"] = answer.plain_long
    if answer.one_order is not None:
        beside["one_order"] = answer.one_order.trainings
    return {
        "network": answer.network,
        "answer": list(sentences(answer)),
        "precedences": [] if orders is None else [one.to_json() for one in orders.precedences],
        "tied_orders": None if orders is None else orders.tied_orders,
        "orders": None if orders is None else orders.num_orders,
        "untested": [] if orders is None else [list(pair) for pair in orders.untested],
        "baselines": {name: trainings.mean for name, trainings in beside.items()},
        "baseline_trainings": {name: asdict(trainings) for name, trainings in beside.items()},
        "one_order": None if answer.one_order is None else answer.one_order.order,
        "over_plain_ppo": None if gain is None else {**asdict(gain), "is_better": gain.is_better},
    }


@dataclass(frozen=True)
class Run:
    """A run folder as it stands.

    Attributes:
        saved: what was read.
    """

    saved: SavedRun

    def __repr__(self) -> str:
        return f"<{self.command} in {self.path}>"

    @property
    def path(self) -> Path:
        """The folder."""
        return self.saved.path

    @property
    def command(self) -> str:
        """What made it: search, train, landscape or universal."""
        return self.saved.config.command

    @property
    def settings(self) -> Row:
        """All settings of the run, by their names."""
        return self.saved.config.to_json()

    @property
    def about(self) -> dict[str, str]:
        """Versions, machine and time of its start."""
        return dict(self.saved.about)

    @property
    def workflow(self) -> Order | None:
        """The best workflow, or the one that was trained; None for plain PPO."""
        return self.saved.order

    @property
    def is_over(self) -> bool:
        """Whether it did all that it was to do; else it goes on by `resume`."""
        return self.saved.is_over

    @property
    def policy(self) -> Path:
        """The file of its best policy."""
        return self.saved.policy_path

    @cached_property
    def answer(self) -> Answer | None:
        """What a search found; None of other runs."""
        return find_answer(self.saved) if isinstance(self.saved.config, SearchConfig) else None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words; none of other runs than a search."""
        return () if self.answer is None else sentences(self.answer)

    def load_policy(self, *, deterministic: bool = False, seed: int | None = None) -> LoadedPolicy:
        """Its best policy, to be asked for actions on the network of the run."""
        workflow = self.workflow if self.saved.config.follows_any else None
        return load_policy(self.policy, workflow=workflow, deterministic=deterministic, seed=seed)

    def updates(self) -> list[Row]:
        """A row for each update: its order, episodes, rewards, compliance, and what the learner said."""
        return [_row(one) for one in self.saved.updates]

    def trials(self) -> list[Row]:
        """A row for each trial that has ended; none of `train`."""
        return [
            {"trial": one.number, "run_episodes": one.run_episodes, **_row(one.result, leave_out=("contests",))}
            for one in self.saved.trials
        ]

    def beliefs(self) -> list[Row]:
        """A row for each order: what the search thought of it before its last trial; none without a model."""
        found = self.saved.beliefs
        if found is None:
            return []
        figures = zip(found.ranks, found.mean, found.std, found.feasibility, strict=True)
        return [
            {
                "rank": int(rank),
                "order": show_order(self.saved.orders.unrank(int(rank))),
                "mean": float(mean),
                "std": float(std),
                "feasibility": float(feasibility),
            }
            for rank, mean, std, feasibility in figures
        ]


def read_run(run_dir: str | Path) -> Run:
    """Read a run folder.

    Raises:
        UserError: it is none, something in it is damaged, or there is nothing to read yet.
    """
    return Run(read_saved(Path(run_dir)))


def as_result(summary: RunSummary, kind: type[Kind], **more: Any) -> Kind:
    """A summary as a result."""
    return kind(**{field.name: getattr(summary, field.name) for field in fields(RunSummary)}, **more)


def _row(record: Any, leave_out: Iterable[str] = ()) -> Row:
    """The fields of a record, orders as people read them."""
    values = {field.name: getattr(record, field.name) for field in fields(record) if field.name not in leave_out}
    order = values.get("order")
    return {**values, "order": show_order(order) if isinstance(order, tuple) else order}
