"""What a run says while it runs: live in a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import math
import time
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cageflow.experiment.run_folder import order_text
from cageflow.experiment.trainer import UpdateRecord
from cageflow.search import Iteration
from cageflow.workflow.orders import Order

PLAIN_INTERVAL_S = 5.0


class Reporter(Protocol):
    """Who is told how a run gets on."""

    def start(self, what: str, total_episodes: int, episodes_done: int) -> None:
        """The run begins, or goes on with some episodes done."""

    def update(self, order: Order | None, record: UpdateRecord, run_episodes: int) -> None:
        """An update has been made."""

    def trial(self, iteration: Iteration) -> None:
        """A trial of a search has ended."""

    def close(self) -> None:
        """The run ends, in whatever way."""


class Quiet:
    """Says nothing."""

    def start(self, what: str, total_episodes: int, episodes_done: int) -> None:
        """Nothing."""

    def update(self, order: Order | None, record: UpdateRecord, run_episodes: int) -> None:
        """Nothing."""

    def trial(self, iteration: Iteration) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class PlainLines:
    """A line for each trial, and every few seconds one for the update; for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rate = _Rate()
        self._last_line_at = -math.inf
        self._total = 0

    def start(self, what: str, total_episodes: int, episodes_done: int) -> None:
        """Say what begins."""
        self._total = total_episodes
        self._rate.start(episodes_done)
        self._print(what)

    def update(self, order: Order | None, record: UpdateRecord, run_episodes: int) -> None:
        """Say where the run is, if the last line is old enough."""
        self._rate.note(run_episodes)
        if time.monotonic() - self._last_line_at >= PLAIN_INTERVAL_S:
            self._last_line_at = time.monotonic()
            left = self._rate.seconds_left(self._total)
            self._print(
                f"{run_episodes:,}/{self._total:,} episodes  {self._rate.per_s:.0f}/s  {left} left  "
                f"{describe_update(order, record)}"
            )

    def trial(self, iteration: Iteration) -> None:
        """Say how the trial ended."""
        self._print(describe_trial(iteration))

    def close(self) -> None:
        """Nothing is left open."""

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class Live:
    """A bar with the present update under it, and a line for each trial above."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rate = _Rate()
        self._progress = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("episodes  {task.fields[rate]:>5.0f}/s "),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.description}"),
            console=console,
        )
        self._task: TaskID | None = None

    def start(self, what: str, total_episodes: int, episodes_done: int) -> None:
        """Say what begins and show the bar."""
        self._console.print(what, markup=False, highlight=False)
        self._rate.start(episodes_done)
        self._task = self._progress.add_task(
            "compiling the simulator", total=total_episodes, completed=episodes_done, rate=0.0
        )
        self._progress.start()

    def update(self, order: Order | None, record: UpdateRecord, run_episodes: int) -> None:
        """Move the bar on."""
        assert self._task is not None
        self._rate.note(run_episodes)
        text = describe_update(order, record)
        self._progress.update(self._task, completed=run_episodes, rate=self._rate.per_s, description=text)

    def trial(self, iteration: Iteration) -> None:
        """Write the trial above the bar."""
        self._progress.console.print(describe_trial(iteration), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._progress.stop()


class _Rate:
    """Episodes per second since the first update, so that compiling is not counted."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None
        self._start_at = time.monotonic()
        self._start_episodes = 0
        self._episodes = 0

    def start(self, episodes: int) -> None:
        self._start_at, self._start_episodes, self._episodes = time.monotonic(), episodes, episodes

    def note(self, episodes: int) -> None:
        self._episodes = episodes
        if self._first is None:
            self._first = (time.monotonic(), episodes)

    @property
    def per_s(self) -> float:
        since, episodes = self._first or (self._start_at, self._start_episodes)
        if self._episodes == episodes:
            since, episodes = self._start_at, self._start_episodes
        return (self._episodes - episodes) / max(time.monotonic() - since, 1e-9)

    def seconds_left(self, total: int) -> str:
        seconds = (total - self._episodes) / max(self.per_s, 1e-9)
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def describe_update(order: Order | None, record: UpdateRecord) -> str:
    """One update in one line."""
    if order is None:
        return f"plain PPO  update {record.update}  reward {record.env_reward:.1f}"
    return (
        f"{order_text(order)}  update {record.update}  reward {record.env_reward:.1f}  "
        f"alignment {record.alignment:.1f}  total {record.total_reward:.1f}  compliance {record.compliance:.0%}"
    )


def describe_trial(iteration: Iteration) -> str:
    """One trial of a search in one line."""
    result = iteration.result
    return (
        f"trial {iteration.request.trial:>3}  {order_text(result.order):<46}  "
        f"reward {result.reward:>8.2f} ± {result.reward_se:.2f}  compliance {result.compliance:>4.0%}  "
        f"{result.episodes:>6,} episodes  {result.ending}"
    )


def make_reporter(console: Console, quiet: bool) -> Reporter:
    """The reporter that fits where the words go."""
    if quiet:
        return Quiet()
    return Live(console) if console.is_terminal else PlainLines(console)
