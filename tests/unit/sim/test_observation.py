"""Blue's table. The bits of a host, low bit first: 10 scan, 11 exploit; 10 unknown, 01 user, 11 privileged."""

import numpy as np
import pytest

from cageflow.sim.enums import Compromise
from cageflow.sim.observation import belief, set_belief, unpack
from tests.helpers.lab import Lab

SCAN, EXPLOIT, SCANNED_AND_USER = "1000", "1101", "1001"


def test_new_episode__shows_nothing():
    assert Lab().see() == {}


@pytest.mark.parametrize("host", ["Defender", "Enterprise0", "User1", "User2"])
def test_scan_by_red__is_seen_as_a_scan(host):
    lab = Lab()
    lab.red("DiscoverNetworkServices", host)
    assert lab.see() == {host: SCAN}


def test_scan__is_seen_in_its_own_step_only():
    lab = Lab()
    lab.red("DiscoverNetworkServices", "User1")
    lab.see()
    lab.red("Sleep")
    assert lab.see() == {}


def test_detected_shell__is_seen_as_an_exploit_and_remembered():
    lab = Lab()
    lab.scan_and_exploit("User1", "FTPDirectoryTraversal", detection=1)
    assert lab.see() == {"User1": EXPLOIT}
    lab.red("Sleep")
    assert lab.see() == {"User1": "0001"}


def test_undetected_shell__looks_like_a_scan():
    lab = Lab()
    lab.scan_and_exploit("User1", "FTPDirectoryTraversal", detection=0)
    assert lab.see() == {"User1": SCAN}
    assert lab.believes("User1") == Compromise.NO


def test_password_guesses__are_seen_as_an_exploit_whether_they_succeed_or_not():
    for host in ("Enterprise0", "Defender"):
        lab = Lab()
        lab.scan_and_exploit(host, "SSHBruteForce", detection=-1)
        assert lab.see() == {host: EXPLOIT}


def test_exploit_that_meets_a_decoy__looks_like_a_scan():
    lab = Lab()
    lab.blue("DecoyTomcat Enterprise0")
    lab.scan_and_exploit("Enterprise0", "HTTPSRFI", detection=-1)
    lab.blue("Sleep")
    assert lab.see() == {"Enterprise0": SCAN}


def test_decoy_planted_in_the_step_of_a_trapped_exploit__turns_it_into_an_exploit():
    lab = Lab()
    lab.blue("DecoyTomcat Enterprise0")
    lab.red("DiscoverNetworkServices", "Enterprise0")
    lab.blue("DecoyVsftpd Enterprise0")
    lab.red("ExploitRemoteService", "Enterprise0", exploit="HTTPSRFI")
    assert lab.see() == {"Enterprise0": EXPLOIT}  # two connections to one port and the new decoy: three entries


@pytest.mark.parametrize(("observation", "seen"), [("corrected", {"Enterprise0": SCAN}), ("official", {})])
def test_decoy_planted_in_the_step_of_a_small_scan__hides_it_from_the_official_table(observation, seen):
    lab = Lab(observation=observation)
    lab.blue("DecoyTomcat Enterprise0")  # then 22 and 443 are scanned: two ports
    lab.red("DiscoverNetworkServices", "Enterprise0")
    assert lab.see() == seen
    lab.blue("Sleep")
    lab.red("DiscoverNetworkServices", "Enterprise0")
    assert lab.see() == {"Enterprise0": SCAN}


@pytest.mark.parametrize("observation", ["corrected", "official"])
def test_decoy_planted_in_the_step_of_a_large_scan__hides_it_from_neither(observation):
    lab = Lab(observation=observation)
    lab.blue("DecoyTomcat User1")  # 21, 22 and 443
    lab.red("DiscoverNetworkServices", "User1")
    assert lab.see() == {"User1": SCAN}


@pytest.mark.parametrize("observation", ["corrected", "official"])
def test_decoy_alone__is_not_seen(observation):
    lab = Lab(observation=observation)
    lab.blue("DecoyTomcat User1")
    assert lab.see() == {}


def test_exploit_without_a_process__is_not_seen():
    lab = Lab()
    lab.scan_and_exploit("User3", "BlueKeep", detection=-1)
    assert lab.see() == {}


