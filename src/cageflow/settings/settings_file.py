"""Files of settings that a run goes on with: JSON with a check sum, so that no changed setting goes unnoticed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cageflow.errors import UserError
from cageflow.files import checksum, read_whole
from cageflow.reading import parse_json

SUM = "sha256"


def dump_settings(content: Mapping[str, Any]) -> bytes:
    """The content of the file, its check sum included."""
    return (json.dumps({**content, SUM: _sum(content)}, indent=2) + "\n").encode()


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file, whether or not it has a check sum.

    Raises:
        OSError: the file is not there, or cannot be read.
        UserError: it is no file, or holds no JSON object.
    """
    try:
        values = parse_json(read_whole(path).decode())
    except ValueError as error:
        raise UserError(f"{path}: expected JSON ({error})") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected one JSON object, got {type(values).__name__}")
    return values


def check_settings(path: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse settings that are not those that were written.

    Args:
        path: where they come from.
        values: what `read_object` gave.

    Returns:
        The settings without their check sum.

    Raises:
        UserError: they have been changed, or are of a version without check sums.
    """
    content = {name: value for name, value in values.items() if name != SUM}
    if SUM not in values:
        raise UserError(
            f"{path} has no check sum ({SUM}): it is of an earlier version, which alone can go on with it; start a new "
            "run with this one"
        )
    if values[SUM] != _sum(content):
        raise UserError(
            f"{path} was changed after the run began: put it back as it was, or start a new run with other settings"
        )
    return content


def _sum(content: Mapping[str, Any]) -> str:
    return checksum(json.dumps(content, sort_keys=True).encode())
