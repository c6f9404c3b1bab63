import numpy as np
import pytest

from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.sim.knowledge import mask_loop


@pytest.mark.parametrize("durations", ["file", "cage4"])
def test_masks__kept_up_to_date_are_those_made_anew(durations):
    options = GameOptions(red_agent="meander", max_steps=100, durations=durations, green=True)
    batch = GameBatch(options, 30)
    rng = np.random.default_rng(0)
    observations = np.zeros((30, batch.network.num_observations), np.uint8)
    rewards = np.zeros(30, np.float32)
    num_changed = 0
    for episode in range(2):
        batch.begin(np.arange(30, dtype=np.uint64) + 30 * episode, observations)
        before = batch.memory.masks()
        for _ in range(60):
            actions = rng.integers(0, len(batch.network.codec), 30)
            batch.play(actions, observations, rewards)
            anew = np.empty_like(before)
            mask_loop(batch.memory.records, batch.memory.nets, anew)
            kept = batch.memory.masks()
            assert np.array_equal(kept, anew)
            num_changed += int((kept != before).sum())
            before = kept
    assert num_changed > 1000
