"""A network as the text of a network file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from cageflow.scenario.schema import Scenario
from cageflow.scenario.yaml_file import YamlFile

WIDTH = 100  # a line is broken after the item of a list that crosses it
HEAD = "# What each key means stands in the file of CAGE-2's network, cage2.yaml.\n"
DEEP, DEEP_IN_HOSTS = 1, 2  # levels of keys of a section that have lines of their own


def network_text(scenario: Scenario) -> str:
    """The text of a file that is read as this network; what has its usual value is left out."""
    content = scenario.model_dump(exclude_defaults=True)
    return HEAD + "\n".join(_dump({key: value}) for key, value in content.items())


def checked_network(content: Mapping[str, Any], name: str) -> Scenario:
    """A network put together by a program, checked as a file is.

    Args:
        content: what a network file says.
        name: what a refusal calls it.

    Raises:
        UserError: it is no consistent network; the sentence names the place.
    """
    return YamlFile.parse(_dump(content), name, Scenario.model_fields).validate(Scenario)


class _Line(dict[str, Any]):
    """Keys and values in one line."""


class _Row(list[Any]):
    """A list in one line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # what stands twice is written twice, for a person to change
        return True


_Dumper.add_representer(_Line, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, True))
_Dumper.add_representer(_Row, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, True))


def _dump(content: Mapping[str, Any]) -> str:
    laid_out = {key: _laid_out(value, DEEP_IN_HOSTS if key == "hosts" else DEEP) for key, value in content.items()}
    text = str(yaml.dump(laid_out, Dumper=_Dumper, sort_keys=False, width=WIDTH, allow_unicode=True))
    return text.replace("\n    - {", "\n      - {")


def _laid_out(value: Any, levels: int) -> Any:
    """The same with `levels` levels of keys beneath which, and of lists, all stands in one line."""
    if isinstance(value, dict):
        items = {key: _laid_out(item, levels - 1) for key, item in value.items()}
        is_leaf = not any(isinstance(item, dict | list) for item in value.values())
        return _Line(items) if levels <= 0 or (is_leaf and levels < DEEP_IN_HOSTS) else items
    if isinstance(value, list):
        rows = [_laid_out(item, 0) for item in value]
        return rows if any(isinstance(item, dict | list) for item in value) else _Row(rows)
    return value
