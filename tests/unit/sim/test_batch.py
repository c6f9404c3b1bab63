"""The loop over a batch: seeds, restarts, what is written."""

import numpy as np
import pytest

from cageflow.scenario import RedAgent, default_network
from cageflow.sim.batch import reset_batch, restart_batch, seed_stream, step_batch, unpack_batch
from cageflow.sim.state import make_params, new_states
from tests.helpers.lab import recount, same

NET = default_network()


def batch(num_envs):
    states = new_states(NET, num_envs)
    reset_batch(states, new_states(NET, 1), np.arange(num_envs, dtype=np.uint64))
    return states


def play(states, num_steps, dtype=np.float32):
    """Observations and rewards of the last step."""
    rewards, seen = np.full(len(states), 9, dtype), np.full((len(states), NET.num_observations), 9, dtype)
    for _ in range(num_steps):
        step_batch(states, NET.tables, make_params(RedAgent.MEANDER), np.full(len(states), 1), seen, rewards)
    return seen, rewards


def test_seed_stream__gives_different_streams_to_neighbouring_seeds():
    streams = {int(seed_stream(np.uint64(seed))) for seed in range(1000)}
    assert len(streams) == 1000
    gaps = np.diff(np.sort(np.array(list(streams), np.uint64)))
    assert gaps.min() > 1_000_000  # no two streams are a few draws apart


def test_reset_batch__starts_every_environment_with_its_seed_and_clears_the_observation():
    states = batch(3)
    seen = np.full((3, NET.num_observations), 9, np.uint8)
    unpack_batch(states, seen)
    assert not seen.any()
    assert states.rng.tolist() == [int(seed_stream(np.uint64(seed))) for seed in range(3)]


def test_reset_batch__leaves_nothing_of_an_episode():
    states = batch(3)
    fresh = states.copy()
    play(states, 30)
    assert not same(states, fresh)
    reset_batch(states, new_states(NET, 1), np.arange(3, dtype=np.uint64))
    assert same(states, fresh)


def test_restart_batch__starts_the_masked_episodes_anew_and_their_streams_run_on():
    states = batch(3)
    play(states, 30)
    before = states.copy()
    restart_batch(states, new_states(NET, 1), np.array([True, False, True]))
    assert same(states[1], before[1])
    for i in (0, 2):
        assert states[i].step == 0
        assert states[i].rng == before[i].rng
        assert states[i].privileged.tolist() == [0] * 8 + [1] + [0] * 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_step_batch__writes_rewards_with_one_decimal(dtype):
    states = batch(2)
    states[1].privileged[9] = 1
    states[1].privileged[1] = 1
    recount(states[1], NET.tables)
    _, rewards = play(states, 1, dtype)
    assert rewards.tolist() == [0.0, dtype(-1.1)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_step_batch__writes_what_blue_sees(dtype):
    states = batch(50)
    seen, _ = play(states, 30, dtype)
    again = np.full_like(seen, 9)
    unpack_batch(states, again)
    assert seen.any() and set(np.unique(seen)) == {0, 1}
    assert np.array_equal(seen, again)
