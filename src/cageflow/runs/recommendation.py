"""What a run with trials recommends when it has ended, as a file of its folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cageflow.errors import UserError
from cageflow.files import write_whole
from cageflow.runs.layout import RECOMMENDATION
from cageflow.scenario.orders import Order, format_order, read_order
from cageflow.settings.settings_file import dump_settings, read_object
from cageflow.training.trainer import FreshEvaluation
from cageflow.workflow.tested import OrderTests


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalTraining:
    """The training with the episodes that a search has kept back for its order.

    Attributes:
        after: episodes that the trials had when it began.
        episodes: of it.
        evaluation: of its policy, on fresh episodes.
    """

    after: int
    episodes: int
    evaluation: FreshEvaluation

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FinalTraining:
        """Read what `asdict` gave; raises as `SavedRecommendation.from_json` where it did not."""
        return cls(
            after=int(data["after"]), episodes=int(data["episodes"]), evaluation=_evaluation(dict(data["evaluation"]))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRecommendation:
    """The order to follow, and what its policy came to on episodes that decided nothing.

    Attributes:
        order: the workflow.
        training: number of the training whose policy it is, from 1.
        training_episodes: that the policy has learned from.
        feasible: whether the policy had reached the compliance threshold when it was chosen.
        belief: what the search expected of the order, reward at the full budget; None where none was feasible.
        evaluation: of the policy that the search left, on fresh episodes.
        final: the training that has taken the place of that; None without.
    """

    order: Order
    training: int
    training_episodes: int
    feasible: bool
    belief: float | None
    evaluation: FreshEvaluation
    final: FinalTraining | None = None

    @property
    def measured(self) -> FreshEvaluation:
        """What the run's policy came to, trained on or not."""
        return self.evaluation if self.final is None else self.final.evaluation

    def to_json(self) -> dict[str, Any]:
        """The recommendation as plain data."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        final = own.pop("final")
        content = {"workflow": format_order(own.pop("order")), **own, "evaluation": asdict(self.evaluation)}
        return content if final is None else {**content, "final": asdict(final)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SavedRecommendation:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is no recommendation.
        """
        try:
            found = cls(
                order=read_order(data["workflow"]),
                training=int(data["training"]),
                training_episodes=int(data["training_episodes"]),
                feasible=bool(data["feasible"]),
                belief=None if data["belief"] is None else float(data["belief"]),
                evaluation=_evaluation(dict(data["evaluation"])),
                final=None if data.get("final") is None else FinalTraining.from_json(data["final"]),
            )
            if not all(math.isfinite(one.reward + one.reward_se) for one in (found.evaluation, found.measured)):
                raise ValueError("expected finite rewards")
            return found
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"expected a recommendation, got {error}") from error


def _evaluation(data: dict[str, Any]) -> FreshEvaluation:
    tests = dict(data.pop("tests"))
    contests = tuple(tuple(map(float, row)) for row in tests.pop("contests"))
    return FreshEvaluation(
        tests=OrderTests(contests=contests, **{name: float(value) for name, value in tests.items()}),
        episodes=int(data.pop("episodes")),
        **{name: float(value) for name, value in data.items()},
    )


def write_recommendation(folder: Path, recommendation: SavedRecommendation) -> None:
    """Write the file."""
    write_whole(folder / RECOMMENDATION, dump_settings(recommendation.to_json()))


def read_recommendation(folder: Path) -> SavedRecommendation | None:
    """What a run recommends; None where it has not ended, or is of a version that did not write it down.

    Raises:
        UserError: the file cannot be read, or is no recommendation.
    """
    path = folder / RECOMMENDATION
    if not path.exists():
        return None
    try:
        return SavedRecommendation.from_json(read_object(path))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is no recommendation of a run: {error}") from error
