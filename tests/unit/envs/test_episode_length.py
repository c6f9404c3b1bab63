"""How long an episode is, by whichever name it was asked for."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest

import cageflow  # noqa: F401 - registers the environment
from cageflow.envs.single import Cage2Env
from cageflow.errors import UserError

ENV_ID = "cageflow/Cage2-v0"


def steps_of(env):
    """Steps until the first episode is over."""
    env.reset(seed=0)
    steps, over = 0, False
    while not over:
        *_, truncated, _ = env.step(np.zeros(env.action_space.shape, np.int64))
        steps, over = steps + 1, np.all(truncated)
        assert over or not np.any(truncated)
    return steps


@pytest.mark.parametrize(
    ("asked", "length"),
    [
        ({}, 100),
        ({"max_steps": 7}, 7),
        ({"max_steps": 130}, 130),
        ({"max_episode_steps": 7}, 7),
        ({"max_episode_steps": 130}, 130),
        ({"max_episode_steps": 9, "max_steps": 9}, 9),
        ({"max_episode_steps": -1, "max_steps": 9}, 9),
    ],
)
@pytest.mark.parametrize("make", [gym.make, lambda *args, **kwargs: gym.make_vec(*args, 3, **kwargs)])
def test_episode__has_as_many_steps_as_were_asked_for_and_the_spec_says_so(make, asked, length):
    env = make(ENV_ID, **asked)
    assert steps_of(env) == length
    assert env.unwrapped.options.max_steps == env.spec.max_episode_steps == length
    again = make(env.spec) if make is gym.make else gym.make_vec(env.spec)
    assert again.spec.max_episode_steps == length
    assert steps_of(again) == length


def test_single_environments_in_a_vector__have_it_too():
    envs = gym.make_vec(ENV_ID, 2, vectorization_mode="sync", max_episode_steps=130)
    assert steps_of(envs) == 130
    assert [spec.max_episode_steps for spec in envs.get_attr("spec")] == [130, 130]


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
def test_two_different_lengths__are_refused(make):
    with pytest.raises(UserError, match="max_steps is 30 and max_episode_steps is 50: both are the number of steps"):
        make(ENV_ID, max_steps=30, max_episode_steps=50)


def test_rendering__knows_the_length_that_make_was_asked_for():
    env = gym.make(ENV_ID, max_episode_steps=130, render_mode="ansi")
    env.reset()
    assert env.render().startswith("step 0 of 130")


def test_length__lasts_through_copies_and_is_kept_where_others_set_the_spec():
    env = gym.make(ENV_ID, max_episode_steps=130)
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert other.spec.max_episode_steps == 130
        assert steps_of(other) == 130
    direct = Cage2Env(max_steps=7)
    assert direct.spec is None
    max_episode_steps = 50
    direct.spec = env.unwrapped.spec  # by a function that is not Gymnasium's, whatever it calls its variables
    assert (direct.spec.max_episode_steps, max_episode_steps) == (7, 50)
