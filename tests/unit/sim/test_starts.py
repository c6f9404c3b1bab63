"""Networks that CAGE-2 is no example of: several sessions to begin with, closed subnets, services on several hosts."""

import pytest

from cageflow.scenario import RedAgent
from cageflow.sim.enums import Outcome
from cageflow.workflow.compliance import spared_sessions
from tests.helpers.lab import Lab
from tests.helpers.small_networks import made_network, ssh_host

TRUE, FALSE = Outcome.TRUE, Outcome.FALSE
HOSTS = {
    "A": ssh_host("Lan"),
    "B": ssh_host("Lan", service="OT", availability="much"),
    "C": ssh_host("Far", service="OT", availability="some"),
    "D": ssh_host("Far", service="Mail", availability="much"),
}
RED = {"footholds": [{"host": "B", "access": "user"}, {"host": "B", "access": "user"}, {"host": "C"}]}


def lab_of(**fields):
    return Lab(network=made_network(HOSTS, **fields))


def test_sessions_red_begins_with__stand_where_the_file_says():
    lab = lab_of(red=RED)
    assert [lab.sessions(host) for host in HOSTS] == [(0, 0, 1), (0, 2, 0), (0, 0, 1), (0, 0, 0)]
    assert lab.hosts(lab.s.known_hosts) == {"A", "B", "C"}
    assert lab.step("Sleep")[0] == -0.2  # A and C


def test_sessions_red_begins_with__cost_from_the_first_step_on():
    assert lab_of(red=RED).s.standing_cost == 2  # tenths, for A and C


def test_red__may_know_less_than_it_holds_and_more():
    lab = lab_of(red=RED | {"knows": ["A", "D"]})
    assert lab.hosts(lab.s.known_hosts) == {"A", "D"}
    assert int(lab.s.known_subnets) == 0b11


def test_user_level_start__is_escalated_like_any_session():
    lab = lab_of(red={"access": "user"})
    assert lab.sessions("A") == (0, 1, 0)
    assert lab.red("PrivilegeEscalate", "A", session=0) == TRUE
    assert lab.sessions("A") == (0, 0, 1)


def test_restore__leaves_the_sessions_red_began_with_at_the_level_they_have_reached():
    lab = lab_of(red=RED)
    lab.red("DiscoverNetworkServices", "B")
    lab.red("ExploitRemoteService", "B")
    assert lab.sessions("B") == (0, 3, 0)
    lab.blue("Restore B")
    assert lab.sessions("B") == (0, 2, 0)
    lab.red("PrivilegeEscalate", "B", session=1)
    lab.red("ExploitRemoteService", "B")
    lab.blue("Restore B")
    assert lab.sessions("B") == (0, 1, 1)
    lab.blue("Remove B")
    assert lab.sessions("B") == (0, 1, 1)


def test_escalation_of_a_session_gained_later__is_lost_with_a_restore():
    lab = lab_of(red=RED)
    lab.red("DiscoverNetworkServices", "B")
    lab.red("ExploitRemoteService", "B")
    lab.red("PrivilegeEscalate", "B", session=2)  # the youngest of three
    assert lab.sessions("B") == (0, 2, 1)
    lab.blue("Restore B")
    assert lab.sessions("B") == (0, 2, 0)


def test_each_start_on_a_host__may_be_escalated():
    lab = lab_of(red=RED)
    lab.red("DiscoverNetworkServices", "B")
    lab.red("PrivilegeEscalate", "B", session=1)
    lab.s.privileged[lab.host("B")] = 0  # or red would leave the other as it is
    lab.red("PrivilegeEscalate", "B", session=0)
    lab.blue("Restore B")
    assert lab.sessions("B") == (0, 0, 2)


def test_evictable__leaves_out_every_session_red_never_loses():
    network = made_network(HOSTS, red=RED)
    assert spared_sessions(network, "any-session").tolist() == [0, 0, 0, 0]
    assert spared_sessions(network, "evictable").tolist() == [1, 2, 1, 0]


def test_closed_subnet__is_reached_by_no_session():
    lab = lab_of(subnets={"Lan": {}, "Far": {"closed_to": ["Lan"], "guarded_by": ["B"]}}, red=RED)
    assert lab.red("DiscoverRemoteSystems", "Far") == FALSE


