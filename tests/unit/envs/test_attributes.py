"""What the games of a batch answer one by one: what Gymnasium's vector of single environments answers."""

import gymnasium as gym
import numpy as np
import pytest

import cageflow  # noqa: F401 - registers the environment
from cageflow.envs.vector import Cage2VectorEnv
from cageflow.errors import UserError

ENV_ID = "cageflow/Cage2-v0"
NUM_ENVS = 3


@pytest.fixture
def both():
    """Our vector environment and Gymnasium's, of the same games, some steps on."""
    ours = gym.make_vec(ENV_ID, NUM_ENVS, red_agent="meander", render_mode="ansi")
    theirs = gym.make_vec(ENV_ID, NUM_ENVS, red_agent="meander", render_mode="ansi", vectorization_mode="sync")
    rng = np.random.default_rng(0)
    ours.reset(seed=1), theirs.reset(seed=1)
    for _ in range(8):
        actions = rng.integers(0, 145, NUM_ENVS)
        ours.step(actions), theirs.step(actions)
    return ours, theirs


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("action_masks", ()),
        ("recalled", ()),
        ("true_state", ()),
        ("last_step", ()),
        ("render", ()),
        ("action_names", ()),
        ("describe_action", (3,)),
        ("options", ()),
        ("render_mode", ()),
        ("action_space", ()),
        ("observation_space", ()),
    ],
)
def test_call__gives_what_single_environments_give(both, name, args):
    ours, theirs = both
    given, expected = ours.call(name, *args), theirs.call(name, *args)
    assert type(given) is type(expected) is tuple and len(given) == NUM_ENVS
    np.testing.assert_equal(given, expected)
    if not args:
        np.testing.assert_equal(ours.get_attr(name), theirs.get_attr(name))


def test_render__gives_a_text_of_each_game(both):
    ours, theirs = both
    assert ours.render() == theirs.render() and "step 8 of 100" in ours.render()[0]
    assert Cage2VectorEnv(2).render() is None


def test_states_of_the_games__are_their_rows_of_the_state(both):
    ours, theirs = both
    for one, other in zip(ours.call("get_state"), theirs.call("get_state"), strict=True):
        assert one.setting == other.setting
        np.testing.assert_array_equal(one.arrays["states"], other.arrays["states"])


def test_attributes_of_their_own__are_kept_for_each_game(both):
    for envs in both:
        envs.set_attr("label", ["a", "b", "c"])
        assert envs.get_attr("label") == ("a", "b", "c")
        envs.set_attr("label", "all")
        assert envs.get_attr("label") == ("all",) * NUM_ENVS
        with pytest.raises(ValueError, match="2"):
            envs.set_attr("label", ["a", "b"])
        with pytest.raises(AttributeError, match="nonsense"):
            envs.get_attr("nonsense")


@pytest.mark.parametrize("name", ["options", "num_envs", "action_masks", "network", "render_mode", "action_space"])
def test_settings__are_common_and_stay(both, name):
    ours = both[0]
    with pytest.raises(UserError, match=f"{name} cannot be set: the games of a batch have their settings in common"):
        ours.set_attr(name, 3)


def test_what_is_done_to_all_at_once__is_refused_of_one(both):
    ours = both[0]
    for name in ("reset", "step", "close", "set_state"):
        with pytest.raises(UserError, match=f"{name} is done to all games of a batch at once"):
            ours.call(name, 0)
    with pytest.raises(UserError, match="action_masks of the games takes no arguments"):
        ours.call("action_masks", 3)
