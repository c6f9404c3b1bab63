"""Landscapes: what every order of a space came to, trained alike and several times, and judged on the way."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from cageflow.csv_format import Column, CsvFormat, csv_text, decimals, or_none, whole
from cageflow.errors import UserError
from cageflow.files import write_whole
from cageflow.reading import TextError, read_rows
from cageflow.scenario.orders import Order, OrderSpace, log_order, read_order, show_order
from cageflow.search.landscape_about import read_about

SAMPLE_SEED = 0
"""Of the sample of the orders that a landscape of many has."""


def landscape_ranks(space: OrderSpace, most: int) -> NDArray[np.int64]:
    """(K,) ranks, ascending, of the orders that a landscape has: all, or where there are more a sample of `most`.

    The sample is drawn once and for all, so that landscapes of one space share their orders, and a smaller one is part
    of a larger. Evenly spaced ranks would not do: the last types of orders so far apart are all in the same place.
    """
    if len(space) <= most:
        return np.arange(len(space))
    return np.sort(np.random.default_rng(SAMPLE_SEED).permutation(len(space))[:most])


@dataclass(frozen=True, slots=True, kw_only=True)
class LandscapeRow:
    """One training of one order, as it was judged at its end or on its way there.

    Attributes:
        order: the workflow order.
        seed: number of the training among those of its order, from 1.
        reward: mean env return of the policy that it had come to on fresh episodes.
        reward_se: its standard error.
        compliance: mean compliance on the same episodes, 0 to 1.
        compliance_se: its standard error.
        episodes: episodes trained so far: the rung that it was judged at.
        ending: why the training ended there, or rested.
        threshold_episodes: episodes after which a batch first reached the compliance threshold; None if none did.
        seconds: wall-clock time of the training and its evaluation.
        network: fingerprint of the network; None where the table does not say.

    Raises:
        UserError: a number is out of its range.
    """

    order: Annotated[Order, Column("Workflow_Order", log_order, read_order)]
    seed: Annotated[int, whole("Seed")]
    reward: Annotated[float, decimals("Reward", 4)]
    reward_se: Annotated[float, decimals("Reward_SE", 4)]
    compliance: Annotated[float, decimals("Compliance", 4)]
    compliance_se: Annotated[float, decimals("Compliance_SE", 4)]
    episodes: Annotated[int, whole("Episodes")]
    ending: Annotated[str, Column("Ending")]
    threshold_episodes: Annotated[int | None, or_none(whole("Threshold_Episodes"))]
    seconds: Annotated[float, decimals("Seconds", 2)]
    network: Annotated[str | None, or_none(Column("Network"))] = None

    def __post_init__(self) -> None:
        where = f"{show_order(self.order)}, seed {self.seed}"
        if not 0 <= self.compliance <= 1:
            raise UserError(f"{where}: the compliance is {self.compliance}, expected 0 to 1")
        # Not a number fails each of these.
        if not (abs(self.reward) < float("inf") and 0 <= self.reward_se < float("inf") and self.compliance_se >= 0):
            raise UserError(f"{where}: expected finite figures and standard errors of at least 0")


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """A line of a table: how a training was judged, and before it the number of its order."""

    number: Annotated[int, whole("Workflow_ID")]
    row: LandscapeRow


LANDSCAPE = CsvFormat(NumberedRow)
"""The form of a table."""
WITHOUT_NETWORK = LANDSCAPE.columns[:-1]
"""The columns of tables that leave it to the file beside them which network they are of, or do not say."""


@dataclass(frozen=True, slots=True)
class Landscape:
    """A table of trainings of the orders of a space.

    Attributes:
        space: all orders.
        rows: one for each time that a training was judged.
    """

    space: OrderSpace
    rows: tuple[LandscapeRow, ...]

    @property
    def network(self) -> str | None:
        """Fingerprint of the network that all were trained on; None where the table does not say."""
        return self.rows[0].network if self.rows else None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The numbers of the trainings that some order has, ascending."""
        return tuple(sorted({row.seed for row in self.rows}))

    @property
    def rungs(self) -> tuple[int, ...]:
        """Episodes at which trainings were judged, ascending."""
        return tuple(sorted({row.episodes for row in self.rows}))

    @property
    def full(self) -> "Landscape":
        """The trainings as they were judged last."""
        last: dict[tuple[Order, int], LandscapeRow] = {}
        for row in self.rows:
            so_far = last.setdefault((row.order, row.seed), row)
            if row.episodes > so_far.episodes:
                last[row.order, row.seed] = row
        return self if len(last) == len(self.rows) else Landscape(self.space, tuple(last.values()))

    @property
    def whole(self) -> "Landscape":
        """The trainings that every order has which has any: without the last ones of a landscape that was stopped."""
        judged = Counter((row.order, row.seed) for row in self.rows)
        orders, most = {row.order for row in self.rows}, max(judged.values(), default=0)
        kept = [seed for seed in self.seeds if all(judged[order, seed] == most for order in orders)]
        if not kept or len(kept) == len(self.seeds):
            return self
        return Landscape(self.space, tuple(row for row in self.rows if row.seed in kept))

    @property
    def is_complete(self) -> bool:
        """Whether its orders are all or a sample as `landscape_ranks` draws it, each with every seed, judged alike."""
        judged = Counter((row.order, row.seed) for row in self.rows)
        ranks = sorted({self.space.rank(row.order) for row in self.rows})
        is_sample = ranks == landscape_ranks(self.space, len(ranks)).tolist()
        return is_sample and len(judged) == len(ranks) * len(self.seeds) and len(set(judged.values())) == 1

    def at(self, rung: int) -> "Landscape":
        """The trainings as they were judged at a rung."""
        return Landscape(self.space, tuple(row for row in self.rows if row.episodes == rung))

    def of(self, order: Order) -> tuple[LandscapeRow, ...]:
        """The rows of one order."""
        return tuple(row for row in self.rows if row.order == order)


