"""Where agents come from: what a user names on the command line, checked, and plain enough to send to a process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cageflow.agents.baselines import BASELINES, ORDERED_BASELINES
from cageflow.agents.champions import CHAMPIONS, ChampionSource, champion_file
from cageflow.agents.exported import ExportedSource, read_card
from cageflow.agents.foreign.agent import load_agent
from cageflow.agents.foreign.names import name_an_agent
from cageflow.agents.foreign.process import DEFAULT_TIMEOUT_S
from cageflow.agents.policy_agent import PolicyAgent
from cageflow.agents.team import MEMBERS, TeamAgent, read_team
from cageflow.agents.trained import TrainedSource
from cageflow.collect.games import WorkflowSpec
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.errors import UserError
from cageflow.files import name_some
from cageflow.learn.fit import network_file_of
from cageflow.learn.policy import ANY_WORKFLOW, PolicyCard
from cageflow.learn.policy_file import load_policy
from cageflow.listed import split_list
from cageflow.scenario import NetworkIdentity, default_network, is_cage2
from cageflow.scenario.named import load_network
from cageflow.scenario.orders import Order, OrderLike, OrderSpace, read_order
from cageflow.workflow.compliance import DEFINITIONS

BEST_POLICIES = ("best.safetensors", "policy.safetensors")
"""In the folder `policies` of a run: of a search, of plain PPO."""
LONGEST = 200
"""Characters of a name, in a message."""
MAX_TIMEOUT_S = 86_400.0
OPENING = "bline"
"""The member of a team that opens, where no other is named."""


class AgentSource(Protocol):
    """An agent yet to be made."""

    @property
    def name(self) -> str:
        """What the user called it."""

    @property
    def observation(self) -> str | None:
        """The table that it must be shown; None for any."""

    @property
    def workflow(self) -> WorkflowSpec | None:
        """The workflow that its fixes are judged by: the one that it was trained to follow, or another."""

    @property
    def actions(self) -> str:
        """How it chooses: "sample", "deterministic", or "own" where that is its own affair."""

    @property
    def trained_rules(self) -> str | None:
        """The rules that it was trained under."""

    @property
    def network(self) -> NetworkIdentity | None:
        """The network that it was made for; None for any."""

    @property
    def scenario(self) -> Path | None:
        """The file of that network, where it brings one; None leaves it to who plays it."""

    def notes(self, setting: BlueSetting) -> tuple[str, ...]:
        """What a user has to know of it in these games, a sentence each; see `fit.notes_on`."""

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agent.

        Raises:
            UserError: it was not made for these games, or cannot be made.
        """


class UntrainedSource:
    """An agent that says nothing of a training: it plays any game, and how it chooses is its own affair."""

    observation: None = None
    actions: str = "own"
    trained_rules: None = None
    network: None = None
    scenario: None = None

    def notes(self, setting: BlueSetting) -> tuple[str, ...]:
        """None: nothing is known of a training."""
        return ()


@dataclass(frozen=True)
class BaselineSource(UntrainedSource):
    """A baseline by its name; one that can follow an order follows the workflow, where there is one."""

    name: str
    workflow: WorkflowSpec | None = None

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agent."""
        if self.workflow is not None and self.name in ORDERED_BASELINES:
            return ORDERED_BASELINES[self.name](setting, self.workflow.order)
        return BASELINES[self.name](setting)


@dataclass(frozen=True)
class PolicySource(TrainedSource):
    """A policy file; `order` is the one that a universal policy is told, else None."""

    order: Order | None = None

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agent.

        Raises:
            UserError: the policy was not made for these games.
        """
        return PolicyAgent(load_policy(self.path, setting=setting, order=self.order), deterministic=self.deterministic)


