"""What a run leaves that was killed while it made its folder, and whether a new one may go there."""

from __future__ import annotations

from pathlib import Path

from cageflow.errors import UserError
from cageflow.files import is_partial
from cageflow.runs.folder_lock import LOCK
from cageflow.runs.layout import BEFORE, CHECKPOINT, CONFIG, NETWORK, POLICIES, RED_AGENT
from cageflow.runs.logs import LOGS


def check_new(path: Path) -> None:
    """Refuse a folder for a new run that holds something, but for what a run leaves that was killed while it made it.

    Raises:
        UserError: it does.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file: name a new folder for the run")
    if path.exists() and any(not is_partial(one) for one in path.iterdir()) and not is_unfinished(path):
        others = f", or go on with the run in it by --resume {path}" if (path / CONFIG).exists() else ""
        raise UserError(f"{path} exists and is not empty: name a new folder{others}")


def is_unfinished(path: Path) -> bool:
    """Whether a folder holds what `make_folder` makes before the settings, and nothing else."""
    if not (path / CHECKPOINT).is_dir():
        return False
    heads = {log.name: (log.format.header + "\n").encode() for log in LOGS.values()}
    for one in path.iterdir():
        is_head = one.name in heads and one.is_file() and heads[one.name].startswith(_beginning(one, heads[one.name]))
        is_empty = one.name == POLICIES and one.is_dir() and not any(one.iterdir())
        is_copy = one.is_file() and (one.name == NETWORK or one.stem == RED_AGENT)
        if not (is_head or is_empty or is_partial(one) or one.name == CHECKPOINT or is_copy):
            return False
    return all(
        is_partial(one) or one.name in {LOCK, *BEFORE, *BEFORE.values()} for one in (path / CHECKPOINT).iterdir()
    )


def clear_unfinished(path: Path) -> None:
    """Remove what `is_unfinished` has found, but for the lock."""
    for one in [*path.iterdir(), *(path / CHECKPOINT).iterdir()]:
        if one.name == POLICIES:
            one.rmdir()
        elif one.name not in (CHECKPOINT, LOCK):
            one.unlink()


def _beginning(path: Path, head: bytes) -> bytes:
    """Of a file, one byte more than a head has."""
    with path.open("rb") as file:
        return file.read(len(head) + 1)
