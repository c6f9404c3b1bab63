"""A policy in a few rules: they say what it does, and their fidelity is what it says."""

import json

import numpy as np
import numpy.typing as npt
import pytest

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.analysis.rules import (
    Condition,
    FittedRules,
    Rule,
    choices_of,
    facts_of,
    find_rules,
    fit_rules,
    watch_steps,
    which_apply,
)
from cageflow.collect import EpisodeStream
from cageflow.envs.agent import BlueView
from cageflow.envs.options import GameOptions
from tests.helpers.agents import NETWORK, policy

OPTIONS = GameOptions("bline", max_steps=30)
SEEDS = EpisodeStream(5, "test").seeds(0, 120)
FIT, FRESH = SEEDS[:60], SEEDS[60:]
HOST = "User1"
FIRST_STEPS = 4


class ByRule:
    """Places decoys at first, restores a host as long as it looks compromised, else sleeps: two rules and the rest."""

    max_envs: int | None = None

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        pass

    def act(self, view: BlueView) -> npt.NDArray[np.int64]:
        return np.asarray(self.probabilities(view).argmax(axis=1))

    def probabilities(self, view: BlueView) -> npt.NDArray[np.float64]:
        host = NETWORK.hosts.index(HOST)
        compromised = view.observations[:, 4 * host + 2 : 4 * host + 4].any(axis=1)
        action = np.where(compromised, NETWORK.codec.encode(f"Restore {HOST}"), NETWORK.codec.encode("Sleep"))
        if view.step < FIRST_STEPS:
            action = np.where(compromised, action, NETWORK.codec.encode("Analyse Defender"))
        return np.eye(len(NETWORK.codec))[action]


def test_agent_that_keeps_to_rules__is_found_out_and_said_in_words() -> None:
    found = find_rules(ByRule(), OPTIONS, fit=FIT, fresh=FRESH)
    assert found.fidelity == 1.0
    assert found.commonest < 0.9
    said = [(rule.conditions, rule.choice) for rule in found.rules]
    assert 3 <= len(said) <= 4
    assert said[-1] == ((), "Sleep (no-op)")
    restores = [conditions for conditions, choice in said if choice == f"Restore {HOST}"]
    assert restores and all(any(HOST in words for words in conditions) for conditions in restores)
    assert ((f"it is one of the first {FIRST_STEPS} steps",), "Analyse Defender") in said
    assert sum(rule.share for rule in found.rules) == pytest.approx(1.0)
    assert (found.fitted_episodes, found.fresh_episodes) == (60, 60)


@pytest.mark.parametrize("memory", [False, True])
def test_fidelity__is_how_often_the_rules_say_what_the_policy_would_most_likely_do(memory: bool) -> None:
    agent = PolicyAgent(policy(2, memory=memory))
    found = find_rules(agent, OPTIONS, fit=FIT, fresh=FRESH, memory=memory)
    rules = fit_rules(watch_steps(agent, OPTIONS, FIT, memory), facts_of(NETWORK, memory))
    assert 1 < len(rules) == len(found.rules) <= 12
    steps = watch_steps(agent, OPTIONS, FRESH, memory)
    said = np.array([rule.choice for rule in rules])[which_apply(rules, steps.facts)]
    assert len(said) == 60 * 30
    assert found.fidelity == pytest.approx((said == steps.choices).mean())
    assert found.commonest <= found.fidelity < 1.0
    weighed = sum(rule.share * rule.agreement for rule in found.rules if rule.agreement is not None)
    assert weighed == pytest.approx(found.fidelity)


def test_first_rule_that_applies__is_the_leaf_of_the_tree() -> None:
    from sklearn.tree import DecisionTreeClassifier

    agent = PolicyAgent(policy(2))
    steps = watch_steps(agent, OPTIONS, FIT, False)
    rules = fit_rules(steps, facts_of(NETWORK, False))
    tree = DecisionTreeClassifier(max_leaf_nodes=12, min_samples_leaf=round(0.002 * len(steps.choices)), random_state=0)
    tree.fit(steps.facts, steps.choices)
    fresh = watch_steps(agent, OPTIONS, FRESH, False)
    said = np.array([rule.choice for rule in rules])[which_apply(rules, fresh.facts)]
    assert np.array_equal(said, tree.predict(fresh.facts))


def test_rules_in_a_wrong_order__say_something_else() -> None:
    facts = np.array([[1, 5], [1, 2], [0, 9]], np.int16)
    rules = (Rule((Condition(0), Condition(1, 3)), 7), Rule((Condition(0),), 8), Rule((), 9))
    assert which_apply(rules, facts).tolist() == [1, 0, 2]
    assert which_apply((rules[1], rules[0], rules[2]), facts).tolist() == [0, 0, 2]


def test_facts__are_what_the_table_shows() -> None:
    names, choices = facts_of(NETWORK, True), choices_of(NETWORK)
    agent = PolicyAgent(policy(2, memory=True))
    steps = watch_steps(agent, OPTIONS, FIT[:8], True)
    assert steps.facts.shape == (8 * 30, len(names))
    assert steps.choices.max() < len(choices) < len(NETWORK.codec)
    column = {name: steps.facts[:, i] for i, name in enumerate(names)}
    host = NETWORK.hosts[1]
    parts = sum(column[f"{what} {host}"] for what in ("unknown", "user", "privileged"))
    assert np.array_equal(parts, column[f"compromised {host}"])
    assert sorted(set(column["step"])) == list(range(1, 31))
    assert column[f"decoys {host}"].max() >= 1
    first = steps.facts[:8]
    assert first[:, [i for i, name in enumerate(names) if name.startswith(("last ", "decoys ", "ever "))]].sum() == 0


def test_rules__are_read_back_as_they_were_written() -> None:
    found = find_rules(ByRule(), OPTIONS, fit=FIT[:10], fresh=FRESH[:10])
    assert FittedRules.from_json(json.loads(json.dumps(found.to_json()))) == found
