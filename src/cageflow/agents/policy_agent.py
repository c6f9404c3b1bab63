"""A trained policy as an agent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.collect.seeds import action_uniforms
from cageflow.envs.agent import Actions, BlueView
from cageflow.learn.inference import Actor, pack_weights
from cageflow.learn.policy import Policy

MEMORY_ROWS = 65_536  # distinct observations that it may remember from one batch of episodes to the next


class PolicyAgent:
    """Plays a policy.

    Args:
        policy: the policy.
        deterministic: take the likeliest action instead of drawing one.
    """

    max_envs: int | None = None

    def __init__(self, policy: Policy, *, deterministic: bool = False) -> None:
        self._weights = pack_weights(policy.layers, policy.card.activation, policy.order_encoding)
        self._masked = policy.card.mask_actions
        self._actor = Actor(self._weights, masked=self._masked)
        self._has_memory = policy.card.memory
        self._deterministic = deterministic

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; what is drawn in them depends on their seeds alone."""
        self._seeds = seeds
        num_envs = len(seeds)
        self._uniforms = np.empty(num_envs, np.float64)
        self._actions = np.empty(num_envs, np.int16)
        self._log_probs = np.empty(num_envs, np.float32)
        self._row_idx = np.empty(num_envs, np.int32)
        if self._actor.num_observations > MEMORY_ROWS:
            self._actor.start(self._weights)

    def act(self, view: BlueView) -> Actions:
        """(B,) drawn actions, or the likeliest ones; the array is overwritten by the next call."""
        masks = view.masks if self._masked else None
        observations = view.observations
        if self._has_memory:
            observations = np.concatenate([observations, view.recalled], axis=1)
        if self._deterministic:
            return self._actor.best(observations, masks)
        action_uniforms(self._seeds, view.step, self._uniforms)
        self._actor.act(observations, self._uniforms, self._actions, self._log_probs, self._row_idx, masks)
        return self._actions
