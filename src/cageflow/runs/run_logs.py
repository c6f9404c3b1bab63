"""The open logs of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from cageflow.runs.csv_log import CsvLog, LogEnd
from cageflow.runs.logs import BELIEFS, LOGS, TRIALS, UPDATES, LoggedBelief, LoggedTrial, LoggedUpdate
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search import LANDSCAPE, Acquisition, Iteration, LandscapeRow, NumberedRow
from cageflow.training.trainer import UpdateRecord, Workflow


class RunLogs:
    """The logs of a run, all opened before any is cut back to the checkpoint.

    Args:
        path: of the folder.
        kept: which of `LOGS` there are.
        orders: of the network that is played.
        ends: where they ended at the checkpoint, by their names in `LOGS`; None for a new run.

    Raises:
        UserError: one cannot be that of the checkpoint.
    """

    def __init__(
        self, path: Path, kept: Sequence[str], orders: OrderSpace, ends: Mapping[str, LogEnd] | None = None
    ) -> None:
        self._orders = orders
        self._logs: dict[str, CsvLog] = {}
        with ExitStack() as closing:
            for name in kept:
                file = LOGS[name]
                end = None if ends is None else ends[name]
                self._logs[name] = CsvLog(path / file.name, file.format.header, end)
                closing.callback(self._logs[name].close)
            for log in self._logs.values():
                log.begin()
            closing.pop_all()

    def update(
        self,
        order: Workflow,
        record: UpdateRecord,
        trial: int,
        run_episodes: int,
        ending: str | None,
        training: int = 1,
        trained_episodes: int = 0,
    ) -> None:
        """Write one update; see `LoggedUpdate.of`."""
        line = LoggedUpdate.of(
            self._orders,
            order,
            record,
            trial=trial,
            run_episodes=run_episodes,
            ending=ending,
            training=training,
            trained_episodes=trained_episodes,
        )
        self._logs["training"].append([UPDATES.cells(line)])

    def acquisition(self, trial: int, acquisition: Acquisition, tried: Sequence[Order] = ()) -> None:
        """Write what the strategy thought of the orders before a trial, `tried` being those that had one before."""
        lines = LoggedBelief.all_of(self._orders, trial, acquisition, tried)
        self._logs["acquisition"].append([BELIEFS.cells(line) for line in lines])

    def landscape(self, row: LandscapeRow) -> None:
        """Write one training of a landscape."""
        self._logs["landscape"].append([LANDSCAPE.cells(NumberedRow(self._orders.rank(row.order), row))])

    def iteration(self, iteration: Iteration) -> None:
        """Write one trial of a search or a landscape."""
        self._logs["sampling"].append([TRIALS.cells(LoggedTrial.of(self._orders, iteration))])

    def sync(self) -> dict[str, LogEnd]:
        """Make sure that what was written survives a loss of power; gives where each ends, by its name in `LOGS`.

        Raises:
            RunFailedError: a log was removed or replaced.
        """
        for log in self._logs.values():
            log.sync()
        return {name: log.end for name, log in self._logs.items()}

    def close(self) -> None:
        """Close them; each is closed even where another cannot be."""
        with ExitStack() as closing:
            for log in self._logs.values():
                closing.callback(log.close)
