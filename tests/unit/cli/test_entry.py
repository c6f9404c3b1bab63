"""From the command line to an exit status, and to one JSON object in any case."""

import contextlib
import os
import signal

import pytest

from cageflow import startup
from cageflow.cli import entry
from tests.e2e.command_line import cageflow


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["search", "--json", "--dance"], "no such option: --dance"),
        (["play", "--seed"], None),
        (["search", "--json", "--resume", "none"], "none is no run folder: config.json cannot be read"),
        (["evaluate", "nobody", "--json"], "'nobody' is no policy"),
        (["parity", "none.npz", "--json"], "none.npz is no file"),
    ],
)
def test_error__is_one_json_object_where_json_is_wanted(arguments: list[str], sentence: str | None) -> None:
    outcome = cageflow(*arguments)
    assert outcome.status == 2
    if sentence is None:
        assert outcome.out == ""
    else:
        assert sentence in outcome.json["error"]
        assert outcome.json["exit_status"] == 2
        assert outcome.err == f"cageflow: {outcome.json['error']}\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal__ends_a_command_in_order_and_leaves_the_handlers_as_they_were(
    number: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("cageflow.parity.replay.replay_files", lambda files: os.kill(os.getpid(), number))
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        outcome = cageflow("parity", "some.npz", "--json")
    finally:
        signal.signal(signal.SIGINT, handler)
    words = f"stopped by {signal.Signals(number).name}"
    assert (outcome.status, outcome.err) == (status, f"cageflow: {words}\n")
    assert outcome.json == {"error": words, "exit_status": status}
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_that_a_library_makes_another_error_of__is_ctrl_c_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Numba does, if it comes while its compiled parts are being loaded."""

    def load() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            startup._interrupt(signal.SIGINT, None)
        raise ImportError("numba._devicearray failed to import")

    monkeypatch.setattr(startup, "_interrupted", False)
    monkeypatch.setattr(entry, "app", lambda *_, **__: load())
    outcome = cageflow("search")
    assert (outcome.status, outcome.err) == (130, "cageflow: stopped by SIGINT\n")
