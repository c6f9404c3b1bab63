"""The environment of both sides, as PettingZoo's own checks and blue's environment have it."""

import sys

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

import cageflow
from cageflow.envs.single import Cage2Env
from cageflow.errors import UserError


def test_environment__passes_the_checks_of_pettingzoo():
    parallel_api_test(cageflow.parallel_env(max_steps=20), num_cycles=45)
    parallel_seed_test(lambda: cageflow.parallel_env(max_steps=20), num_cycles=25)


def test_episode__is_that_of_blues_environment_where_red_sleeps():
    env, alone = cageflow.parallel_env(max_steps=6, green=True), Cage2Env(red_agent="sleep", max_steps=6, green=True)
    seen, infos = env.reset(seed=3)
    np.testing.assert_array_equal(seen["blue"], alone.reset(seed=3)[0])
    for _ in range(6):
        assert env.agents == ["blue", "red"]
        np.testing.assert_array_equal(infos["blue"]["action_mask"], alone.action_masks())
        seen, rewards, terminated, truncated, infos = env.step({"blue": 4, "red": 0})
        expected, reward, _, is_over, _ = alone.step(4)
        np.testing.assert_array_equal(seen["blue"], expected)
        assert rewards == {"blue": reward, "red": -reward}
        assert terminated == {"blue": False, "red": False}
        assert truncated == {"blue": is_over, "red": is_over}
    assert env.agents == []


def test_red__acts_sees_and_is_told_what_is_in_vain():
    env = cageflow.parallel_env()
    seen, infos = env.reset(seed=0)
    codec = env.red_codec
    assert env.observation_space("red").contains(seen["red"])
    assert env.action_space("red").n == len(codec) == infos["red"]["action_mask"].shape[0]
    scan = codec.encode("scan User1")
    assert not infos["red"]["action_mask"][scan], "red does not know of it yet"
    seen, _, _, _, infos = env.step({"blue": 0, "red": codec.encode("sweep User")})
    assert infos["red"]["action_mask"][scan]
    assert env.red_view().last_outcome == "succeeded"
    _, rewards, _, _, _ = env.step({"blue": 0, "red": scan})
    assert "User1" in env.red_view().hosts and env.red_view().hosts["User1"].is_scanned
    assert rewards == {"blue": 0.0, "red": 0.0}


def test_wrong_actions__are_refused():
    env = cageflow.parallel_env(max_steps=1)
    with pytest.raises(UserError, match="step was called before reset"):
        env.step({})
    env.reset(seed=0)
    with pytest.raises(UserError, match="red gave no action; both agents act in every step"):
        env.step({"blue": 0})
    for action in (56, -1, None, True, 1.0):
        with pytest.raises(UserError, match="is no action of red; possible are whole numbers from 0 to 55"):
            env.step({"blue": 0, "red": action})
    with pytest.raises(UserError, match="200 is no action; possible are whole numbers from 0 to 144"):
        env.step({"blue": 200, "red": 0})
    env.step({"blue": 0, "red": 0})
    with pytest.raises(UserError, match="the episode is over after 1 steps"):
        env.step({})


def test_missing_library__is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    with pytest.raises(UserError, match=r"PettingZoo is not installed; pip install \"cageflow\[pettingzoo\]\""):
        cageflow.parallel_env()


def test_render__gives_the_text_of_blues_environment():
    env = cageflow.parallel_env(render_mode="ansi")
    env.reset(seed=0)
    env.step({"blue": 0, "red": env.red_codec.encode("sweep User")})
    assert "DiscoverRemoteSystems User" in env.render()
