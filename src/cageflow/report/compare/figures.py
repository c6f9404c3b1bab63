"""The figures of a comparison: what each group came to, and how far each is from the reference of its game."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.errors import UserError
from cageflow.evaluation.protocol import EvaluationSettings, evaluate
from cageflow.evaluation.statistics import (
    Estimate,
    Interval,
    Summary,
    bootstrap_difference,
    hedges_g,
    probability_of_superiority,
    summarize,
)
from cageflow.report.compare.groups import Group
from cageflow.report.compare.members import Game, Member
from cageflow.report.wording import count

SEEDS, EPISODES = "seeds", "episodes"
"""What an interval is over: the first covers the chance of training, the second only that of evaluation."""


@dataclass(frozen=True, kw_only=True)
class MemberFigures:
    """What one member came to.

    Attributes:
        member: the member.
        returns: (N,) float64 of fresh episodes.
        compliance: mean over these; None without a workflow.
        tail: mean return of its last training episodes; NaN where it kept none.
        reached: for each threshold the episodes until it was reached, infinite where it was not.
    """

    member: Member
    returns: npt.NDArray[np.float64]
    compliance: float | None
    tail: float
    reached: tuple[float, ...]

    @property
    def summary(self) -> Summary:
        """Of the fresh episodes."""
        return summarize(self.returns)

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "run": str(self.member.path),
            "seed": self.member.seed,
            "reward": self.summary.mean,
            "reward_se": self.summary.se,
            "training_reward": finite(self.tail),
            "compliance": self.compliance,
            "episodes": self.member.episodes,
            "train_seconds": self.member.seconds,
            "episodes_to_threshold": [finite(value) for value in self.reached],
        }


@dataclass(frozen=True, kw_only=True)
class GroupFigures:
    """What a group came to.

    Attributes:
        group: the group.
        members: the figures of each of its members.
        thresholds: rewards, as they were asked for.
    """

    group: Group
    members: tuple[MemberFigures, ...]
    thresholds: tuple[float, ...]

    @property
    def label(self) -> str:
        """Of the group."""
        return self.group.label

    @property
    def rewards(self) -> npt.NDArray[np.float64]:
        """(S,) mean returns of fresh episodes, by seed."""
        return np.array([one.summary.mean for one in self.members])

    @property
    def returns(self) -> npt.NDArray[np.float64]:
        """Of all fresh episodes of all seeds."""
        return np.concatenate([one.returns for one in self.members])

    @property
    def unit(self) -> str:
        """What its interval is over: SEEDS, or EPISODES where there is one seed."""
        return SEEDS if len(self.members) > 1 else EPISODES

    @property
    def reward(self) -> Estimate:
        """Mean over the seeds."""
        return summarize(self.rewards if self.unit == SEEDS else self.returns).estimate

    @property
    def seed_sd(self) -> float:
        """Standard deviation of the seeds' rewards; NaN with one seed."""
        return _sd(self.rewards)

    @property
    def tail(self) -> float:
        """Mean over the seeds of the reward of the last training episodes; NaN where one kept none."""
        return float(np.mean([one.tail for one in self.members]))

    @property
    def tail_sd(self) -> float:
        """Standard deviation of these; NaN with one seed."""
        return _sd(np.array([one.tail for one in self.members]))

    @property
    def compliance(self) -> float | None:
        """Mean over the seeds; None where one follows no workflow."""
        known = [one.compliance for one in self.members if one.compliance is not None]
        return float(np.mean(known)) if len(known) == len(self.members) else None

    @property
    def episodes(self) -> float:
        """Trained, mean over the seeds."""
        return float(np.mean([one.member.episodes for one in self.members]))

    @property
    def seconds(self) -> float:
        """Of training, mean over the seeds."""
        return float(np.mean([one.member.seconds for one in self.members]))

    def reached(self, threshold: int) -> tuple[float, int]:
        """Median over all seeds of the episodes until a threshold, infinite if half never reach it; and how many do.

        A median, since it has a value also where some seeds never arrive.
        """
        values = np.sort([one.reached[threshold] for one in self.members])
        middle = values[[(len(values) - 1) // 2, len(values) // 2]]
        return float(middle.mean()) if np.isfinite(middle).all() else math.inf, int(np.isfinite(values).sum())

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "group": self.label,
            "game": self.group.game._asdict(),
            "num_seeds": len(self.members),
            "reward": self.reward.mean,
            "reward_interval": list(self.reward.interval()),
            "interval_over": self.unit,
            "seed_sd": finite(self.seed_sd),
            "training_reward": finite(self.tail),
            "training_reward_sd": finite(self.tail_sd),
            "compliance": self.compliance,
            "episodes": self.episodes,
            "train_seconds": self.seconds,
            "thresholds": [
                {"reward": threshold, "episodes": finite(self.reached(i)[0]), "num_reached": self.reached(i)[1]}
                for i, threshold in enumerate(self.thresholds)
            ],
            "runs": [one.to_json() for one in self.members],
        }


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far a group is from its reference.

    Attributes:
        group, reference: labels.
        unit: what is compared: means of seeds, or, where either has one seed, single episodes.
        welch: difference of the means, with its standard error.
        bootstrap: its BCa interval.
        hedges_g: the difference in pooled standard deviations; infinite where neither varies.
        superiority: chance that one of the group beats one of the reference.
    """

    group: str
    reference: str
    unit: str
    welch: Estimate
    bootstrap: Interval
    hedges_g: float
    superiority: float

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "group": self.group,
            "against": self.reference,
            "over": self.unit,
            "difference": self.welch.mean,
            "bootstrap_interval": list(self.bootstrap),
            "welch_interval": list(self.welch.interval()),
            "welch_p": self.welch.p_value(),
            "hedges_g": finite(self.hedges_g),
            "probability_of_superiority": self.superiority,
        }


def measure(
    groups: Sequence[Group],
    *,
    episodes: int,
    seed: int,
    window: int,
    thresholds: Sequence[float],
    say: Callable[[str], None] = lambda words: None,
) -> list[GroupFigures]:
    """Play fresh episodes of every member's agent, and read its training.

    Each member has episodes of its own, so that the spread over seeds holds the chance of the evaluation too, and no
    two means hang together.

    Args:
        groups: what is measured.
        episodes: fresh ones for each member, at least 2.
        seed: decides them.
        window: training episodes that the last reward is a mean of, and the curve that a threshold is held against.
        thresholds: rewards.
        say: is told of each group that is done.

    Raises:
        UserError: a number is not possible, or an agent does not fit its game.
    """
    if window < 1:
        raise UserError(f"--window is {window}: expected a number of episodes from 1")
    measured, number = [], 0
    for group in groups:
        members = []
        for member in group.members:
            (cell,) = evaluate(member.source, _evaluation(member, episodes, seed, number)).cells
            number += 1
            members.append(
                MemberFigures(
                    member=member,
                    returns=cell.returns,
                    compliance=cell.compliance,
                    tail=member.curve.tail_mean(window),
                    reached=tuple(member.curve.first_at(threshold, window) for threshold in thresholds),
                )
            )
        measured.append(GroupFigures(group=group, members=tuple(members), thresholds=tuple(thresholds)))
        say(f"{group.label}: played {count(episodes, 'fresh episode')} of {count(len(members), 'run')}")
    return measured


def differences(figures: Sequence[GroupFigures], against: str | None) -> list[Difference]:
    """Each group against the reference of its game: the one asked for, else the first.

    Args:
        figures: of all groups.
        against: label of the group that those of its game are held against, or None.
    """
    found = []
    for alike in by_game(figures).values():
        reference = next((one for one in alike if one.label == against), alike[0])
        found += [difference(one, reference) for one in alike if one is not reference]
    return found


def difference(group: GroupFigures, reference: GroupFigures) -> Difference:
    """One group minus another, over seeds if both have several, else over episodes."""
    unit = SEEDS if group.unit == reference.unit == SEEDS else EPISODES
    ours, theirs = (one.rewards if unit == SEEDS else one.returns for one in (group, reference))
    return Difference(
        group=group.label,
        reference=reference.label,
        unit=unit,
        welch=summarize(ours).estimate - summarize(theirs).estimate,
        bootstrap=bootstrap_difference(ours, theirs),
        hedges_g=hedges_g(ours, theirs),
        superiority=probability_of_superiority(ours, theirs),
    )


def by_game(figures: Sequence[GroupFigures]) -> dict[Game, list[GroupFigures]]:
    """The groups of each game, in their order."""
    games: dict[Game, list[GroupFigures]] = {}
    for one in figures:
        games.setdefault(one.group.game, []).append(one)
    return games


def finite(value: float) -> float | None:
    """A number as JSON can have it."""
    return value if math.isfinite(value) else None


def _evaluation(member: Member, episodes: int, seed: int, number: int) -> EvaluationSettings:
    options = member.options
    (own_seed,) = np.random.SeedSequence([seed, number]).generate_state(1, np.uint32)
    return EvaluationSettings(options, episodes, int(own_seed), (options.max_steps,), (options.red_agent,))


def _sd(values: npt.NDArray[np.float64]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
