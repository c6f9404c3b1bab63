"""Small runs that several tests look at."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.command_line import cageflow

TINY = ["--episodes-per-update", 8, "--evaluation-episodes", 6, "--max-steps", 10, "--seed", 2, "--num-threads", 1]


class Run(NamedTuple):
    """A run made by the command line.

    Attributes:
        path: its folder.
        result: what it printed with `--json`.
        words: what it printed on standard error.
    """

    path: Path
    result: dict[str, Any]
    words: str


def _make(path: Path, *arguments: object) -> Run:
    outcome = cageflow(*arguments, *TINY, "--json", "--run-dir", path)
    assert outcome.status == 0, outcome.err
    return Run(path, outcome.json, outcome.err)


@pytest.fixture(scope="session")
def search_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A search of 60 episodes in three trials, whose orders are rewarded."""
    path = tmp_path_factory.mktemp("runs") / "search"
    lengths = ("--total-episodes", 60, "--max-episodes-per-workflow", 24)
    return _make(path, "search", *lengths, "--executor", "inline", "--workflow-mode", "rewarded")


@pytest.fixture(scope="session")
def curves_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A search as it is unless told otherwise: orders enforced, 60 episodes in rungs of up to 24."""
    path = tmp_path_factory.mktemp("runs") / "curves"
    return _make(path, "search", "--total-episodes", 60, "--max-episodes-per-workflow", 24, "--executor", "inline")


@pytest.fixture(scope="session")
def universal_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A universal policy after 40 episodes."""
    return _make(tmp_path_factory.mktemp("runs") / "universal", "universal", "--total-episodes", 40)


@pytest.fixture(scope="session")
def plain_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Plain PPO for 20 episodes."""
    return _make(tmp_path_factory.mktemp("runs") / "plain", "train", "--no-workflow", "--total-episodes", 20)
