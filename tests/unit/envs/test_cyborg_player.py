"""Red agents that are none of the original's, in the original: what they are told, and that they play as here."""

import sys
from pathlib import Path

import numpy as np
import pytest

import cageflow
from cageflow.envs.cyborg import CyborgEnv
from cageflow.envs.cyborg_red import read_action, tell_red
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation import protocol
from cageflow.parity.recording import load_recording
from cageflow.parity.replay import forced_draws
from cageflow.scenario.red_agents import RED_AGENTS
from cageflow.sim.batch import choose_loop
from cageflow.sim.enums import Draw
from cageflow.sim.handover import plain, row
from cageflow.sim.state import make_params, new_states
from tests.helpers import cyborg_double
from tests.helpers.play import Games

ROOT = Path(__file__).parents[3]
GREEDY = f"{ROOT / 'docs' / 'examples' / 'my_red.py'}:Greedy"
TOLD = (
    *("known_subnets", "known_hosts", "known_names", "known_services", "ports_seen"),
    *("step", "red_kind", "red_target", "red_valid", "red_outcome", "red_connections"),
)


@pytest.fixture
def original(monkeypatch, tmp_path):
    """The path of a CybORG that is the compiled simulator."""
    return cyborg_double.install(monkeypatch, tmp_path)


@pytest.mark.parametrize("name", ["v2.1_B_lineAgent_quiet_300", "challenge_RedMeanderAgent_green_100"])
def test_scripts__choose_by_what_red_is_told_as_the_originals_agents_did(name):
    recording = load_recording(ROOT / "tests" / "data" / f"{name}.npz")
    meta, num_games = recording.meta, min(recording.num_episodes, 8)
    forced = forced_draws(recording)[:num_games]
    games = Games.start(
        np.arange(num_games), red_agent=RED_AGENTS[meta.red], rules=meta.rules, green=meta.green, max_steps=400
    )
    told, settings = new_states(games.network, num_games), row(make_params(RED_AGENTS[meta.red]))
    for step in range(recording.num_steps):
        told["forced"][:, Draw.RED_TARGET] = forced[:, step, Draw.RED_TARGET]
        choose_loop(plain(told), row(games.network.tables), settings)
        for field in ("red_kind", "red_target"):
            np.testing.assert_array_equal(told[field], getattr(recording, field)[:num_games, step], str((step, field)))
        games.states["forced"] = forced[:, step]
        games.step(recording.blue_action[:num_games, step])
        for field in TOLD:
            told[field] = games.states[field]


@pytest.mark.parametrize("red", ["switch", "sleepy-meander", GREEDY])
def test_red_agent__plays_in_the_original_as_it_does_here(red, original, monkeypatch):
    monkeypatch.setattr(protocol, "_num_workers", lambda settings: 0)  # the double is in this process alone
    asked = {"red_agent": red, "max_steps": 40, "observation": "official", "seed": 3}
    there = (
        cageflow.evaluate("react", simulator="cyborg", cyborg_path=original, evaluation_episodes=60, **asked)[0]
        .cells[0]
        .summary
    )
    here = cageflow.evaluate("react", evaluation_episodes=60 if red == GREEDY else 2000, **asked)[0].cells[0].summary
    assert abs(there.mean - here.mean) < 3 * np.hypot(there.se, here.se), (there, here)
    assert there.se > 0


def test_red_agent__is_the_same_for_the_same_seed_and_draws_from_its_own(original):
    def taken(seed, red="random", steps=30):
        env = CyborgEnv(original, red, observation="official", max_steps=steps)
        env.reset(seed=seed)
        for _ in range(steps):
            env.step(0)
        return env.cyborg.taken

    assert taken(1) == taken(1) != taken(2)
    assert len(set(taken(1))) > 15
    assert "sweep User" in taken(1, GREEDY)[:3]


def test_switch__draws_its_step_from_those_of_the_episode_and_not_from_those_before_it(original):
    steps = 3
    env = CyborgEnv(original, "switch", max_steps=steps, lead_in=25)
    assert env._player._settings["max_steps"] == steps
    env.reset(seed=1)
    ended = [env.step(0)[3] for _ in range(25 + steps)]
    assert ended.index(True) == 25 + steps - 1


def test_red_agent_of_the_originals__is_played_by_its_own_class(original, monkeypatch):
    agents = sys.modules["CybORG.Agents"]
    vars(agents)["B_lineAgent"] = lambda: "its own"
    env = CyborgEnv(original, "bline")
    assert env.red is None and env.cyborg.red == "its own"
    given = CyborgEnv(original, given_red=True)
    assert given.red is given.cyborg.red and given._player is None


def test_red_agent_that_cannot_play__is_refused_before_a_game(original, tmp_path):
    with pytest.raises(UserError, match=r"red agent none\.safetensors is not there"):
        cageflow.evaluate("react", simulator="cyborg", cyborg_path=original, red_agent="none.safetensors")
    (tmp_path / "red.py").write_text("class Red:\n    pass\n")
    with pytest.raises(UserError, match=r"red agent .*red\.py:Red has no reset and no act"):
        CyborgEnv(original, f"{tmp_path / 'red.py'}:Red")


@pytest.mark.cyborg
@pytest.mark.parametrize("red", ["B_lineAgent", "RedMeanderAgent"])
def test_scripts__choose_step_by_step_what_the_originals_own_agents_choose(red, cyborg_path):
    """Beside the original's agent, ours is told the same and its one draw, and asked what it would do."""
    env = CyborgEnv(cyborg_path, red, max_steps=100)
    network, settings = env.network, row(GameOptions(red).params())
    codec, rng, steps = network.red_codec, np.random.default_rng(0), 0
    busy = [i for i, name in enumerate(network.codec.names) if name.startswith(("Restore", "Remove", "Sleep"))]
    for seed in range(20):
        env.reset(seed=seed)
        told = new_states(network, 1)
        for _ in range(100):
            env.step(int(rng.choice(busy)))
            kind, target, _ = read_action(env.cyborg.environment_controller, network)
            told["forced"][0, Draw.RED_TARGET] = target if kind not in (0, 1, 5) else -1
            choose_loop(plain(told), row(network.tables), settings)
            assert codec.number_of(*map(int, (told["red_kind"][0], told["red_target"][0]))) == codec.number_of(
                kind, target
            ), (seed, steps)
            tell_red(told[0], env.cyborg, network)
            steps += 1
    assert steps == 2000
