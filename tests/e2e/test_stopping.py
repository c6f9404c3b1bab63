"""Every command that takes its time says so, and ends in order when it is asked to."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_regret__says_what_it_does_and_leaves_nothing_behind(tmp_path: Path, number: int, status: int) -> None:
    command = [
        sys.executable,
        "-m",
        "cageflow",
        "regret",
        "cage2-bline-rewarded",
        "--repetitions",
        "5000",
        "--n-workers",
        "2",
    ]
    process = subprocess.Popen(
        [*command, "--out", tmp_path / "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stderr is not None
    lines: list[str] = []
    while len(lines) < 2:  # what is done, and how far it is or that it is still at it
        line = process.stderr.readline()
        assert line, process.wait()
        lines += [line] * line.startswith("cage2-bline-rewarded")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert re.match(r"cage2-bline-rewarded\S*: replaying \d+ contenders 5000 times", lines[0])
    name = signal.Signals(number).name
    assert (out, err.splitlines()[-1]) == ("", f"cageflow: stopped by {name}")
    assert "leaked" not in err and "Traceback" not in err
