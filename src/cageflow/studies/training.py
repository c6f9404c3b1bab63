"""A training of a study: a run of `cageflow train` like any other, in a folder of the study's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cageflow.agents.baselines.libraries import Tell
from cageflow.runs import runs
from cageflow.runs.checkpoint import finished_policy
from cageflow.runs.folder_lock import LOCK, lock_folder
from cageflow.runs.interrupt import StopRequest
from cageflow.runs.layout import CHECKPOINT, CONFIG
from cageflow.runs.log_file import read_log
from cageflow.runs.logs import LOGS, UPDATES, LoggedUpdate
from cageflow.runs.progress import Quiet, Reporter
from cageflow.runs.summary import RunSummary
from cageflow.scenario.red_agents import is_code
from cageflow.settings.commands import TrainConfig
from cageflow.training.trainer import UpdateRecord, Workflow
from cageflow.work.worker_process import PARENT_CHECK_S

ORPHAN_S = 10 * PARENT_CHECK_S
"""A study's own lock is ours, so who still has a training of it outlives its parent, and not for longer."""


def whole_budget(total_episodes: int) -> dict[str, Any]:
    """The settings by which no training ends before its episodes are used up, though compliance is judged."""
    return dict.fromkeys(("total_episodes", "min_episodes_per_trial", "patience_updates"), total_episodes)


@dataclass(frozen=True)
class Training:
    """A training, begun or not.

    Attributes:
        config: what.
        path: its folder.
    """

    config: TrainConfig
    path: Path

    @property
    def updates(self) -> list[LoggedUpdate]:
        """Those that are in its log."""
        return read_log(self.path / LOGS["training"].name, UPDATES)

    @property
    def seconds(self) -> float:
        """Spent collecting episodes and learning from them."""
        return sum(update.collection_s + update.update_s for update in self.updates)

    @property
    def is_finished(self) -> bool:
        """Whether it has left its policy; raises `UserError` where its folder is not as it was written."""
        return finished_policy(self.path) is not None

    def carry_through(self, tell: Tell = lambda episodes: None, stop: StopRequest | None = None) -> Path:
        """Train to the end, or go on to it; gives the policy's file.

        Args:
            tell: is told after each update how many episodes there were.
            stop: as of `runs.start`, and so are errors.
        """
        return carry_through(self.config, self.path, _Reporter(tell), stop).policy


def carry_through(config: TrainConfig, path: Path, reporter: Reporter, stop: StopRequest | None = None) -> RunSummary:
    """Train in a folder, or go on with that; what has ended is told again. Errors are as of `runs.start`."""
    lock = path / CHECKPOINT / LOCK
    if lock.exists() and not (path / CONFIG).exists():
        lock_folder(path, lock, wait_s=ORPHAN_S).close()  # who outlives its parent may be making the folder
    if not (path / CONFIG).exists():
        return runs.start(config, path, reporter, stop=stop)
    red_agent = config.red_agent if is_code(config.red_agent) else None
    named = {"cyborg_path": config.cyborg_path, "red_agent": red_agent}
    return runs.resume(path, "train", reporter, named, wait_s=ORPHAN_S, stop=stop)


class _Reporter(Quiet):
    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def update(self, order: Workflow, record: UpdateRecord, run_episodes: int) -> None:
        self._tell(run_episodes)

    def stopping(self, words: str) -> None:
        """Say nothing of the signal: a worker gets it from whoever has got the user's, and has said so."""
