"""Where each unit type should stand: average reward by type and position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cageflow.report.content import Chart, Section, Table
from cageflow.report.drawing import shaded_grid
from cageflow.report.material import Material
from cageflow.report.results import position_means
from cageflow.report.wording import count, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLACES = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th")


def section(material: Material) -> Section | None:
    """The section; none with fewer than two orders."""
    results = material.results
    if len(results) < 2:
        return None
    feasible = [result for result in results if result.feasible]
    shown = feasible if len(feasible) >= 2 else results
    unit_types = material.run.orders.unit_types
    means, counts = position_means(unit_types, shown)
    is_sifted = shown is feasible and not material.run.config.is_enforced
    which = "that reached the compliance threshold" if is_sifted else "that were tried"
    chart = Chart(
        name="positions",
        title="Average reward by unit type and place",
        text=f"Table of average rewards of the {count(len(shown), 'workflow')} {which}, by unit type and its place in "
        "the order. The figures stand in the table below.",
        draw=lambda figure, narrow: _draw(figure, narrow, unit_types, means, counts),
        heights=(70 + 52 * len(unit_types), 60 + 48 * len(unit_types)),
        note=f"Each cell is the mean over those of the {count(len(shown), 'workflow')} {which} with that type at that "
        "place, and below it how many these are. The stronger the colour, the better; empty where there is none. With "
        "few workflows a cell says as much about what else stood in them as about the type.",
        table=_table(unit_types, means, counts),
    )
    return Section("positions", "Which type at which place", (chart,), "Orders")


def shades(means: npt.NDArray[np.float64]) -> list[list[float | None]]:
    """(n, n) 0.1 for the lowest mean to 1 for the highest; None where there is none."""
    low, high = float(np.nanmin(means)), float(np.nanmax(means))
    span = high - low or 1.0
    return [[None if np.isnan(cell) else 0.1 + 0.9 * (cell - low) / span for cell in line] for line in means.tolist()]


def _draw(
    figure: Figure,
    narrow: bool,
    unit_types: Sequence[str],
    means: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
) -> None:
    axes = figure.subplots()
    words = [
        [f"{number(mean, 1)}\nn = {size}" for mean, size in zip(line, sizes, strict=True)]
        for line, sizes in zip(means.tolist(), counts.tolist(), strict=True)
    ]
    shaded_grid(
        axes, shades(means), words, list(unit_types), list(PLACES[: len(unit_types)]), "teal", 10.0 if narrow else 12.0
    )
    axes.set_xlabel("place in the order")


def _table(unit_types: Sequence[str], means: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]) -> Table:
    rows = [
        (
            unit_type,
            *("" if size == 0 else f"{number(mean)} ({size})" for mean, size in zip(line, sizes, strict=True)),
        )
        for unit_type, line, sizes in zip(unit_types, means.tolist(), counts.tolist(), strict=True)
    ]
    return Table(
        "Average reward by unit type and place, in brackets over how many workflows",
        ("Unit type", *(f"#{place}" for place in PLACES[: len(unit_types)])),
        tuple(rows),
        folded="The same as a table",
    )
