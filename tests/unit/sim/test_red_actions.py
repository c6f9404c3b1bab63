"""Red's actions, one by one, whatever agent chose them."""

import numpy as np
import pytest

from cageflow.scenario import ExploitEffect, Network, Scenario, default_network
from cageflow.sim.enums import Outcome
from cageflow.sim.red_actions import choose_exploit, is_reachable
from tests.helpers.lab import Lab

TRUE, FALSE, UNKNOWN = Outcome.TRUE, Outcome.FALSE, Outcome.UNKNOWN


def ready(host, exploit, rules="v2.1", **others):
    """A lab where red has scanned a host; the guarded subnet is open."""
    lab = Lab(rules=rules, **others)
    lab.s.stubborn[1] = 1
    lab.red("DiscoverNetworkServices", host)
    return lab


def test_sleep__says_unknown_and_leaves_no_trace():
    lab = Lab()
    lab.red("DiscoverNetworkServices", "User1")
    assert lab.red("Sleep") == UNKNOWN
    assert (lab.s.red_connections, lab.s.red_ports) == (0, 0)


# DiscoverRemoteSystems


def test_sweep__reveals_the_hosts_of_a_subnet_unseen():
    lab = Lab()
    assert lab.red("DiscoverRemoteSystems", "User") == TRUE
    assert lab.hosts(lab.s.known_hosts) == {"User0", "User1", "User2", "User3", "User4"}
    assert lab.s.red_connections == 0


def test_sweep_of_an_open_subnet__makes_it_known():
    lab = Lab()
    assert lab.red("DiscoverRemoteSystems", "Enterprise") == TRUE
    assert lab.s.known_subnets == 0b101
    assert lab.hosts(lab.s.known_hosts) == {"User0", "Defender", "Enterprise0", "Enterprise1", "Enterprise2"}


def test_sweep_of_the_guarded_subnet__fails_until_red_holds_a_guard():
    lab = Lab()
    before = lab.snapshot()
    assert lab.red("DiscoverRemoteSystems", "Operational") == FALSE
    assert not lab.changed(before) & {"known_hosts", "known_subnets"}
    lab.s.stubborn[lab.host("Enterprise2")] = 1
    assert lab.red("DiscoverRemoteSystems", "Operational") == TRUE
    assert {"Op_Host0", "Op_Host1", "Op_Host2", "Op_Server0"} <= lab.hosts(lab.s.known_hosts)


@pytest.mark.parametrize(
    ("held", "is_open"), [("Enterprise0", True), ("Enterprise1", True), ("Defender", False), ("User1", False)]
)
@pytest.mark.parametrize("level", ["removable", "stubborn", "privileged"])
def test_guarded_subnet__opens_with_any_session_on_a_guard(held, is_open, level):
    lab = Lab()
    lab.s[level][lab.host(held)] = 1
    assert is_reachable(lab.s, lab.network.tables, lab.network.subnets.index("Operational")) == is_open
    assert is_reachable(lab.s, lab.network.tables, lab.network.subnets.index("Enterprise"))


# DiscoverNetworkServices


@pytest.mark.parametrize(
    ("host", "ports", "connections"),
    [
        ("Defender", {22, 53, 68}, 4),  # 53 over TCP and over UDP
        ("Enterprise0", {22}, 1),
        ("Enterprise1", {22, 80, 135, 139, 443, 445, 3389}, 7),
        ("User0", {21, 22}, 2),
        ("User2", {135, 139, 445, 3389}, 4),
        ("User3", {25, 80, 443, 3389}, 4),
        ("User4", {22, 25, 80, 443, 3390}, 5),
    ],
)
def test_scan__finds_every_open_port_with_a_connection_to_each(host, ports, connections):
    lab = Lab()
    assert lab.red("DiscoverNetworkServices", host) == TRUE
    assert lab.ports(lab.s.ports_seen[lab.host(host)]) == ports
    assert lab.ports(lab.s.red_ports) == ports
    assert lab.s.red_connections == connections


def test_scan__finds_decoys_one_connection_each_even_of_one_port():
    lab = Lab()
    for _ in range(2):
        lab.blue("DecoyVsftpd Enterprise0")
    lab.red("DiscoverNetworkServices", "Enterprise0")
    assert lab.ports(lab.s.ports_seen[1]) == {22, 80}
    assert lab.s.red_connections == 3


def test_scan_out_of_reach__succeeds_and_finds_nothing():
    lab = Lab()
    lab.s.ports_seen[7] = 1
    assert lab.red("DiscoverNetworkServices", "Op_Server0") == TRUE
    assert lab.s.ports_seen[7] == 1
    assert lab.s.red_connections == 0


