"""A run's figures on Weights & Biases too, taken from its TensorBoard events."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from cageflow.errors import UserError
from cageflow.runs.tensorboard import hyperparameters
from cageflow.settings.config import RunConfig


def check_mirror(project: str | None) -> None:
    """Refuse a project where the library is not installed, before anything is written.

    Raises:
        UserError: it is so.
    """
    if project is not None and find_spec("wandb") is None:
        raise UserError(
            f"wandb is {project!r}, but Weights & Biases is not installed: pip install 'cageflow[wandb]', or leave it "
            "out"
        )


@contextmanager
def mirrored(project: str | None, path: Path, config: RunConfig) -> Iterator[None]:
    """Have the events that are written from here on sent to a project as well; a run that goes on stays one there.

    Args:
        project: of Weights & Biases, whose own settings (`WANDB_MODE=offline`) hold; None sends nothing.
        path: of the run's folder, which is there.
        config: of the run.
    """
    if project is None:
        yield
        return
    wandb = import_module("wandb")
    number = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    sent = wandb.init(
        project=project,
        name=path.name,
        id=number,
        resume="allow",
        dir=str(path.parent),  # inside, its copy of the events would be taken for more of them
        config=hyperparameters(config),
        sync_tensorboard=True,
    )
    # From this class of TensorBoard's, which it has changed by now, it learns of the folder; the file is left empty.
    import_module("tensorboard.summary.writer.event_file_writer").EventFileWriter(str(path)).close()
    try:
        yield
    finally:
        sent.finish()
