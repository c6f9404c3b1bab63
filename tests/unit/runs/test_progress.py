"""What a run says while it runs."""

import io
import os
import re

import pytest
from rich.console import Console

from cageflow.runs import heartbeat, progress
from cageflow.runs.progress import Live, PlainLines, Quiet, make_reporter
from tests.helpers.orders import ALL_ORDERS
from tests.helpers.processes import wait_until
from tests.unit.runs.records import iteration, update_record

ORDER = ALL_ORDERS[7]  # all orders are equally long


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def console(width: int, terminal: bool) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, legacy_windows=False)


def shown(live: Live, width: int) -> list[str]:
    """The lines of the live part as a terminal of this width would show them."""
    paper = console(width, terminal=True)
    paper.print(live._render())
    return paper.file.getvalue().rstrip("\n").split("\n")  # type: ignore[attr-defined]


def printed(out: Console) -> list[str]:
    """What was written above the live part, control characters left out."""
    text = out.file.getvalue().replace("\x1b[2K", "\n")  # type: ignore[attr-defined]
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text).split("\n")


def test_live_part_says_where_the_run_is_within_80_columns(clock: Clock) -> None:
    live = Live(console(80, terminal=True))
    live.start("Searching", 1_000_000, 0)
    assert shown(live, 80)[0].endswith("  0/1,000,000 episodes")
    live.update(ORDER, update_record(1, 200), 200)  # may have compiled the simulator: says nothing about the pace
    assert "/s" not in shown(live, 80)[0]
    clock.now += 2.0
    live.update(ORDER, update_record(51, 10_200), 10_200)
    clock.now += 3.0
    lines = shown(live, 80)
    live.close()
    assert lines[0].endswith("  10,200/1,000,000 episodes  5000/s  3:15 left")  # 989,800 / 5,000 less the 3 s since
    assert lines[1].strip() == "defender > op_server > enterprise > user > op_host  update 51"
    assert lines[2].strip() == "reward -1234.6  alignment -12.3  total -1246.9  compliance 88%"
    assert max(len(line) for line in lines) <= 80


def test_live_part_takes_a_long_wait_in_hours(clock: Clock) -> None:
    live = Live(console(80, terminal=True))
    live.start("Training", 100_000, 99_000)
    live.update(None, update_record(1, 99_200), 99_200)
    clock.now += 100.0
    live.update(None, update_record(2, 99_210), 99_210)
    lines = shown(live, 80)
    live.close()
    assert lines[0].endswith("  99,210/100,000 episodes  0.1/s  2:11:40 left")
    assert [line.strip() for line in lines[1:]] == ["plain PPO  update 2", "reward -1234.6"]


def test_no_time_left__is_said_before_it_means_something_nor_in_millions_of_hours(clock: Clock) -> None:
    live = Live(console(80, terminal=True))
    live.start("Training", 10**18, 0)
    live.update(None, update_record(1, 200), 200)
    clock.now += 1.0
    live.update(None, update_record(2, 400), 400)
    early = shown(live, 80)[0]
    clock.now += 1.0
    live.update(None, update_record(3, 600), 600)
    late = shown(live, 80)[0]
    live.close()
    assert early.endswith(" episodes")
    assert late.endswith("  200/s  over 99 hours left")


def test_live_part_says_that_it_compiles_until_the_first_update(clock: Clock) -> None:
    live = Live(console(80, terminal=True))
    live.start("Searching", 400, 0)
    live.launch([ORDER])
    clock.now += 12.0
    lines = [line.strip() for line in shown(live, 80)]
    live.update(ORDER, update_record(1, 200), 200)
    after = " ".join(shown(live, 80))
    live.close()
    assert lines[1:] == [
        "loading, and compiling what has changed since the last run, 12 s",
        "defender > op_server > enterprise > user > op_host",
    ]
    assert "compiling" not in after


def test_plain_lines_give_a_sign_of_life_where_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "FIRST_S", 0.02)
    out = console(80, terminal=False)
    plain = PlainLines(out)
    plain.start("Searching", 2000, 0)
    assert wait_until(lambda: "compiling" in out.file.getvalue(), 10.0)  # type: ignore[attr-defined]
    plain.update(ORDER, update_record(1, 200), 200)
    assert wait_until(lambda: "still at work" in out.file.getvalue(), 10.0)  # type: ignore[attr-defined]
    plain.close()
    lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[1] == "loading, and compiling what has changed since the last run, 0 s so far"
    assert lines[-1] == "still at work, 0 s so far"


def test_live_part_answers_a_signal_and_leaves_the_bar_behind(clock: Clock) -> None:
    out = console(80, terminal=True)
    live = Live(out)
    live.start("Searching", 400, 0)
    live.update(ORDER, update_record(1, 200), 200)
    live.stopping("SIGINT: stopping after this update")
    assert shown(live, 80)[-1].strip() == "SIGINT: stopping after this update"
    live.close()
    assert printed(out)[0] == "Searching"
    assert [line.split("  ")[-1].strip() for line in shown(live, 80)] == ["200/400 episodes"]


@pytest.mark.parametrize(("width", "num_lines"), [(80, 2), (200, 1)])
def test_trial_above_the_bar_fits_the_terminal(clock: Clock, width: int, num_lines: int) -> None:
    out = console(width, terminal=True)
    live = Live(out)
    live.start("Searching", 100_000, 0)
    live.trial(iteration(ORDER, 10_000, "episode-cap"))
    live.close()
    lines = printed(out)
    first = next(i for i, line in enumerate(lines) if re.match("trial +0  defender > op_server > enterprise > ", line))
    trial = " ".join(" ".join(lines[first : first + num_lines]).split())
    assert trial.endswith("reward -1234.56 ± 12.34 compliance 88% 10,000 episodes episode-cap")
    assert max(len(line) for line in lines[first : first + num_lines]) <= width


def test_plain_lines_come_for_each_trial_and_every_few_seconds(clock: Clock) -> None:
    out = console(80, terminal=False)
    plain = PlainLines(out)
    plain.start("Searching", 2000, 0)
    for i in range(1, 11):
        clock.now += 1.0
        plain.update(ORDER, update_record(i, 200 * i), 200 * i)
    plain.trial(iteration(ORDER, 2000, "threshold"))
    plain.close()
    lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "Searching"
    assert [line.split("  ")[0] for line in lines[1:3]] == ["200/2,000 episodes", "1,200/2,000 episodes"]
    assert lines[2] == (
        "1,200/2,000 episodes  200/s  0:04 left  defender > op_server > enterprise > user > op_host  update 6  "
        "reward -1234.6  alignment -12.3  total -1246.9  compliance 88%"
    )
    assert lines[3].startswith("trial   0  defender > op_server > enterprise > user > op_host")
    assert len(lines) == 4


@pytest.mark.parametrize("reporter", [Quiet(), PlainLines(console(80, terminal=False))])
def test_signal_is_answered_on_standard_error_past_all_buffers(
    reporter: Quiet | PlainLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr(os, "write", lambda descriptor, content: written.append((descriptor, content)))
    reporter.stopping("SIGINT: stopping")
    assert written == [(2, b"\nSIGINT: stopping\n")]


def test_reporter_fits_where_the_words_go() -> None:
    assert isinstance(make_reporter(console(80, terminal=True), quiet=True), Quiet)
    assert isinstance(make_reporter(console(80, terminal=True), quiet=False), Live)
    assert isinstance(make_reporter(console(80, terminal=False), quiet=False), PlainLines)
