"""A policy in a few rules: a small decision tree that is fitted to what it does, and how often the two agree.

The tree is written as a list of which the first rule that applies counts. Its branches are walked with the condition
that holds first, so that all of a rule's negations are said by the rules before it and can be left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.playing import play_steps
from cageflow.collect.games import GameSpec, LocalGames
from cageflow.envs.agent import Actions, BlueView, OpenAgent
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.scenario import BlueKind, Network
from cageflow.sim.recall import decoy_places

MAX_RULES = 12
MIN_SHARE = 0.002
"""Of all steps: what happens more rarely gets no rule of its own."""
STEP = "step"


@dataclass(frozen=True, slots=True)
class Condition:
    """A fact that a rule asks for.

    Attributes:
        fact: number of it, of `facts_of`.
        at_most: the largest value with which it holds; None where it has to be 1.
    """

    fact: int
    at_most: int | None = None

    def holds(self, facts: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
        """(N,) of (N, K) facts."""
        values = facts[:, self.fact]
        held: npt.NDArray[np.bool_] = values == 1 if self.at_most is None else values <= self.at_most
        return held


@dataclass(frozen=True, slots=True)
class Rule:
    """If all conditions hold, and no rule before applies, then the policy does this.

    Attributes:
        conditions: all of them; of the last rule none.
        choice: number of the choice, of `choices_of`.
    """

    conditions: tuple[Condition, ...]
    choice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWords:
    """A rule as a page says it.

    Attributes:
        conditions: in words; of the last rule none.
        choice: in words.
        share: of the steps of fresh episodes in which it applies.
        agreement: share of these in which the policy's likeliest choice is the rule's; None where there are none.
    """

    conditions: tuple[str, ...]
    choice: str
    share: float
    agreement: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRules:
    """What a policy does in a few rules.

    Attributes:
        rules: the first that applies counts.
        fidelity: share of the steps of fresh episodes in which they say the policy's likeliest choice.
        commonest: the same share for the one choice that is the commonest.
        fitted_episodes, fresh_episodes: that they were fitted to, and held against.
    """

    rules: tuple[RuleWords, ...]
    fidelity: float
    commonest: float
    fitted_episodes: int
    fresh_episodes: int

    def to_json(self) -> dict[str, Any]:
        """As plain data, as JSON reads it back."""
        data = asdict(self)
        return {**data, "rules": [{**one, "conditions": list(one["conditions"])} for one in data["rules"]]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FittedRules:
        """Read what `to_json` wrote.

        Raises:
            TypeError, KeyError: it is something else.
        """
        rules = tuple(RuleWords(**{**one, "conditions": tuple(one["conditions"])}) for one in data["rules"])
        return cls(**{**data, "rules": rules})


@dataclass(frozen=True)
class Steps:
    """N steps of a policy.

    Attributes:
        facts: (N, K) int16, of `facts_of`.
        choices: (N,) int16, its likeliest choice, of `choices_of`.
    """

    facts: npt.NDArray[np.int16]
    choices: npt.NDArray[np.int16]


def find_rules(
    agent: OpenAgent,
    options: GameOptions,
    *,
    fit: npt.NDArray[np.uint64],
    fresh: npt.NDArray[np.uint64],
    memory: bool = False,
) -> FittedRules:
    """Fit rules to a policy and hold them against it.

    Args:
        agent: plays blue.
        options: the game.
        fit: seeds of the episodes that they are fitted to.
        fresh: seeds of those that they are held against.
        memory: whether the agent reads what blue remembers, so that rules may speak of it.
    """
    network = options.network
    rules = fit_rules(watch_steps(agent, options, fit, memory), facts_of(network, memory))
    steps = watch_steps(agent, options, fresh, memory)
    applied = which_apply(rules, steps.facts)
    agrees = np.array([rule.choice for rule in rules])[applied] == steps.choices
    names, choices = facts_of(network, memory), choices_of(network)
    words = []
    for i, rule in enumerate(rules):
        mine = applied == i
        words.append(
            RuleWords(
                conditions=tuple(condition_words(names[one.fact], one.at_most) for one in rule.conditions),
                choice=choices[rule.choice],
                share=float(mine.mean()),
                agreement=float(agrees[mine].mean()) if mine.any() else None,
            )
        )
    return FittedRules(
        rules=tuple(words),
        fidelity=float(agrees.mean()),
        commonest=float(np.bincount(steps.choices).max() / len(steps.choices)),
        fitted_episodes=len(fit),
        fresh_episodes=len(fresh),
    )


def choices_of(network: Network) -> tuple[str, ...]:
    """Blue's choices in words, by their numbers: all decoys on a host are one."""
    return tuple(dict.fromkeys(_choice_words(network, action) for action in range(len(network.codec))))


