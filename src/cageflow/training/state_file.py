"""Saved states of learners and runs: tensors and plain data, without anything that could run when it is read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from cageflow.errors import UserError
from cageflow.files import checksum, read_whole, write_whole

MAGIC = b"cageflow checkpoint 1\n"
_SUM_LENGTH = 65  # hexadecimal digits and a line break


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state with its check sum, whole or not at all."""
    content = dump_state(state)
    write_whole(path, MAGIC + checksum(content).encode() + b"\n" + content)


def load_state(path: Path) -> dict[str, Any]:
    """Read what `save_state` wrote; a file that is not as it was written, or could carry code, is refused.

    Raises:
        UserError: it cannot be read.
    """
    return _parsed(path, _content(path, _read(path)))


def load_learner(path: Path) -> dict[str, Any]:
    """As `load_state`, or what `dump_state` gave and nobody signed: a learner's file."""
    content = _read(path)
    return _parsed(path, _content(path, content) if content.startswith(MAGIC) else content)


def dump_state(state: dict[str, Any]) -> bytes:
    """A state as bytes, to be written or sent."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def parse_state(content: bytes) -> Any:
    """What `dump_state` was given; content that could carry code is refused."""
    return torch.load(io.BytesIO(content), weights_only=True)


def _read(path: Path) -> bytes:
    try:
        return read_whole(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): put the file back") from error


def _content(path: Path, content: bytes) -> bytes:
    """What is signed, if the signature is its own."""
    start = len(MAGIC) + _SUM_LENGTH
    signed = content[start:]
    if content[:start] != MAGIC + checksum(signed).encode() + b"\n":
        raise UserError(f"{path} is damaged, or no checkpoint of this version")
    return signed


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        state = parse_state(content)
    except Exception as error:  # torch raises many kinds, among them bare Exception, for a damaged file
        raise UserError(f"{path} is damaged, or no checkpoint of this version") from error
    if not isinstance(state, dict):
        raise UserError(f"{path} is no checkpoint of a run")
    return state