@pytest.mark.parametrize(
    ("wall", "red", "outcome"),
    [
        ({}, {}, TRUE),
        ({"guarded_by": ["B"]}, {}, FALSE),
        ({"guarded_by": ["B"]}, RED, TRUE),
        ({"guarded_by": ["B"], "guards_against": ["Lan"]}, {}, FALSE),
        ({"guarded_by": ["B"], "guards_against": ["Far"]}, {}, TRUE),
        ({"guarded_by": ["B"]}, {"start": "D"}, TRUE),  # from within
        ({"guarded_by": ["B"], "guards_against": ["Far"]}, {"start": "D"}, FALSE),
    ],
)
def test_guard__is_asked_of_the_traffic_that_the_file_names(wall, red, outcome):
    lab = lab_of(subnets={"Lan": {}, "Far": wall}, red=red)
    assert lab.red("DiscoverRemoteSystems", "Far") == outcome


def test_impact__stops_the_service_of_any_host_once_one_of_that_name_was_explored():
    lab = lab_of(red=RED)
    assert lab.red("Impact", "C") == FALSE
    lab.red("PrivilegeEscalate", "B", session=0)
    assert lab.red("Impact", "C") == TRUE
    assert lab.red("Impact", "B") == TRUE
    assert lab.hosts(lab.s.stopped) == {"B", "C"}
    assert lab.red("Impact", "A") == FALSE  # no service
    lab.s.stubborn[lab.host("D")] = 1
    assert lab.red("Impact", "D") == FALSE  # another name, not explored


def test_each_service_that_is_down__costs_its_own_and_runs_for_good_once_restored():
    lab = lab_of(red=RED)
    lab.red("PrivilegeEscalate", "B", session=0)
    for host in ("B", "C"):
        lab.red("Impact", host)
    lab.red("Sleep")
    assert lab.step("Sleep")[0] == pytest.approx(-0.3 - 5.1)  # A, B, C; much and some
    assert lab.step("Restore B")[0] == pytest.approx(-0.3 - 0.1 - 1.0)
    assert lab.red("Impact", "B") == TRUE
    assert lab.hosts(lab.s.stopped) == {"C"}


def test_each_service_that_is_down__costs_by_itself_from_the_step_of_its_impact():
    lab, costs = lab_of(red=RED), []
    lab.red("PrivilegeEscalate", "B", session=0)
    for act, *what in ((lab.red, "Impact", "B"), (lab.red, "Impact", "C"), (lab.blue, "Restore C")):
        act(*what)
        costs.append(int(lab.s.standing_cost))
    assert costs == [3 + 50, 3 + 50 + 1, 3 + 50]  # A, B and C are held


def test_host_that_hides_its_subnet_or_service__tells_red_nothing_of_it():
    hosts = HOSTS | {"C": HOSTS["C"] | {"reveals_subnet": False, "reveals_service": False}}
    lab = Lab(network=made_network(hosts, red=RED | {"knows": ["A"]}))
    lab.red("PrivilegeEscalate", "C")
    assert (int(lab.s.known_subnets), int(lab.s.known_services)) == (0b01, 0)
    assert int(lab_of(red=RED | {"knows": ["A"]}).s.known_services) == 0


def test_host_without_a_process__withstands_and_shows_nothing():
    lab = Lab(network=made_network(HOSTS | {"B": ssh_host("Lan", processes=[])}))
    assert lab.red("DiscoverNetworkServices", "B") == TRUE
    assert lab.see() == {}
    assert lab.red("ExploitRemoteService", "B") == FALSE


def test_network_without_a_goal__is_never_impacted_by_meander():
    lab = Lab(RedAgent.MEANDER, network=made_network(HOSTS))
    for _ in range(60):
        lab.step("Sleep")
        assert lab.s.red_kind != 5
    assert all(sum(lab.sessions(host)) for host in ("A", "B"))  # it never hears of the others


def test_green__scans_as_often_as_the_file_says_and_never_without_a_host():
    for fields, expected in (({}, 0), ({"green_hosts": ["A"], "green_probability": 1.0}, 20)):
        lab = Lab(green=True, network=made_network(HOSTS, **fields))
        scans = 0
        for _ in range(20):
            lab.step("Sleep")
            scans += int(lab.s.green_scan) == 0
        assert scans == expected
