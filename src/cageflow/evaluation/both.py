"""The same agent in the compiled simulator and in the original, and whether its returns are equivalent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cageflow.agents.sources import AgentSource
from cageflow.errors import UserError
from cageflow.evaluation.protocol import Evaluation, EvaluationSettings, evaluate
from cageflow.evaluation.statistics import ALPHA, POWER, Equivalence, episodes_for_power, equivalence

LEAST_MARGIN = 0.5
RELATIVE_MARGIN = 0.05
"""The margin of a cell is 5 % of CybORG's mean, and at least half of what one Restore costs. It then takes some 300
episodes of CybORG a cell, against a few thousand of ours, to show with a chance of 80 % that two trained defenders'
means which do not differ do not differ."""


@dataclass(frozen=True)
class Parity:
    """Two evaluations of one agent.

    Attributes:
        ours: on the compiled simulator.
        theirs: on CybORG.
        cells: a test for each cell, in their order.
        total: the test of the sum. Its margin is the root of the sum of the cells' squared margins, since errors of
            independent cells add up like that.
    """

    ours: Evaluation
    theirs: Evaluation
    cells: tuple[Equivalence, ...]
    total: Equivalence

    def needed(self, cell_idx: int) -> int:
        """Episodes on both sides that give the test of a cell a power of 80 %."""
        ours, theirs = (side.cells[cell_idx].summary.sd for side in (self.ours, self.theirs))
        return episodes_for_power(ours, theirs, self.cells[cell_idx].margin)

    def to_json(self) -> dict[str, Any]:
        """What `cageflow evaluate --both --json` prints of it."""
        tests = []
        for i, (cell, test) in enumerate(zip(self.ours.cells, self.cells, strict=True)):
            extra = {"needed_episodes": self.needed(i)}
            tests.append({"max_steps": cell.max_steps, "red_agent": cell.red_agent, **_test_json(test), **extra})
        return {
            **self.ours.to_json(),
            "cyborg": self.theirs.to_json(),
            "equivalence": {"alpha": ALPHA, "cells": tests, "total": _test_json(self.total)},
        }


def evaluate_both(
    source: AgentSource,
    settings: EvaluationSettings,
    cyborg_episodes: int | None = None,
    margin: float | None = None,
    say: Callable[[str], None] = lambda words: None,
) -> Parity:
    """Evaluate an agent on both and test the means for equivalence.

    Args:
        source: the agent.
        settings: what is played; its `cyborg_path` is set.
        cyborg_episodes: of each cell on CybORG; None is as many as on the compiled simulator.
        margin: of a cell, in reward; None is `RELATIVE_MARGIN` of CybORG's mean, at least `LEAST_MARGIN`.
        say: is told of each cell that is done on CybORG.

    Raises:
        UserError: the margin is not above 0, or as for `evaluate`.
        WorkerError: a process died.
    """
    if margin is not None and not (math.isfinite(margin) and margin > 0.0):
        raise UserError(f"margin is {margin}; expected a reward above 0.")
    theirs = evaluate(source, replace(settings, episodes=cyborg_episodes or settings.episodes), say)
    ours = evaluate(source, replace(settings, cyborg_path=None))
    tests = []
    for mine, its in zip(ours.cells, theirs.cells, strict=True):
        room = max(LEAST_MARGIN, RELATIVE_MARGIN * abs(its.summary.mean)) if margin is None else margin
        tests.append(equivalence(mine.summary.estimate, its.summary.estimate, room))
    room = math.sqrt(sum(test.margin**2 for test in tests))
    return Parity(ours, theirs, tuple(tests), equivalence(ours.total, theirs.total, room))


def _test_json(test: Equivalence) -> dict[str, Any]:
    return {
        "difference": test.difference.mean,
        "difference_se": test.difference.se,
        "interval": list(test.interval),
        "margin": test.margin,
        "p_value": test.p_value,
        "power": test.power,
        "is_powerful": test.power >= POWER,
        "verdict": test.verdict,
    }
