"""What a command says while it works."""

import threading

import pytest
from rich.console import Console

from cageflow import terminal
from cageflow.cli import telling
from cageflow.cli.telling import Telling
from cageflow.runs import heartbeat
from tests.helpers.processes import wait_until


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign of life after a fiftieth of a second."""
    monkeypatch.setattr(heartbeat, "FIRST_S", 0.02)


def test_words__are_lines_and_a_silence_is_broken(impatient: None, capsys: pytest.CaptureFixture[str]) -> None:
    said = ""

    def has(words: str) -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return words in said

    with Telling("measuring") as say:
        assert wait_until(lambda: has("measuring, 0 s so far\n"), 10.0)
        say("playing")
        assert wait_until(lambda: has("playing\nplaying, 0 s so far\n"), 10.0)


def test_progress__is_said_at_intervals(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(telling, "INTERVAL_S", 0.0)
    with Telling() as say:
        say.counting("replays")(1, 2000)
        monkeypatch.setattr(telling, "INTERVAL_S", 1000.0)
        say.counting("replays")(2, 2000)
    assert capsys.readouterr().err == "replays, 1 of 2,000\n"


def test_quiet__says_nothing(impatient: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Telling(quiet=True) as say:
        say("playing")
        say.doing("more")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("is_terminal", [False, True])
def test_alone__has_no_threads_for_as_long(
    impatient: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_terminal: bool
) -> None:
    console = Console(force_terminal=is_terminal, stderr=True)
    monkeypatch.setattr(terminal, "make_console", lambda **_: console)
    others = set(threading.enumerate())
    with Telling("measuring") as say:
        assert len(set(threading.enumerate()) - others) == 1 + is_terminal
        with say.alone():
            assert set(threading.enumerate()) <= others
            say("playing")
        said = ""

        def beats() -> bool:
            nonlocal said
            said += capsys.readouterr().err
            return "playing, 0 s so far" in said

        assert wait_until(beats, 10.0)
    assert set(threading.enumerate()) <= others
