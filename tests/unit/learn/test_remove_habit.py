"""The habit: which Removes are suggested, and when."""

import pytest

from cageflow.learn.remove_habit import remove_habit
from cageflow.learn.wiring import Bits
from cageflow.sim.enums import Compromise
from tests.helpers.agents import NETWORK
from tests.helpers.lab import Lab
from tests.helpers.wired import said

BITS, HABIT = Bits(NETWORK), remove_habit(NETWORK)
USER3 = NETWORK.hosts.index("User3")


def test_habit__suggests_a_remove_where_a_restored_host_is_held_again() -> None:
    restored, held = BITS.recalled("restored User3"), BITS.held(USER3)
    assert 0 < HABIT.push < 10
    assert said(HABIT, restored, held) == ["REMOVE User3"]
    assert said(HABIT, held, BITS.held(USER3 - 1), BITS.recalled("restored Enterprise1")) == []
    assert said(HABIT, restored) == []


@pytest.mark.parametrize("belief", Compromise)
def test_held__is_set_where_blue_believes_in_a_session(belief: Compromise) -> None:
    lab = Lab()
    lab.believe("User3", belief)
    shown = lab.bits().get("User3", "0000")
    host, place = divmod(BITS.held(USER3), len(shown))
    assert (host, shown[place] == "1") == (USER3, belief in (Compromise.USER, Compromise.PRIVILEGED))
