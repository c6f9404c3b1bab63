"""The defenders that come with the package: `cageflow champion` made them, docs/champion.md says how and how good."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.collect.games import WorkflowSpec
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.envs.options import RULES
from cageflow.errors import UserError
from cageflow.learn.fit import check_fit
from cageflow.learn.policy_file import load_policy
from cageflow.scenario import NetworkIdentity

CHAMPIONS = ("champion", "champion-ordered")
"""By name: one that is free, one that follows a workflow. There is one of each for each of RULES."""
CHAMPION_FOLDER = Path(str(files("cageflow").joinpath("data", "champions")))


@dataclass(frozen=True)
class ChampionSource:
    """A champion by its name: that of the rules that are played. It takes its likeliest action."""

    name: str
    workflow: WorkflowSpec | None
    network: NetworkIdentity | None
    observation: str = "corrected"
    actions: str = "deterministic"
    trained_rules: None = None
    scenario: None = None

    def notes(self, setting: BlueSetting) -> tuple[str, ...]:
        """None: it is the one of the rules that are played."""
        return ()

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agent.

        Raises:
            UserError: the games are on another network, or with another observation.
        """
        policy = load_policy(champion_file(self.name, setting.rules))
        check_fit(policy, setting, self.name)
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
