"""The checkpoint of a run: how it stands, and where its logs ended then."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cageflow.errors import UserError
from cageflow.files import checksum, read_whole
from cageflow.runs.csv_log import LogEnd
from cageflow.runs.layout import CHECKPOINT, CONFIG, POLICIES, STATE, checkpoint_file
from cageflow.runs.logs import LOGS
from cageflow.settings.commands import TrainConfig
from cageflow.training.state_file import load_state, save_state


def write_checkpoint(path: Path, state: Mapping[str, Any], ends: Mapping[str, LogEnd]) -> None:
    """Write the checkpoint of the run in a folder; `ends` are those of its logs."""
    logs = {name: end.to_json() for name, end in ends.items()}
    save_state(path / CHECKPOINT / STATE, {**state, "logs": logs})


def read_checkpoint(path: Path, kept: Collection[str]) -> tuple[dict[str, Any], dict[str, LogEnd]]:
    """The state of a run that keeps these of `LOGS`, and where they ended then.

    Raises:
        UserError: there is none, or it is of something else.
    """
    state_path = checkpoint_file(path, STATE)
    state = load_state(state_path)
    logs = state.get("logs")
    if not isinstance(logs, dict) or logs.keys() != {*kept} or "run_episodes" not in state:
        raise UserError(f"{state_path} is no checkpoint of a run")
    return state, {name: LogEnd(end["length"], end["sha256"]) for name, end in logs.items()}


def rename_checkpoint(path: Path) -> None:
    """Give the checkpoint of the run in a folder its name of today; the next one is to take its place."""
    found = checkpoint_file(path, STATE)
    if found.name != STATE:
        found.rename(found.with_name(STATE))


def finished_policy(path: Path) -> Path | None:
    """The policy that a run of `train` has left in its folder; None while it has left none that is as it was written.

    Raises:
        UserError: the checkpoint cannot be read, or the log is not the one of it.
    """
    if not (path / CONFIG).exists():
        return None
    state, ends = read_checkpoint(path, TrainConfig.logs)
    for name, end in ends.items():
        log = path / LOGS[name].name
        if log.is_symlink() or not log.exists() or checksum(read_whole(log)[: end.length]) != end.sha256:
            raise UserError(f"{log} is not as it was at the checkpoint: put the file back")
    if "policy" not in state:
        return None
    name, wanted = state["policy"]
    policy = path / POLICIES / name
    return policy if policy.is_file() and checksum(read_whole(policy)) == wanted else None
