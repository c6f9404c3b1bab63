"""The defenders that come with the package: `cageflow champion` made them, docs/champion.md says how and how good."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.collect.games import WorkflowSpec
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.learn.fit import check_fit
from cageflow.learn.policy_file import load_policy
from cageflow.scenario import NetworkIdentity

CHAMPIONS = ("champion", "champion-robust", "champion-ordered")
"""By name: the best against the scripts, one that gives some of that for holding against red agents that learn, one
that follows a workflow. Each plays under all RULES, and is told which."""
CHAMPION_FOLDER = Path(str(files("cageflow").joinpath("data", "champions")))


@dataclass(frozen=True)
class ChampionSource:
    """A champion by its name. It takes its likeliest action."""

    name: str
    workflow: WorkflowSpec | None
    network: NetworkIdentity | None
    observation: str = "corrected"
    actions: str = "deterministic"
    trained_rules: None = None
    scenario: None = None

    def notes(self, setting: BlueSetting) -> tuple[str, ...]:
        """None: it was trained under all rules, with and without green."""
        return ()

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agent.

        Raises:
            UserError: the games are on another network, or with another observation.
        """
        policy = load_policy(champion_file(self.name)).for_rules(setting.rules)
        check_fit(policy, setting, self.name)
        return PolicyAgent(policy, deterministic=True)


def champion_file(name: str) -> Path:
    """The policy file of a champion, one of CHAMPIONS."""
    return CHAMPION_FOLDER / f"{name}.safetensors"
