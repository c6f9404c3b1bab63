"""A YAML file that a person wrote: read with the lines of its parts, so that a refusal can name them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from cageflow.errors import UserError
from cageflow.reading import MAX_YAML_BYTES, TextError, parse_yaml, read_text
from cageflow.scenario.names import Place, shorten, shown_place

Model = TypeVar("Model", bound=BaseModel)

WHAT_YAML_READS = {
    "bool": "a truth value",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
}
"""In words, by YAML's tag, what it takes a bare word for that is no text."""
STR_TAG, MERGE_TAG = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


class PlacedError(ValueError):
    """For validators of a whole model: what was expected, and where."""

    def __init__(self, place: Place, fault: str) -> None:
        super().__init__(fault)
        self.place = place


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
        return cls.parse(read_yaml_text(source, name), name, keys)

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
        """The content as a model, all keys of which are text.

        Validators raise `PlacedError` where the fault is not in what they were given, else `ValueError`.

        Raises:
            UserError: it is none; the sentence names the file, the line, the place and what was expected.
        """
        for place, key in sorted(_keys_that_are_no_text(self.root), key=lambda found: found[1].start_mark.index):
            raise self._refusal(place, key.start_mark.line + 1, _put_in_quotes("a name", key))
        try:
            return model.model_validate(self.content)
        except ValidationError as error:
            raise self._refusal(*_first_fault(self.root, error)) from error

    def refusal(self, place: Place, fault: str) -> UserError:
        """What is to be raised where a part of the file cannot be taken.

        Args:
            place: keys and positions that lead to the part, from the outside in.
            fault: what was expected, or why it cannot be.
        """
        *_, (line, _) = _way(self.root, place)
        return self._refusal(place, line, fault)

    def _refusal(self, place: Place, line: int, fault: str) -> UserError:
        return UserError(f"{self.name}, line {line}: {shown_place(place) or 'the whole file'}: {fault}")


def read_yaml_text(source: Traversable, name: str) -> str:
    """The text of a file, which `name` stands for in a refusal.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return read_text(source, MAX_YAML_BYTES)
    except OSError as error:
        raise UserError(f"{name}: expected a readable YAML file ({error.strerror})") from error
    except TextError as error:
        raise UserError(f"{name}: expected a readable YAML file ({error})") from error


def _first_fault(root: yaml.Node | None, error: ValidationError) -> tuple[Place, int, str]:
    """Where it is, on which line, and what was expected."""
    first = error.errors(include_url=False)[0]
    kind, place = first["type"], first["loc"]
    if kind == "value_error":  # raised by a validator of ours
        fault = first["ctx"]["error"]
        place = (*place, *fault.place) if isinstance(fault, PlacedError) else place
    *_, (line, node) = _way(root, place)
    if place[-1:] == ("[key]",) and node is None:  # pydantic's word for a key itself
        place = place[:-1]
    if kind == "value_error":
        return place, line, str(fault)
    if kind == "string_type" and isinstance(node, yaml.ScalarNode):
        return place, line, _put_in_quotes("text", node)
    return place, line, _expectation(kind, first["msg"], first["input"], first.get("ctx", {}))


def _put_in_quotes(expected: str, node: yaml.Node) -> str:
    read = WHAT_YAML_READS.get(node.tag.rpartition(":")[2], "something else")
    given = shorten(node.value)[1:-1] if isinstance(node, yaml.ScalarNode) else "this"
    return f"expected {expected}, got {given or 'nothing'}, which YAML reads as {read} unless it stands in quotes"


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


def _keys_that_are_no_text(root: yaml.Node | None) -> Iterator[tuple[Place, yaml.Node]]:
    """Keys such as a bare `No` or `7`, and the place of the mapping in which each stands."""
    waiting: list[tuple[Place, yaml.Node | None]] = [((), root)]
    visited = set()
    while waiting:
        place, node = waiting.pop()
        if id(node) in visited:  # an alias may stand anywhere, even within what it stands for
            continue
        visited.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.tag not in (STR_TAG, MERGE_TAG):
                    yield place, key
                waiting.append(((*place, key.value if isinstance(key, yaml.ScalarNode) else "?"), value))
        elif isinstance(node, yaml.SequenceNode):
            waiting += [((*place, i), child) for i, child in enumerate(node.value)]


def _way(node: yaml.Node | None, place: Place) -> Iterator[tuple[int, yaml.Node | None]]:
    """The way to a place: at each step the line and what stands there; None, on the last line, where the way ends."""
    line = 1
    yield line, node
    for step in place:
        key: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            key, node = next(((key, value) for key, value in _entries(node) if key.value == step), (None, None))
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            key = node = node.value[step]
        else:
            node = None
        line = line if key is None else key.start_mark.line + 1
        yield line, node
        if node is None:
            return


def _entries(mapping: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Keys and values: a mapping's own, then those that it takes over by a merge key."""
    waiting: list[yaml.Node] = [mapping]
    visited = set()
    while waiting:
        node = waiting.pop(0)
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.tag == MERGE_TAG:
                    waiting.append(value)
                else:
                    yield key, value
