"""How the trainings of a landscape were made, which its table does not say: a file beside it does.

The table of a run has the settings in the run's folder, any other `NAME.csv` may have a `NAME.json`, as the shipped
ones do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

RUN_TABLE, RUN_SETTINGS, RUN_NETWORK = "landscape.csv", "config.json", "network.yaml"
"""Of a run, in its folder: the table, and what it was made with."""
FIELDS = ("workflow_mode", "compliance_threshold", "red_agent", "rules", "max_steps", "durations", "scenario")
"""What is read, under the names of the settings; besides `network`, which says more than is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandscapeAbout:
    """The settings that a reader of a landscape has to know.

    Attributes:
        workflow_mode: how orders were kept.
        compliance_threshold: that a training which follows its order has to reach.
        red_agent, rules, max_steps, durations: of the game.
        scenario: the network's name, or its file; None is CAGE-2's own.
        network: its fingerprint.
        network_name: how its file calls it.
    """

    workflow_mode: Literal["enforced", "rewarded"]
    compliance_threshold: float
    red_agent: str
    rules: str
    max_steps: int
    durations: str
    scenario: str | None
    network: str
    network_name: str

    @property
    def gate(self) -> Literal["feasibility", "strict"]:
        """The gate of a search among such orders."""
        return "strict" if self.workflow_mode == "enforced" else "feasibility"

    @property
    def in_words(self) -> str:
        """The game and how orders were kept."""
        lasting = "" if self.durations == "file" else f", durations {self.durations}"
        kept = "enforced" if self.workflow_mode == "enforced" else f"rewarded to {self.compliance_threshold:.0%}"
        return f"{self.network_name}{lasting}, against {self.red_agent}, {self.max_steps} steps; orders {kept}"


def read_about(table: Path) -> LandscapeAbout | None:
    """What stands beside the table of a landscape; None where nothing does that can be read."""
    content = beside(table)
    try:
        network = content["network"]
        found = LandscapeAbout(
            **{name: content[name] for name in FIELDS},
            network=str(network["fingerprint"]),
            network_name=str(network["name"]),
        )
        is_known = found.workflow_mode in ("enforced", "rewarded") and 0 <= found.compliance_threshold <= 1
    except (KeyError, TypeError):
        return None
    return found if is_known else None


def beside(table: Path) -> Mapping[str, Any]:
    """The content of the file beside a table; empty where there is none.

    The network of a run is its copy in the folder.
    """
    content = _read(table.with_suffix(".json"))
    if content or table.name != RUN_TABLE:
        return content
    content = _read(table.with_name(RUN_SETTINGS))
    if content.get("scenario") is not None:
        content["scenario"] = str(table.with_name(RUN_NETWORK))
    return content


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
