"""What a comparison of strategies has to say: tables of figures, and the files of `cageflow regret`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cageflow.csv_format import csv_text
from cageflow.files import write_whole
from cageflow.report.drawing import draw
from cageflow.report.regret_chart import panels_of, regret_chart

if TYPE_CHECKING:
    from cageflow.measure.calibration import Calibration
    from cageflow.measure.regret import Regrets

MARKED_TRIALS = (10, 20, 40, 60)
TOLERANCE = 1.0
"""Regret at which an order is as good as the best, in points of reward."""
REGRET_COLUMNS = (
    "Contender,Strategy,Kernel,Trial,Simple_Mean,Simple_SE,Simple_Q05,Simple_Median,Simple_Q95,"
    "Cumulative_Mean,Cumulative_SE,Cumulative_Q05,Cumulative_Median,Cumulative_Q95,Infeasible_Share"
)
CALIBRATION_COLUMNS = (
    "Quantity,Kernel,Training_Orders,Held_Out,Splits,Within_1,Within_1_SE,Within_2,Within_2_SE,"
    "Mean_Within_1,Mean_Within_1_SE,Mean_Within_2,Mean_Within_2_SE,Explained"
)


def marked_trials(trials: int) -> list[int]:
    """The trials at which figures are printed: 10, 20, 40 and 60 as far as there are so many, and the last."""
    return sorted({trial for trial in MARKED_TRIALS if trial < trials} | {trials})


def regret_figures(regrets: Sequence[Regrets]) -> list[dict[str, Any]]:
    """One object a contender: both regrets at the marked trials, mean and 95 % band of the mean, and trials to within.

    A band is 1.96 standard errors over the repetitions to either side. `trials_to_within_1` is the median; None if half
    the repetitions never come so near.
    """
    return [
        {
            "contender": one.contender.label,
            "strategy": one.contender.strategy,
            "kernel": one.contender.settings.kernel,
            "simple_regret": _at_marks(one.simple),
            "cumulative_regret": _at_marks(one.cumulative),
            "trials_to_within_1": _finite(float(np.median(one.trials_to_within(TOLERANCE)))),
            "share_within_1": float(np.isfinite(one.trials_to_within(TOLERANCE)).mean()),
            "infeasible_share": float(one.wasted.mean()),
        }
        for one in regrets
    ]


def calibration_figures(parts: Sequence[Calibration]) -> list[dict[str, Any]]:
    """One object for each quantity, kernel and number of training orders."""
    return [
        {
            "quantity": part.quantity,
            "kernel": part.kernel,
            "training_orders": part.training_orders,
            "held_out": part.held_out,
            **{
                name: [share, part.error(share)]
                for name, share in (
                    ("within_1", part.within_1),
                    ("within_2", part.within_2),
                    ("mean_within_1", part.mean_within_1),
                    ("mean_within_2", part.mean_within_2),
                )
            },
            "explained": part.explained,
        }
        for part in parts
    ]


def write_regret(folder: Path, regrets: Sequence[Regrets], parts: Sequence[Calibration], title: str) -> list[Path]:
    """Write `regret.csv`, `calibration.csv`, `regret.svg` and `regret.png`.

    Args:
        folder: made if it is missing.
        regrets: one for each contender.
        parts: of the calibration.
        title: what was replayed, for the chart.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "regret.csv", folder / "calibration.csv"]
    write_whole(paths[0], _regret_csv(regrets).encode())
    write_whole(paths[1], _calibration_csv(parts).encode())
    draw(regret_chart([panels_of(title, regrets)])).write_files(folder)
    return [*paths, folder / "regret.svg", folder / "regret.png"]


def _at_marks(values: Any) -> dict[str, list[float]]:
    """Mean and the two ends of its 95 % band, by trial."""
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    mean = values.mean(axis=0)
    return {
        str(t): [float(mean[t - 1]), float(mean[t - 1] - 1.96 * error[t - 1]), float(mean[t - 1] + 1.96 * error[t - 1])]
        for t in marked_trials(values.shape[1])
    }


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None


def _regret_csv(regrets: Sequence[Regrets]) -> str:
    rows = []
    for one in regrets:
        wasted = one.wasted.mean(axis=0)
        columns = [
            column
            for values in (one.simple.astype(np.float64), one.cumulative.astype(np.float64))
            for column in (
                values.mean(axis=0),
                values.std(axis=0, ddof=1) / np.sqrt(len(values)),
                *np.quantile(values, (0.05, 0.5, 0.95), axis=0),
            )
        ]
        names = [one.contender.label, one.contender.strategy, one.contender.settings.kernel]
        for t in range(len(wasted)):
            rows.append([*names, t + 1, *(f"{column[t]:.4f}" for column in (*columns, wasted))])
    return csv_text([REGRET_COLUMNS.split(","), *rows])


def _calibration_csv(parts: Sequence[Calibration]) -> str:
    rows = []
    for part in parts:
        shares = (part.within_1, part.within_2, part.mean_within_1, part.mean_within_2)
        with_errors = [f"{figure:.4f}" for share in shares for figure in (share, part.error(share))]
        facts = [part.quantity, part.kernel, part.training_orders, part.held_out, part.splits]
        rows.append([*facts, *with_errors, f"{part.explained:.4f}"])
    return csv_text([CALIBRATION_COLUMNS.split(","), *rows])
