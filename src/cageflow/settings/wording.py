"""Words for what pydantic found wrong; light, since the command line needs them too."""

from __future__ import annotations

from collections.abc import Iterable

_REPLACED = (
    ("Value error, ", ""),
    ("Input should be ", "expected "),
    ("greater than or equal to", "at least"),
    ("less than or equal to", "at most"),
    ("a valid integer", "a whole number"),
    (", unable to parse string as an integer", ""),
    (", got a number with a fractional part", ""),
    ("a valid number, unable to parse string as a number", "a number"),
    ("a valid number", "a number"),
    ("a valid string", "text"),
    ("a valid dictionary", "names and values"),
    ("a valid boolean", "true or false"),
    (", unable to interpret input", ""),
)


def expectation(message: str) -> str:
    """What was expected, from pydantic's message: "Input should be a valid integer" is "expected a whole number"."""
    for theirs, ours in _REPLACED:
        message = message.replace(theirs, ours)
    return message


def beside_resume(names: Iterable[str]) -> str:
    """The refusal of what was given, by these names, beside a run that goes on."""
    return f"a resumed run keeps its settings: leave out {', '.join(names)}, or start a new run"
