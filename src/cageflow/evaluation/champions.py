"""The defenders that come with the package: `cageflow champion` made them, docs/champion.md says how and how good."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cageflow.collect.games import WorkflowSpec
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.envs.options import RULES
from cageflow.errors import UserError
from cageflow.evaluation.policy_agent import PolicyAgent
from cageflow.learn.policy_file import load_policy

CHAMPIONS = ("champion", "champion-ordered")
"""By name: one that is free, one that follows a workflow. There is one of each for each of RULES."""
CHAMPION_FOLDER = Path(str(files("cageflow").joinpath("data", "champions")))


@dataclass(frozen=True)
class ChampionSource:
    """A champion by its name: that of the rules that are played. It takes its likeliest action."""

    name: str
    workflow: WorkflowSpec | None
    observation: str = "corrected"
    actions: str = "deterministic"
    trained_rules: None = None

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agent.

        Raises:
            UserError: the games are on another network, or with another observation.
        """
        path = champion_file(self.name, setting.rules)
        policy = load_policy(path, {"observation": setting.observation}, network=setting.network)
        return PolicyAgent(policy, deterministic=True)


def champion_file(name: str, rules: str) -> Path:
    """The policy file of a champion.

    Args:
        name: one of CHAMPIONS.
        rules: one of RULES.

    Raises:
        UserError: there are no such rules.
    """
    if rules not in RULES:
        raise UserError(f"rules is {rules!r}; possible are {', '.join(RULES)}.")
    return CHAMPION_FOLDER / f"{name}_{rules}.safetensors"
