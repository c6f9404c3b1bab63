"""What the search asks for and what it gets back: one trial of one workflow order.

A *training* of an order is one learner's: the first, or another that began independently of it. A trial takes a
training on; in a search in rungs from one number of its episodes to the next.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from cageflow.scenario.orders import Order, show_order

Cap = Literal["episode-cap", "budget"]
"""What bounds the episodes of a trial: its own limit, or what is left of the whole search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRequest:
    """An order to train next; plain data, so that it can be sent to another process.

    Attributes:
        trial: number of the trial in its search, from 0.
        order: the workflow order to train and evaluate.
        seed: seed of everything random in this trial, 0 to 2**63 - 1; a function of the search's seed and of `trial`,
            in rungs of the order and `training` instead, so that a training is one whatever it is interrupted by.
        start: the order from whose learner the training goes on: `order` itself if its own training is continued,
            another one to begin with its weights, None to begin from scratch.
        start_training: which training of `start` that is.
        trained_episodes: episodes that earlier trials trained on this order, in rungs in this training; 0 where it
            begins anew.
        max_episodes: episodes that the trial may train; None without a bound.
        cap: what `max_episodes` is.
        training: number of the training among those of its order, from 1.
        full_episodes: of the training as a whole, which its schedules are stretched over, in rungs; None without.
    """

    trial: int
    order: Order
    seed: int
    start: Order | None
    trained_episodes: int
    max_episodes: int | None
    cap: Cap
    training: int = 1
    start_training: int = 1
    full_episodes: int | None = None

    @property
    def total_episodes(self) -> int:
        """Episodes of the training when the trial ends, if it trains all that it may."""
        return self.trained_episodes + (self.max_episodes or 0)

    @property
    def rung(self) -> int | None:
        """Episodes of the training at which a trial in rungs ends; None without."""
        return None if self.full_episodes is None else self.total_episodes

    def to_json(self) -> dict[str, Any]:
        """The request as plain data for `json.dump`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TrialRequest":
        """Read what `to_json` wrote.

        Raises:
            ValueError: a field is missing or unknown.
        """
        data = {"training": 1, "start_training": 1, "full_episodes": None, **data}  # not said before there were rungs
        check_fields("a request", cls, data)
        start = None if data["start"] is None else tuple(data["start"])
        return cls(**{**data, "order": tuple(data["order"]), "start": start})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What training and evaluating one order once has shown.

    Attributes:
        order: the workflow order.
        reward: mean env return of the trained policy on fresh evaluation episodes, higher is better.
        reward_se: standard error of `reward`, 0 if it is exact.
        compliance: mean compliance of the trained policy, 0 to 1.
        compliance_se: standard error of `compliance`; None if it was not estimated.
        episodes: episodes trained in this trial, at least 1.
        total_episodes: episodes trained on this order so far, this trial included; in rungs those of this training.
        ending: why the training ended, in one word or two.
        seconds: wall-clock time of the trial.
        training: number of the training among those of its order, from 1.
        tested: fixes an episode that tested the order, by the truth; this and the following are None where it was not
            counted (`workflow.tested` says what is).
        tested_compliant: of them, those that complied.
        known_tested: fixes an episode that tested the order, by what blue could know.
        known_compliant: of them, those that complied.
        contests: (T, T) by unit types: at a, b how often an episode, by what blue could know, a host of type a was
            fixed while one of type b was held too and passed over.

    Raises:
        ValueError: a number is not finite or out of its range; such a result would poison every later choice.
    """

    order: Order
    reward: float
    reward_se: float
    compliance: float
    compliance_se: float | None = None
    episodes: int
    total_episodes: int
    ending: str
    seconds: float
    training: int = 1
    tested: float | None = None
    tested_compliant: float | None = None
    known_tested: float | None = None
    known_compliant: float | None = None
    contests: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        where = f"trial of {show_order(self.order)}"
        if len(set(self.order)) < len(self.order) or not self.order:
            raise ValueError(f"{where}: it is no workflow order, which names each unit type once")
        if not math.isfinite(self.reward):
            raise ValueError(f"{where}: reward is {self.reward}, expected a finite number")
        if not (math.isfinite(self.reward_se) and self.reward_se >= 0):
            raise ValueError(f"{where}: reward_se is {self.reward_se}, expected a finite number of at least 0")
        if not 0 <= self.compliance <= 1:
            raise ValueError(f"{where}: compliance is {self.compliance}, expected 0 to 1")
        if self.compliance_se is not None and not (math.isfinite(self.compliance_se) and self.compliance_se >= 0):
            raise ValueError(f"{where}: compliance_se is {self.compliance_se}, expected a finite number of at least 0")
        if self.episodes < 1:
            raise ValueError(f"{where}: episodes is {self.episodes}, expected at least 1 or the budget never ends")
        if self.training < 1:
            raise ValueError(f"{where}: training is {self.training}, expected at least 1")
        if self.total_episodes < self.episodes:
            raise ValueError(
                f"{where}: total_episodes is {self.total_episodes}, less than its {self.episodes} episodes"
            )

    def to_json(self) -> dict[str, Any]:
        """The result as plain data for `json.dump`; floats survive the round trip bit for bit."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TrialResult":
        """Read what `to_json` wrote.

        Raises:
            ValueError: a field is missing, unknown or out of its range.
        """
        data = {**_ADDED_LATER, **data}
        check_fields("a trial", cls, data)
        contests = None if data["contests"] is None else tuple(tuple(row) for row in data["contests"])
        return cls(**{**data, "order": tuple(data["order"]), "contests": contests})


_ADDED_LATER: dict[str, Any] = {
    "training": 1,
    **dict.fromkeys(("tested", "tested_compliant", "known_tested", "known_compliant", "contests")),
}
"""What is said of trials that were written before there were these fields."""


def check_fields(what: str, kind: type[Any], data: Mapping[str, Any]) -> None:
    """Refuse saved data that has not exactly the fields of a dataclass.

    Raises:
        ValueError: it is so.
    """
    names = {field.name for field in fields(kind)}
    if set(data) != names:
        raise ValueError(f"{what} has the fields {sorted(names)}, got {sorted(data)}")


History = Sequence[TrialResult]
"""Finished trials in the order in which they ended; an order may occur more than once."""
