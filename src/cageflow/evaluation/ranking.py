"""Several agents that played the same episodes, by what they came to: a leader board of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cageflow.errors import UserError
from cageflow.evaluation.protocol import Evaluation, EvaluationSettings
from cageflow.evaluation.statistics import Estimate, sum_of_means, summarize


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An agent's place.

    Attributes:
        rank: from 1.
        evaluation: what it came to.
        behind: by how much the first is better, over the same episodes; None for the first.
    """

    rank: int
    evaluation: Evaluation
    behind: Estimate | None

    @property
    def is_tied(self) -> bool:
        """Whether it cannot be told from the first: the 95 % interval of the difference holds 0."""
        return self.behind is None or self.behind.interval().low <= 0.0

    def to_json(self) -> dict[str, Any]:
        """A row of the table, a column for each figure."""
        total, behind, game = self.evaluation.total, self.behind, self.evaluation.settings.game
        row: dict[str, Any] = {
            "rank": self.rank,
            "policy": self.evaluation.source.name,
            "total": total.mean,
            "total_se": total.se,
            "behind": None if behind is None else behind.mean,
            "behind_se": None if behind is None else behind.se,
            "is_tied": self.is_tied,
            "actions": self.evaluation.source.actions,
            "rules": game.rules,
            "network": self.evaluation.settings.network.name,
            "episodes": self.evaluation.settings.episodes,
        }
        for cell in self.evaluation.cells:
            name = f"{cell.red_agent}_{cell.max_steps}"
            row |= {name: cell.summary.mean, f"{name}_se": cell.summary.se}
        return row


def rank_evaluations(evaluations: Sequence[Evaluation]) -> tuple[Place, ...]:
    """Evaluations from the best total to the worst; equals in the order given.

    The episodes of a cell have the same seeds for all, so each is compared with the first's own.

    Raises:
        UserError: they did not play the same game.
    """
    check_alike([(one.source.name, one.settings) for one in evaluations])
    ranked = sorted(evaluations, key=lambda one: -one.total.mean)
    first = ranked[0]
    return tuple(
        Place(rank=rank, evaluation=one, behind=None if one is first else _behind(first, one))
        for rank, one in enumerate(ranked, 1)
    )


def check_alike(played: Sequence[tuple[str, EvaluationSettings]]) -> None:
    """Refuse what cannot stand in one table.

    Args:
        played: names, and what each plays.

    Raises:
        UserError: networks, rules, simulators, cells, seeds or numbers of episodes differ.
    """
    (first, settings), *others = played
    ours = _game(settings)
    for other, its in others:
        for name, (key, words) in _game(its).items():
            if key != ours[name][0]:
                raise UserError(
                    f"{first} plays with {name} {ours[name][1]} and {other} with {name} {words}: a table takes those "
                    f"who play the same game, so give one {name} for all"
                )


def _game(settings: EvaluationSettings) -> dict[str, tuple[object, object]]:
    """What has to be the same for all, by the names of the settings: what is compared, and how it is said."""
    game, network = settings.game, settings.network
    others = {
        "rules": game.rules,
        "green": game.green,
        "simulator": settings.simulator,
        "max_steps": settings.lengths,
        "red_agent": settings.red_agents,
        "evaluation_episodes": settings.episodes,
        "seed": settings.seed,
    }
    return {
        "network": (network.timeless, network),
        "durations": (network.fingerprint, game.durations),
        **{name: (value, value) for name, value in others.items()},
    }


def _behind(first: Evaluation, other: Evaluation) -> Estimate:
    differences = [a.returns - b.returns for a, b in zip(first.cells, other.cells, strict=True)]
    return sum_of_means([summarize(one) for one in differences])
