"""A policy plays what it was made for; all else is refused with the way out, and other rules are said."""

from dataclasses import replace
from pathlib import Path

import pytest

from cageflow.envs.agent import BlueSetting
from cageflow.errors import UserError
from cageflow.learn.fit import check_fit, network_file_of, notes_on, own_durations
from cageflow.learn.policy import Policy
from cageflow.scenario import Network, default_network
from cageflow.scenario.durations import FROM_FILE, NAMED
from cageflow.scenario.schema import Durations
from cageflow.scenario.writing import checked_network
from tests.helpers.agents import NETWORK, SETTING, policy
from tests.helpers.networks import KINDS, network_file, own_network


def refusal(made: Policy, setting: BlueSetting) -> str:
    with pytest.raises(UserError) as error:
        check_fit(made, setting, "policy file p")
    assert str(error.value).startswith("policy file p ") and "\n" not in str(error.value)
    return str(error.value)


def test_policy__plays_what_it_was_made_for(tmp_path: Path) -> None:
    check_fit(policy(), SETTING, "it")
    own = own_network(tmp_path / "own.yaml")
    check_fit(policy(network=own, memory=True), BlueSetting(own), "it")
    again = own_network(tmp_path / "copy.yaml")  # the same content
    check_fit(policy(network=own), BlueSetting(again), "it")


DIFFERENCES = {
    "values": "the same hosts and other content",
    "names": "other hosts, 'Laptop' in place of 'User4'",
    "smaller": "12 hosts instead of 13",
}


@pytest.mark.parametrize("kind", KINDS)
def test_other_network__is_refused_with_the_way_out(kind: str, tmp_path: Path) -> None:
    own = own_network(tmp_path / "own.yaml", kind)
    on_own = refusal(policy(), BlueSetting(own))
    assert f"made for the network {NETWORK.identity}, but the game is on {own.identity}" in on_own
    assert f"with {DIFFERENCES[kind]}" in on_own and on_own.endswith(": leave --scenario out")
    on_cage2 = refusal(policy(network=own), SETTING)
    assert "give that network's file by --scenario, which is network.yaml in the folder of the run" in on_cage2
    other = own_network(tmp_path / "other.yaml", "values" if kind != "values" else "names")
    assert "or leave --scenario out if it stands there still" in refusal(policy(network=own), BlueSetting(other))


def test_other_durations_crews_and_green__are_played_and_said(tmp_path: Path) -> None:
    timed = BlueSetting(NETWORK.with_durations(NAMED["cage4"]))
    of_cage4 = policy(network=timed.network, green=False)
    for made, setting, words in (
        (of_cage4, timed, None),
        (
            of_cage4,
            SETTING,
            "(analyse 2, remove 3, restore 5, decoy 2, exploit 4, escalate 2, impact 2), and here each",
        ),
        (of_cage4, SETTING, "which is another game: --durations cage4 plays its own"),
        (policy(), timed, "p was trained where each action takes one step, and here actions take several steps ("),
        (policy(), timed, "--durations 1,1,1,1 plays its own"),
        (of_cage4, replace(timed, green=True), "p was trained with the green agent asleep, which is another game"),
        (policy(green=True), SETTING, "green agent awake, which is another game: --green plays its own"),
        (policy(green=None), replace(SETTING, green=True), None),
    ):
        check_fit(made, setting, "p")
        notes = notes_on(made.card, setting, "p")
        assert (notes == ()) if words is None else any(words in note for note in notes), (words, notes)
    assert notes_on(policy().card, BlueSetting(own_network(tmp_path / "own.yaml")), "p") == (), "which is refused"
    crews = Network(NETWORK.scenario.model_copy(update={"crews": 2}))
    (note,) = notes_on(policy(network=crews).card, SETTING, "p")
    assert note.endswith(
        "takes one step and blue has 2 crews, and here each action takes one step, which is another game"
    )


