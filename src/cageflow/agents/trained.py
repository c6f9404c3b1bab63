"""What a trained policy says of itself by its card, in whatever file it stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cageflow.collect.games import WorkflowSpec
from cageflow.envs.agent import BlueSetting
from cageflow.learn.fit import network_file_of, notes_on
from cageflow.learn.policy import PolicyCard
from cageflow.scenario import NetworkIdentity


@dataclass(frozen=True)
class TrainedSource:
    """A file of a trained policy with its card: all of a `sources.AgentSource` but how the agent is made."""

    name: str
    path: Path
    card: PolicyCard
    workflow: WorkflowSpec | None
    deterministic: bool

    @property
    def observation(self) -> str:
        """The table that it reads."""
        return self.card.observation

    @property
    def actions(self) -> str:
        """How it chooses."""
        return "deterministic" if self.deterministic else "sample"

    @property
    def trained_rules(self) -> str:
        """The rules that it was trained under."""
        return self.card.rules

    @property
    def network(self) -> NetworkIdentity | None:
        """The network that it was made for; None where its file is of a version that did not say."""
        return self.card.network

    @property
    def scenario(self) -> Path | None:
        """The network file of its run, where it stands beside the policy."""
        return network_file_of(self.path)

    def notes(self, setting: BlueSetting) -> tuple[str, ...]:
        """What is other than in its training."""
        return notes_on(self.card, setting, self.name)