@pytest.mark.parametrize(("rules", "ports"), [("v2.1", {22}), ("challenge", {22, 443})])
def test_scan_again__forgets_what_is_gone_under_v21_alone(rules, ports):
    lab = Lab(rules=rules)
    lab.blue("DecoyTomcat Enterprise0")
    lab.red("DiscoverNetworkServices", "Enterprise0")
    lab.blue("Restore Enterprise0")
    lab.red("DiscoverNetworkServices", "Enterprise0")
    assert lab.ports(lab.s.ports_seen[1]) == ports


def test_scan_that_finds_nothing__leaves_what_was_seen():
    content = default_network().scenario.model_dump()
    content["hosts"]["Defender"]["processes"] = []
    lab = Lab(network=Network(Scenario.model_validate(content)))
    lab.blue("DecoySSHD Defender")
    lab.red("DiscoverNetworkServices", "Defender")
    lab.blue("Restore Defender")
    assert lab.red("DiscoverNetworkServices", "Defender") == TRUE
    assert (lab.ports(lab.s.ports_seen[0]), lab.s.red_connections) == ({22}, 0)


# Which exploit red tries


@pytest.mark.parametrize(
    ("host", "favourite", "others"),
    [
        ("Enterprise0", "SSHBruteForce", set()),
        ("Enterprise1", "HTTPSRFI", {"HTTPRFI", "EternalBlue", "BlueKeep", "SSHBruteForce"}),
        ("User1", "FTPDirectoryTraversal", {"SSHBruteForce"}),
        ("User2", "EternalBlue", {"BlueKeep"}),
        ("User3", "HarakaRCE", {"HTTPSRFI", "HTTPRFI", "BlueKeep"}),
        ("User4", "HarakaRCE", {"SQLInjection", "HTTPSRFI", "HTTPRFI", "SSHBruteForce"}),
    ],
)
def test_choose_exploit__takes_the_favourite_three_times_in_four_and_the_others_alike(host, favourite, others):
    lab = Lab()
    lab.red("DiscoverNetworkServices", host)
    drawn = [lab.network.exploits[choose_exploit(lab.s, lab.network.tables, lab.host(host))] for _ in range(4000)]
    assert set(drawn) == {favourite} | others
    expected = 0.75 if others else 1.0
    assert abs(drawn.count(favourite) / 4000 - expected) < 0.028  # 4 standard errors
    for other in others:
        assert abs(drawn.count(other) / 4000 - 0.25 / len(others)) < 0.028


def test_choose_exploit__knows_none_before_a_scan():
    lab = Lab()
    assert choose_exploit(lab.s, lab.network.tables, 9) == -1
    assert lab.red("ExploitRemoteService", "User1") == FALSE
    assert lab.s.exploit == -1


def test_sql_injection__needs_a_web_port_beside_its_own():
    lab = Lab()
    sql = lab.exploit("SQLInjection")
    lab.force(exploit=sql)
    for seen, is_option in (({3390}, False), ({3390, 80}, True), ({3390, 443}, True), ({80, 443}, False)):
        lab.s.tape_fault = 0
        lab.s.ports_seen[12] = lab.network.port_mask(seen)
        assert (choose_exploit(lab.s, lab.network.tables, 12) == sql) == is_option
        assert lab.s.tape_fault == (not is_option)


def test_choose_exploit__forced_to_none_where_red_knows_one__is_a_fault():
    lab = Lab()
    lab.red("DiscoverNetworkServices", "User1")
    lab.red("ExploitRemoteService", "User1", exploit=-1)
    assert lab.s.tape_fault == 1


# What exploits do

EFFECTS = [
    ("Defender", "SSHBruteForce", "FAILS"),  # no user with a weak password
    ("Enterprise0", "SSHBruteForce", "USER"),
    ("Enterprise1", "HTTPSRFI", "USER"),
    ("Enterprise1", "HTTPRFI", "USER"),
    ("Enterprise1", "BlueKeep", "PRIVILEGED"),
    ("Enterprise1", "EternalBlue", "NO_PROCESS"),  # its smss.exe is not typed as smb
    ("Op_Server0", "SSHBruteForce", "USER"),
    ("User1", "FTPDirectoryTraversal", "PRIVILEGED"),
    ("User1", "SSHBruteForce", "USER"),
    ("User2", "EternalBlue", "PRIVILEGED"),
    ("User2", "BlueKeep", "USER"),
    ("User3", "HarakaRCE", "PRIVILEGED"),
    ("User3", "HTTPSRFI", "USER"),
    ("User3", "BlueKeep", "NO_PROCESS"),  # mysql listens there
    ("User4", "SQLInjection", "PRIVILEGED"),
    ("User4", "SSHBruteForce", "USER"),
]


