"""The open folder of a run: its configuration, its logs, its policies and the checkpoint from which it goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cageflow.errors import UserError
from cageflow.files import checksum, read_whole, write_whole
from cageflow.runs.checkpoint import read_checkpoint, rename_checkpoint, write_checkpoint
from cageflow.runs.folder_lock import LOCK, FolderLock, lock_folder
from cageflow.runs.layout import CHECKPOINT, CONFIG, NETWORK, POLICIES, START, UNIVERSAL_TABLE, checkpoint_file
from cageflow.runs.run_logs import RunLogs
from cageflow.runs.unfinished import is_unfinished
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import FILES, read_config
from cageflow.settings.settings_file import check_settings, dump_settings, read_object
from cageflow.training.learners import Learners

CHECKPOINT_EVERY_S = 1.0
"""Seconds between checkpoints in the course of a training: what a kill costs at most, and updates take milliseconds."""


class RunFolder:
    """An open run folder; `make_folder` makes one.

    Args:
        path: the folder.
        lock: that keeps it to this process; closed with the folder.
        logs: cut back to the checkpoint; closed with the folder.
        orders: of the network that is played.

    Attributes:
        path, logs: as given.
    """

    def __init__(self, path: Path, lock: FolderLock, logs: RunLogs, orders: OrderSpace) -> None:
        self.path = path
        self._lock = lock
        self.logs = logs
        self._orders = orders
        self._checkpoint_at = -math.inf

    @classmethod
    def resume(
        cls, path: Path, config: RunConfig, say: Callable[[str], None] = lambda words: None, wait_s: float = 0.0
    ) -> tuple[RunFolder, dict[str, Any]]:
        """Open the folder of a run that was stopped, its logs cut back to its checkpoint.

        Args:
            path: of the folder.
            config: that it goes on with, and that the folder says from now on.
            say: is told what the user should know of the folder.
            wait_s: seconds for another process to leave it.

        Returns:
            The folder and its checkpoint.

        Raises:
            UserError: the run is still going, its checkpoint cannot be read, or its logs are not those of then.
        """
        with ExitStack() as closing:
            if not (path / CHECKPOINT).is_dir():
                raise UserError(f"{path / CHECKPOINT} is missing: put it back, or start a new run")
            lock = lock_folder(path, path / CHECKPOINT / LOCK, say, wait_s)
            closing.callback(lock.close)
            state, ends = read_checkpoint(path, config.logs)
            orders = config.game().network.orders
            Learners(path / CHECKPOINT, orders, state.get("learners")).check()
            logs = RunLogs(path, config.logs, orders, ends)
            closing.callback(logs.close)
            written = check_settings(path / CONFIG, read_object(path / CONFIG))
            wanted = {**written, **config.to_json(), "scenario": written.get("scenario")}
            if wanted != written:
                write_whole(path / CONFIG, dump_settings(wanted))
            (path / POLICIES).mkdir(exist_ok=True)
            rename_checkpoint(path)
            closing.pop_all()
            return cls(path, lock, logs, orders), state

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Write the checkpoint; the logs up to here belong to it.

        Raises:
            RunFailedError: the folder, its lock or a log was removed or replaced.
        """
        self._lock.check()
        write_checkpoint(self.path, state, self.logs.sync())
        self._checkpoint_at = time.monotonic()

    def is_due(self) -> bool:
        """Whether the last checkpoint is so long ago that an update should write another."""
        return time.monotonic() - self._checkpoint_at >= CHECKPOINT_EVERY_S

    def network(self) -> bytes | None:
        """The network file that the run began with; None for CAGE-2's own."""
        return _kept(self.path / NETWORK)

    def start(self) -> bytes | None:
        """The learner that the trainings of the run begin with; None to begin from scratch."""
        return _kept(checkpoint_file(self.path, START))

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Turn the errors of a checkpoint of another shape into a sentence."""
        try:
            yield
        except UserError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            what = " ".join(str(error).split())
            raise UserError(f"the checkpoint in {self.path} does not fit its {CONFIG}: {what}") from error

    @property
    def checkpoint_path(self) -> Path:
        """Where all stands that only going on needs."""
        return self.path / CHECKPOINT

    def policy_path(self, order: Order | None, seed: int | None = None) -> Path:
        """Where the policy of an order stands; of the landscape's training number `seed` of it, where that is given."""
        name = "policy" if order is None else self._orders.file_name(order)
        return self.path / POLICIES / f"{name}{'' if seed is None else f'_seed{seed}'}.safetensors"

    @property
    def best_policy_path(self) -> Path:
        """Where a search keeps the policy of its best trial."""
        return self.path / POLICIES / "best.safetensors"

    @property
    def universal_policy_path(self) -> Path:
        """Where the policy of all orders stands."""
        return self.path / POLICIES / "universal.safetensors"

    @property
    def universal_table_path(self) -> Path:
        """Where it is written what the policy of all orders is worth for each."""
        return self.path / UNIVERSAL_TABLE

    def close(self) -> None:
        """Close the logs and leave the folder to others."""
        with ExitStack() as closing:  # each is closed even where another cannot be
            closing.callback(self._lock.close)
            closing.callback(self.logs.close)


def _kept(path: Path) -> bytes | None:
    return read_whole(path) if path.exists() else None


def read_settings(path: Path) -> RunConfig:
    """The settings of a run that is to go on, the files that it began with in order.

    Raises:
        UserError: the folder holds no run, or something of it is not as it was written.
    """
    if not (path / CONFIG).exists() and path.is_dir() and is_unfinished(path):
        raise UserError(
            f"{path} is no run folder yet: the run was killed while it made it; start it anew, the folder will do"
        )
    config = read_config(path / CONFIG)
    values = check_settings(path / CONFIG, read_object(path / CONFIG))
    for name, wanted in values.get(FILES, {}).items():
        try:
            content = read_whole(path / name)
        except OSError as error:
            raise UserError(f"{path / name} cannot be read ({error.strerror}): put the file back") from error
        if checksum(content) != wanted:
            raise UserError(f"{path / name} was changed after the run began: put it back as it was")
    return config
