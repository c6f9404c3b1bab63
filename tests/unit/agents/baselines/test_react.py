"""React: each line of its rule, which goes before which, and that it does without the truth."""

import numpy as np
import pytest

from cageflow.agents.baselines import BASELINES
from cageflow.collect.games import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.options import GameOptions
from cageflow.evaluation.episodes import play_episodes
from tests.helpers.agents import NETWORK, SETTING
from tests.unit.agents.baselines.views import EXPLOIT, NO, PRIVILEGED, QUIET, SCAN, UNKNOWN, USER, Table, names, view

DECOYS = [name for name in NETWORK.codec.names if name.startswith("Decoy")]
DEAR = ("Enterprise0", "Enterprise1", "Enterprise2", "Op_Server0")
DEAR_DECOYS = [name for name in DECOYS if name.endswith(DEAR)]


def choice(table: Table, in_vain: list[str] | None = None) -> str:
    agent = BASELINES["react"](SETTING)
    agent.reset(np.zeros(1, np.uint64))
    return names(agent.act(view([table], in_vain=in_vain or [])))[0]


@pytest.mark.parametrize(
    ("table", "action"),
    [
        ({"Enterprise1": (QUIET, UNKNOWN)}, "Restore Enterprise1"),
        ({"Enterprise1": (EXPLOIT, USER)}, "Restore Enterprise1"),
        ({"User1": (QUIET, PRIVILEGED)}, "Restore User1"),
        ({"Op_Host1": (QUIET, USER)}, "Remove Op_Host1"),
    ],
)
def test_flagged_host__is_restored_or_cleaned(table: Table, action: str) -> None:
    assert choice(table) == action


def test_dearest_host_goes_first_and_a_dear_one_before_any_other() -> None:
    table = {"User1": (QUIET, PRIVILEGED), "Enterprise2": (QUIET, UNKNOWN), "Op_Server0": (QUIET, USER)}
    assert choice(table) == "Restore Op_Server0"
    del table["Op_Server0"]
    assert choice(table) == "Restore Enterprise2"


def test_privileged_goes_before_user_and_user_before_decoys() -> None:
    assert choice({"User1": (QUIET, USER), "User2": (QUIET, PRIVILEGED)}) == "Restore User2"
    assert choice({"User1": (QUIET, USER), "User2": (QUIET, UNKNOWN)}) == "Remove User1"


def test_decoys__go_first_to_dear_hosts_and_those_first_that_trap_reds_favourites() -> None:
    assert choice({}) == "DecoyHarakaSMPT Enterprise0"
    assert choice({}, ["DecoyHarakaSMPT Enterprise0"]) == "DecoyTomcat Enterprise0"
    assert choice({"User1": (QUIET, UNKNOWN)}) == "DecoyHarakaSMPT Enterprise0"
    on_enterprise0 = [name for name in DECOYS if name.endswith("Enterprise0")]
    assert choice({}, on_enterprise0) == "DecoyFemitter Enterprise1"


def test_unknown_is_restored_once_the_dear_hosts_are_armed_and_then_what_was_seen_is_analysed() -> None:
    table = {"User1": (QUIET, UNKNOWN), "User2": (SCAN, NO)}
    assert choice(table, DEAR_DECOYS) == "Restore User1"
    assert choice({"User2": (SCAN, NO)}, DEAR_DECOYS) == "Analyse User2"
    assert choice({"User2": (SCAN, NO)}, [*DEAR_DECOYS, "Analyse User2"]).startswith("Decoy")


def test_nothing_left_to_do__sleeps() -> None:
    assert choice({}, DECOYS) == "Sleep"


def test_what_is_known_to_be_in_vain_is_not_done() -> None:
    assert choice({"User1": (QUIET, USER)}, ["Remove User1"]).startswith("Decoy")


def test_decoy_that_never_fills_its_place_is_never_planted() -> None:
    others = [name for name in DECOYS if not name.startswith("DecoyVsftpd")]
    assert choice({}, others) == "Sleep"


def test_games_of_a_batch_are_decided_one_by_one() -> None:
    tables: list[Table] = [{}, {"User1": (QUIET, USER)}, {"Enterprise0": (EXPLOIT, USER)}]
    agent = BASELINES["react"](SETTING)
    agent.reset(np.zeros(3, np.uint64))
    assert names(agent.act(view(tables))) == ["DecoyHarakaSMPT Enterprise0", "Remove User1", "Restore Enterprise0"]


def test_it_beats_doing_nothing_by_far() -> None:
    spec = GameSpec(GameOptions("B_lineAgent"), masked=True)
    seeds = np.arange(200, dtype=np.uint64)
    returns = play_episodes(BASELINES["react"](SETTING), make_games(spec), seeds).returns
    assert -40.0 < returns.mean() < -30.0
