"""Blue's actions, one by one. Costs are in tenths of a reward."""

import pytest

from cageflow.scenario import load_network
from cageflow.sim.enums import Compromise, Outcome
from tests.helpers.lab import Lab

DECOYS = (
    "DecoyApache",
    "DecoyFemitter",
    "DecoyHarakaSMPT",
    "DecoySmss",
    "DecoySSHD",
    "DecoySvchost",
    "DecoyTomcat",
    "DecoyVsftpd",
)
# Worked by hand from the open ports and the system of each host. Gateways are Linux with 22; the two internal servers
# Windows with 22, 80, 135, 139, 443, 445, 3389; User0 and User1 Windows with 21, 22; User2 Windows with 135, 139, 445,
# 3389; User3 Linux with 25, 80, 443, 3389; User4 Linux with 22, 25, 80, 443, 3390.
GATEWAY = {"DecoyApache", "DecoyHarakaSMPT", "DecoyTomcat", "DecoyVsftpd"}
WINDOWS_USER = {"DecoyApache", "DecoySmss", "DecoySvchost", "DecoyTomcat"}
FITTING = {
    **dict.fromkeys(["Defender", "Enterprise0", "Op_Host0", "Op_Host1", "Op_Host2", "Op_Server0"], GATEWAY),
    **dict.fromkeys(["Enterprise1", "Enterprise2"], {"DecoyFemitter"}),
    **dict.fromkeys(["User0", "User1"], WINDOWS_USER),
    "User2": {"DecoyApache", "DecoyFemitter", "DecoySSHD", "DecoyTomcat"},
    "User3": {"DecoySSHD", "DecoyVsftpd"},
    "User4": {"DecoyVsftpd"},
}


def held(host="User1"):
    """A lab where red holds two removable, one stubborn and one privileged session on a host, with files."""
    lab = Lab()
    i = lab.host(host)
    lab.s.removable[i], lab.s.stubborn[i], lab.s.session_order[i] = 2, 1, 0b101
    lab.s.privileged[i] += 1
    lab.s.malware = 1 << i
    return lab


def test_sleep__changes_nothing_and_says_unknown():
    lab = held()
    lab.s.blue_outcome = Outcome.TRUE
    before = lab.snapshot()
    assert lab.blue("Sleep") == 0
    assert lab.changed(before) == {"blue_outcome"}
    assert lab.s.blue_outcome == Outcome.UNKNOWN


def test_monitor__changes_nothing_and_succeeds():
    lab = held()
    before = lab.snapshot()
    assert lab.blue("Monitor") == 0
    assert lab.changed(before) == {"blue_outcome"}
    assert lab.s.blue_outcome == Outcome.TRUE


def test_analyse__finds_files_where_there_are_any():
    lab = held("User1")
    before = lab.snapshot()
    assert lab.blue("Analyse User1") == 0
    assert lab.hosts(lab.s.files_found) == {"User1"}
    assert lab.changed(before) == {"files_found", "blue_outcome"}


def test_analyse__of_a_clean_host_finds_nothing_but_succeeds():
    lab = held("User1")
    lab.blue("Analyse User1")
    assert lab.blue("Analyse User2") == 0
    assert lab.s.files_found == 0
    assert lab.s.blue_outcome == Outcome.TRUE


def test_remove__ends_the_sessions_whose_process_blue_has_seen_and_no_other():
    lab = held("User1")
    before = lab.snapshot()
    assert lab.blue("Remove User1") == 0
    assert lab.sessions("User1") == (0, 1, 1)
    assert lab.changed(before) == {"removable", "session_order", "blue_outcome"}
    assert lab.s.blue_outcome == Outcome.TRUE


def test_remove__leaves_other_hosts_alone():
    lab = held("User1")
    lab.blue("Remove User2")
    assert lab.sessions("User1") == (2, 1, 1)


def test_remove__leaves_the_files():
    lab = held("User1")
    lab.blue("Remove User1")
    assert lab.hosts(lab.s.malware) == {"User1"}


@pytest.mark.parametrize(
    ("mark", "after"),
    [
        (Compromise.NO, Compromise.NO),
        (Compromise.UNKNOWN, Compromise.UNKNOWN),
        (Compromise.USER, Compromise.UNKNOWN),
        (Compromise.PRIVILEGED, Compromise.UNKNOWN),
    ],
)
def test_remove__makes_blue_unsure_of_a_host_that_it_believed_compromised(mark, after):
    lab = Lab()
    lab.believe("User1", mark)
    lab.blue("Remove User1")
    assert lab.believes("User1") == after


@pytest.mark.parametrize("host", FITTING)
def test_decoy__fits_where_its_port_is_free_and_the_system_is_right(host):
    fitting = set()
    for decoy in DECOYS:
        lab = Lab()
        assert lab.blue(f"{decoy} {host}") == 0
        planted = lab.s.blue_outcome == Outcome.TRUE
        bit = 1 << DECOYS.index(decoy)
        assert int(lab.s.decoys[lab.host(host)]) == (bit if planted else 0)
        assert lab.s.num_decoys[lab.host(host)] == planted
        assert lab.hosts(lab.s.new_decoys) == ({host} if planted else set())
        assert lab.s.blue_outcome in (Outcome.TRUE, Outcome.FALSE)
        if planted:
            fitting.add(decoy)
    assert fitting == FITTING[host]


