"""How red's sessions on a host come and go."""

import pytest

from cageflow.sim.hosts import (
    add_user_session,
    count_sessions,
    drop_removable_sessions,
    drop_sessions,
    escalate_session,
    open_ports,
    red_hosts,
)
from cageflow.sim.state import SESSION_ORDER_BITS
from tests.helpers.lab import Lab

USER1 = 9


def with_sessions(*removable):
    """A lab where red holds user-level sessions on User1, the oldest first."""
    lab = Lab()
    for one in removable:
        add_user_session(lab.s, USER1, one)
    return lab


def test_new_episode__has_one_privileged_session_on_reds_first_host_alone():
    lab = Lab()
    assert [count_sessions(lab.s, host) for host in range(13)] == [0] * 8 + [1] + [0] * 4
    assert lab.sessions("User0") == (0, 0, 1)


def test_add_user_session__keeps_the_order_of_age():
    lab = with_sessions(True, False, False, True)
    assert lab.sessions("User1") == (2, 2, 0)
    assert lab.s.session_order[USER1] == 0b1001
    assert count_sessions(lab.s, USER1) == 4


@pytest.mark.parametrize(
    ("index", "left", "order"),
    [(0, (1, 2), 0b100), (1, (2, 1), 0b101), (2, (2, 1), 0b101), (3, (1, 2), 0b001)],
)
def test_escalate_session__raises_the_one_of_that_age_and_closes_the_gap(index, left, order):
    lab = with_sessions(True, False, False, True)
    escalate_session(lab.s, lab.network.tables, USER1, index)
    assert lab.sessions("User1") == (*left, 1)
    assert lab.s.session_order[USER1] == order


def test_session_beyond_the_order_that_is_kept__is_counted_all_the_same():
    lab = with_sessions(*[False] * SESSION_ORDER_BITS, True)
    assert lab.sessions("User1") == (1, SESSION_ORDER_BITS, 0)
    assert lab.s.session_order[USER1] == 0
    escalate_session(lab.s, lab.network.tables, USER1, SESSION_ORDER_BITS)
    assert lab.sessions("User1") == (0, SESSION_ORDER_BITS, 1)


def test_drop_removable_sessions__leaves_the_others():
    lab = with_sessions(True, False, True)
    lab.s.privileged[USER1] = 2
    drop_removable_sessions(lab.s, USER1)
    assert lab.sessions("User1") == (0, 1, 2)
    assert lab.s.session_order[USER1] == 0


def test_drop_sessions__leaves_none_but_the_one_that_red_began_with():
    lab = with_sessions(True, False)
    lab.s.privileged[USER1] = 3
    drop_sessions(lab.s, lab.network.tables, USER1)
    assert lab.sessions("User1") == (0, 0, 0)
    lab.s.privileged[8] = 3
    add_user_session(lab.s, 8, True)
    drop_sessions(lab.s, lab.network.tables, 8)
    assert lab.sessions("User0") == (0, 0, 1)


def test_red_hosts__asks_for_any_session_on_any_host_of_the_mask():
    lab = with_sessions(False)
    assert red_hosts(lab.s, 1 << USER1 | 1 << 10)
    assert not red_hosts(lab.s, 1 << 10 | 1 << 11)
    assert not red_hosts(lab.s, 0)


def test_open_ports__are_the_hosts_own_and_those_of_its_decoys():
    lab = Lab()
    tables = lab.network.tables
    assert lab.ports(open_ports(lab.s, tables, USER1)) == {21, 22}
    lab.blue("DecoyApache User1")
    lab.blue("DecoyTomcat User1")
    assert lab.ports(open_ports(lab.s, tables, USER1)) == {21, 22, 80, 443}
    lab.blue("DecoyVsftpd Defender")
    assert lab.ports(open_ports(lab.s, tables, 0)) == {22, 53, 68, 80}
