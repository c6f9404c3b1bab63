"""All that the sections are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cageflow.analysis.answer import Answer
from cageflow.analysis.beside import PLAIN, find_answer, read_beside
from cageflow.analysis.playbook import Playbook
from cageflow.analysis.standing import Standing
from cageflow.evaluation.statistics import Estimate, summarize
from cageflow.measure.differences import Differences, find_differences
from cageflow.report.results import OrderResult, order_results
from cageflow.runs.saved_run import SavedRun
from cageflow.scenario.orders import Order
from cageflow.settings.commands import SearchConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another run's best policy, on the episodes of the playbook.

    Attributes:
        run: it.
        name: what the page calls it, as `rival_names` says.
        returns: of each episode.
    """

    run: SavedRun
    name: str
    returns: list[float]


@dataclass(frozen=True)
class Material:
    """A run, what its best policy does, and what it is held against.

    Attributes:
        run: the run.
        playbook: of its best policy.
        rivals: that the user named, and what was trained beside the run.
        standing: of its best policy against every red agent; None where that was not played.
    """

    run: SavedRun
    playbook: Playbook
    rivals: tuple[Rival, ...] = ()
    standing: Standing | None = None

    @cached_property
    def answer(self) -> Answer | None:
        """What a search has found; None of other runs."""
        return find_answer(self.run) if isinstance(self.run.config, SearchConfig) else None

    @cached_property
    def differences(self) -> Differences | None:
        """Whether the orders of a landscape differ; None of other runs, and with fewer than two orders."""
        if not self.run.config.trains_anew or len({trial.result.order for trial in self.run.trials}) < 2:
            return None
        rewards: dict[Order, list[float]] = {}
        for result in self.results:
            trainings = [one.result.reward for one in self.run.comparable if one.result.order == result.order]
            if result.feasible or not self.run.is_feasible:
                rewards[result.order] = trainings
        plain = read_beside(self.run.path, PLAIN)
        return (
            find_differences(self.run.orders, rewards, () if plain is None else plain.rewards)
            if len(rewards) > 1
            else None
        )

    @cached_property
    def results(self) -> list[OrderResult]:
        """What each order came to, the best first; empty for a single training."""
        return order_results(self.run)

    @property
    def given_up(self) -> int:
        """Workflows that were tried beside those of `results`: their training was given up on its way."""
        return len({trial.result.order for trial in self.run.trials}) - len(self.results)

    @property
    def how_tried(self) -> str:
        """What sets the workflows of `results` apart from others."""
        return "trained to the end" if self.given_up else "tried"

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
