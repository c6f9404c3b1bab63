"""The settings of a game, and what is refused of them."""

import json
import pickle
from dataclasses import fields, replace
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import yaml

from cageflow.envs.options import GameOptions, split_game
from cageflow.envs.sb3 import Cage2VecEnv
from cageflow.envs.single import Cage2Env
from cageflow.envs.vector import Cage2VectorEnv
from cageflow.errors import UserError
from cageflow.scenario import RedAgent, default_network
from cageflow.scenario.red_agents import BUILT_IN, parse_red_agent
from tests.helpers.small_networks import made_network, ssh_host


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("B_lineAgent", "B_lineAgent"),
        ("b_lineagent", "B_lineAgent"),
        ("bline", "B_lineAgent"),
        ("RedMeanderAgent", "RedMeanderAgent"),
        ("Meander", "RedMeanderAgent"),
        ("SLEEP", "SleepAgent"),
        ("sleepagent", "SleepAgent"),
        ("Mixed", "mixed"),
    ],
)
def test_red_agent__is_known_by_both_names_in_any_case(name, agent):
    assert parse_red_agent(name) == agent
    assert GameOptions(red_agent=name).red_agent == agent


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"red_agent": "blin"}, "'blin' is no red agent; possible are B_lineAgent (bline), RedMeanderAgent (meander)"),
        ({"red_agent": None}, "None is no red agent"),
        ({"rules": "v2"}, "rules is 'v2'; possible are v2.1, challenge, mixed"),
        ({"observation": "true"}, "observation is 'true'; possible are corrected, official"),
        ({"max_steps": 0}, "max_steps is 0; an episode has 1 to 30000 steps"),
        ({"max_steps": -3}, "max_steps is -3"),
        ({"max_steps": 30001}, "max_steps is 30001"),
        ({"max_steps": 10.0}, "max_steps is 10.0; expected a whole number"),
        ({"max_steps": True}, "max_steps is True; expected a whole number"),
        ({"green": 1}, "green is 1; expected True or False"),
        ({"scenario": 5}, "scenario is 5; expected the path of a YAML file"),
    ],
)
def test_impossible_value__is_refused_in_a_sentence(options, sentence):
    with pytest.raises(UserError) as error:
        GameOptions(**options)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("number", [np.int64(7), np.uint8(7), np.int16(7), np.array(7)])
def test_whole_number_of_any_type__is_a_number_of_steps(number):
    options = GameOptions(max_steps=number, green=np.bool_(True))
    assert options == GameOptions(max_steps=7, green=True)
    assert (type(options.max_steps), type(options.green)) == (int, bool)
    assert json.loads(json.dumps(options.as_kwargs()))["max_steps"] == 7
    assert Cage2Env(max_steps=number).options.max_steps == 7
    envs = Cage2VectorEnv(number, max_steps=number, num_threads=number)
    assert (type(envs.num_envs), envs.num_envs) == (int, 7)


def test_params__are_the_settings_of_the_rules():
    params = GameOptions("meander", "challenge", "official", 30, True).params()
    assert params.red_agent == RedAgent.MEANDER
    assert (params.green_awake, params.official_table, params.max_steps) == (1, 1, 30)
    assert (params.scan_forgets, params.restore_loses) == (0, 1)


def test_kwargs__build_the_same_again():
    options = GameOptions("meander", "challenge", "official", 30, True)
    assert GameOptions(**options.as_kwargs()) == options
    assert Cage2Env(**options.as_kwargs()).options == options


def test_durations__are_kept_by_their_name():
    texts = (" CAGE4 ", "2,3,5,2", "2, 3,5,2,1,1,4,2,2", "1,2,3,4,1,1,1,1,1", "1,1,1,1,1,1,1,1,2", "file")
    kept = [GameOptions(durations=text).durations for text in texts]
    assert kept == ["cage4", "blue-cage4", "cage4", "1,2,3,4", "1,1,1,1,1,1,1,1,2", "file"]
    assert [GameOptions(durations=text).durations for text in kept] == kept


def test_json__is_read_as_the_same_again():
    options = GameOptions("meander", "challenge", "official", 30, True, Path("x.yaml"), "cage4")
    content = json.loads(json.dumps({"seed": 1, **options.to_json()}))
    game, others = split_game(content)
    assert (game, others) == (replace(options, scenario="x.yaml"), {"seed": 1})


def test_other_cell_of_a_game__plays_on_what_was_read(scenario_file):
    path = scenario_file(lambda data: data.update(name="First"))
    game = GameOptions(scenario=path, durations="cage4")
    network = game.unchecked_network
    path.unlink()
    other = game.against("meander", 30)
    assert (other.red_agent, other.max_steps, other.durations) == ("RedMeanderAgent", 30, "cage4")
    assert other.network is network
    assert pickle.loads(pickle.dumps(other)).network is network, "whatever became of the file"
    assert other.blue_setting.network is network


OTHER = GameOptions("meander", "challenge", "official", 50, True, "cage1", "cage4")


@pytest.mark.parametrize("field", fields(GameOptions), ids=lambda field: field.name)
@pytest.mark.parametrize("face", [Cage2Env, Cage2VectorEnv, Cage2VecEnv])
def test_every_face_of_a_game__takes_each_setting_with_the_same_default_and_passes_it_on(face, field):
    parameter = signature(face).parameters[field.name]
    kind = "RedAgentLike" if field.name == "red_agent" else field.type  # a class too, which options keep by its name
    assert (parameter.default, parameter.annotation) == (field.default, kind)
    value = getattr(OTHER, field.name)
    assert value != field.default
    env = face(**{field.name: value})
    options = env.games.options if face is Cage2VecEnv else env.options
    assert options == GameOptions(**{field.name: value})


def test_scenario__is_the_network_that_is_played(scenario_file):
    assert GameOptions().network is default_network()
    path = scenario_file(lambda data: data.update(name="A smaller game"))
    assert GameOptions(scenario=path).network.scenario.name == "A smaller game"
    assert GameOptions(scenario=str(path)).network.hosts == default_network().hosts


def test_missing_scenario__is_refused(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.yaml"):
        _ = GameOptions(scenario=tmp_path / "nowhere.yaml").network


@pytest.fixture
def scenario_file(tmp_path):
    def write(change):
        data = default_network().scenario.model_dump(mode="json")
        change(data)
        path = tmp_path / "network.yaml"
        path.write_text(yaml.safe_dump(data, sort_keys=False))
        return path

    return write


@pytest.mark.parametrize("red", ["mixed", "random", "sleepy-bline", "sleepy-meander", "late-bline", "switch"])
def test_red_agent_of_our_own__is_known_by_its_name_in_any_case(red):
    assert GameOptions(red.upper()).params().red_agent == BUILT_IN[red]


@pytest.mark.parametrize("red", ["bline", "mixed", "sleepy-bline", "late-bline", "switch"])
def test_red_agent_that_plays_b_lines_script__is_refused_where_that_has_no_way(red, tmp_path):
    network = made_network({"a": ssh_host("s"), "b": ssh_host("s")})
    (tmp_path / "aimless.yaml").write_text(yaml.safe_dump(network.scenario.model_dump(mode="json")))
    with pytest.raises(UserError, match="B_lineAgent has no way through 'made': the network has no red.goal"):
        _ = GameOptions(red, scenario=tmp_path / "aimless.yaml").network
    for other in ("meander", "sleepy-meander", "random"):
        assert GameOptions(other, scenario=tmp_path / "aimless.yaml").network.scenario.red.goal is None
