"""What a run says while it runs: live in a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import contextlib
import math
import os
import re
import time
from collections.abc import Sequence
from typing import Protocol

from rich import live
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cageflow.runs.heartbeat import LOADING, Heartbeat, waiting_for
from cageflow.scenario.orders import Order, show_order
from cageflow.search import Iteration
from cageflow.training.trainer import UpdateRecord, Workflow

PLAIN_INTERVAL_S = 5.0
MAX_ORDERS = 4  # of the trials under way that are named
PACE_S = 2.0  # of updates before they say how fast the run is
MOST_HOURS = 99  # that an estimate of the time left is given for


class Reporter(Protocol):
    """Who is told how a run gets on."""

    def start(self, what: str, total_episodes: int, episodes_done: int) -> None:
        """The run begins, or goes on with some episodes done."""

    def launch(self, orders: Sequence[Order]) -> None:
        """A trial of a search begins; `orders` are those whose trials are under way with it."""

    def update(self, order: Workflow, record: UpdateRecord, run_episodes: int) -> None:
        """An update has been made."""

    def trial(self, iteration: Iteration) -> None:
        """A trial of a search has ended."""

    def note(self, words: str) -> None:
        """Something that the user should know of the run's folder."""

    def stopping(self, words: str) -> None:
        """A signal has asked for the end; called from its handler, so nothing may be printed in the common way."""

    def close(self) -> None:
        """The run ends, in whatever way."""


class Quiet:
    """Says nothing, but answers a signal."""

    def start(self, what: str, total_episodes: int, episodes_done: int) -> None:
        """Nothing."""

    def launch(self, orders: Sequence[Order]) -> None:
        """Nothing."""

    def update(self, order: Workflow, record: UpdateRecord, run_episodes: int) -> None:
        """Nothing."""

    def trial(self, iteration: Iteration) -> None:
        """Nothing."""

    def note(self, words: str) -> None:
        """Nothing."""

    def stopping(self, words: str) -> None:
        """Say that the signal has been seen."""
        _write_at_once(words)

    def close(self) -> None:
        """Nothing."""


class PlainLines:
    """A line for each trial, every few seconds one for the update, and a sign of life between; for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._at = LOADING
        self._heartbeat = Heartbeat(lambda seconds: self._print(f"{waiting_for(self._at)}, {seconds:.0f} s so far"))
        self._pace = _Pace()
        self._last_line_at = -math.inf

    def start(self, what: str, total_episodes: int, episodes_done: int) -> None:
        """Say what begins."""
        self._pace.start(total_episodes, episodes_done)
        self._print(what)
        self._heartbeat.start()

    def launch(self, orders: Sequence[Order]) -> None:
        """Nothing: there is a line when it ends."""

    def update(self, order: Workflow, record: UpdateRecord, run_episodes: int) -> None:
        """Say where the run is, if the last line is old enough."""
        self._pace.note(run_episodes)
        self._at = "still at work"
        self._heartbeat.note()
        if time.monotonic() - self._last_line_at >= PLAIN_INTERVAL_S:
            self._last_line_at = time.monotonic()
            self._print("  ".join((*self._pace.words(), *describe_update(order, record))))

    def trial(self, iteration: Iteration) -> None:
        """Say how the trial ended."""
        self._pace.note(iteration.episodes)
        self._at = "still at work"
        self._heartbeat.note()
        self._print("  ".join(describe_trial(iteration)))

    def note(self, words: str) -> None:
        """Say it."""
        self._print(words)

    def stopping(self, words: str) -> None:
        """Say that the signal has been seen."""
        _write_at_once(words)

    def close(self) -> None:
        """Give no more signs of life."""
        self._heartbeat.close()

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class Live:
    """A bar with the present update under it, in 80 columns, and the trials above."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._pace = _Pace()
        self._lines: tuple[str, ...] = ()
        self._started_at: float | None = None  # while no update has been made: compilation
        self._live = live.Live(console=console, get_renderable=self._render, refresh_per_second=4)

    def start(self, what: str, total_episodes: int, episodes_done: int) -> None:
        """Say what begins and show the bar."""
        self._print(what)
        self._pace.start(total_episodes, episodes_done)
        self._started_at = time.monotonic()
        self._live.start(refresh=True)

    def launch(self, orders: Sequence[Order]) -> None:
        """Say what is being trained, until an update says more."""
        self._lines = tuple(show_order(order) for order in orders[-MAX_ORDERS:])
        if len(orders) > MAX_ORDERS:
            self._lines = (f"{len(orders)} at once, the last to begin:", *self._lines)

    def update(self, order: Workflow, record: UpdateRecord, run_episodes: int) -> None:
        """Move the bar on."""
        self._pace.note(run_episodes)
        self._started_at = None
        self._lines = describe_update(order, record)

    def trial(self, iteration: Iteration) -> None:
        """Write the trial above the bar, and move it on for trials whose updates were not told."""
        self._pace.note(iteration.episodes)
        self._started_at = None
        line = "  ".join(describe_trial(iteration))
        if len(line) <= self._console.width:
            self._print(line)
        else:
            self._print("\n    ".join(re.sub(" {2,}", "  ", part).strip() for part in describe_trial(iteration)))

    def note(self, words: str) -> None:
        """Say it above the bar."""
        self._print(words)

    def stopping(self, words: str) -> None:
        """Say under the bar that the signal has been seen."""
        self._lines = (*self._lines[:2], words)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._lines, self._started_at = (), None
        self._live.stop()

    def _print(self, words: str) -> None:
        self._console.print(words, markup=False, highlight=False, soft_wrap=True)

    def _render(self) -> RenderableType:
        pace = self._pace
        row = Table.grid(padding=(0, 2))
        row.add_row(ProgressBar(pace.total, pace.episodes, width=26), *pace.words())
        started_at, lines = self._started_at, self._lines
        if started_at is not None:
            lines = (f"{waiting_for(LOADING)}, {time.monotonic() - started_at:.0f} s", *lines)
        return Group(row, *(Text(line, no_wrap=True, overflow="ellipsis") for line in lines))


