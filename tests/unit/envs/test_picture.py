"""The picture of a game: everything has its place, and what changes in the game changes there and only there."""

import dataclasses
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

import cageflow  # noqa: F401 - registers the environment
from cageflow.envs.picture import BLUE, LEVELS, RED, _fitting, _font, draw, map_of
from cageflow.envs.rendering import Scene
from cageflow.envs.single import Cage2Env


@pytest.fixture(scope="module")
def scene():
    env = Cage2Env("meander", green=True)
    env.reset(seed=3)
    for _ in range(12):
        env.step(env.codec.encode("Analyse User1"))
    return env._scene()


def changed_part(scene, layout, **changes):
    """Names of the hosts in whose cards a changed scene looks different, and whether anything else does."""
    differs = (draw(scene) != draw(dataclasses.replace(scene, **changes))).any(axis=2)
    hosts = set()
    for host, place in layout.cards.items():
        left, top, right, bottom = place.box()
        if differs[top : bottom + 1, left : right + 1].any():
            hosts.add(host)
        differs[top : bottom + 1, left : right + 1] = False
    return hosts, bool(differs.any())


def test_change_of_one_host__shows_in_its_card_alone(scene):
    network = scene.network
    layout = map_of(network.scenario)
    quiet = dataclasses.replace(scene, observation=np.zeros_like(scene.observation))
    assert changed_part(quiet, layout) == (set(), False)
    for bit in range(4):
        seen = quiet.observation.copy()
        seen[4 * 2 : 4 * 2 + bit + 1] = 1
        assert changed_part(quiet, layout, observation=seen) == ({network.hosts[2]}, False)
    facts = {
        "access": "user",
        "user_sessions": 3,
        "privileged_sessions": 3,
        "decoys": ["sshd"],
        "malware": True,
        "service_running": False,
    }
    for name, value in facts.items():
        host = "Op_Server0"
        truth = scene.truth | {host: scene.truth[host] | {name: value}}
        assert truth != scene.truth
        assert changed_part(scene, layout, truth=truth) == ({host}, False), name
    assert changed_part(scene, layout, episode_return=-1.0) == (set(), True)
    for name, value in {"number": 13, "reward": -7.0, "blue_action": "Sleep", "red_action": "Impact"}.items():
        assert changed_part(scene, layout, last=dataclasses.replace(scene.last, **{name: value})) == (set(), True)


def test_targets__are_framed_in_the_colours_of_the_sides(scene):
    network = scene.network
    layout = map_of(network.scenario)

    def frame_of(host, **targets):
        none = {"blue_host": None, "red_host": None, "red_subnet": None}
        image = draw(dataclasses.replace(scene, last=dataclasses.replace(scene.last, **(none | targets))))
        place = layout.cards[host]
        return [tuple(image[place.top + place.height // 2, place.left + x].tolist()) for x in (1, 4)]

    assert frame_of("User2", blue_host="User2")[0] == BLUE
    assert frame_of("User2", red_host="User2")[0] == RED
    assert frame_of("User2", blue_host="User2", red_host="User2") == [BLUE, RED]
    assert BLUE not in frame_of("User2", blue_host="User3", red_subnet="User")
    assert scene.last.blue_host == "User1"


def test_targets_of_a_step__are_hosts_and_subnets_by_name():
    env = Cage2Env("bline")
    env.reset(seed=1)
    env.step(env.codec.encode("Restore Op_Host2"))
    last = env.last_step()
    assert (last.blue_host, last.red_host, last.red_subnet) == ("Op_Host2", None, "User")
    for _ in range(30):
        env.step(0)
        last = env.last_step()
        assert last.blue_host is None
        assert f" {last.red_host or last.red_subnet}" in last.red_action


def test_strange_and_long_names__fit(scene):
    assert _fitting("web\nserver\t\x1b[31m", 15, 500) == "web server [31m"
    long = "Datacentre machine number 17"
    assert _fitting(long, 15, 140, True).endswith("…")
    short = _fitting(long, 15, 140, True, keep_last=6)
    assert short.endswith("…ber 17") and short.startswith("Data")
    assert _font(15, True).getlength(short) <= 140
    host = SimpleNamespace(subnet="Büro & Straße", unit_type="user" * 30, service=None, confidentiality="much")
    hosts = dict.fromkeys(("$x^2$", "Ünïcode <b>", "a" * 500, "web.corp"), host)
    wall = SimpleNamespace(guarded_by=["a" * 500], closed_to=[], guards_against=None)
    subnets = {"Büro & Straße": wall}
    network = SimpleNamespace(
        hosts=tuple(hosts),
        subnets=tuple(subnets),
        scenario=SimpleNamespace(
            name="n" * 500, hosts=hosts, subnets=subnets, values={"much": 123456.7}, red=SimpleNamespace(start="$x^2$")
        ),
        blue_takes_time=False,
    )
    facts = next(iter(scene.truth.values())) | {"decoys": ["decoy"] * 99}
    image = draw(Scene(network, np.zeros(16), dict.fromkeys(hosts, facts), scene.last, 100, -99999.9))
    assert image.shape[2] == 3 and image.dtype == np.uint8


def test_levels__are_told_apart_by_colour():
    assert len(set(LEVELS.values())) == len(LEVELS)


def test_size__is_the_same_in_every_step():
    env = gym.make("cageflow/Cage2-v0", render_mode="rgb_array", red_agent="meander")
    env.reset(seed=0)
    shapes = set()
    for _ in range(4):
        shapes.add(env.render().shape)
        env.step(0)
    assert len(shapes) == 1
