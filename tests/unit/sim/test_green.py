"""The green agent."""

import numpy as np

from cageflow.sim.green import act
from tests.helpers.lab import Lab

SCANNED = {"User0", "User1", "User2", "User3", "User4", "Enterprise0", "Enterprise1", "Enterprise2"}


def green(lab, **draws):
    lab.force(**draws)
    act(lab.s, lab.network.tables, lab.params)


def test_green_asleep__does_nothing_and_draws_nothing():
    lab = Lab(green=False)
    before = lab.snapshot()
    green(lab)
    assert lab.changed(before) == set()


def test_green_awake__scans_in_half_of_the_steps_each_host_alike():
    lab = Lab(green=True)
    drawn = []
    for _ in range(8000):
        green(lab)
        drawn.append(int(lab.s.green_scan))
    share = np.bincount(np.array(drawn) + 1, minlength=14) / 8000
    assert abs(share[0] - 0.5) < 0.023  # 4 standard errors
    scanned = {lab.network.hosts[host] for host in set(drawn) - {-1}}
    assert scanned == SCANNED
    assert np.abs(share[1:][share[1:] > 0] - 1 / 16).max() < 0.011


def test_scan__is_seen_on_every_open_port_decoys_included():
    lab = Lab(green=True)
    lab.blue("DecoyTomcat User1")
    green(lab, green_scan="User1")
    assert lab.s.green_connections == 3
    assert lab.ports(lab.s.green_ports) == {21, 22, 443}
    assert lab.s.tape_fault == 0


def test_scan__teaches_red_nothing():
    lab = Lab(green=True)
    before = lab.snapshot()
    green(lab, green_scan="User1")
    assert lab.changed(before) == {"green_scan", "green_connections", "green_ports", "forced"}


def test_green_at_rest__leaves_nothing_of_its_last_scan_to_be_seen():
    lab = Lab(green=True)
    green(lab, green_scan="User1")
    green(lab, green_scan=-1)
    assert (lab.s.green_scan, lab.s.green_connections) == (-1, 0)


def test_forced_scan_of_a_host_that_green_never_scans__is_a_fault():
    lab = Lab(green=True)
    green(lab, green_scan="Defender")
    assert lab.s.tape_fault == 1
