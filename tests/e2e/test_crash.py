"""Commands killed at calls that make something last: a sample of what `make test-crash` does at every one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    *("search", "pool", "beside", "rungs", "train", "red", "universal", "landscape"),
    *("champion", "hardened", "baseline", "exploit", "duel"),
}


def crash(*arguments: object) -> tuple[int, dict[str, Any]]:
    """What the helper has found, and its exit status."""
    command = [sys.executable, "-m", "tests.helpers.crash", *map(str, arguments)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert process.stdout.count("\n") == 1, process.stderr
    return process.returncode, json.loads(process.stdout)


@pytest.mark.slow
@pytest.mark.timeout(480)  # 20 CPU seconds, and whatever else a machine has to do
def test_every_command_goes_on_from_wherever_it_is_killed() -> None:
    status, found = crash("--kills", 3)
    assert found.keys() == COMMANDS
    assert {name: one["different"] for name, one in found.items()} == dict.fromkeys(COMMANDS, [])
    assert status == 0
    assert all(one["kills"] >= 3 and one["calls"] >= 50 for one in found.values())


@pytest.mark.slow
def test_learner_that_is_overwritten_before_the_checkpoint_is_found() -> None:
    status, found = crash("--kills", 10, "--planted", "pool")
    assert status == 1
    assert any("policies/" in words and "training_log.csv" in words for words in found["pool"]["different"])
