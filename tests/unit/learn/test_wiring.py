"""Wiring: a wired learner values as before, and who cannot be wired is refused."""

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.learn.restore_gates import restore_gates
from cageflow.learn.wiring import wire, wired_sizes
from tests.helpers.agents import NETWORK
from tests.helpers.wired import NUM_BITS, learner, wired

GATES = restore_gates(NETWORK)


def test_wired_learner__values_as_before() -> None:
    bits = np.random.default_rng(2).integers(2, size=(50, NUM_BITS)).astype(np.uint8)
    np.testing.assert_allclose(wired(GATES).values(bits), learner(8).values(bits), atol=1e-5)


def test_wired_sizes__have_a_unit_for_each_host() -> None:
    assert wired_sizes((8, 9), NETWORK) == [8 + len(NETWORK.hosts), 9 + len(NETWORK.hosts)]
    assert len(GATES.actions) == len(NETWORK.hosts)


def test_units_are_for_a_memory() -> None:
    with pytest.raises(UserError, match=f"the learner reads 52 bits, expected {NUM_BITS}: units are for a policy with"):
        wire(learner(8, num_bits=52).state_dict(), GATES)