def write_landscape(path: Path, landscape: Landscape) -> None:
    """Write a landscape as CSV, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    lines = [LANDSCAPE.cells(NumberedRow(landscape.space.rank(row.order), row)) for row in landscape.rows]
    write_whole(path, csv_text([LANDSCAPE.columns, *lines]).encode())


def find_landscape(name: str) -> Path:
    """The file of a landscape: that of this path, or a shipped one by its name, such as `cage2-bline`.

    Raises:
        UserError: there is neither.
    """
    folder = files("cageflow").joinpath("data/landscapes")
    shipped = {path.name.removesuffix(".csv"): path for path in folder.iterdir() if path.name.endswith(".csv")}
    if Path(name).exists():
        return Path(name)
    if name not in shipped:
        raise UserError(
            f"there is no file {name}: give a table of `cageflow landscape`, or one of {', '.join(sorted(shipped))}"
        )
    return Path(str(shipped[name]))


def read_landscape(path: Path) -> Landscape:
    """Read a landscape; it need not be complete. Its first line tells the space: an order and its number.

    Where the table does not name the network, the file beside it may (`landscape_about`).

    Raises:
        UserError: the file cannot be read or is no landscape; the message names the file and the line.
    """
    try:
        lines = read_rows(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read as a landscape: {error.strerror}") from error
    except TextError as error:
        raise UserError(f"{path} cannot be read as a landscape: {error}") from error
    if not lines or tuple(lines[0]) not in (LANDSCAPE.columns, WITHOUT_NETWORK):
        raise UserError(f"{path} is no landscape: expected the columns {LANDSCAPE.header}")
    about = read_about(path) if tuple(lines[0]) == WITHOUT_NETWORK else None
    space: OrderSpace | None = None
    rows, seen = [], set()
    for number, cells in enumerate(lines[1:], start=2):
        try:
            line = _parse_line(lines[0], cells)
            row = line.row if about is None else replace(line.row, network=about.network)
            space = space or OrderSpace.of_ranked(row.order, line.number)
            if space.rank(row.order) != line.number:
                raise ValueError(f"{show_order(row.order)} has the number {space.rank(row.order)}, not {line.number}")
        except ValueError as error:
            raise UserError(f"{path}, line {number}: {error}") from error
        if (row.order, row.seed, row.episodes) in seen:
            raise UserError(
                f"{path}, line {number}: {show_order(row.order)} with seed {row.seed} and {row.episodes} episodes "
                "stands there twice"
            )
        seen.add((row.order, row.seed, row.episodes))
        rows.append(row)
    if space is None:
        raise UserError(f"{path} is empty: it has no trainings")
    if len({row.network for row in rows}) > 1:
        raise UserError(f"{path} has trainings on different networks: give each network a table of its own")
    return Landscape(space, tuple(rows))


def _parse_line(columns: Sequence[str], cells: Sequence[str]) -> NumberedRow:
    """One line of a table with these columns.

    Raises:
        ValueError: it is no training of an order.
    """
    if len(cells) != len(columns):
        raise ValueError(f"expected {len(columns)} values, got {len(cells)}")
    return LANDSCAPE.parse({"Network": "", **dict(zip(columns, cells, strict=True))})