def test_green_scan__looks_like_one_of_red():
    lab = Lab(green=True)
    _, seen = lab.step("Sleep", green_scan="User2")
    assert seen == {"User2": SCAN}


def test_green_and_red_on_two_hosts__are_both_seen():
    lab = Lab(green=True)
    lab.step("Sleep", green_scan="User2")
    lab.red("DiscoverNetworkServices", "User1")
    assert lab.see() == {"User1": SCAN, "User2": SCAN}


def test_scan_and_exploit_of_one_host_in_one_step__look_like_a_scan():
    lab = Lab(green=True)
    lab.scan_and_exploit("User1", "FTPDirectoryTraversal", detection=1)
    lab.s.green_scan, lab.s.green_connections, lab.s.green_ports = 9, 2, lab.network.port_mask([21, 22])
    assert lab.see() == {"User1": SCAN}  # 21, 22 and the shell: three ports


def test_scan_and_guesses_on_the_same_single_port__look_like_an_exploit():
    lab = Lab(green=True)
    lab.scan_and_exploit("Enterprise0", "SSHBruteForce", detection=-1)
    lab.s.green_scan, lab.s.green_connections, lab.s.green_ports = 1, 1, lab.network.port_mask([22])
    assert lab.see() == {"Enterprise0": EXPLOIT}


def test_files_found__mark_the_host_privileged_and_are_remembered():
    lab = Lab()
    lab.s.malware = 1 << 9
    lab.blue("Analyse User1")
    assert lab.see() == {"User1": "0011"}
    lab.blue("Sleep")
    assert lab.see() == {"User1": "0011"}


def test_exploit__takes_the_mark_back_to_user():
    lab = Lab()
    lab.believe("User1", Compromise.PRIVILEGED)
    lab.scan_and_exploit("User1", "FTPDirectoryTraversal", detection=1)
    assert lab.see() == {"User1": EXPLOIT}


def test_exploit_in_the_step_of_an_analysis_that_finds_files__leaves_the_host_privileged():
    lab = Lab()
    lab.s.malware = 1 << 9
    lab.blue("Analyse User1")
    lab.scan_and_exploit("User1", "FTPDirectoryTraversal", detection=1)
    assert lab.see() == {"User1": "1111"}


@pytest.mark.parametrize(("mark", "bits"), [(1, "0010"), (2, "0001"), (3, "0011")])
def test_marks__are_two_bits_low_bit_first(mark, bits):
    lab = Lab()
    lab.believe("Op_Host0", mark)
    assert lab.see() == {"Op_Host0": bits}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("num_hosts", [1, 8, 13, 16, 17, 40, 63])
def test_unpack__writes_four_bits_of_each_host_without_a_seam_at_any_size(num_hosts, dtype):
    bits = np.random.default_rng(num_hosts).integers(2, size=(num_hosts, 4))
    s = np.zeros(1, [("table", np.uint64, (-(-num_hosts // 16),))]).view(np.recarray)
    for place in np.flatnonzero(bits):
        s.table[0, place >> 6] |= np.uint64(1) << np.uint64(place & 63)
    out = np.full(4 * num_hosts, 7, dtype)
    unpack(s[0], out)
    assert np.array_equal(out, bits.reshape(-1))


@pytest.mark.parametrize("num_hosts", [2, 16, 17, 63])
def test_beliefs__stand_in_the_masks_and_in_the_words_alike(num_hosts):
    fields = [("belief_low", np.int64), ("belief_high", np.int64), ("table", np.uint64, (-(-num_hosts // 16),))]
    s = np.zeros(1, fields).view(np.recarray)[0]
    rng, expected = np.random.default_rng(0), np.zeros(num_hosts, int)
    for host, mark in zip(rng.integers(num_hosts, size=200), rng.integers(4, size=200), strict=True):
        set_belief(s, int(host), int(mark))
        expected[host] = mark
        out = np.zeros(4 * num_hosts, np.uint8)
        unpack(s, out)
        assert np.array_equal(out.reshape(-1, 4) @ [0, 0, 1, 2], expected)
        assert [belief(s, i) for i in range(num_hosts)] == expected.tolist()
