"""What was due, and what was fixed instead."""

import numpy as np
import pytest

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.analysis.traces import DEPARTS, FOLLOWS, NO_FIX, trace_episodes
from cageflow.analysis.turns import NOTHING_DUE, find_turns
from cageflow.collect import EpisodeStream, WorkflowSpec
from cageflow.envs.options import GameOptions
from cageflow.scenario.unit_types import UNIT_TYPES
from tests.helpers.agents import NETWORK, policy
from tests.helpers.orders import parse_order
from tests.unit.analysis.made_traces import trace

ORDER = parse_order("enterprise,op_server,user,op_host,defender")
ENTERPRISE, OP_SERVER, USER, OP_HOST = (
    UNIT_TYPES.index(name) for name in ("enterprise", "op_server", "user", "op_host")
)


def test_fix_of_a_lower_type__departs_and_is_kept_as_example() -> None:
    one = trace(
        ["Sleep", "Restore User1", "Restore Enterprise0", "Restore User1"],
        held={"Enterprise0": [1, 2], "User1": [1]},
        verdicts=[NO_FIX, DEPARTS, FOLLOWS, FOLLOWS],
    )
    turns = find_turns(NETWORK, one, ORDER, 7, 3)
    assert turns.counts[ENTERPRISE].tolist() == [int(t == ENTERPRISE) + int(t == USER) for t in range(5)]
    assert turns.counts[USER, USER] == 1  # red is always on User0
    assert turns.on_clean == 0
    (example,) = turns.examples[ENTERPRISE, USER]
    assert (example.episode, example.step, example.action, example.due) == (7, 2, "Restore User1", "enterprise")
    assert example.held == ("Enterprise0", "User0", "User1")


def test_fix_of_a_host_that_red_does_not_hold__is_counted_as_such() -> None:
    one = trace(["Restore Op_Host1"], verdicts=[DEPARTS])
    turns = find_turns(NETWORK, one, ORDER, 0, 3)
    assert (turns.on_clean, turns.counts[USER, OP_HOST]) == (1, 1)


def test_without_the_host_that_cannot_be_cleaned__nothing_may_be_due() -> None:
    one = trace(["Restore Op_Host1"], verdicts=[FOLLOWS], counts_start=False)
    turns = find_turns(NETWORK, one, ORDER, 0, 3)
    assert turns.counts[NOTHING_DUE].tolist() == [int(t == OP_HOST) for t in range(5)]


def test_examples__are_no_more_than_asked_for() -> None:
    one = trace(["Restore Op_Host1"] * 5, verdicts=[DEPARTS] * 5)
    assert len(find_turns(NETWORK, one, ORDER, 0, 2).examples[USER, OP_HOST]) == 2


def test_episodes_judged_by_another_workflow__are_noticed() -> None:
    one = trace(["Restore Op_Host1"], verdicts=[FOLLOWS])
    with pytest.raises(RuntimeError, match="judged by another workflow"):
        find_turns(NETWORK, one, ORDER, 0, 2)


@pytest.mark.parametrize("definition", ["any-session", "evictable"])
def test_counts_of_real_episodes__amount_to_their_compliance(definition: str) -> None:
    workflow = WorkflowSpec(ORDER, 0.0, definition)
    seeds = EpisodeStream(5, "test").seeds(0, 40)
    (one,) = trace_episodes(PolicyAgent(policy()), GameOptions("bline", max_steps=40), seeds, workflow)
    turns = find_turns(NETWORK, one, ORDER, 0, 2)
    follows = np.trace(turns.counts[:NOTHING_DUE]) + turns.counts[NOTHING_DUE].sum()
    assert (follows, turns.counts.sum()) == ((one.verdicts == FOLLOWS).sum(), (one.verdicts != NO_FIX).sum())
    assert (turns.counts[NOTHING_DUE].sum() > 0) == (definition == "evictable")
