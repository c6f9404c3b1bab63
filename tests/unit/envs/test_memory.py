"""Masks of games that run elsewhere: what is refused. `tests/property/test_envs.py` says that they are right."""

import numpy as np
import pytest

from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError


@pytest.mark.parametrize(
    ("actions", "observations", "sentence"),
    [
        (np.zeros(3, np.int64), np.zeros((2, 52)), r"expected \(2,\) actions and \(2, 52\) observations, got \(3,\)"),
        (np.zeros(2, np.int64), np.zeros((2, 51)), r"and \(2, 51\)"),
        (np.zeros(2), np.zeros((2, 52)), "expected integers as actions, got float64"),
        (np.array([0, 145]), np.zeros((2, 52)), "145 is no action; possible are whole numbers from 0 to 144"),
        (np.array([-1, 0]), np.zeros((2, 52)), "-1 is no action"),
    ],
)
def test_wrong_step__is_refused(actions, observations, sentence):
    with pytest.raises(UserError, match=sentence):
        BlueMemory(GameOptions(), 2).update(actions, observations)


def test_reset__forgets_the_episode():
    masks = BlueMemory(GameOptions(), 1)
    before = masks.masks()
    codec = GameOptions().network.codec
    masks.update(np.array([codec.encode("DecoySSHD User3")]), np.ones((1, 52), np.float32))
    assert not np.array_equal(masks.masks(), before)
    masks.reset()
    np.testing.assert_array_equal(masks.masks(), before)
