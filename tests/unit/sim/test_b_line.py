"""B_lineAgent: which stage follows which, and where each acts."""

import numpy as np
import pytest

from cageflow.scenario import RedAgent, RedKind
from cageflow.sim.b_line import choose
from cageflow.sim.enums import Outcome
from tests.helpers.lab import Lab

# One episode without blue, User1 first: what red does at stages 0 to 14.
STRAIGHT = [
    ("DISCOVER_REMOTE_SYSTEMS", "User"),
    ("DISCOVER_NETWORK_SERVICES", "User1"),
    ("EXPLOIT_REMOTE_SERVICE", "User1"),
    ("PRIVILEGE_ESCALATE", "User1"),
    ("DISCOVER_NETWORK_SERVICES", "Enterprise1"),
    ("EXPLOIT_REMOTE_SERVICE", "Enterprise1"),
    ("PRIVILEGE_ESCALATE", "Enterprise1"),
    ("DISCOVER_REMOTE_SYSTEMS", "Enterprise"),
    ("DISCOVER_NETWORK_SERVICES", "Enterprise2"),
    ("EXPLOIT_REMOTE_SERVICE", "Enterprise2"),
    ("PRIVILEGE_ESCALATE", "Enterprise2"),
    ("DISCOVER_NETWORK_SERVICES", "Op_Server0"),
    ("EXPLOIT_REMOTE_SERVICE", "Op_Server0"),
    ("PRIVILEGE_ESCALATE", "Op_Server0"),
    ("IMPACT", "Op_Server0"),
]
FALLS_BACK_TO = [0, 1, 2, 2, 2, 2, 5, 5, 5, 5, 9, 9, 9, 12, 13]


def chosen(lab):
    kind = RedKind(int(lab.s.red_kind))
    names = lab.network.subnets if kind == RedKind.DISCOVER_REMOTE_SYSTEMS else lab.network.hosts
    return kind.name, names[int(lab.s.red_target)]


def at_stage(stage, outcome, user="User1"):
    """What B-line chooses next at a stage, having tried the goal before."""
    lab = Lab(RedAgent.B_LINE)
    lab.s.b_line_stage, lab.s.red_outcome = stage, outcome
    lab.s.b_line_first, lab.s.b_line_reached_goal = lab.host(user), 1
    choose(lab.s, lab.network.tables)
    return lab


def test_first_action__sweeps_reds_own_subnet():
    lab = Lab(RedAgent.B_LINE)
    choose(lab.s, lab.network.tables)
    assert chosen(lab) == STRAIGHT[0]


@pytest.mark.parametrize("stage", range(15))
def test_success__leads_to_the_next_stage_and_impact_is_repeated(stage):
    lab = at_stage(stage, Outcome.TRUE)
    assert lab.s.b_line_stage == min(stage + 1, 14)
    assert chosen(lab) == STRAIGHT[min(stage + 1, 14)]


@pytest.mark.parametrize("outcome", [Outcome.FALSE, Outcome.UNKNOWN])
@pytest.mark.parametrize("stage", range(15))
def test_failure__leads_back_to_the_stage_of_the_table(stage, outcome):
    lab = at_stage(stage, outcome)
    assert lab.s.b_line_stage == FALLS_BACK_TO[stage]
    assert chosen(lab) == STRAIGHT[FALLS_BACK_TO[stage]]


@pytest.mark.parametrize(
    ("user", "hop"),
    [("User1", "Enterprise1"), ("User2", "Enterprise1"), ("User3", "Enterprise0"), ("User4", "Enterprise0")],
)
def test_second_host__is_the_one_that_the_first_reveals(user, hop):
    lab = at_stage(3, Outcome.TRUE, user)
    assert chosen(lab) == ("DISCOVER_NETWORK_SERVICES", hop)


def test_first_host__is_drawn_once_among_the_four_that_red_does_not_hold():
    first = set()
    for seed in range(40):
        lab = Lab(RedAgent.B_LINE, seed=seed)
        lab.s.red_outcome = Outcome.TRUE
        choose(lab.s, lab.network.tables)
        first.add(chosen(lab)[1])
        stream = int(lab.s.rng)
        user = int(lab.s.b_line_first)
        lab.s.red_outcome = Outcome.FALSE
        choose(lab.s, lab.network.tables)
        assert (lab.s.b_line_first, int(lab.s.rng)) == (user, stream)
    assert first == {"User1", "User2", "User3", "User4"}


@pytest.mark.parametrize(("connections", "stage"), [(1, 12), (0, 1)])
def test_first_scan_of_the_goal_that_finds_nothing__leads_back_to_the_first_scan(connections, stage):
    lab = Lab(RedAgent.B_LINE)
    lab.s.b_line_stage, lab.s.red_outcome, lab.s.b_line_first = 11, Outcome.TRUE, 9
    lab.s.red_connections = connections
    choose(lab.s, lab.network.tables)
    assert lab.s.b_line_stage == stage
    assert lab.s.b_line_reached_goal == (stage == 12)


def test_goal_tried_before__is_tried_again_even_after_an_empty_scan():
    lab = at_stage(11, Outcome.TRUE)
    assert lab.s.red_connections == 0
    assert lab.s.b_line_stage == 12


def test_episode_without_blue__goes_straight_to_the_goal():
    """User2 by EternalBlue, Enterprise1 by BlueKeep and so on; each step's reward is what red holds by then."""
    lab = Lab(RedAgent.B_LINE)
    exploits = {2: "EternalBlue", 5: "HTTPSRFI", 9: "HTTPSRFI", 12: "SSHBruteForce"}
    rewards, done = [], []
    for stage in range(15):
        draws = {"exploit": exploits[stage], "detection": 1} if stage in exploits else {}
        if stage in (6, 10, 13):
            draws["session"] = 0
        if stage == 1:
            draws["red_target"] = "User2"
        reward, _ = lab.step("Sleep", **draws)
        rewards.append(reward)
        done.append(chosen(lab))
        assert lab.s.red_outcome == Outcome.TRUE
    assert lab.s.tape_fault == 0
    assert done == [(kind, "User2" if target == "User1" else target) for kind, target in STRAIGHT]
    # User2 privileged at once (0.1), Enterprise1 escalated (+1), Enterprise2 (+1), Op_Server0 (+1), impact (+10)
    assert np.allclose(rewards, [0, 0, -0.1, -0.1, -0.1, -0.1, -1.1, -1.1, -1.1, -1.1, -2.1, -2.1, -2.1, -3.1, -13.1])