@pytest.mark.parametrize(("host", "exploit", "effect"), EFFECTS)
def test_exploit__does_what_the_hosts_own_process_allows(host, exploit, effect):
    lab = ready(host, exploit)
    before = np.array(lab.sessions(host))
    outcome = lab.red("ExploitRemoteService", host, exploit=exploit, detection=1)
    gained = np.array(lab.sessions(host)) - before
    is_ssh = exploit == "SSHBruteForce"
    expected = {
        "NO_PROCESS": (0, 0, 0),
        "FAILS": (0, 0, 0),
        "USER": (0, 1, 0) if is_ssh else (1, 0, 0),
        "PRIVILEGED": (0, 0, 1),
    }[effect]
    assert tuple(gained) == expected
    assert outcome == (TRUE if effect in ("USER", "PRIVILEGED") else FALSE)
    assert int(lab.network.tables["effect"][0, lab.exploit(exploit), lab.host(host)]) == ExploitEffect[effect]
    assert lab.network.exploits[lab.s.exploit] == exploit
    assert lab.s.tape_fault == 0


@pytest.mark.parametrize(
    ("host", "exploit", "detection", "connections"),
    [
        ("User1", "FTPDirectoryTraversal", 1, 2),  # the attack and the shell
        ("User1", "FTPDirectoryTraversal", 0, 1),  # the attack alone
        ("Enterprise0", "SSHBruteForce", -1, 11),  # ten guesses and the login
        ("Defender", "SSHBruteForce", -1, 10),
        ("User3", "BlueKeep", -1, 0),  # nothing there to be attacked
    ],
)
def test_exploit__leaves_connections_to_be_seen(host, exploit, detection, connections):
    lab = ready(host, exploit)
    lab.red("ExploitRemoteService", host, exploit=exploit, detection=detection)
    assert lab.s.red_connections == connections
    assert lab.s.detected == detection
    assert lab.s.red_shell_seen == (detection == 1)
    if connections:
        assert lab.s.red_ports == lab.network.tables["exploit_port"][lab.exploit(exploit)]


def test_reverse_shell__is_removable_only_where_blue_saw_its_process():
    for detection, sessions in ((1, (1, 0, 0)), (0, (0, 1, 0))):
        lab = ready("User2", "BlueKeep")
        lab.red("ExploitRemoteService", "User2", exploit="BlueKeep", detection=detection)
        assert lab.sessions("User2") == sessions
        assert lab.hosts(lab.s.malware) == {"User2"}
        assert lab.s.session_order[10] == detection


def test_ssh_login__leaves_no_files_and_blue_never_sees_its_process():
    lab = ready("User1", "SSHBruteForce")
    lab.red("ExploitRemoteService", "User1", exploit="SSHBruteForce")
    assert lab.sessions("User1") == (0, 1, 0)
    assert lab.s.malware == 0
    assert lab.s.detected == -1
    lab.blue("Remove User1")
    assert lab.sessions("User1") == (0, 1, 0)


def test_detection__sees_95_shells_of_100():
    lab = ready("User1", "FTPDirectoryTraversal")
    seen = []
    for _ in range(3000):
        lab.red("ExploitRemoteService", "User1", exploit="FTPDirectoryTraversal")
        seen.append(int(lab.s.detected))
        lab.blue("Restore User1")
    assert set(seen) == {0, 1}
    assert abs(np.mean(seen) - 0.95) < 0.016  # 4 standard errors


def test_decoy__traps_an_exploit_where_no_process_of_the_host_answers():
    lab = ready("Enterprise0", "HTTPSRFI")
    lab.blue("DecoyTomcat Enterprise0")
    assert lab.scan_and_exploit("Enterprise0", "HTTPSRFI", detection=-1) == FALSE
    assert lab.s.red_connections == 2
    assert lab.ports(lab.s.red_ports) == {443}
    assert lab.s.tape_fault == 0


def test_decoy_on_another_port__does_not_help():
    lab = ready("User3", "HTTPSRFI")
    lab.blue("DecoyVsftpd User3")  # port 80, where the host's own web server answers first
    assert lab.red("ExploitRemoteService", "User3", exploit="HTTPSRFI", detection=1) == TRUE
    assert lab.scan_and_exploit("User3", "HTTPRFI") == TRUE


@pytest.mark.parametrize(("rules", "outcome", "sessions"), [("v2.1", TRUE, (0, 0, 1)), ("challenge", FALSE, (0, 0, 0))])
@pytest.mark.parametrize("host", ["User3", "User4"])
def test_haraka__withstands_after_a_restore_under_challenge_alone(rules, outcome, sessions, host):
    lab = ready(host, "HarakaRCE", rules)
    lab.blue(f"Restore {host}")
    detection = 1 if outcome == TRUE else -1
    assert lab.red("ExploitRemoteService", host, exploit="HarakaRCE", detection=detection) == outcome
    assert lab.sessions(host) == sessions
    assert lab.s.red_connections == (2 if outcome == TRUE else 1)  # the process is there: its connection is seen
    assert lab.s.tape_fault == 0


