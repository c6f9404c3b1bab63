"""The rule by flags: what it restores, what goes first, what it leaves."""

import numpy as np
import pytest

from cageflow.agents.baselines import BASELINES
from tests.helpers.agents import SETTING
from tests.unit.agents.baselines.views import EXPLOIT, NO, PRIVILEGED, QUIET, SCAN, UNKNOWN, USER, Table, names, view


def choice(table: Table) -> str:
    agent = BASELINES["flagged"](SETTING)
    agent.reset(np.zeros(1, np.uint64))
    return names(agent.act(view([table])))[0]


@pytest.mark.parametrize("belief", [UNKNOWN, USER, PRIVILEGED])
def test_flagged_host__is_restored(belief: str) -> None:
    assert choice({"User1": (QUIET, belief)}) == "Restore User1"


def test_dearest_host__goes_first() -> None:
    assert choice({"User1": (EXPLOIT, PRIVILEGED), "Op_Server0": (QUIET, UNKNOWN)}) == "Restore Op_Server0"


def test_what_is_not_flagged__is_left() -> None:
    assert choice({"User1": (SCAN, NO), "Enterprise0": (EXPLOIT, NO)}) == "Sleep"


def test_red_s_first_host__is_left() -> None:
    assert choice({"User0": (EXPLOIT, PRIVILEGED)}) == "Sleep"