def facts_of(network: Network, memory: bool) -> tuple[str, ...]:
    """Names of the facts that rules may speak of: what blue's table shows, the step, what blue did last.

    Args:
        network: that is played.
        memory: whether also blue's decoys, and what was ever attacked or restored.
    """
    hosts, types = network.hosts, network.unit_types
    names = [f"{what} {host}" for host in hosts for what in HOST_FACTS]
    names += [f"some {what} {unit_type}" for unit_type in types for what in ("attacked", "compromised")]
    names += [STEP, *(f"last {kind.name}" for kind in BlueKind), *(f"last on {host}" for host in hosts)]
    if memory:
        names += [f"decoys {host}" for host in hosts]
        names += [f"ever {what} {host}" for what in ("attacked", "restored") for host in hosts]
    return tuple(names)


HOST_FACTS = ("scanned", "attacked", "compromised", "unknown", "user", "privileged")
"""What blue's table may show of a host in a step; the last three say how it looks compromised."""


def condition_words(name: str, at_most: int | None) -> str:
    """A condition as a page says it."""
    what, _, of = name.partition(" ")
    if name == STEP:
        return f"it is one of the first {at_most} steps" if at_most != 1 else "it is the first step"
    if what == "decoys":
        return (
            f"no decoy of its own stands on {of}" if at_most == 0 else f"at most {at_most} of its decoys stand on {of}"
        )
    if what == "last":
        on = of.partition(" ")
        return f"its last action was on {on[2]}" if on[0] == "on" else f"its last action was {of.title()}"
    if what in ("some", "ever"):
        verb, _, of = of.partition(" ")
        if what == "ever":
            return f"{of} was {verb} before"
        return f"{of}: one of them {'shows an attack' if verb == 'attacked' else 'looks compromised'}"
    return {
        "scanned": f"{of} shows a scan",
        "attacked": f"{of} shows an attack",
        "compromised": f"{of} looks compromised",
        "unknown": f"{of} looks compromised, it is not known how far",
        "user": f"{of} looks held by a user",
        "privileged": f"{of} looks held with privileges",
    }[what]


def watch_steps(agent: OpenAgent, options: GameOptions, seeds: npt.NDArray[np.uint64], memory: bool) -> Steps:
    """Play episodes, and note in each step the facts and the agent's likeliest choice."""
    games = LocalGames(GameSpec(options, masked=False), GameBatch(options, len(seeds)))
    games.reset(seeds, None)
    watched = _Watched(agent, options.network, memory)
    for _ in play_steps(watched, games, seeds):
        pass
    return Steps(np.concatenate(watched.facts), np.concatenate(watched.choices))


def fit_rules(steps: Steps, names: Sequence[str]) -> tuple[Rule, ...]:
    """Fit a decision tree to steps and write it as a list of rules.

    Args:
        steps: of a policy.
        names: of the facts.
    """
    from sklearn.tree import DecisionTreeClassifier

    least = max(1, round(MIN_SHARE * len(steps.choices)))
    tree = DecisionTreeClassifier(max_leaf_nodes=MAX_RULES, min_samples_leaf=least, random_state=0)
    tree.fit(steps.facts, steps.choices)
    return tuple(_rules(tree, names, 0, ()))


