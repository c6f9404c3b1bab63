"""What the commands share in reading and printing."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from cageflow import terminal
from cageflow.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object on standard output; a number that is none is null, since JSON has no word for it."""
    terminal.say(json.dumps(_finite(content)))


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def figures_table(*headings: str, words: int = 1, gap: int = 3) -> Table:
    """A table without lines: columns of words first, then figures, which stand to the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="left" if i < words else "right")
    return table


def whole_numbers(option: str, text: str, most: int | None = None) -> list[int]:
    """Read whole numbers from 1, separated by commas, none above `most`."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise UserError(f"{option} is {text!r}: expected whole numbers from 1, separated by commas, such as 1,2,4")
    if most is not None and max(numbers) > most:
        raise UserError(f"{option} is {text!r}: expected whole numbers from 1 to {most}, separated by commas")
    return numbers