def test_policy_that_remembers_what_is_under_way__is_refused_where_nothing_is() -> None:
    timed = NETWORK.with_durations(NAMED["cage4"])
    check_fit(policy(network=timed, memory=True), BlueSetting(timed), "p")
    assert refusal(policy(network=timed, memory=True), SETTING).endswith("to remember: give --durations cage4")
    assert refusal(policy(memory=True), BlueSetting(timed)).endswith("to remember: give --durations 1,1,1,1")
    of_red = NETWORK.with_durations(Durations(exploit=4))  # blue remembers the same
    check_fit(policy(memory=True), BlueSetting(of_red), "p")


def test_own_durations__are_the_file_s_or_those_that_give_its_network(tmp_path: Path) -> None:
    slow = NAMED["blue-cage4"]
    own = own_network(tmp_path / "own.yaml")
    assert own_durations(policy(network=own).card, own) == FROM_FILE
    card = policy(network=own.with_durations(slow)).card
    assert own_durations(card, own) == "blue-cage4"
    assert own_durations(card, own.with_durations(slow)) == FROM_FILE
    assert own_durations(card, NETWORK) == FROM_FILE, "it does not fit, with any durations"
    old = replace(card, durations={}, crews=None, network=None)
    assert own_durations(old, own) == FROM_FILE


def test_other_observation_and_other_actions__are_refused() -> None:
    assert refusal(policy(observation="official"), SETTING).endswith("give --observation official")
    assert "made for other actions than this cageflow has" in refusal(policy(action_set="0" * 64), SETTING)


def test_policy_that_says_nothing__is_held_to_its_sizes(tmp_path: Path) -> None:
    old = policy(network=NETWORK)
    old = Policy(replace(old.card, network=None, action_set=None, sizes={}), old.layers)
    check_fit(old, SETTING, "it")
    smaller = BlueSetting(own_network(tmp_path / "own.yaml", "smaller"))
    assert "reads 52 bits and has 145 actions, but the game has 48 and 134" in refusal(old, smaller)
    (note,) = notes_on(old.card, SETTING, "it")
    assert note.startswith(
        f"it does not say which network it was made for, as files of earlier versions do not: it is "
        f"taken for one of {NETWORK.identity}"
    )


def test_other_rules__are_said() -> None:
    card = policy(rules="challenge").card
    (note,) = notes_on(card, SETTING, "champion")
    assert note.startswith("champion was trained under the rules challenge and plays under v2.1 here")
    assert notes_on(card, replace(SETTING, rules="challenge"), "it") == ()


def test_policy_of_both_rules_and_of_games_with_and_without_green__is_at_home_in_all_of_them() -> None:
    card = replace(policy(rules="mixed").card, green=False, green_share=0.3)
    for rules in ("v2.1", "challenge", "mixed"):
        for green in (False, True):
            assert notes_on(card, replace(SETTING, rules=rules, green=green), "it") == ()
    (note,) = notes_on(replace(card, rules="v2.1"), replace(SETTING, rules="mixed"), "it")
    assert "trained under the rules v2.1 and plays under mixed here" in note
    assert len(notes_on(replace(card, green_share=None), replace(SETTING, green=True), "it")) == 1


def test_network_file__is_that_of_the_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "run" / "policies" / "best.safetensors"
    inside.parent.mkdir(parents=True)
    assert network_file_of(inside) is None  # a run on CAGE-2's network
    file = network_file(tmp_path / "run" / "network.yaml")
    assert network_file_of(inside) == file
    assert network_file_of(tmp_path / "run" / "checkpoint" / "best.safetensors") is None
    monkeypatch.chdir(inside.parent)
    found = network_file_of(Path("best.safetensors"))
    assert found is not None and found.samefile(file)


def test_note_on_time__names_no_option_that_would_not_play_the_training_s_game() -> None:
    content = default_network().scenario.model_dump()
    content["hosts"]["User1"]["durations"] = {"restore": 9}
    own = Network(checked_network(content, "x"))
    timed = own.with_durations(NAMED["blue-cage4"])
    card = replace(policy().card, network=own.identity, durations=own.scenario.durations.model_dump(), crews=1)
    (note,) = notes_on(card, BlueSetting(timed, "v2.1", "corrected", False), "p")
    assert "which is another game" in note and "plays its own" not in note
