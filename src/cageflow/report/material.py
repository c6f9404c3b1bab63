"""All that the sections are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cageflow.analysis.playbook import Playbook
from cageflow.evaluation.statistics import Estimate, summarize
from cageflow.report.results import OrderResult, order_results
from cageflow.runs.saved_run import SavedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another run's best policy, on the episodes of the playbook.

    Attributes:
        run: it.
        returns: of each episode.
    """

    run: SavedRun
    returns: list[float]


@dataclass(frozen=True)
class Material:
    """A run, what its best policy does, and what it is held against.

    Attributes:
        run: the run.
        playbook: of its best policy.
        rivals: that the user named.
    """

    run: SavedRun
    playbook: Playbook
    rivals: tuple[Rival, ...] = ()

    @cached_property
    def results(self) -> list[OrderResult]:
        """What each order came to, the best first; empty for a single training."""
        return order_results(self.run)

    @cached_property
    def fresh(self) -> Estimate:
        """Mean return of the playbook's episodes, which had no part in the choice of the policy."""
        return summarize(self.playbook.returns).estimate

    @property
    def max_steps(self) -> int:
        """Of an episode."""
        return self.run.config.max_steps

    @property
    def takes_time(self) -> bool:
        """Whether some action of blue's takes more than a step."""
        return self.run.config.game().unchecked_network.blue_takes_time

    def per_episode(self, total: float) -> float:
        """A sum over the playbook's episodes, for one of them."""
        return total / self.playbook.num_episodes
