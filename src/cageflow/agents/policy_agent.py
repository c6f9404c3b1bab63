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
        observations, masks = self._inputs(view)
        if self._deterministic:
            return self._policy.best(observations, masks)
        action_uniforms(self._seeds, view.step, self._uniforms)
        return self._policy.draw(observations, self._uniforms, masks)

    def probabilities(self, view: BlueView) -> npt.NDArray[np.float64]:
        """(B, A) float64: with what probability a draw gives each action."""
        observations, masks = self._inputs(view)
        probs = np.exp(self._policy.log_probs(observations).astype(np.float64))
        if masks is not None:
            probs *= masks
        probs /= probs.sum(axis=1, keepdims=True)
        return probs

    def _inputs(self, view: BlueView) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]:
        """What the policy reads of a view, and what of all actions it may choose."""
        has_memory = self._policy.card.memory
        observations = np.concatenate([view.observations, view.recalled], axis=1) if has_memory else view.observations
        return observations, self._masks(view)

    def _masks(self, view: BlueView) -> npt.NDArray[np.uint8] | None:
        """(B, A) what it may choose: not what is in vain, if it was trained so, and no fix that its order lets wait."""
        masks = view.masks if self._policy.card.mask_actions else None
        if self._kept is None:
            return masks
        in_turn = view.in_turn(self._kept)
        return in_turn if masks is None else masks & in_turn
