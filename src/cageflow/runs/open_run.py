"""What every kind of run is given when it begins or goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cageflow.runs.interrupt import StopRequest
from cageflow.runs.progress import Reporter
from cageflow.runs.run_folder import RunFolder
from cageflow.runs.tensorboard import EventLog
from cageflow.settings.config import RunConfig

Config = TypeVar("Config", bound=RunConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun(Generic[Config]):
    """A run whose folder is open; who made it closes it.

    Attributes:
        config: of the run.
        folder: where it writes.
        state: its checkpoint, empty for a new run.
        reporter: who is told.
        events: TensorBoard's log.
        stop: looked at between updates.
    """

    config: Config
    folder: RunFolder
    state: dict[str, Any]
    reporter: Reporter
    events: EventLog
    stop: StopRequest

    @property
    def episodes_before(self) -> int:
        """Episodes trained before this process's part of the run."""
        return int(self.state.get("run_episodes", 0))

    def checkpoint_if_due(self, make_state: Callable[[], dict[str, Any]], *, at_end: bool) -> bool:
        """Write a checkpoint of what `make_state` gives if the last is a while ago or a signal asks for the end.

        Args:
            at_end: whether the training ends here, so that one is written in any case.

        Returns:
            Whether one was written, so that the run may end here.
        """
        if not (at_end or self.stop.is_asked or self.folder.is_due()):
            return False
        self.folder.checkpoint(make_state())
        return True
