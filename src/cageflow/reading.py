"""Text from files, read so that nothing in it can do more than be refused.

A file that a user hands in may come from anybody. What is read here has a greatest size, depth and length of a number,
so that no content crashes, hangs or fills the memory, and nothing in it names code.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

MAX_YAML_BYTES = 256 * 1024
"""Thirty times CAGE-2's network; its reader takes two seconds for as much."""
MAX_BYTES = 256 * 1024 * 1024
"""Of logs and of what a run writes; a playbook has some 100 kB, a log of a million updates some 200 MB."""
MAX_DEPTH = 32
MAX_NODES = 20_000
"""Of a YAML file, each alias counted as often as it stands for something."""
MAX_DIGITS = 40
"""Of a number; 2**64 has 20, and a float needs no more than 25 characters."""
MAX_TEXT = 4096
"""Characters of one text in a YAML file, the longest path that Linux takes."""

_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What Python and its readers raise over text that they do not understand."""
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq", "merge")}


class TextError(ValueError):
    """Text that cannot be used.

    Args:
        problem: what is wrong with it.
        line: where, from 1; None where that is not known.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.problem = problem
        self.line = line


def read_text(path: Path | Traversable, max_bytes: int = MAX_BYTES) -> str:
    """A file's text, UTF-8.

    Raises:
        OSError: it cannot be read.
        TextError: it is too long, or no text.
    """
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise TextError(f"it has more than {max_bytes:,} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise TextError("it is no text in UTF-8") from None


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        OSError: it cannot be read.
        TextError: it is no JSON, or exceeds a limit.
    """
    return parse_json(read_text(path))


def parse_json(text: str) -> Any:
    """What a JSON text says.

    Raises:
        TextError: it is no JSON, or exceeds a limit.
    """
    too_deep = TextError(f"it is nested deeper than {MAX_DEPTH}")
    try:
        content = json.loads(text, parse_int=_whole_number)
    except RecursionError:
        raise too_deep from None
    except json.JSONDecodeError as error:
        raise TextError(error.msg, error.lineno) from None
    level = [content]
    for _ in range(MAX_DEPTH):
        level = [child for one in level for child in _children(one)]
        if not level:
            return content
    raise too_deep


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise TextError(f"a number has {len(digits):,} digits, more than {MAX_DIGITS}")
    return int(digits)


def _children(content: Any) -> list[Any]:
    """What a value of JSON holds, as far as that can hold something again or is more than nothing."""
    if isinstance(content, dict):
        return [child for child in content.values() if isinstance(child, dict | list)]
    return [child for child in content if isinstance(child, dict | list)] if isinstance(content, list) else []


def read_rows(path: Path) -> list[list[str]]:
    """The lines of a CSV file.

    Raises:
        OSError: it cannot be read.
        TextError: it is no text, or no CSV.
    """
    return parse_rows(read_text(path))


def parse_rows(text: str) -> list[list[str]]:
    """The lines of a CSV text.

    Raises:
        TextError: it is none.
    """
    reader = csv.reader(io.StringIO(text))
    try:
        return list(reader)
    except csv.Error as error:
        raise TextError(str(error), reader.line_num) from None


def read_yaml(path: Path | Traversable) -> tuple[Any, yaml.Node | None]:
    """The content of a YAML file, and its nodes, which know their lines.

    1e-4 is a number, which YAML 1.1 takes for text, and dates are text. No key may stand twice.

    Raises:
        OSError: it cannot be read.
        TextError: it is no YAML, exceeds a limit, or names types beyond text, numbers, lists and keys with values.
    """
    return parse_yaml(read_text(path, MAX_YAML_BYTES))


def parse_yaml(text: str) -> tuple[Any, yaml.Node | None]:
    """What a YAML text says, and its nodes.

    Raises:
        TextError: as `read_yaml`.
    """
    if len(text) > MAX_YAML_BYTES:  # also where it stands in another file
        raise TextError(f"it has more than {MAX_YAML_BYTES:,} bytes")
    try:
        _check_depth(text)
        root = yaml.compose(text, _Loader)
        if root is None:
            return None, None
        _check_nodes(root)
        loader = _Loader("")
        try:
            return loader.construct_document(root), root
        finally:
            loader.dispose()
    except yaml.reader.ReaderError:
        raise TextError("it is no text: it holds characters that YAML does not allow") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise TextError(f"expected YAML ({problem})", None if mark is None else mark.line + 1) from None
    except TextError:
        raise
    except _FAULTS as error:  # a value that does not fit the tag before it
        raise TextError(f"expected YAML ({' '.join(str(error).split())[:200] or type(error).__name__})") from None


class _Loader(yaml.SafeLoader):
    """YAML as people write it."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":value"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+"), list("-+.0123456789")
)


def _check_depth(text: str) -> None:
    """Refuse deep nesting before anything descends into it, found by the parser in C where there is one."""
    try:
        _check_depth_by(text, getattr(yaml, "CSafeLoader", _Loader))
    except (yaml.YAMLError, UnicodeError):
        _check_depth_by(text, _Loader)  # which has words for what is wrong


def _check_depth_by(text: str, loader: type[yaml.SafeLoader]) -> None:
    depth = 0
    for event in yaml.parse(text, loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                line = None if event.start_mark is None else event.start_mark.line + 1
                raise TextError(f"it is nested deeper than {MAX_DEPTH}", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check_nodes(root: yaml.Node) -> None:
    """Refuse what would be too much, too long or of a type of its own, before anything is made of it."""
    num_nodes = 0
    waiting: list[tuple[yaml.Node, int]] = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        num_nodes += 1
        line = node.start_mark.line + 1
        if num_nodes > MAX_NODES:
            raise TextError(f"it holds more than {MAX_NODES:,} values, its aliases written out")
        if depth > MAX_DEPTH:  # an alias within what it stands for has no end
            raise TextError(f"it is nested deeper than {MAX_DEPTH}, its aliases written out", line)
        if node.tag not in _PLAIN_TAGS:
            raise TextError(f"expected text, a number, a list or keys with values, got {node.tag[:80]}", line)
        if isinstance(node, yaml.ScalarNode):
            _check_scalar(node, line)
        elif isinstance(node, yaml.MappingNode):
            _check_keys(node)
        waiting += [(child, depth + 1) for child in _parts(node)]


def _check_scalar(node: yaml.ScalarNode, line: int) -> None:
    is_number = node.tag.endswith((":int", ":float"))
    if is_number and len(node.value) > MAX_DIGITS:
        raise TextError(f"a number has {len(node.value):,} digits, more than {MAX_DIGITS}", line)
    if len(node.value) > MAX_TEXT:
        raise TextError(f"a text has {len(node.value):,} characters, more than {MAX_TEXT:,}", line)


def _check_keys(node: yaml.MappingNode) -> None:
    """Refuse keys that YAML would take the last of and say nothing, and keys that are no text."""
    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise TextError("expected text as a key, got a list or keys with values", line)
        if (key.tag, key.value) in seen:
            raise TextError(f"expected each key once, got {key.value[:200]} again", line)
        seen.add((key.tag, key.value))


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
