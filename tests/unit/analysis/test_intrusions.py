"""When intrusions begin, are met and end."""

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.analysis.intrusions import STILL_OPEN, find_intrusions
from cageflow.analysis.traces import Trace, trace_episodes
from cageflow.collect import EpisodeStream
from cageflow.envs.options import GameOptions
from tests.helpers.agents import NETWORK, policy
from tests.unit.analysis.made_traces import trace

ENTERPRISE0, USER1 = NETWORK.hosts.index("Enterprise0"), NETWORK.hosts.index("User1")


def found(one: Trace) -> list[tuple[int, int, int]]:
    return sorted(zip(*(column.tolist() for column in find_intrusions(NETWORK, one)), strict=True))


def test_intrusion__is_met_and_ended_by_the_restore_three_steps_later() -> None:
    one = trace(
        ["Sleep", "Sleep", "Sleep", "Analyse User1", "Restore User1", "Sleep"],
        held={"User1": [2, 3, 4]},
        evicted={"User1": [5]},
    )
    assert found(one) == [(USER1, 3, 3)]


def test_first_fix__need_not_be_the_end() -> None:
    one = trace(
        ["Sleep", "Remove User1", "Restore Enterprise0", "Remove User1", "Restore User1"],
        held={"User1": [1, 2, 3, 4]},
        evicted={"User1": [5]},
    )
    assert found(one) == [(USER1, 1, 4)]


def test_fix_of_another_host_or_before_the_intrusion__does_not_count() -> None:
    one = trace(["Restore User1", "Sleep", "Restore User2"], held={"User1": [2, 3]})
    assert found(one) == [(USER1, STILL_OPEN, STILL_OPEN)]


def test_red_that_is_back_in_the_same_step__begins_another_intrusion() -> None:
    one = trace(
        ["Sleep", "Restore Enterprise0", "Restore Enterprise0"],
        held={"Enterprise0": [1, 2]},
        evicted={"Enterprise0": [2, 3]},
    )
    assert found(one) == [(ENTERPRISE0, 1, 1), (ENTERPRISE0, 1, 1)]


def test_reds_first_host__is_no_intrusion() -> None:
    assert found(trace(["Restore User0", "Sleep"])) == []


def test_escalation__begins_no_new_intrusion() -> None:
    one = trace(["Sleep", "Sleep", "Sleep"], held={"User1": [1]}, privileged={"User1": [2, 3]})
    assert found(one) == [(USER1, STILL_OPEN, STILL_OPEN)]


def test_real_episodes__fix_before_they_evict() -> None:
    seeds = EpisodeStream(5, "test").seeds(0, 60)
    (one,) = trace_episodes(PolicyAgent(policy()), GameOptions("meander", max_steps=40), seeds, None)
    intrusions = find_intrusions(NETWORK, one)
    ended = intrusions.eviction != STILL_OPEN
    assert 10 < ended.sum() < len(ended)
    assert (intrusions.first_fix[ended] >= 1).all()
    assert (intrusions.first_fix[ended] <= intrusions.eviction[ended]).all()
    held = (one.access[1:] > 0).sum() - (one.access[1:, :, NETWORK.hosts.index("User0")] > 0).sum()
    assert intrusions.eviction[ended].sum() <= held  # an intrusion of n steps leaves red n times on the host
