"""RedMeanderAgent: what it does first, and what it gives up when something fails."""

import pytest

from cageflow.scenario import RedAgent, RedKind
from cageflow.sim.enums import Outcome
from cageflow.sim.meander import choose, learn_from_last_action, retreat
from tests.helpers.lab import Lab

USER, ENTERPRISE, OPERATIONAL = "User", "Enterprise", "Operational"


def meander(known="", scanned="", exploited="", escalated="", owned="", swept="User"):
    """A lab where red knows, has scanned, holds and once owned these hosts; User0 is escalated unless it says not."""
    lab = Lab(RedAgent.MEANDER)
    for field, names in (
        ("known_hosts", f"User0 {known}"),
        ("scanned", f"User0 {scanned}"),
        ("exploited", exploited),
        ("escalated", f"User0 {escalated}"),
        ("owned_once", owned),
    ):
        lab.s[field] = lab.network.host_mask(set(names.split()))
    lab.s.swept = sum(1 << lab.network.subnets.index(name) for name in swept.split())
    return lab


def chosen(lab, **draws):
    lab.force(**draws)
    choose(lab.s, lab.network.tables)
    kind = RedKind(int(lab.s.red_kind))
    names = lab.network.subnets if kind == RedKind.DISCOVER_REMOTE_SYSTEMS else lab.network.hosts
    return kind.name, names[int(lab.s.red_target)]


def test_first_actions__sweep_the_own_subnet_then_scan_then_escalate_the_own_host():
    lab = Lab(RedAgent.MEANDER)
    assert chosen(lab) == ("DISCOVER_REMOTE_SYSTEMS", "User")
    lab.s.red_outcome = Outcome.TRUE
    assert chosen(lab) == ("DISCOVER_NETWORK_SERVICES", "User0")
    assert chosen(lab) == ("PRIVILEGE_ESCALATE", "User0")
    assert chosen(lab) == ("EXPLOIT_REMOTE_SERVICE", "User0")  # it does not know that it is its own


def test_impact__comes_before_all_else_once_the_goal_is_escalated():
    lab = meander(known="User1", escalated="Op_Server0")
    lab.s.known_subnets |= 0b111
    assert chosen(lab) == ("IMPACT", "Op_Server0")


def test_sweep__comes_before_scans_and_takes_the_first_subnet():
    lab = meander(known="User1")
    lab.s.known_subnets = 0b111
    assert chosen(lab) == ("DISCOVER_REMOTE_SYSTEMS", ENTERPRISE)
    assert chosen(lab) == ("DISCOVER_REMOTE_SYSTEMS", OPERATIONAL)


def test_subnet_whose_sweep_failed__is_not_swept_again():
    lab = meander(known="User1")
    lab.s.known_subnets = 0b111
    chosen(lab)
    lab.s.red_outcome = Outcome.FALSE
    assert chosen(lab) == ("DISCOVER_REMOTE_SYSTEMS", OPERATIONAL)


def test_scans__come_before_escalations_and_take_every_known_host_once():
    lab = meander(known="User1 User2 User3", exploited="User1", owned="User1")
    assert {chosen(lab) for _ in range(3)} == {("DISCOVER_NETWORK_SERVICES", f"User{i}") for i in (1, 2, 3)}
    assert chosen(lab) == ("PRIVILEGE_ESCALATE", "User1")


def test_escalations__come_before_exploits_and_take_what_is_exploited():
    lab = meander(known="User1 User2 User3", scanned="User1 User2 User3", exploited="User1 User2", owned="User1 User2")
    assert {chosen(lab), chosen(lab)} == {("PRIVILEGE_ESCALATE", "User1"), ("PRIVILEGE_ESCALATE", "User2")}
    assert chosen(lab, red_target="User3") == ("EXPLOIT_REMOTE_SERVICE", "User3")
    assert lab.s.tape_fault == 0