def test_exploit_out_of_reach__fails_unseen_after_red_chose_it():
    lab = ready("Op_Host0", "SSHBruteForce")
    lab.s.stubborn[1] = 0
    assert lab.red("ExploitRemoteService", "Op_Host0", exploit="SSHBruteForce") == FALSE
    assert lab.network.exploits[lab.s.exploit] == "SSHBruteForce"
    assert lab.s.red_connections == 0


# PrivilegeEscalate


def test_escalate__without_a_session_fails():
    lab = Lab()
    before = lab.snapshot()
    assert lab.red("PrivilegeEscalate", "User1") == FALSE
    assert not lab.changed(before) & {"privileged", "malware", "known_hosts", "known_subnets"}


def test_escalate__raises_the_drawn_session_leaves_files_and_explores():
    lab = Lab()
    lab.s.removable[9], lab.s.stubborn[9], lab.s.session_order[9] = 1, 1, 0b10
    assert lab.red("PrivilegeEscalate", "User1", session=0) == TRUE
    assert lab.sessions("User1") == (1, 0, 1)
    assert lab.s.escalated_session == 0
    assert lab.hosts(lab.s.malware) == {"User1"}
    assert lab.hosts(lab.s.known_hosts) == {"User0", "Enterprise1"}


def test_escalate__of_what_is_privileged_draws_nothing_and_leaves_no_files():
    lab = Lab()
    lab.s.removable[9], lab.s.session_order[9], lab.s.privileged[9] = 1, 1, 1
    assert lab.red("PrivilegeEscalate", "User1", session=-1) == TRUE
    assert lab.sessions("User1") == (1, 0, 1)
    assert (lab.s.escalated_session, lab.s.malware, lab.s.tape_fault) == (-1, 0, 0)
    assert "Enterprise1" in lab.hosts(lab.s.known_hosts)


@pytest.mark.parametrize(
    ("host", "revealed"),
    [
        ("User1", {"Enterprise1"}),
        ("User2", {"Enterprise1"}),
        ("User3", {"Enterprise0"}),
        ("User4", {"Enterprise0"}),
        ("Enterprise0", set()),
        ("Enterprise1", set()),
        ("Enterprise2", {"Op_Server0"}),
        ("User0", set()),
    ],
)
def test_escalate__reveals_the_addresses_that_a_host_knows(host, revealed):
    lab = Lab()
    lab.s.privileged[lab.host(host)] = 1
    lab.red("PrivilegeEscalate", host)
    assert lab.hosts(lab.s.known_hosts) == {"User0"} | revealed


def test_escalate__makes_the_hosts_own_subnet_known():
    lab = Lab()
    lab.s.privileged[2] = 1
    lab.red("PrivilegeEscalate", "Enterprise1")
    assert lab.s.known_subnets == 1 << lab.network.subnets.index("Enterprise") | 1 << lab.network.subnets.index("User")


# Impact


def on_goal(level="privileged", explored=True):
    lab = Lab()
    lab.s[level][7] = 1
    lab.s.known_services = int(explored)
    return lab


@pytest.mark.parametrize("level", ["removable", "stubborn", "privileged"])
def test_impact__stops_the_service_with_any_session_once_red_has_explored_the_goal(level):
    lab = on_goal(level)
    assert lab.red("Impact", "Op_Server0") == TRUE
    assert lab.hosts(lab.s.stopped) == {"Op_Server0"}


def test_impact__fails_before_the_goal_is_explored():
    lab = on_goal(explored=False)
    assert lab.red("Impact", "Op_Server0") == FALSE
    assert not lab.s.stopped
    lab.red("PrivilegeEscalate", "Op_Server0")
    assert lab.red("Impact", "Op_Server0") == TRUE
    assert lab.hosts(lab.s.stopped) == {"Op_Server0"}


def test_impact__fails_without_a_session():
    lab = on_goal()
    lab.s.privileged[7] = 0
    assert lab.red("Impact", "Op_Server0") == FALSE
    assert not lab.s.stopped


def test_service_that_was_restored_once__cannot_be_stopped_again_though_red_is_told_so():
    lab = on_goal()
    lab.red("Impact", "Op_Server0")
    lab.blue("Restore Op_Server0")
    assert not lab.s.stopped
    lab.s.privileged[7] = 1
    assert lab.red("Impact", "Op_Server0") == TRUE
    assert not lab.s.stopped


def test_service__stays_stopped_until_the_goal_is_restored():
    lab = on_goal()
    lab.red("Impact", "Op_Server0")
    lab.blue("Remove Op_Server0")
    lab.red("Sleep")
    assert lab.hosts(lab.s.stopped) == {"Op_Server0"}