def which_apply(rules: Sequence[Rule], facts: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """(N,) number of the first rule that applies to each of (N, K) facts."""
    applied = np.full(len(facts), len(rules) - 1, np.int64)
    for i in reversed(range(len(rules))):
        holds = np.ones(len(facts), np.bool_)
        for condition in rules[i].conditions:
            holds &= condition.holds(facts)
        applied[holds] = i
    return applied


def _rules(tree: Any, names: Sequence[str], node: int, above: tuple[Condition, ...]) -> Iterator[Rule]:
    """The rules below a node; those of the side on which its condition holds come first."""
    inner = tree.tree_
    choices = {int(np.argmax(inner.value[leaf])) for leaf in _leaves(inner, node)}
    if len(choices) == 1:
        yield Rule(above, int(tree.classes_[choices.pop()]))
        return
    fact, low, high = int(inner.feature[node]), int(inner.children_left[node]), int(inner.children_right[node])
    is_number = names[fact] == STEP or names[fact].startswith("decoys ")
    condition = Condition(fact, int(np.floor(inner.threshold[node])) if is_number else None)
    first, second = (low, high) if is_number else (high, low)
    kept = tuple(one for one in above if one.fact != fact)  # of two bounds on a number the lower says all
    yield from _rules(tree, names, first, (*kept, condition))
    yield from _rules(tree, names, second, above)


def _leaves(inner: Any, node: int) -> Iterator[int]:
    if inner.children_left[node] < 0:
        yield node
        return
    for child in (inner.children_left[node], inner.children_right[node]):
        yield from _leaves(inner, int(child))


class _Watched:
    """An agent whose steps are noted."""

    max_envs: int | None = None

    def __init__(self, agent: OpenAgent, network: Network, memory: bool) -> None:
        self._agent = agent
        self._network = network
        self._memory = memory
        names = choices_of(network)
        words = [_choice_words(network, action) for action in range(len(network.codec))]
        self._choice = np.array([names.index(one) for one in words])
        self._of_choice = np.eye(len(names))[self._choice]
        self.facts: list[npt.NDArray[np.int16]] = []
        self.choices: list[npt.NDArray[np.int16]] = []

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        self._agent.reset(seeds)

    def act(self, view: BlueView) -> Actions:
        actions = self._agent.act(view)
        self.facts.append(_facts(self._network, view, self._memory))
        self.choices.append(np.argmax(self._agent.probabilities(view) @ self._of_choice, axis=1).astype(np.int16))
        return actions


def _choice_words(network: Network, action: int) -> str:
    codec = network.codec
    kind, host = BlueKind(int(codec.kind[action])), int(codec.host[action])
    if host < 0:
        return "Sleep (no-op)" if kind == BlueKind.SLEEP else kind.name.title()
    return f"Decoy on {network.hosts[host]}" if kind == BlueKind.DECOY else f"{kind.name.title()} {network.hosts[host]}"


def _facts(network: Network, view: BlueView, memory: bool) -> npt.NDArray[np.int16]:
    """(B, K) facts of a step."""
    num_envs, num_hosts = len(view.observations), len(network.hosts)
    table = view.observations.astype(np.int16).reshape(num_envs, num_hosts, 4)
    active, attacked, first, second = (table[:, :, i] for i in range(4))
    compromised = first | second
    hosts = np.stack(
        [active & ~attacked & 1, attacked, compromised, first & ~second & 1, ~first & second & 1, first & second],
        axis=2,
    )
    columns: list[npt.NDArray[Any]] = [hosts.reshape(num_envs, -1)]
    for unit_type in range(len(network.unit_types)):
        mine = network.host_unit_type == unit_type
        columns += [bits[:, mine].max(axis=1, initial=0)[:, None] for bits in (attacked, compromised)]
    columns.append(np.full((num_envs, 1), view.step + 1))
    last = np.zeros((num_envs, len(BlueKind) + num_hosts), np.int16)
    if view.last_actions is not None:
        kinds, on = network.codec.kind[view.last_actions], network.codec.host[view.last_actions]
        last[np.arange(num_envs), kinds] = 1
        placed = np.flatnonzero(on >= 0)
        last[placed, len(BlueKind) + on[placed]] = 1
    columns.append(last)
    if memory:
        columns += _remembered(network, view)
    return np.concatenate(columns, axis=1).astype(np.int16)


def _remembered(network: Network, view: BlueView) -> list[npt.NDArray[Any]]:
    """Decoys on each host, and whether it was ever attacked, ever restored; see `cageflow.sim.recall`."""
    places, num_hosts = decoy_places(network), len(network.hosts)
    own = view.recalled[:, : len(places)].astype(np.int16)
    decoys = np.stack([own[:, places[:, 0] == host].sum(axis=1) for host in range(num_hosts)], axis=1)
    after = view.recalled[:, len(places) + num_hosts :]
    return [decoys, after[:, :num_hosts], after[:, num_hosts : 2 * num_hosts]]
