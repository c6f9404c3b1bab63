"""The game of an agent is the one that it was made for, where a user asks for no other."""

from pathlib import Path

import pytest

from cageflow.agents.own_game import game_on_cyborg, own_game
from cageflow.agents.sources import AgentSource, SourceOptions, find_agent, make_team
from cageflow.errors import UserError
from tests.helpers.agents import NETWORK, policy_file
from tests.helpers.networks import network_file, own_network

DEFAULT = SourceOptions()


def source(path: Path, **made: object) -> AgentSource:
    return find_agent(str(policy_file(path, **made)), DEFAULT)  # type: ignore[arg-type]


def test_policy__plays_with_its_own_durations_network_and_table(tmp_path: Path) -> None:
    own = own_network(tmp_path / "run" / "network.yaml")
    slow = NETWORK.with_durations(own_game(None, durations="cage4").network.scenario.durations)
    on_cage2 = source(tmp_path / "p.safetensors", network=slow, observation="official")
    in_run = source(tmp_path / "run" / "policies" / "p.safetensors", network=own)
    game = own_game(on_cage2, red_agent="meander")
    assert (game.durations, game.observation, game.red_agent) == ("cage4", "official", "RedMeanderAgent")
    assert game.network is slow
    assert own_game(on_cage2, durations="file").network is NETWORK
    assert (own_game(in_run).network, own_game(in_run).durations) == (own, "file")
    other = network_file(tmp_path / "other.yaml", "names")
    assert own_game(in_run, scenario=other).network.scenario.name == "Own names"
    on_cage2.load(game.blue_setting)
    with pytest.raises(UserError, match="was made for the network"):
        in_run.load(own_game(in_run, scenario=other).blue_setting)


def test_team__plays_with_the_durations_of_its_members(tmp_path: Path) -> None:
    slow = own_game(None, durations="3,3,3,3").network
    policy_file(tmp_path / "p.safetensors", network=slow)
    members = {"sleep": "sleep", "bline": str(tmp_path / "p.safetensors"), "meander": "react"}
    assert own_game(make_team("team", members, "sleep", DEFAULT)).durations == "3,3,3,3"
    assert own_game(find_agent("react", DEFAULT)).durations == "file"


def test_original__plays_its_own_network_where_each_action_takes_one_step(tmp_path: Path) -> None:
    slow = source(tmp_path / "slow.safetensors", network=own_game(None, durations="cage4").network)
    game = game_on_cyborg(slow, rules="challenge")
    assert (game.network, game.rules) == (NETWORK, "challenge")
    assert any("--durations cage4 plays its own" in note for note in slow.notes(game.blue_setting))
    with pytest.raises(UserError, match="CybORG plays CAGE-2's alone"):
        game_on_cyborg(source(tmp_path / "own.safetensors", network=own_network(tmp_path / "own.yaml")))
