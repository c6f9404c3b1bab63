"""The table of baselines: what each has come to with each seed, and the means over the seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from cageflow.csv_format import Column, CsvFormat, csv_text, decimals, or_none, whole
from cageflow.errors import UserError
from cageflow.files import checksum, read_whole, write_whole
from cageflow.reading import TextError, parse_rows
from cageflow.scenario.orders import Order, format_order, log_order, read_order, show_order

CHECK = "Check"
"""The last column: by which a line is known to be as it was written."""
NO_ORDER = "none"


def _write_order(order: Order | None) -> str:
    return NO_ORDER if order is None else log_order(order)


def _read_order(cell: str) -> Order | None:
    return None if cell == NO_ORDER else read_order(cell)


@dataclass(frozen=True, kw_only=True)
class BaselineRow:
    """One baseline with one seed.

    Attributes:
        baseline: its name.
        order: that its fixes are judged by, or None.
        seed: of its training and of its evaluation.
        reward, reward_se: mean return of the game over fresh episodes, and its standard error.
        compliance: mean over the same episodes; None without an order.
        episodes: trained; 0 for one that needs no training.
        train_seconds, evaluation_seconds: wall-clock time.
        policy: its policy file as seen from the folder of the run; None for one that needs no training.
    """

    baseline: Annotated[str, Column("Baseline")]
    order: Annotated[Order | None, Column("Workflow_Order", _write_order, _read_order)]
    seed: Annotated[int, whole("Seed")]
    reward: Annotated[float, decimals("Reward", 4)]
    reward_se: Annotated[float, decimals("Reward_SE", 4)]
    compliance: Annotated[float | None, or_none(decimals("Compliance", 4))]
    episodes: Annotated[int, whole("Episodes")]
    train_seconds: Annotated[float, decimals("Train_Seconds", 2)]
    evaluation_seconds: Annotated[float, decimals("Evaluation_Seconds", 2)]
    policy: Annotated[str | None, or_none(Column("Policy"))]


ROWS = CsvFormat(BaselineRow)
OF_ALL_SEEDS = ("reward", "reward_se", "seed_sd", "compliance", "episodes", "train_seconds")
OF_A_SEED = tuple(field.name for field in fields(BaselineRow) if field.name not in ("baseline", "order"))


@dataclass(frozen=True)
class BaselineSummary:
    """One baseline over its seeds.

    Attributes:
        rows: one for each seed, at least one.
    """

    rows: tuple[BaselineRow, ...]

    @property
    def name(self) -> str:
        """Of the baseline."""
        return self.rows[0].baseline

    @property
    def order(self) -> Order | None:
        """That its fixes are judged by, or None."""
        return self.rows[0].order

    @property
    def reward(self) -> float:
        """Mean of the seeds' means."""
        return float(np.mean([row.reward for row in self.rows]))

    @property
    def reward_se(self) -> float:
        """Standard error of that mean by the episodes of the evaluations: how well these policies are known.

        It does not say how other seeds would do; `seed_sd` does.
        """
        return math.sqrt(sum(row.reward_se**2 for row in self.rows)) / len(self.rows)

    @property
    def seed_sd(self) -> float | None:
        """Standard deviation of the seeds' means; None with one seed."""
        return float(np.std([row.reward for row in self.rows], ddof=1)) if len(self.rows) > 1 else None

    @property
    def compliance(self) -> float | None:
        """Mean of the seeds' compliance; None without an order."""
        known = [row.compliance for row in self.rows if row.compliance is not None]
        return float(np.mean(known)) if known else None

    @property
    def episodes(self) -> int:
        """Trained with each seed, the most of them."""
        return max(row.episodes for row in self.rows)

    @property
    def train_seconds(self) -> float:
        """Mean over the seeds."""
        return float(np.mean([row.train_seconds for row in self.rows]))

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "baseline": self.name,
            "workflow": None if self.order is None else format_order(self.order),
            **{name: getattr(self, name) for name in OF_ALL_SEEDS},
            "seeds": [{name: getattr(row, name) for name in OF_A_SEED} for row in self.rows],
        }


def summarize_rows(rows: Sequence[BaselineRow]) -> list[BaselineSummary]:
    """One summary for each baseline, in the order in which they first occur."""
    groups: dict[str, list[BaselineRow]] = {}
    for row in rows:
        groups.setdefault(row.baseline, []).append(row)
    return [BaselineSummary(tuple(group)) for group in groups.values()]


def format_markdown(summaries: Sequence[BaselineSummary]) -> str:
    """The table for a document."""
    lines = [
        "| baseline | workflow | return | SD over seeds | compliance | episodes | training |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in summaries:
        spread = "" if one.seed_sd is None else f"{one.seed_sd:.2f}"
        cells = [
            one.name,
            "" if one.order is None else show_order(one.order),
            f"{one.reward:.2f} ± {one.reward_se:.2f}".replace("-", "−"),
            spread,
            "" if one.compliance is None else f"{one.compliance:.1%}".replace("%", " %"),
            f"{one.episodes:,}" if one.episodes else "",
            f"{one.train_seconds:.0f} s" if one.episodes else "",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(line.replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def format_csv(summaries: Sequence[BaselineSummary]) -> str:
    """The table for a program: a line for each baseline."""
    header = ["Baseline", "Workflow_Order", "Seeds", "Reward", "Reward_SE", "Seed_SD", "Compliance", "Episodes"]
    lines = [
        [one.name, _write_order(one.order), len(one.rows), f"{one.reward:.4f}", f"{one.reward_se:.4f}"]
        + ["" if one.seed_sd is None else f"{one.seed_sd:.4f}"]
        + ["" if one.compliance is None else f"{one.compliance:.4f}", one.episodes, f"{one.train_seconds:.2f}"]
        for one in summaries
    ]
    return csv_text([[*header, "Train_Seconds"], *lines])


def read_baselines(path: Path) -> list[BaselineRow]:
    """Read the log of a run; none if there is none yet.

    Raises:
        UserError: it is no such log, or a line of it is not as it was written; the message names the line.
    """
    if not path.exists():
        return []
    try:
        lines = parse_rows(read_whole(path).decode())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except (TextError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    columns = (*ROWS.columns, CHECK)
    if not lines or tuple(lines[0]) != columns:
        raise UserError(f"{path} is no log of baselines of this version: expected the columns {','.join(columns)}")
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if not cells or cells[-1] != _check(cells[:-1]):
            raise UserError(f"{path}, line {number}: it is not as it was written; remove it to have it measured again")
        try:
            rows.append(ROWS.parse(dict(zip(columns, cells, strict=True))))
        except ValueError as error:
            raise UserError(f"{path}, line {number}: {error}") from error
    return rows


def write_baselines(path: Path, rows: Sequence[BaselineRow]) -> None:
    """Write the log, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    lines = [ROWS.cells(row) for row in rows]
    checked = [[*cells, _check(cells)] for cells in lines]
    write_whole(path, csv_text([(*ROWS.columns, CHECK), *checked]).encode())


def _check(cells: Sequence[str]) -> str:
    """What the last column says of the others."""
    return checksum(",".join(cells).encode())[:16]
