"""What the runs are called that a run's policy is held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cageflow.analysis.beside import KINDS
from cageflow.report.wording import count, order_words
from cageflow.runs.saved_run import SavedRun


def rival_names(run: SavedRun, rivals: Sequence[SavedRun]) -> list[str]:
    """A name for each, no two alike: what it is, and in brackets which.

    What was trained beside the run is told by its episodes and seed, since plain PPO may stand there with the budget of
    one order and with that of the whole search; a run elsewhere by its folder, with as much of the path as it takes.
    """
    elsewhere = [_path(one) for one in rivals if not _is_beside(run, one)]
    return [
        f"{'Plain PPO' if one.order is None else order_words(one.order)} "
        f"({_training(one) if _is_beside(run, one) else _shortest(_path(one), elsewhere)})"
        for one in rivals
    ]


def _path(run: SavedRun) -> Path:
    return run.path.resolve()


def _is_beside(run: SavedRun, rival: SavedRun) -> bool:
    path = _path(rival)
    return path.parent.name in KINDS and path.parent.parent == _path(run)


def _training(run: SavedRun) -> str:
    return f"{count(run.config.total_episodes, 'episode')}, {run.path.name}"


def _shortest(path: Path, others: Sequence[Path]) -> str:
    """The last parts of a path that no other ends with."""
    parts = path.parts
    for length in range(1, len(parts)):
        if sum(other.parts[-length:] == parts[-length:] for other in others) < 2:
            return "/".join(parts[-length:])
    return str(path)
