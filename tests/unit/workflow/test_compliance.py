"""Compliance and alignment reward, against numbers worked by hand."""

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.scenario import default_network
from cageflow.sim.memory import new_memories
from cageflow.sim.state import new_states
from cageflow.workflow.compliance import ComplianceTracker
from tests.helpers.orders import parse_order

NETWORK = default_network()
ENTERPRISE_FIRST = parse_order("enterprise,op_server,op_host,defender,user")
USER_FIRST = parse_order("user,enterprise,op_server,op_host,defender")
LAMBDA = 30.0
MEMORIES = new_memories(NETWORK, 1)


def sessions_on(*hosts: str) -> np.ndarray:
    row = np.zeros((1, len(NETWORK.hosts)), np.int16)
    for host in hosts:
        row[0, NETWORK.hosts.index(host)] = 1
    return row


def play(order, moves, definition="any-session"):
    """Score (action, hosts with sessions) pairs; gives the tracker and the list of rewards."""
    tracker = ComplianceTracker(NETWORK, order, 1, LAMBDA, definition)
    rewards = np.empty(1, np.float32)
    earned = []
    for action, hosts in moves:
        tracker.score_sessions(sessions_on(*hosts), MEMORIES, np.array([NETWORK.codec.encode(action)]), rewards)
        earned.append(float(rewards[0]))
    return tracker, earned


def test_fix_of_the_highest_compromised_type_complies() -> None:
    tracker, earned = play(ENTERPRISE_FIRST, [("Restore Enterprise0", ["User0", "Enterprise1"])])
    assert tracker.compliance() == [1.0]  # the type counts, not the host
    assert earned == [LAMBDA]


def test_fix_of_a_lower_type_does_not_comply() -> None:
    tracker, earned = play(ENTERPRISE_FIRST, [("Remove User1", ["User0", "User1", "Enterprise1"])])
    assert tracker.compliance() == [0.0]
    assert earned == [0.0]


def test_each_fix_earns_the_change_of_the_score() -> None:
    compromised = ["User0", "Enterprise1"]
    moves = ["Restore Enterprise1", "Restore User1", "Remove Enterprise2", "Analyse User1", "DecoyApache User1"]
    tracker, earned = play(ENTERPRISE_FIRST, [(move, compromised) for move in moves])
    # Compliance after each fix: 1/1, 1/2, 2/3.
    assert earned == pytest.approx([30.0, -15.0, 5.0, 0.0, 0.0])
    assert sum(earned) == pytest.approx(LAMBDA * 2 / 3)
    assert tracker.fixes.tolist() == [3]
    assert tracker.compliance() == pytest.approx([2 / 3])


def test_user_is_always_compromised_when_any_session_counts() -> None:
    tracker, _ = play(ENTERPRISE_FIRST, [("Restore Enterprise0", ["User0"])])
    assert tracker.compliance() == [0.0]


def test_evictable_leaves_out_the_host_that_blue_can_never_clean() -> None:
    tracker, _ = play(ENTERPRISE_FIRST, [("Restore Enterprise0", ["User0"])], "evictable")
    assert tracker.compliance() == [1.0]  # nothing that counts is compromised
    tracker, _ = play(ENTERPRISE_FIRST, [("Restore Enterprise0", ["User0", "User1"])], "evictable")
    assert tracker.compliance() == [0.0]


def test_evictable_counts_the_further_sessions_on_the_host_where_red_began() -> None:
    tracker = ComplianceTracker(NETWORK, ENTERPRISE_FIRST, 3, LAMBDA, "evictable")
    states = new_states(NETWORK, 3)
    start = NETWORK.hosts.index("User0")
    states["removable"][1, start] = 1  # a Remove ends it
    states["privileged"][2, start] += 1  # a Restore does
    actions = np.full(3, NETWORK.codec.encode("Restore Enterprise0"))
    tracker.score_states(states, new_memories(NETWORK, 3), actions, np.empty(3, np.float32))
    assert tracker.compliance().tolist() == [1.0, 0.0, 0.0]


def test_order_that_starts_with_user_is_followed_by_fixing_users_only() -> None:
    tracker, _ = play(USER_FIRST, [("Restore User0", ["User0"]), ("Restore Enterprise0", ["User0", "Enterprise0"])])
    assert tracker.compliance() == [0.5]


def test_episode_without_fix_has_half_compliance_and_costs_a_fifth_of_lambda() -> None:
    tracker, earned = play(ENTERPRISE_FIRST, [("Sleep", ["User0"]), ("Monitor", ["User0"])])
    assert tracker.compliance() == [0.5]
    assert earned == [0.0, 0.0]
    assert tracker.end_rewards() == pytest.approx([-6.0])


def test_episode_with_a_fix_has_no_end_reward() -> None:
    tracker, _ = play(ENTERPRISE_FIRST, [("Remove User1", ["User0", "User1"])])
    assert tracker.end_rewards() == [0.0]


def test_restart_forgets_the_last_episode() -> None:
    tracker, _ = play(ENTERPRISE_FIRST, [("Remove User1", ["User0"])])
    tracker.restart()
    assert tracker.fixes.tolist() == [0]
    assert tracker.compliance() == [0.5]


@pytest.mark.parametrize("level", ["removable", "stubborn", "privileged"])
def test_session_of_any_level_compromises_in_the_compiled_simulator(level: str) -> None:
    states = new_states(NETWORK, 2)
    states[level][0, NETWORK.hosts.index("Enterprise1")] = 1
    tracker = ComplianceTracker(NETWORK, ENTERPRISE_FIRST, 2, LAMBDA)
    rewards = np.empty(2, np.float32)
    tracker.score_states(
        states, new_memories(NETWORK, 2), np.full(2, NETWORK.codec.encode("Restore Enterprise0")), rewards
    )
    # The second environment has no session beyond red's first host: its highest compromised type is `user`.
    assert tracker.compliance().tolist() == [1.0, 0.0]
    assert rewards.tolist() == [LAMBDA, 0.0]


def test_unknown_definition_is_refused_in_one_sentence() -> None:
    with pytest.raises(UserError, match="unknown definition of compromised 'some': choose one of any-session, evict"):
        ComplianceTracker(NETWORK, ENTERPRISE_FIRST, 1, LAMBDA, "some")


def test_states_and_counts_of_sessions_are_judged_alike() -> None:
    rng = np.random.default_rng(0)
    num_envs, num_hosts = 64, len(NETWORK.hosts)
    states, memories = new_states(NETWORK, num_envs), new_memories(NETWORK, num_envs)
    trackers = [ComplianceTracker(NETWORK, ENTERPRISE_FIRST, num_envs, LAMBDA, "evictable") for _ in range(2)]
    rewards = [np.full(num_envs, 7.0, np.float32) for _ in trackers]
    complied = 0.0
    for _ in range(20):
        for level in ("removable", "stubborn", "privileged"):
            states[level] = rng.random((num_envs, num_hosts)) < 0.05
        sessions = states["removable"] + states["stubborn"] + states["privileged"]
        actions = rng.integers(len(NETWORK.codec), size=num_envs)
        trackers[0].score_states(states, memories, actions, rewards[0])
        trackers[1].score_sessions(sessions, memories, actions, rewards[1])
        np.testing.assert_array_equal(*rewards)
        complied += float(trackers[0].compliance().mean())
    assert trackers[0].fixes.sum() > 100
    assert 0.1 < complied / 20 < 0.9
