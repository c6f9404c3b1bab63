"""Gates: a wired learner plays as before but for the Restores that are closed, and goes on learning as any other."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.learn.config import PPOConfig
from cageflow.learn.inference import Layers
from cageflow.learn.ppo import PPO
from cageflow.learn.restore_gates import CLOSED, restore_gates, wire
from cageflow.scenario import BlueKind
from cageflow.sim.recall import num_inputs, recalled_bits
from tests.helpers.agents import NETWORK

NUM_BITS = num_inputs(NETWORK, memory=True)


def learner(width: int, num_bits: int = NUM_BITS) -> PPO:
    """Of chance weights, two hidden layers."""
    config = PPOConfig(hidden_sizes=(width, width))
    return PPO(config, num_observations=num_bits, num_actions=len(NETWORK.codec), total_updates=1, seed=3)


def outputs(layers: Layers, bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a network of tanh layers, in full precision."""
    *hidden, (weight, bias) = layers
    for one, other in hidden:
        bits = np.tanh(bits @ one.astype(np.float64).T + other)
    return bits @ weight.astype(np.float64).T + bias


def place(name: str) -> int:
    """Of a bit that is recalled."""
    return NETWORK.num_observations + recalled_bits(NETWORK).index(name)


def closed_by(*names: str) -> list[str]:
    """Hosts whose Restore is closed to a wired learner that reads these bits and no others."""
    wired = started()
    bits = np.zeros((2, NUM_BITS))
    bits[1, [place(name) for name in names]] = 1.0
    lowered = outputs(learner(8).actor_layers(), bits) - outputs(wired.actor_layers(), bits)
    assert np.abs(lowered[0]).max() < 1e-3  # nothing is closed where nothing was restored
    assert sorted(set(np.round(lowered[1]))) in ([0.0], [0.0, CLOSED])
    actions = np.flatnonzero(lowered[1] > 1.0)
    assert (np.asarray(NETWORK.tables.action_kind)[actions] == BlueKind.RESTORE).all()
    return [NETWORK.hosts[int(NETWORK.tables.action_host[action])] for action in actions]


def started() -> PPO:
    """A learner that begins with a wired one."""
    wired = learner(8 + len(NETWORK.hosts))
    state: dict[str, Any] = wire(learner(8).state_dict(), NETWORK)
    wired.start_from(state)
    return wired


def test_wired_learner__restores_hosts_beside_reds_first_once_and_no_other_twice_in_succession() -> None:
    assert closed_by("restored User3", "restored Enterprise1") == ["User3"]
    assert closed_by("last action RESTORE", "last action Enterprise1") == ["Enterprise1"]
    assert closed_by("last action RESTORE", "last action User2", "restored User2") == ["User2"]
    assert closed_by("last action REMOVE", "last action Enterprise1", "touched Op_Server0") == []


def test_wired_learner__values_as_before() -> None:
    bits = np.random.default_rng(2).integers(2, size=(50, NUM_BITS)).astype(np.uint8)
    np.testing.assert_allclose(started().values(bits), learner(8).values(bits), atol=1e-5)


def test_gates_are_for_a_memory() -> None:
    assert len(restore_gates(NETWORK).actions) == len(NETWORK.hosts)
    with pytest.raises(UserError, match=f"the learner reads 52 bits, expected {NUM_BITS}: gates are for a policy with"):
        wire(learner(8, num_bits=52).state_dict(), NETWORK)