def test_host_once_owned_and_lost__is_exploited_before_it_is_escalated_again():
    lab = meander(known="User1", scanned="User1", owned="User1", exploited="User0")
    assert chosen(lab) == ("EXPLOIT_REMOTE_SERVICE", "User1")


def test_failed_escalation__gives_the_host_up():
    lab = meander(known="User1", scanned="User1", owned="User1", exploited="User0 User1")
    assert chosen(lab) == ("PRIVILEGE_ESCALATE", "User1")
    lab.s.red_outcome = Outcome.FALSE
    assert chosen(lab) == ("EXPLOIT_REMOTE_SERVICE", "User1")
    assert lab.hosts(lab.s.escalated) == {"User0"}


def test_failed_escalation_of_the_first_host__is_tried_again_at_once():
    lab = Lab(RedAgent.MEANDER)
    lab.s.scanned, lab.s.swept = lab.s.known_hosts, lab.s.known_subnets
    assert chosen(lab) == ("PRIVILEGE_ESCALATE", "User0")
    lab.s.red_outcome = Outcome.FALSE
    assert chosen(lab) == ("PRIVILEGE_ESCALATE", "User0")


def test_failed_impact__gives_the_goal_up():
    lab = meander(
        known="Op_Server0",
        scanned="Op_Server0",
        owned="Op_Server0",
        exploited="User0 Op_Server0",
        escalated="Op_Server0",
    )
    assert chosen(lab) == ("IMPACT", "Op_Server0")
    lab.s.red_outcome = Outcome.FALSE
    assert chosen(lab) == ("EXPLOIT_REMOTE_SERVICE", "Op_Server0")


def test_successful_exploit__is_remembered_as_owned():
    lab = meander(known="User1", scanned="User1", exploited="User0")
    assert chosen(lab) == ("EXPLOIT_REMOTE_SERVICE", "User1")
    lab.s.red_outcome = Outcome.TRUE
    assert chosen(lab) == ("PRIVILEGE_ESCALATE", "User1")
    assert lab.hosts(lab.s.owned_once) == {"User1"}


def test_failed_exploit__is_tried_again_and_makes_red_retreat():
    held = "Enterprise1 Op_Host0"
    lab = meander(known=f"User1 {held}", scanned=f"User1 {held}", exploited=f"User0 {held}", escalated=held, owned=held)
    assert chosen(lab) == ("EXPLOIT_REMOTE_SERVICE", "User1")
    lab.s.red_outcome = Outcome.FALSE
    learn_from_last_action(lab.s, lab.network.tables)
    assert lab.hosts(lab.s.exploited) == {"User0", "Enterprise1"}
    assert lab.hosts(lab.s.escalated) == {"User0", "Enterprise1"}


@pytest.mark.parametrize(
    ("held", "left"),
    [
        ("Op_Host0 Op_Server0 Enterprise0 User1", "Enterprise0 User1"),
        ("Enterprise0 Enterprise2 User1", "User1"),
        ("Defender User1", "Defender User1"),
        ("User1 User2", "User1 User2"),
    ],
)
def test_retreat__gives_up_the_operational_hosts_or_else_the_enterprise_hosts(held, left):
    lab = meander(exploited=held, escalated=held)
    retreat(lab.s, lab.network.tables)
    assert lab.hosts(lab.s.escalated) == {"User0", *left.split()}
    assert lab.hosts(lab.s.exploited) == set(left.split())


def test_nothing_left_to_do__is_a_sleep():
    lab = meander(exploited="User0")
    choose(lab.s, lab.network.tables)
    assert (lab.s.red_kind, lab.s.red_target) == (RedKind.SLEEP, -1)


def test_targets__are_drawn_alike_among_all_candidates():
    drawn = set()
    for seed in range(60):
        lab = Lab(RedAgent.MEANDER, seed=seed)
        lab.s.swept, lab.s.known_hosts = 0b100, lab.network.host_mask(["User0", "User1", "User2", "User3"])
        drawn.add(chosen(lab)[1])
    assert drawn == {"User0", "User1", "User2", "User3"}
