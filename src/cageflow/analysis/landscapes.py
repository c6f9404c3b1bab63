"""A landscape with all that stands beside its table: how orders were kept, plain PPO, the order by worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cageflow.analysis.answer import Trainings
from cageflow.analysis.beside import BY_WORTH, PLAIN, PLAIN_LONG, beside_landscape
from cageflow.errors import UserError
from cageflow.measure.differences import Differences, differences_of
from cageflow.scenario.named import load_network
from cageflow.scenario.orders import Order
from cageflow.scenario.worth import order_by_worth
from cageflow.search.landscape import Landscape, find_landscape, read_landscape
from cageflow.search.landscape_about import RUN_TABLE, LandscapeAbout, read_about

THRESHOLD = 0.95
"""Compliance that an order is taken to have to reach where nothing says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLandscape:
    """A landscape and what stands beside it.

    Attributes:
        name: as the user names it.
        table: the trainings.
        about: how they were made; None where nothing says so.
        beside: what other trainings came to, by their kinds.
        by_worth: the order that a person would write by what the types are worth; None where the network is not known.
    """

    name: str
    table: Landscape
    about: LandscapeAbout | None
    beside: Mapping[str, Trainings]
    by_worth: Order | None

    @property
    def threshold(self) -> float:
        """Compliance that a training has to reach."""
        return THRESHOLD if self.about is None else self.about.compliance_threshold

    @property
    def is_sample(self) -> bool:
        """Whether it has some of the orders alone."""
        table = self.table.whole
        return table.is_complete and len({row.order for row in table.rows}) < len(table.space)

    def rewards_of(self, kind: str) -> tuple[float, ...]:
        """Of the trainings beside it of a kind; none where there are none."""
        return self.beside[kind].rewards if kind in self.beside else ()

    def differences(self, threshold: float | None = None) -> Differences:
        """Whether its orders differ; raises `UserError` where it has fewer than two."""
        trained = [row.reward for row in self.table.full.rows if row.order == self.by_worth]
        longer = self.beside.get(PLAIN_LONG)
        return differences_of(
            self.table,
            self.threshold if threshold is None else threshold,
            self.rewards_of(PLAIN),
            longer=None if longer is None else (longer.episodes, longer.rewards),
            by_worth=None if self.by_worth is None else (self.by_worth, trained or self.rewards_of(BY_WORTH)),
        )


def table_in(given: str | Path) -> Path:
    """The table in the folder of a run of `landscape`; what is no such folder as it is."""
    table = Path(given) / RUN_TABLE
    return table if table.is_file() else Path(given)


def open_landscape(given: str | Path) -> OpenLandscape:
    """Read a landscape with what stands beside it.

    Args:
        given: the path of a table, the folder of the run that wrote it, or the name of a shipped one.

    Raises:
        UserError: there is neither, or it is none.
    """
    path = find_landscape(str(table_in(given)))
    table, about = read_landscape(path), read_about(path)
    found = {kind: beside_landscape(path, kind) for kind in (PLAIN, PLAIN_LONG, BY_WORTH)}
    return OpenLandscape(
        name=Path(given).stem,
        table=table,
        about=about,
        beside={kind: trainings for kind, trainings in found.items() if trainings is not None},
        by_worth=None if about is None else _by_worth(about, table),
    )


def _by_worth(about: LandscapeAbout, table: Landscape) -> Order | None:
    """The order by worth of the network, if that can still be had and is the one of the table."""
    try:
        order = order_by_worth(load_network(about.scenario, about.durations))
    except UserError:
        return None
    return order if order in table.space else None