@dataclass(frozen=True)
class ForeignSource(UntrainedSource):
    """An agent of others; it plays in a process of its own."""

    name: str
    arguments: Mapping[str, Any]
    cyborg_path: Path | None
    timeout_s: float = DEFAULT_TIMEOUT_S
    workflow: WorkflowSpec | None = None
    actions: str = "own"

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the agent.

        Raises:
            UserError: it cannot be imported or made.
        """
        return load_agent(
            self.name,
            self.arguments,
            setting,
            self.cyborg_path,
            deterministic=self.actions == "deterministic",
            timeout_s=self.timeout_s,
        )


@dataclass(frozen=True)
class TeamSource:
    """A team: a source for each of `team.MEMBERS`, and the one that opens."""

    name: str
    members: Mapping[str, AgentSource]
    opening: AgentSource
    workflow: WorkflowSpec | None = None

    def __post_init__(self) -> None:
        wanted = {source.observation for source in self._all} - {None}
        if len(wanted) > 1:
            raise UserError(
                f"the members of {self.name} see different observations: {', '.join(sorted(map(str, wanted)))}."
            )
        networks = {source.network.timeless: source.network for source in self._all if source.network is not None}
        if len(networks) > 1:
            names = " and ".join(map(str, networks.values()))
            raise UserError(
                f"the members of {self.name} were made for different networks, {names}: name policies of one network."
            )

    @property
    def observation(self) -> str | None:
        """The table that its members must be shown."""
        return next((source.observation for source in self._all if source.observation is not None), None)

    @property
    def network(self) -> NetworkIdentity | None:
        """The network that its members were made for."""
        return next((source.network for source in self._all if source.network is not None), None)

    @property
    def scenario(self) -> Path | None:
        """The file of that network, where a member brings it."""
        return next((source.scenario for source in self._all if source.scenario is not None), None)

    def notes(self, setting: BlueSetting) -> tuple[str, ...]:
        """Those of its members."""
        return tuple(dict.fromkeys(note for source in self._all for note in source.notes(setting)))

    @property
    def actions(self) -> str:
        """How its members choose."""
        kinds = {source.actions for source in self.members.values()} - {"own"}
        return kinds.pop() if len(kinds) == 1 else "own"

    @property
    def trained_rules(self) -> str | None:
        """The rules that all trained members were trained under; None where they differ."""
        rules = {source.trained_rules for source in self.members.values()} - {None}
        return rules.pop() if len(rules) == 1 else None

    def load(self, setting: BlueSetting) -> BlueAgent:
        """Make the members and the team.

        Raises:
            UserError: a member cannot be made.
        """
        members = {name: source.load(setting) for name, source in self.members.items()}
        same = [name for name, source in self.members.items() if source == self.opening]
        opening = members[same[0]] if same else self.opening.load(setting)
        return TeamAgent(members, opening, setting)

    @property
    def _all(self) -> list[AgentSource]:
        return [*self.members.values(), self.opening]


@dataclass(frozen=True)
class SourceOptions:
    """How what a user names is understood.

    Attributes:
        deterministic: whether policies take their likeliest action instead of drawing one.
        arguments: for the constructors of foreign agents.
        cyborg_path: for foreign agents that import CybORG.
        timeout_s: seconds that a foreign agent has for each answer.
        team_code: whether a team file may name members that are code.
        scenario: the network that is played, as the user names it; None is each policy's own, or else CAGE-2's.
        order: the workflow that fixes are judged by and that universal policies follow, as `OrderSpace.parse` reads it;
            None is each policy's own.
        definition: what counts as compromised for it, one of `workflow.compliance.DEFINITIONS`; None is the policy's
            own, or else any-session.
    """

    deterministic: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    cyborg_path: Path | None = None
    order: OrderLike | None = None
    definition: str | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    team_code: bool = False
    scenario: Path | str | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.timeout_s <= MAX_TIMEOUT_S:
            raise UserError(f"agent-timeout is {self.timeout_s:g}; expected seconds, more than 0 and at most a day.")

    def orders(self, card: PolicyCard | None = None, network_file: Path | None = None) -> OrderSpace:
        """The orders of the network that an agent plays on.

        Args:
            card: of a policy; None for any other agent.
            network_file: that the policy brings.
        """
        given = self.scenario or network_file
        if given is not None:
            return load_network(given).orders
        if card is not None and card.network is not None and not is_cage2(card.network):
            return card.orders
        return default_network().orders

    def workflow(self, card: PolicyCard | None = None, network_file: Path | None = None) -> WorkflowSpec | None:
        """The workflow that an agent's fixes are judged by; as `orders`."""
        order: Order | None = None
        if self.order is not None:
            order = self.orders(card, network_file).parse(self.order)
        elif card is not None and card.workflow is not None:
            order = read_order(card.workflow)
        if order is None:
            return None
        definition = self.definition or (card.alignment.get("definition") if card is not None else None)
        return WorkflowSpec(order, 0.0, str(definition or DEFINITIONS[0]))


def find_agent(text: str, options: SourceOptions) -> AgentSource:
    """What a user means by a policy.

    Args:
        text: the name of a baseline or of a champion, a policy file, a run folder, a team file, a model of cageflow's
            (`.onnx`) or of Stable-Baselines3 (`.zip`), or a class, an object or a function as `file.py:Name` or
            `package.module:Name`.
        options: how it is understood.

    Raises:
        UserError: it is none of these.
    """
    return _find(text, options, team=None)


def policy_file(source: AgentSource, rules: str) -> Path | None:
    """The file of an agent's policy under some rules; None where it has none, or several."""
    if isinstance(source, PolicySource):
        return source.path
    return champion_file(source.name) if isinstance(source, ChampionSource) else None


