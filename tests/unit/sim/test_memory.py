"""What blue remembers, batch by batch; `test_knowledge` and `test_recall` say what follows from it."""

import numpy as np

from cageflow.sim.handover import plain, row
from cageflow.sim.memory import forget, new_memories, remember_loop
from tests.helpers.lab import Lab


def test_forget__begins_only_the_games_of_the_mask():
    memories = new_memories(Lab().network, 3)
    for name in memories.dtype.names:
        memories[name] = 7
    forget(memories, np.array([True, False, True]))
    for name in memories.dtype.names:
        assert not memories[name][[0, 2]].any()
        assert (memories[name][1] == 7).all()


def test_remember_loop__takes_bits_of_any_number_type():
    lab = Lab()
    tables, params = row(lab.network.tables), row(lab.params)
    bits = np.zeros((2, lab.network.num_observations))
    bits[1, [0, 5, 51]] = 1.0
    for dtype in (np.uint8, np.float32):
        memories = new_memories(lab.network, 2)
        remember_loop(plain(memories), tables, params, np.zeros(2, np.int64), bits.astype(dtype))
        table = [memories[name].tolist() for name in ("activity_low", "activity_high", "belief_low", "belief_high")]
        assert table == [[0, 1], [0, 1 << 1], [0, 0], [0, 1 << 12]]  # bits 0, 5 and 51
