"""What is to stand beside a run, begun while that is still going, on what its workers leave of the cores.

A search leaves a core idle where one trial has to wait for another, when it comes to its end, and while it trains on
with what it recommends. What is trained here is a start: `beside` goes on with it as with any training that was
stopped, so nothing depends on how far it came.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from cageflow.analysis.beside import training_path
from cageflow.errors import UserError
from cageflow.runs.interrupt import RunFailedError, RunStoppedError
from cageflow.runs.layout import with_kept_files
from cageflow.runs.run_folder import read_settings
from cageflow.scenario.red_agents import is_code
from cageflow.settings.commands import TrialsConfig
from cageflow.settings.config import RunConfig
from cageflow.studies.beside import configs_beside, with_free_cores
from cageflow.studies.training import Training
from cageflow.work.worker_process import WorkerLostError, WorkerProcess, can_fork

LOWEST = 19
"""The niceness of who trains: the trials of the run go first."""


class EarlyTrainings:
    """A process that trains what is to stand beside a run; a context manager, at whose end it is stopped.

    Args:
        config: of the run that is about to begin, or to go on.
        kinds: of what is trained, in their order; those that have all the episodes of the run when it has used them.
    """

    def __init__(self, config: RunConfig, kinds: Sequence[str]) -> None:
        self._kinds = kinds
        self._worker: WorkerProcess | None = None
        self._is_asked = False
        if _is_worth_it(config, kinds) and can_fork():
            with contextlib.suppress(WorkerLostError):  # it is trained at the end
                self._worker = WorkerProcess(os.nice, LOWEST, forks=True)

    def begin(self, path: Path) -> None:
        """Begin, now that the run's folder is there."""
        if self._worker is not None:
            self._worker.call(train_early, path, self._kinds)
            self._is_asked = True

    def __enter__(self) -> EarlyTrainings:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._worker is None:
            return
        if self._is_asked:
            self._worker.terminate()  # which has it write its checkpoint
        self._worker.end()


def train_early(path: Path, kinds: Sequence[str]) -> None:
    """Train what is to stand beside the run in a folder, one after the other, as far as one gets."""
    config = with_kept_files(read_settings(path), path)
    assert isinstance(config, TrialsConfig), "only those have something beside"
    for kind in kinds:
        for number, training in enumerate(configs_beside(config, kind), start=1):
            try:
                Training(with_free_cores(config, training), training_path(path, kind, number)).carry_through()
            except (UserError, RunFailedError, RunStoppedError):  # it is told where it is gone on with
                return


def _is_worth_it(config: RunConfig, kinds: Sequence[str]) -> bool:
    """Whether there is something to train, and workers that leave something of the cores; not with code of a user's."""
    return (
        isinstance(config, TrialsConfig)
        and config.trial_executor == "process"
        and config.simulator != "cyborg"
        and config.device == "cpu"
        and not is_code(config.red_agent)
        and any(configs_beside(config, kind) for kind in kinds)
    )
