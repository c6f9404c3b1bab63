"""What an ONNX file says of itself, read without a library: the entries of its metadata, in Protocol Buffers' format.

Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, ModelProto and StringStringEntryProto.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cageflow.errors import UserError
from cageflow.reading import TextError, parse_json

MAX_BYTES = 1024**3
_METADATA, _KEY, _VALUE = 14, 1, 2  # numbers of fields
_VARINT, _EIGHT, _SIZED, _FOUR = 0, 1, 2, 5  # ways that a field is written


class OnnxFile(NamedTuple):
    """An exported policy's file.

    Attributes:
        content: the file's.
        entries: of its metadata, as `export.model.model_metadata` wrote them.
        actions: names of the actions, in order.
    """

    content: bytes
    entries: dict[str, str]
    actions: tuple[str, ...]


def read_onnx(path: Path) -> OnnxFile:
    """Read an exported policy's file, but for the model itself.

    Raises:
        UserError: it cannot be read, or is no policy that cageflow exported.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    refusal = UserError(f"{path} is no policy exported by cageflow.")
    try:
        if len(content) > MAX_BYTES:
            raise refusal
        entries = _metadata(content)
        actions = parse_json(entries["actions"])
    except (IndexError, KeyError, TextError, ValueError) as error:
        raise refusal from error
    is_list = isinstance(actions, list) and all(isinstance(name, str) for name in actions)
    if not is_list or entries.get("observation") not in ("corrected", "official"):
        raise refusal
    return OnnxFile(content, entries, tuple(actions))


def _metadata(content: bytes) -> dict[str, str]:
    """The entries, by key."""
    entries = {}
    for number, value in _fields(memoryview(content)):
        if number == _METADATA:
            entry: dict[int, Any] = dict(_fields(value))
            entries[bytes(entry[_KEY]).decode()] = bytes(entry[_VALUE]).decode()
    return entries


def _fields(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and content of each field that has a size."""
    place = 0
    while place < len(content):
        tag, place = _varint(content, place)
        kind = tag & 7
        if kind == _VARINT:
            _, place = _varint(content, place)
        elif kind == _SIZED:
            size, place = _varint(content, place)
            if size > len(content) - place:
                raise ValueError("a field is longer than what holds it")
            yield tag >> 3, content[place : place + size]
            place += size
        elif kind in (_EIGHT, _FOUR):
            place += 8 if kind == _EIGHT else 4
        else:
            raise ValueError("a field is written in no known way")


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number has no end")
