"""The game that an agent plays where a user leaves it open: the one that it was made for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cageflow.agents.exported import ExportedSource
from cageflow.agents.sources import AgentSource, PolicySource, TeamSource
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.learn.fit import own_durations
from cageflow.scenario import Network, default_network, load_network
from cageflow.scenario.durations import FROM_FILE


def own_game(
    source: AgentSource | None,
    *,
    observation: str | None = None,
    scenario: Path | str | None = None,
    durations: str | None = None,
    **others: Any,
) -> GameOptions:
    """The game that is asked for, and as the agent was made for it where nothing is asked.

    Whether the agent fits what is asked for is found out when it is loaded.

    Args:
        source: of the agent; None for a person, who plays anything.
        observation, scenario, durations: as of `GameOptions`; None is the agent's own.
        others: settings of `GameOptions` that no agent decides.

    Raises:
        UserError: a value is not possible.
    """
    asked: dict[str, Any] = {"observation": observation, "scenario": scenario, "durations": durations}
    own: dict[str, Any] = {} if source is None else {"observation": source.observation, "scenario": source.scenario}
    if durations is None and source is not None:
        asked["durations"] = _own_durations(source, load_network(scenario or source.scenario))
    chosen = {name: own.get(name) if value is None else value for name, value in asked.items()}
    return GameOptions(**others, **{name: value for name, value in chosen.items() if value is not None})


def game_on_cyborg(source: AgentSource, *, observation: str | None = None, **others: Any) -> GameOptions:
    """Likewise on the original, which plays CAGE-2's network alone.

    Raises:
        UserError: the agent was made for another network, or a value is not possible.
    """
    if source.network is not None and not source.network.is_same_but_for_time(default_network().identity):
        raise UserError(
            f"{source.name} was made for the network {source.network}, and CybORG plays CAGE-2's alone: leave out "
            "--both and --simulator cyborg."
        )
    return GameOptions(**others, observation=observation or source.observation or "corrected")


def _own_durations(source: AgentSource, network: Network) -> str:
    """The durations that an agent was trained with on a network; the file's where nothing is known of them."""
    if isinstance(source, PolicySource | ExportedSource):
        return own_durations(source.card, network)
    members = source.members.values() if isinstance(source, TeamSource) else ()
    known = (_own_durations(member, network) for member in members)
    return next((durations for durations in known if durations != FROM_FILE), FROM_FILE)
