"""The reward of a step, in tenths."""

import pytest

from cageflow.sim.reward import reward_tenths
from tests.helpers.lab import Lab, recount

WORTH = {
    **dict.fromkeys(["Enterprise0", "Enterprise1", "Enterprise2", "Op_Server0"], 10),
    **dict.fromkeys(["Defender", "Op_Host0", "Op_Host1", "Op_Host2", "User1", "User2", "User3", "User4"], 1),
    "User0": 0,
}


def tenths(lab, action_cost=0):
    recount(lab.s, lab.network.tables)
    return int(reward_tenths(lab.s, action_cost))


def test_new_episode__costs_nothing():
    assert tenths(Lab()) == 0


@pytest.mark.parametrize(("host", "worth"), WORTH.items())
def test_privileged_session__costs_what_the_host_is_worth_however_many_there_are(host, worth):
    lab = Lab()
    for sessions in (1, 2, 5):
        lab.s.privileged[lab.host(host)] = sessions
        assert tenths(lab) == -worth


@pytest.mark.parametrize("level", ["removable", "stubborn"])
def test_user_level_sessions__cost_nothing(level):
    lab = Lab()
    lab.s[level][:] = 1
    assert tenths(lab) == 0


def test_stopped_service__costs_ten():
    lab = Lab()
    lab.s.stopped = 1 << lab.host("Op_Server0")
    assert tenths(lab) == -100


def test_all_together__is_the_sum():
    lab = Lab()
    lab.s.privileged[:] = 1
    lab.s.stopped = 1 << lab.host("Op_Server0")
    assert tenths(lab, action_cost=10) == -(4 * 10 + 8 * 1 + 100 + 10)
