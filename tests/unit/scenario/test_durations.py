"""How many steps actions take: what is read, and what the tables make of it."""

import pytest

from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.scenario import Network, RedKind, default_network
from cageflow.scenario.durations import CAGE4, parse_durations, with_durations
from cageflow.scenario.schema import Durations
from tests.helpers.small_networks import made_network, ssh_host

HOSTS = {"A": ssh_host("Lan"), "B": ssh_host("Lan", service="S", durations={"restore": 7, "exploit": 3})}


def test_cage4__is_what_was_published():
    network = GameOptions(durations="cage4").network
    steps = {name: int(network.tables["action_steps"][network.codec.encode(name)]) for name in network.codec.names}
    by_verb = {
        verb: {n for name, n in steps.items() if name.split()[0] == verb} for verb in ("Analyse", "Remove", "Restore")
    }
    assert by_verb == {"Analyse": {2}, "Remove": {3}, "Restore": {5}}
    assert {n for name, n in steps.items() if name.startswith("Decoy")} == {2}
    assert (steps["Sleep"], steps["Monitor"]) == (1, 1)
    red = {kind.name: network.tables["red_steps"][kind, 0] for kind in RedKind}
    assert list(red.values()) == [1, 1, 1, 4, 2, 2]


@pytest.mark.parametrize(
    ("text", "durations"),
    [
        ("file", None),
        ("cage4", CAGE4),
        (" CAGE4 ", CAGE4),
        ("blue-cage4", Durations(analyse=2, remove=3, restore=5, decoy=2)),
        ("1,2,3,4", Durations(remove=2, restore=3, decoy=4)),
        ("1, 1, 1, 1, 1, 1, 1, 1, 1", Durations()),
        (
            "1,2,3,4,5,6,7,8,9",
            Durations(remove=2, restore=3, decoy=4, sweep=5, scan=6, exploit=7, escalate=8, impact=9),
        ),
    ],
)
def test_durations__are_a_word_or_numbers(text, durations):
    assert parse_durations(text) == durations


@pytest.mark.parametrize(
    "text", ["", "cage3", "1,2,3", "0,1,1,1", "1,1,1,101", "1,1,1,-1", "1,1,1,1.0", "1,1,1,²", "9" * 5000]
)
def test_durations__that_are_none_are_refused(text):
    with pytest.raises(UserError, match="expected file, cage4, blue-cage4, or whole numbers from 1 to 100"):
        GameOptions(durations=text)


def test_host__may_have_durations_of_its_own_until_others_are_asked_for():
    network = made_network(HOSTS, durations={"restore": 2})
    restores = [int(network.tables["action_steps"][network.codec.encode(f"Restore {host}")]) for host in "AB"]
    assert restores == [2, 7]
    assert network.tables["red_steps"][RedKind.EXPLOIT_REMOTE_SERVICE].tolist() == [1, 3]
    assert network.blue_takes_time and network.tables["red_takes_time"]


def test_durations_asked_for__replace_those_of_a_host():
    asked = Network(with_durations(made_network(HOSTS).scenario, Durations(restore=2)))
    assert {int(asked.tables["action_steps"][asked.codec.encode(f"Restore {host}")]) for host in "AB"} == {2}
    assert not asked.tables["red_takes_time"]


@pytest.mark.parametrize(("durations", "takes"), [({"remove": 2}, (1, 0)), ({"impact": 2}, (0, 1)), ({}, (0, 0))])
def test_a_single_action_of_two_steps__takes_time(durations, takes):
    tables = made_network({"A": ssh_host("Lan"), "B": ssh_host("Lan")}, durations=durations).tables
    assert (tables["blue_takes_time"], tables["red_takes_time"]) == takes


def test_all_ones__take_no_time_and_are_the_same_network():
    same = GameOptions(durations="1,1,1,1,1,1,1,1,1").network
    assert not same.blue_takes_time and not same.tables["red_takes_time"]
    assert same.fingerprint == default_network().fingerprint
    assert GameOptions(durations="blue-cage4").network.tables["red_takes_time"] == 0