class _Pace:
    """Where a run is, and how fast it gets on. The first update counts for nothing, since it compiles."""

    def __init__(self) -> None:
        self.total = self.episodes = 0
        self._first: tuple[float, int] | None = None
        self._last_at = 0.0

    def start(self, total: int, episodes: int) -> None:
        self.total, self.episodes = total, episodes

    def note(self, episodes: int) -> None:
        # A trial elsewhere that ends counts less than what was told of those that go on beside it.
        self.episodes, self._last_at = max(episodes, self.episodes), time.monotonic()
        if self._first is None:
            self._first = (self._last_at, episodes)

    def words(self) -> tuple[str, ...]:
        """How many episodes are done, how many there are in a second, and how long the rest takes once that shows."""
        done = f"{self.episodes:,}/{self.total:,} episodes"
        first_at, first_episodes = self._first or (0.0, self.episodes)
        if self.episodes <= first_episodes or self._last_at - first_at < PACE_S:
            return (done,)
        per_s = (self.episodes - first_episodes) / (self._last_at - first_at)
        left_s = (self.total - self.episodes) / per_s - (time.monotonic() - self._last_at)
        minutes, seconds = divmod(max(0, round(left_s)), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
        left = f"over {MOST_HOURS} hours" if hours >= MOST_HOURS else left
        return done, f"{per_s:.3g}/s" if per_s < 100 else f"{per_s:.0f}/s", f"{left} left"


def _write_at_once(words: str) -> None:
    """Write to standard error past all buffers, which a handler of signals may have found half written."""
    with contextlib.suppress(OSError):
        os.write(2, f"\n{words}\n".encode())


def describe_update(order: Workflow, record: UpdateRecord) -> tuple[str, ...]:
    """One update: what is trained, and its figures."""
    if order is None or order == "red":
        return f"{order or 'plain PPO'}  update {record.update}", f"reward {record.env_reward:.1f}"
    return (
        f"{'all workflows' if order == 'any' else show_order(order)}  update {record.update}",
        f"reward {record.env_reward:.1f}  alignment {record.alignment:.1f}  total {record.total_reward:.1f}  "
        f"compliance {record.compliance:.0%}",
    )


def describe_trial(iteration: Iteration) -> tuple[str, str]:
    """One trial of a search: its order, and its figures."""
    result = iteration.result
    return (
        f"trial {iteration.request.trial:>3}  {show_order(result.order)}  ",
        f"reward {result.reward:>8.2f} ± {result.reward_se:.2f}  compliance {result.compliance:>4.0%}  "
        f"{result.episodes:>6,} episodes  {result.ending}",
    )


def make_reporter(console: Console, quiet: bool) -> Reporter:
    """The reporter that fits where the words go."""
    if quiet:
        return Quiet()
    return Live(console) if console.is_terminal else PlainLines(console)
