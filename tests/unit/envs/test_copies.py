"""Copies of environments, in the middle of episodes: they go on as the original would."""

import copy
import os
import pickle
import time

import cloudpickle
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from cageflow.envs.single import Cage2Env
from cageflow.envs.vector import Cage2VectorEnv

COPIES = [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env)), lambda env: pickle.loads(cloudpickle.dumps(env))]
MAX_STEPS = 12


def go_on(env, num_steps, seed=0):
    """All that an environment tells in some steps, the beginnings of episodes included."""
    rng, told = np.random.default_rng(seed), []
    for _ in range(num_steps):
        actions = rng.integers(0, 145, env.action_space.shape)
        *step, info = env.step(actions)
        told += [*step, info["blue_outcome"], env.action_masks(), env.recalled()]
        mode = env.metadata.get("autoreset_mode", AutoresetMode.DISABLED)
        if np.all(step[3]) and mode is AutoresetMode.DISABLED:
            told.append(env.reset()[0])
    return told


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize(
    ("num_envs", "num_threads", "mode"),
    [
        (1, None, "NextStep"),
        (5, None, "Disabled"),
        (64, 3, "SameStep"),
        (4096, 2, "NextStep"),
    ],
)
def test_copy_of_a_vector_environment__goes_on_with_equal_episodes(copied, num_envs, num_threads, mode):
    envs = Cage2VectorEnv(num_envs, "meander", max_steps=MAX_STEPS, num_threads=num_threads, autoreset_mode=mode)
    envs.reset(seed=3)
    go_on(envs, 7)
    other = copied(envs)
    expected, told = go_on(envs, 2 * MAX_STEPS, 1), go_on(other, 2 * MAX_STEPS, 1)
    for one, two in zip(expected, told, strict=True):
        np.testing.assert_array_equal(one, two)
    envs.close()
    other.close()


@pytest.mark.parametrize("copied", COPIES)
def test_copy_of_a_single_environment__goes_on_with_equal_episodes(copied):
    env = Cage2Env("meander", max_steps=MAX_STEPS, green=True)
    env.reset(seed=3)
    go_on(env, 7)
    other = copied(env)
    for one, two in zip(go_on(env, 2 * MAX_STEPS, 1), go_on(other, 2 * MAX_STEPS, 1), strict=True):
        np.testing.assert_array_equal(one, two)


def test_copy__before_the_first_reset_begins_by_itself():
    for env in (Cage2Env(), Cage2VectorEnv(4, num_threads=2)):
        other = copy.deepcopy(env)
        other.reset(seed=1)
        with pytest.raises(ValueError, match="reset"):
            env.step(np.zeros(env.action_space.shape, np.int64))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_process__goes_on_with_threads_of_its_own():
    envs = Cage2VectorEnv(8, num_threads=2)
    envs.reset(seed=0)
    actions = np.zeros(8, np.int64)
    envs.step(actions)
    child = os.fork()
    if child == 0:  # its threads did not come along: waiting for them would last for ever
        envs.step(actions)
        os._exit(0)
    for _ in range(200):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the forked process hangs")
    assert status == 0
