"""A trained policy as an agent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.collect.seeds import action_uniforms
from cageflow.envs.agent import Actions, BlueView
from cageflow.learn.policy import Policy


class PolicyAgent:
    """Plays a policy.

    Args:
        policy: the policy.
        deterministic: take the likeliest action instead of drawing one.
    """

    max_envs: int | None = None

    def __init__(self, policy: Policy, *, deterministic: bool = False) -> None:
        self._policy = policy
        self._deterministic = deterministic
        self._kept = policy.card.kept_order

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; what is drawn in them depends on their seeds alone."""
        self._seeds = seeds
        self._uniforms = np.empty(len(seeds), np.float64)

    def act(self, view: BlueView) -> Actions:
        """(B,) drawn actions, or the likeliest ones."""
        policy, observations = self._policy, view.observations
        if policy.card.memory:
            observations = np.concatenate([observations, view.recalled], axis=1)
        masks = self._masks(view)
        if self._deterministic:
            return policy.best(observations, masks)
        action_uniforms(self._seeds, view.step, self._uniforms)
        return policy.draw(observations, self._uniforms, masks)

    def _masks(self, view: BlueView) -> npt.NDArray[np.uint8] | None:
        """(B, A) what it may choose: not what is in vain, if it was trained so, and no fix that its order lets wait."""
        masks = view.masks if self._policy.card.mask_actions else None
        if self._kept is None:
            return masks
        in_turn = view.in_turn(self._kept)
        return in_turn if masks is None else masks & in_turn