def test_decoy__does_not_fit_twice():
    lab = Lab()
    lab.blue("DecoyTomcat User1")
    lab.blue("DecoyTomcat User1")
    assert lab.s.blue_outcome == Outcome.FALSE
    assert lab.s.new_decoys == 0
    assert lab.s.num_decoys[9] == 1


def test_decoy_vsftpd__fits_again_and_again_as_it_opens_another_port_than_it_asks_for():
    lab = Lab()
    for planted in (1, 2, 3):
        lab.blue("DecoyVsftpd Enterprise0")
        assert lab.s.blue_outcome == Outcome.TRUE
        assert lab.s.num_decoys[1] == planted
        assert lab.s.decoys[1] == 1 << 7


def test_decoy_vsftpd__takes_port_80_from_decoy_apache_but_not_the_other_way_round():
    lab = Lab()
    lab.blue("DecoyVsftpd Enterprise0")
    lab.blue("DecoyApache Enterprise0")
    assert lab.s.blue_outcome == Outcome.FALSE
    lab = Lab()
    lab.blue("DecoyApache Enterprise0")
    lab.blue("DecoyVsftpd Enterprise0")
    assert lab.s.blue_outcome == Outcome.TRUE
    assert lab.s.decoys[1] == 1 << 0 | 1 << 7


def test_shared_decoy_action__plants_one_by_chance_of_those_that_fit():
    """User2 is Windows with 135, 139, 445 and 3389 open: three of CAGE-1's five decoys fit."""
    planted = set()
    for seed in range(40):
        lab = Lab(network=load_network("cage1"), seed=seed)
        assert lab.blue("Misinform User2") == 0
        planted.add(int(lab.s.decoys[lab.host("User2")]))
    decoys = load_network("cage1").decoys
    assert planted == {1 << decoys.index(name) for name in ("sshd", "apache2", "tomcat")}


def test_shared_decoy_action__fails_once_all_that_fit_are_planted():
    lab = Lab(network=load_network("cage1"))
    for _ in range(3):
        lab.blue("Misinform User2")
        assert lab.s.blue_outcome == Outcome.TRUE
    assert lab.s.num_decoys[lab.host("User2")] == 3
    lab.blue("Misinform User2")
    assert lab.s.blue_outcome == Outcome.FALSE


def test_shared_decoy_action__can_be_forced_and_refuses_what_does_not_fit():
    lab = Lab(network=load_network("cage1"))
    tomcat, smss = (lab.network.decoys.index(name) for name in ("tomcat", "smss"))
    lab.force(decoy=tomcat)
    lab.blue("Misinform User2")
    assert (int(lab.s.decoys[lab.host("User2")]), lab.s.tape_fault) == (1 << tomcat, 0)
    lab.force(decoy=smss)  # port 139 is its own there
    lab.blue("Misinform User2")
    assert lab.s.tape_fault == 1


def test_restore__ends_all_sessions_files_decoys_and_marks_at_the_price_of_one():
    lab = held("User1")
    lab.blue("DecoyTomcat User1")
    lab.believe("User1", Compromise.PRIVILEGED)
    assert lab.blue("Restore User1") == 10
    assert lab.sessions("User1") == (0, 0, 0)
    assert (lab.s.decoys[9], lab.s.num_decoys[9], lab.s.malware, lab.believes("User1")) == (0, 0, 0, Compromise.NO)
    assert lab.hosts(lab.s.restored) == {"User1"}
    assert lab.s.blue_outcome == Outcome.TRUE


def test_restore__on_clean_host_costs_one_and_changes_nothing_else():
    lab = Lab()
    before = lab.snapshot()
    assert lab.blue("Restore Op_Host2") == 10
    assert lab.changed(before) == {"restored", "blue_outcome"}  # that it was restored once is remembered


def test_restore__of_reds_first_host_leaves_the_session_that_red_began_with():
    lab = held("User0")
    lab.blue("Restore User0")
    assert lab.sessions("User0") == (0, 0, 1)


def test_restore__starts_the_service_of_the_goal_and_of_no_other_host():
    lab = Lab()
    lab.s.stopped = 1 << lab.host("Op_Server0")
    lab.blue("Restore Op_Host0")
    assert lab.s.stopped
    lab.blue("Restore Op_Server0")
    assert not lab.s.stopped


def test_restore__does_not_take_from_red_what_it_knows():
    lab = Lab()
    lab.s.ports_seen[9], lab.s.known_hosts, lab.s.known_services = 7, 1 << 9, 1
    before = lab.snapshot()
    lab.blue("Restore User1")
    assert not lab.changed(before) & {"ports_seen", "known_hosts", "known_subnets", "known_services"}


def test_next_action__forgets_the_decoy_and_the_files_of_the_last():
    lab = held("User1")
    lab.blue("DecoyTomcat User2")
    lab.blue("Sleep")
    assert lab.s.new_decoys == 0
    lab.blue("Analyse User1")
    lab.blue("Sleep")
    assert lab.s.files_found == 0
