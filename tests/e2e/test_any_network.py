"""Every command on a network that has nothing of CAGE-2's: three unit types with odd names, durations, two crews."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_line import cageflow
from tests.helpers.any_network import COMMANDS, ORDER, REGRET, TYPES
from tests.helpers.html import read_page

ROOT = Path(__file__).resolve().parents[2]
REFUSED = ("wrong number", "wrong type")
TIME = "ctions take several steps (remove 2, restore 3), other numbers on 1 host, and blue has 2 crews"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all commands have run, as plain Python, since every size of network is compiled anew."""
    folder = tmp_path_factory.mktemp("any")
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.helpers.any_network", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=230,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture(scope="module")
def said(folder: Path) -> dict[str, dict[str, Any]]:
    said: dict[str, dict[str, Any]] = json.loads((folder / "said.json").read_text())
    with contextlib.chdir(folder):
        return said | {"regret": cageflow(*REGRET)._asdict()}


@pytest.mark.slow
def test_every_command__runs_and_says_nothing_of_cage2(said: dict[str, dict[str, Any]]) -> None:
    assert said.keys() == COMMANDS.keys() | {"regret"}
    for name in said:
        words = said[name]["out"] + said[name]["err"]
        assert said[name]["status"] == (2 if name in REFUSED else 0), words
        words = words.replace("which was judged on CAGE-2's own network", "").replace("cage2, cage1, plant", "")
        for foreign in ("120", "cage2", "CAGE-2", "op_server", "enterprise", "winner", "nan", "Traceback"):
            assert foreign not in words, f"{name}: {foreign}"


def test_orders_and_names__stand_as_they_are(said: dict[str, dict[str, Any]], folder: Path) -> None:
    assert json.loads(said["check"]["out"])["orders"] == 6
    assert "Searching 6 workflows" in said["search"]["out"] and "One policy for 6 workflows" in said["universal"]["out"]
    shown = " > ".join(ORDER.split(","))
    assert f"Workflow  {shown}" in said["train"]["out"]
    assert sorted(json.loads(said["universal json"]["out"])["workflow"].split(",")) == sorted(TYPES)
    assert [path.name for path in (folder / "t" / "policies").glob("0*")] == ["005_db server-a_b-__red_.safetensors"]
    assert "a number from 0 to 5" in said["wrong number"]["err"] and "'user'" in said["wrong type"]["err"]
    assert not (folder / "no").exists()


def test_time_and_crews__are_said(said: dict[str, dict[str, Any]], folder: Path) -> None:
    for name in ("show", "evaluate", "play"):
        assert TIME in " ".join(said[name]["out"].split()), name
    assert "Steps on single hosts: restore 4 on PC1." in said["show"]["out"]
    assert "under way: " in said["play"]["out"]
    page = (folder / "t" / "report.html").read_text()
    assert f"a{TIME}" in page and "the operational service" not in page and "so user counts" not in page
    card = (folder / "t.md").read_text()
    assert "each Restore costs 0.5." in card and "defend_cyborg" not in card and "13 hosts" not in card


def test_watched_episodes__have_two_crews_at_work_and_fixes_of_any_types(folder: Path) -> None:
    page = (folder / "watch.html").read_text()
    assert f"a{TIME}" in page and read_page(page).faults == []
    data = json.loads(page.partition('class="w-data">')[2].partition("</script>")[0])
    assert data["order"] == ORDER.split(",") and data["network"]["types"] == list(TYPES)
    steps = [step for episode in data["episodes"] for step in episode["steps"]]
    assert {len(step["under_way"]) for step in steps} == {0, 1, 2}
    assert {came for step in steps for _, _, came in step["ended"]} >= {"red is out", "red stays"}


def test_protocol__is_the_network_s(said: dict[str, dict[str, Any]]) -> None:
    rows = [line.split()[:2] for line in said["champion"]["out"].splitlines() if line.startswith("   4 ")]
    assert rows == [["4", "B-line"], ["4", "Meander"], ["4", "Sleep"]]


def test_comparison__without_an_order_that_both_follow_has_no_figures(said: dict[str, dict[str, Any]]) -> None:
    assert "no workflow reaches the threshold on both sides" in said["universal"]["out"]
