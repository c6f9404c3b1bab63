"""Networks that are not CAGE-2's: made from it, as a user would."""

from pathlib import Path
from typing import Any

import yaml

from cageflow.scenario import Network, default_network, load_scenario

KINDS = ("values", "names", "smaller")
"""The same hosts with other values; other names and the same sizes; other sizes."""


def network_file(path: Path, kind: str = "values") -> Path:
    """Write the file of a network of one of KINDS."""
    data: Any = default_network().scenario.model_dump(mode="json")
    data["name"] = f"Own {kind}"
    if kind == "values":
        data["values"] |= {"low": 0.7, "high": 50.0}
    elif kind == "names":
        data = yaml.safe_load(yaml.safe_dump(data, sort_keys=False).replace("User4", "Laptop"))
    elif kind == "smaller":
        data = _without(data, "User4")
    else:
        raise ValueError(f"expected one of {KINDS}, got {kind}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path


def own_network(path: Path, kind: str = "values") -> Network:
    """The network of `network_file`."""
    return Network(load_scenario(network_file(path, kind)))


def _without(data: Any, host: str) -> Any:
    """The data without a host and all that names it."""
    if isinstance(data, dict):
        return {key: _without(value, host) for key, value in data.items() if key != host}
    if isinstance(data, list):
        kept = [_without(value, host) for value in data if value != host]
        return [value for value in kept if value != []]
    return data
