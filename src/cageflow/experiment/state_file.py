"""Saved states of learners and runs: tensors and plain data, without anything that could run when it is read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from cageflow.errors import UserError
from cageflow.files import write_whole


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state, whole or not at all."""
    write_whole(path, dump_state(state))


def load_state(path: Path) -> dict[str, Any]:
    """Read what `save_state` wrote; a file that could carry code is refused.

    Raises:
        UserError: it cannot be read.
    """
    try:
        state = parse_state(path.read_bytes())
    except Exception as error:  # torch raises many kinds, among them bare Exception, for a damaged file
        raise UserError(f"{path} is damaged, or no checkpoint of this version") from error
    if not isinstance(state, dict):
        raise UserError(f"{path} is no checkpoint of a run")
    return state


def dump_state(state: dict[str, Any]) -> bytes:
    """The content of a state's file, to be written or sent."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def parse_state(content: bytes) -> Any:
    """What `dump_state` was given; content that could carry code is refused."""
    return torch.load(io.BytesIO(content), weights_only=True)
