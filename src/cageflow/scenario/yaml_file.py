"""A YAML file that a person wrote: read with the lines of its parts, so that a refusal can name them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from reprlib import repr as shorten
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from cageflow.errors import UserError
from cageflow.reading import MAX_YAML_BYTES, TextError, parse_yaml, read_text

Model = TypeVar("Model", bound=BaseModel)
Place = Sequence[str | int]


@dataclass(frozen=True)
class YamlFile:
    """The content of a file, and where in it each part stands.

    Attributes:
        name: what a refusal calls the file.
        text: its text.
        content: the mapping that it holds.
        root: the same as nodes, which know their lines.
    """

    name: str
    text: str
    content: dict[Any, Any]
    root: yaml.Node | None

    @classmethod
    def read(cls, source: Traversable, name: str, keys: Iterable[str]) -> YamlFile:
        """Read a file.

        Args:
            source: the file.
            name: what a refusal calls it.
            keys: some of the keys that it should hold, for the refusal.

        Raises:
            UserError: it cannot be read, is not YAML, gives a key twice or holds no mapping.
        """
        try:
            text = read_text(source, MAX_YAML_BYTES)
        except OSError as error:
            raise UserError(f"{name}: expected a readable YAML file ({error.strerror})") from error
        except TextError as error:
            raise UserError(f"{name}: expected a readable YAML file ({error})") from error
        return cls.parse(text, name, keys)

    @classmethod
    def parse(cls, text: str, name: str, keys: Iterable[str]) -> YamlFile:
        """Likewise from its text."""
        try:
            content, root = parse_yaml(text)
        except TextError as error:
            where = name if error.line is None else f"{name}, line {error.line}"
            raise UserError(f"{where}: {error.problem}") from error
        if not isinstance(content, dict):
            raise UserError(f"{name}, line 1: the whole file: expected keys such as {', '.join(keys)}")
        return cls(name, text, content, root)

    def validate(self, model: type[Model]) -> Model:
        """The content as a model.

        A validator of the whole model may raise `ValueError("@place: fault")`, the place with dots between its steps.

        Raises:
            UserError: it is none; the sentence names the file, the line, the place and what was expected.
        """
        try:
            return model.model_validate(self.content)
        except ValidationError as error:
            place, fault = _first_fault(error)
            raise self.refusal(place, fault) from error

    def refusal(self, place: Place, fault: str) -> UserError:
        """What is to be raised where a part of the file cannot be taken.

        Args:
            place: keys and positions that lead to the part, from the outside in.
            fault: what was expected, or why it cannot be.
        """
        at = ".".join(str(step) for step in place) or "the whole file"
        return UserError(f"{self.name}, line {_line_of(self.root, place)}: {at}: {fault}")


def _first_fault(error: ValidationError) -> tuple[tuple[str | int, ...], str]:
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error" and not first["loc"]:  # raised by a validator of the whole model
        place, fault = first["msg"].split("@", 1)[1].split(": ", 1)
        return tuple(int(step) if step.isdigit() else step for step in place.split(".")), fault
    return first["loc"], _expectation(first["type"], first["msg"], first["input"], first.get("ctx", {}))


def _expectation(kind: str, message: str, given: Any, limits: dict[str, Any]) -> str:
    """What was expected and what was given, in the words of a network file."""
    if kind == "missing":
        return "expected this key, which is missing"
    if kind == "extra_forbidden":
        return f"expected no such key, got {shorten(given)}"
    if kind in ("too_long", "too_short"):
        bound = f"at most {limits['max_length']}" if kind == "too_long" else f"at least {limits['min_length']}"
        return f"expected {bound} of them, got {len(given)}"
    if kind in ("model_type", "dict_type"):
        return f"expected keys and values, got {shorten(given)}"
    return f"{message.replace('Input should be', 'expected')}, got {shorten(given)}"


def _line_of(node: yaml.Node | None, place: Place) -> int:
    line = 1
    for step in place:
        child: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(step):
                    line, child = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            child = node.value[step]
            line = child.start_mark.line + 1
        if child is None:
            break
        node = child
    return line
