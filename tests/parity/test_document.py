"""The figures of docs/parity.md and of docs/attackers.md on recordings: those of the samples are counted here."""

import re
from pathlib import Path

import pytest

from cageflow.parity.recording import load_recording
from tests.parity.planting import FAULTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]


def counted(folder: str) -> list[int]:
    """Files, episodes and steps of the recordings of a folder of `tests`."""
    recordings = [load_recording(path) for path in sorted((ROOT / "tests" / folder).glob("*.npz"))]
    steps = sum(one.num_episodes * one.num_steps for one in recordings)
    return [len(recordings), sum(one.num_episodes for one in recordings), steps]


def said(row: list[str]) -> list[int]:
    return [int(cell.replace(",", "")) for cell in row[1:]]


@pytest.mark.parametrize("folder", ["data", "data/networks", "data/reds", "data/sleepy"])
def test_sample__is_as_large_as_the_page_says(folder: str) -> None:
    (row,) = [row for row in ROWS if re.fullmatch(rf"the sample of .* in `tests/{folder}`", row[0])]
    assert said(row) == [*counted(folder), 0]


@pytest.mark.parametrize("name", ["recordings", "networks", "any_red", "sleepy"])
def test_table_of_the_tests__has_the_steps_of_the_samples(name: str) -> None:
    folder = {"recordings": "data", "networks": "data/networks", "any_red": "data/reds", "sleepy": "data/sleepy"}[name]
    files, episodes, steps = counted(folder)
    (row,) = [row for row in ROWS if f"`tests/parity/test_{name}.py`" in row[1]]
    assert f"{steps:,} steps" in row[1]
    assert f": {episodes} recorded episodes" in row[1] or f": {files} recordings" in row[1]


def test_faults__are_as_many_as_the_page_says() -> None:
    assert f"`tests/parity/test_planted_faults.py`: {len(FAULTS)} faults" in PAGE


def test_steps_of_any_red__are_the_same_on_both_pages() -> None:
    section = PAGE.split("### Any red\n")[1].split("\n### ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()]
    steps = sum(said(row)[2] for row in rows if len(row) == 5 and row[1].isdigit() and "sample" not in row[0])
    attackers = (ROOT / "docs" / "attackers.md").read_text(encoding="utf-8")
    assert f"Of {steps:,} recorded steps of such reds none" in " ".join(attackers.split())
