"""A policy that `cageflow export` wrote, as an agent: played from its file, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cageflow.agents.foreign.agent import load_agent
from cageflow.agents.foreign.onnx_card import read_onnx
from cageflow.agents.trained import TrainedSource
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.errors import UserError
from cageflow.learn.fit import check_card
from cageflow.learn.policy import PolicyCard
from cageflow.reading import TextError, parse_json

TEXTS = ("workflow", "rules", "red_agent", "observation", "preset", "activation", "action_set", "workflow_mode", "side")
"""Entries of a card that are text."""


@dataclass(frozen=True)
class ExportedSource(TrainedSource):
    """An `.onnx` file with the card of its policy."""

    timeout_s: float

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agent.

        Raises:
            UserError: the policy was not made for these games, or onnxruntime cannot read it.
        """
        check_card(self.card, setting, self.name)
        return load_agent(self.name, {}, setting, deterministic=self.deterministic, timeout_s=self.timeout_s)


def read_card(path: Path) -> PolicyCard:
    """The card of an exported policy.

    Raises:
        UserError: it cannot be read, or is no policy that cageflow exported.
    """
    entries = read_onnx(path).entries
    names = {field.name for field in fields(PolicyCard)}
    try:
        content = {name: _value(name, text) for name, text in entries.items() if name in names}
        return PolicyCard.from_json(content)
    except (UserError, TextError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is no policy exported by cageflow: its card cannot be read ({error}).") from error


def _value(name: str, text: str) -> Any:
    """A value as `export.model.model_metadata` writes it: text as it is, all else in JSON."""
    is_text = name in TEXTS
    if name in ("workflow", "action_set") and text in ("none", "null"):
        return None
    return text if is_text else parse_json(text)
