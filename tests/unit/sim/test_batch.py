"""The loop over a batch: seeds, restarts, what is written."""

import numpy as np
import pytest

from cageflow.scenario import RedAgent, default_network
from cageflow.sim.batch import reset_batch, restart_batch, seed_stream, step_batch, unpack_batch
from cageflow.sim.state import make_params, new_states
from tests.helpers.lab import same

NET = default_network()


def batch(num_envs):
    states, keys = new_states(NET, num_envs), np.full(num_envs, 7, np.uint64)
    reset_batch(states, new_states(NET, 1), np.arange(num_envs, dtype=np.uint64), keys)
    return states, keys


def play(states, keys, num_steps, dtype=np.float32):
    rewards = np.full(len(states), 9, dtype)
    for _ in range(num_steps):
        step_batch(states, NET.tables, make_params(RedAgent.MEANDER), np.full(len(states), 1), keys, rewards)
    return rewards


def test_seed_stream__gives_different_streams_to_neighbouring_seeds():
    streams = {int(seed_stream(np.uint64(seed))) for seed in range(1000)}
    assert len(streams) == 1000
    gaps = np.diff(np.sort(np.array(list(streams), np.uint64)))
    assert gaps.min() > 1_000_000  # no two streams are a few draws apart


def test_reset_batch__starts_every_environment_with_its_seed_and_clears_the_observation():
    states, keys = batch(3)
    assert keys.tolist() == [0, 0, 0]
    assert states.rng.tolist() == [int(seed_stream(np.uint64(seed))) for seed in range(3)]


def test_reset_batch__leaves_nothing_of_an_episode():
    states, keys = batch(3)
    fresh = states.copy()
    play(states, keys, 30)
    assert not same(states, fresh)
    reset_batch(states, new_states(NET, 1), np.arange(3, dtype=np.uint64), keys)
    assert same(states, fresh)


def test_restart_batch__starts_the_masked_episodes_anew_and_their_streams_run_on():
    states, keys = batch(3)
    play(states, keys, 30)
    keys[:] = 5
    before = states.copy()
    restart_batch(states, new_states(NET, 1), np.array([True, False, True]), keys)
    assert keys.tolist() == [0, 5, 0]
    assert same(states[1], before[1])
    for i in (0, 2):
        assert states[i].step == 0
        assert states[i].rng == before[i].rng
        assert states[i].privileged.tolist() == [0] * 8 + [1] + [0] * 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_step_batch__writes_rewards_with_one_decimal(dtype):
    states, keys = batch(2)
    states[1].privileged[9] = 1
    states[1].privileged[1] = 1
    rewards = play(states, keys, 1, dtype)
    assert rewards.tolist() == [0.0, dtype(-1.1)]


def test_unpack_batch__writes_a_row_for_each_key():
    out = np.full((2, 52), 9, np.uint8)
    unpack_batch(np.array([0, 1 << 51], np.uint64), out)
    assert not out[0].any()
    assert np.flatnonzero(out[1]).tolist() == [51]