def _find(text: str, options: SourceOptions, team: str | None) -> AgentSource:
    """Likewise; `team` is the file that names the agent, None where the user does."""
    path, is_file = Path(text), os.path.isfile(text)  # which a name that is too long is not
    if text in BASELINES:
        return BaselineSource(text, options.workflow())
    if text in CHAMPIONS:
        card = load_policy(champion_file(text)).card
        return ChampionSource(text, options.workflow(card), card.network)
    if text and os.path.isdir(path):
        return _policy(text, _policy_of_run(path), options)
    if path.suffix == ".json" and is_file:
        if team is not None:
            raise UserError(f"team file {team} names {text}, a team of its own; name its members instead.")
        members, opening = read_team(path)
        sources = {member: _find(members[member], options, text) for member in MEMBERS}
        return TeamSource(text, sources, _find(opening, options, text), options.workflow())
    if path.suffix == ".onnx" and is_file:
        card = read_card(path)
        return ExportedSource(text, path, card, options.workflow(card), options.deterministic, options.timeout_s)
    if path.suffix == ".zip" and is_file:
        _check_named(text, options, team)
        actions = "deterministic" if options.deterministic else "sample"
        return ForeignSource(text, {}, None, options.timeout_s, options.workflow(), actions=actions)
    if path.suffix == ".py" and is_file:
        raise UserError(name_an_agent(path))
    if is_file:
        return _policy(text, path, options)
    module, colon, name = text.rpartition(":")
    if colon and module and name.isidentifier():
        _check_named(text, options, team)
        return ForeignSource(text, options.arguments, options.cyborg_path, options.timeout_s, options.workflow())
    raise UserError(
        f"{text[:LONGEST]!r} is no policy: expected a policy file, a run folder, a team file (.json), a baseline "
        f"({', '.join(BASELINES)}), {' or '.join(CHAMPIONS)}, a model (.onnx of cageflow's, .zip of "
        "Stable-Baselines3), or an agent as file.py:Name or package.module:Name."
    )


def _check_named(text: str, options: SourceOptions, team: str | None) -> None:
    """Refuse to run what a file names and the user does not.

    Raises:
        UserError: it is so.
    """
    if team is not None and not options.team_code:
        raise UserError(
            f"team file {team} names {text}, which is code that would run: if you trust it, say --run-team-code, or "
            "name the members yourself by --team."
        )


def make_team(name: str, members: Mapping[str, str], opening: str, options: SourceOptions) -> TeamSource:
    """A team of what a user names for each of `team.MEMBERS`, and for the opening.

    Raises:
        UserError: one of them is no agent, or they do not fit together.
    """
    sources = {member: find_agent(members[member], options) for member in MEMBERS}
    return TeamSource(name, sources, find_agent(opening, options), options.workflow())


def parse_team(text: str) -> tuple[dict[str, str], str]:
    """Members and opening from `bline=P1,meander=P2`, also `sleep=` and `opening=`.

    Raises:
        UserError: it names other members, one twice, or lacks bline or meander.
    """
    possible = (
        f"expected bline=POLICY,meander=POLICY, and sleep= or opening= if you like, a part with a comma in its path in "
        f"double quotes; members are {', '.join(MEMBERS)}"
    )
    given: dict[str, str] = {}
    for part in split_list(text):
        name, equals, policy = part.partition("=")
        if not equals or not policy or name not in (*MEMBERS, "opening") or name in given:
            raise UserError(f"--team is {text!r}: {possible}.")
        given[name] = policy
    if not {"bline", "meander"} <= given.keys():
        raise UserError(f"--team is {text!r}: {possible}.")
    opening = given.pop("opening", OPENING)
    members = {"sleep": "sleep", **given}
    return members, members.get(opening, opening)


def _policy(name: str, path: Path, options: SourceOptions) -> PolicySource:
    card = load_policy(path).card
    if card.side != "blue":
        raise UserError(
            f"policy file {path} plays red, and blue is wanted here: name it by --red-agent, or where one is named."
        )
    is_universal = card.workflow == ANY_WORKFLOW
    if is_universal and options.order is None:
        raise UserError(f"policy file {path} is universal: say by --workflow which order it is to follow.")
    workflow = options.workflow(card, network_file_of(path))
    told = workflow.order if workflow is not None and is_universal else None
    return PolicySource(name, path, card, workflow, options.deterministic, told)


def _policy_of_run(folder: Path) -> Path:
    """The best policy of a run folder.

    Raises:
        UserError: there is none, or one cannot tell.
    """
    policies = folder / "policies"
    for name in BEST_POLICIES:
        if (policies / name).is_file():
            return policies / name
    files = sorted(policies.glob("*.safetensors"))
    if len(files) == 1:
        return files[0]
    if not files and (below := sorted(folder.glob("**/policies"))):
        named = name_some([one.parent for one in below])
        raise UserError(f"{folder} holds no policy of its own, but runs that do; name one of them: {named}.")
    has = f"{len(files)} policies and none that is called best" if files else "no policy"
    raise UserError(f"{folder} holds {has}; name a policy file.")
