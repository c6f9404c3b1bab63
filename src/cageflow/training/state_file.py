"""Saved states of learners and runs: arrays and plain data, without anything that could run when it is read.

A state is JSON in which an array stands as its place among the bytes that follow.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from cageflow.errors import UserError
from cageflow.files import checksum, read_whole, write_whole

MAGIC, STATE_MAGIC = b"cageflow checkpoint 2\n", b"cageflow state 2\n"
OLD_MAGIC = b"cageflow checkpoint 1\n", b"PK\x03\x04"
"""How files began when PyTorch wrote them, signed and unsigned."""
_SUM_LENGTH = 65  # hexadecimal digits and a line break
_ARRAY = "array"  # the key that says that an object stands for an array
_KINDS = ("float32", "float64", "int64", "uint32")


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
    return _parsed(path, content if content.startswith(STATE_MAGIC) else _content(path, content))


def learner_in(state: dict[str, Any]) -> dict[str, Any] | None:
    """The learner in the state of a training, or in that of a learner's file; None where there is none."""
    learner: dict[str, Any] | None = state.get("trainer", state).get("ppo")
    return learner


def dump_state(state: dict[str, Any]) -> bytes:
    """A state as bytes, to be written or sent: of dictionaries with names, lists, numbers, strings and arrays.

    Raises:
        TypeError: there is something else in it.
    """
    arrays: list[bytes] = []

    def plain(value: object) -> dict[str, Any]:
        if not isinstance(value, np.ndarray) or value.dtype.name not in _KINDS:
            raise TypeError(f"a state cannot hold {type(value).__name__} {getattr(value, 'dtype', '')}".rstrip())
        arrays.append(value.tobytes())
        return {_ARRAY: value.dtype.name, "shape": value.shape}

    text = json.dumps(state, default=plain).encode()
    return b"".join([STATE_MAGIC, len(text).to_bytes(8, "little"), text, *arrays])


def parse_state(content: bytes) -> Any:
    """What `dump_state` was given, lists in place of tuples.

    Raises:
        ValueError: it is not of `dump_state`.
    """
    start = len(STATE_MAGIC) + 8
    if not content.startswith(STATE_MAGIC) or len(content) < start:
        raise ValueError("it does not begin as a state does")
    at = start + int.from_bytes(content[len(STATE_MAGIC) : start], "little")

    def whole(found: dict[str, Any]) -> Any:
        nonlocal at
        if found.get(_ARRAY) not in _KINDS:
            return found
        kind, shape = np.dtype(found[_ARRAY]), found["shape"]
        first, at = at, at + kind.itemsize * math.prod(shape)
        return np.frombuffer(content[first:at], kind).reshape(shape).copy()

    state = json.loads(content[start:at], object_hook=whole)
    if at != len(content):
        raise ValueError(f"it has {len(content)} bytes, and says {at}")
    return state


def _read(path: Path) -> bytes:
    try:
        return read_whole(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): put the file back") from error


def _content(path: Path, content: bytes) -> bytes:
    """What is signed, if the signature is its own."""
    if content.startswith(OLD_MAGIC):
        raise UserError(f"{path} was written by an older version of cageflow: go on with that one, or begin anew")
    start = len(MAGIC) + _SUM_LENGTH
    signed = content[start:]
    if content[:start] != MAGIC + checksum(signed).encode() + b"\n":
        raise UserError(f"{path} is damaged, or no checkpoint of this version")
    return signed


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        state = parse_state(content)
    except (ValueError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise UserError(f"{path} is damaged, or no checkpoint of this version") from error
    if not isinstance(state, dict):
        raise UserError(f"{path} is no checkpoint of a run")
    return state
