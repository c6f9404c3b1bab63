"""What champions have come to under each of the rules: nine cells and the total of each seed, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cageflow.evaluation.leader_board import leader_board
from cageflow.evaluation.protocol import Evaluation
from cageflow.evaluation.statistics import Estimate, summarize
from cageflow.scenario.red_agents import red_words
from cageflow.settings.commands import TrainConfig


@dataclass(frozen=True)
class SeedResult:
    """One training.

    Attributes:
        seed: of it.
        evaluation: of its policy.
        episodes: that it was trained for.
        seconds: that it spent collecting episodes and learning from them.
    """

    seed: int
    evaluation: Evaluation
    episodes: int
    seconds: float

    @property
    def total(self) -> Estimate:
        """The sum of the nine means, with the error that the episodes of the evaluation leave."""
        return self.evaluation.total

    @property
    def compliance(self) -> float | None:
        """Mean over the cells in which red attacks; None without a workflow."""
        attacked = [cell for cell in self.evaluation.cells if cell.red_agent != "SleepAgent"]
        shares = [cell.compliance for cell in attacked if cell.compliance is not None]
        return float(np.mean(shares)) if shares else None


@dataclass(frozen=True)
class ChampionTable:
    """What a run has come to under one of the rules.

    Attributes:
        run_dir: its folder.
        config: of its trainings.
        results: one for each seed, at least one.
    """

    run_dir: Path
    config: TrainConfig
    results: tuple[SeedResult, ...]

    @property
    def rules(self) -> str:
        """Those that it was judged by."""
        return self.results[0].evaluation.settings.game.rules

    @property
    def total(self) -> Estimate | None:
        """Mean of the seeds' totals, with the error that the seeds leave; None with one seed."""
        totals = [result.total.mean for result in self.results]
        return summarize(np.array(totals)).estimate if len(totals) > 1 else None

    @property
    def seed_sd(self) -> float | None:
        """Standard deviation of the seeds' totals; None with one seed."""
        totals = [result.total.mean for result in self.results]
        return float(np.std(totals, ddof=1)) if len(totals) > 1 else None

    def cell_means(self) -> list[float]:
        """The nine means over the seeds, in the order of the evaluation's cells."""
        return [
            float(np.mean([result.evaluation.cells[i].summary.mean for result in self.results]))
            for i in range(len(self.results[0].evaluation.cells))
        ]

    def winner_cells(self) -> list[float] | None:
        """The means of the challenge's winner under these rules, in the same order; None where they are not known."""
        evaluation = self.results[0].evaluation
        cells = leader_board().winner_cells(evaluation)
        return None if cells is None else [cells[cell.max_steps, cell.red_agent] for cell in evaluation.cells]

    def markdown(self) -> str:
        """The table for a document: a line for each seed, their mean, and the challenge's winner."""
        first = self.results[0].evaluation
        has_compliance = self.results[0].compliance is not None
        names = [f"{cell.max_steps} {red_words(cell.red_agent)}" for cell in first.cells]
        lines = [["", *names, "total", *(["compliance"] if has_compliance else []), "training"]]
        lines.append(["---"] * len(lines[0]))
        for result in self.results:
            means = [cell.summary.mean for cell in result.evaluation.cells]
            total = f"{_number(result.total.mean)} ± {result.total.half_width():.2f}"
            training = f"{result.episodes:,} episodes, {result.seconds:.0f} s"
            lines.append([f"seed {result.seed}", *map(_number, means), total, *_shares([result]), training])
        if self.total is not None:
            low, high = (_number(bound) for bound in self.total.interval())
            total = f"**{_number(self.total.mean)}**, SD {self.seed_sd:.2f}, 95 % interval {low} to {high}"
            training = f"{np.mean([result.seconds for result in self.results]):.0f} s"
            lines.append(["mean", *map(_number, self.cell_means()), total, *_shares(self.results), training])
        winner = self.winner_cells()
        if winner is not None:
            name = f"{leader_board().entries[0].team}, the winner"
            lines.append([name, *map(_number, winner), _number(sum(winner)), *([""] * (1 + has_compliance))])
        return "\n".join(f"| {' | '.join(line)} |".replace("  |", " |") for line in lines)

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints where there is one."""
        return {
            "run_dir": str(self.run_dir),
            "config": self.config.to_json(),
            "network": self.results[0].evaluation.settings.network.to_json(),
            **self.results_json(),
        }

    def results_json(self) -> dict[str, Any]:
        """What differs from one set of rules to the other."""
        total = self.total
        return {
            "seeds": [
                {
                    "seed": result.seed,
                    "episodes": result.episodes,
                    "seconds": result.seconds,
                    "compliance": result.compliance,
                    "evaluation": result.evaluation.to_json(),
                }
                for result in self.results
            ],
            "total": float(np.mean([result.total.mean for result in self.results])),
            "total_interval": None if total is None else list(total.interval()),
            "seed_sd": self.seed_sd,
        }


@dataclass(frozen=True)
class ChampionTables:
    """What a run has come to: one table for each of the rules that its trainings were made for.

    Attributes:
        tables: at least one, of one run.
    """

    tables: tuple[ChampionTable, ...]

    def markdown(self) -> str:
        """The tables for a document."""
        if len(self.tables) == 1:
            return self.tables[0].markdown()
        return "\n\n".join(f"Rules `{table.rules}`:\n\n{table.markdown()}" for table in self.tables)

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints; of several, what each has come to stands in `rules`."""
        first = self.tables[0]
        if len(self.tables) == 1:
            return first.to_json()
        common = {name: value for name, value in first.to_json().items() if name not in first.results_json()}
        return {**common, "rules": {table.rules: table.results_json() for table in self.tables}}


def _number(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")


def _shares(results: Sequence[SeedResult]) -> list[str]:
    """The mean compliance, as one cell; none without a workflow."""
    shares = [result.compliance for result in results if result.compliance is not None]
    return [f"{np.mean(shares) * 100:.1f} %"] if shares else []
