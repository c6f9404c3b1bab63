"""Learners of chance with units wired in, and what these say."""

import numpy as np
from numpy.typing import NDArray

from cageflow.learn.config import PPOConfig
from cageflow.learn.inference import Layers
from cageflow.learn.ppo import PPO
from cageflow.learn.wiring import Units, wire
from cageflow.scenario import BlueKind
from cageflow.sim.recall import num_inputs
from tests.helpers.agents import NETWORK

NUM_BITS = num_inputs(NETWORK, memory=True)


def learner(width: int, num_bits: int = NUM_BITS) -> PPO:
    """Of chance weights, two hidden layers."""
    config = PPOConfig(hidden_sizes=(width, width))
    return PPO(config, num_observations=num_bits, num_actions=len(NETWORK.codec), total_updates=1, seed=3)


def wired(units: Units) -> PPO:
    """A learner that begins as `learner(8)` with units."""
    one = learner(8 + len(NETWORK.hosts))
    one.start_from(wire(learner(8).state_dict(), units))
    return one


def said(units: Units, *bits: int) -> list[str]:
    """Actions to whose logits the units of a wired learner add their push, where these bits are set and no others."""
    observations = np.zeros((2, NUM_BITS))
    observations[1, list(bits)] = 1.0
    added = _outputs(wired(units).actor_layers(), observations) - _outputs(learner(8).actor_layers(), observations)
    assert np.abs(added[0]).max() < 1e-3  # nothing is said where no bit is set
    assert sorted(set(np.round(added[1]))) in ([0.0], sorted([0.0, units.push]))
    kinds, hosts = np.asarray(NETWORK.tables.action_kind), np.asarray(NETWORK.tables.action_host)
    actions = np.flatnonzero(np.abs(added[1]) > 1.0)
    return [f"{BlueKind(int(kinds[action])).name} {NETWORK.hosts[int(hosts[action])]}" for action in actions]


def _outputs(layers: Layers, bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a network of tanh layers, in full precision."""
    *hidden, (weight, bias) = layers
    for one, other in hidden:
        bits = np.tanh(bits @ one.astype(np.float64).T + other)
    return bits @ weight.astype(np.float64).T + bias
