"""A policy from a file as a blue player of one game."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from cageflow.envs.masks import ActionMasks
from cageflow.envs.options import GameOptions
from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import load_policy
from cageflow.workflow.orders import Order


class PolicyPlayer:
    """Plays one episode; what it must remember for its masks it gathers from what it is shown.

    Args:
        policy: who plays.
        options: settings of the game.
        seed: decides its draws.
    """

    def __init__(self, policy: Policy, options: GameOptions, seed: int | None = None) -> None:
        self._policy = policy
        self._rng = np.random.default_rng(seed)
        self._masks = ActionMasks(options) if policy.card.mask_actions else None
        self._last_action: int | None = None

    def __call__(self, observation: npt.NDArray[np.float32]) -> int:
        """Choose an action.

        Args:
            observation: (F,) what blue sees; the first call is taken for the start of the episode.
        """
        masks = None
        if self._masks is not None:
            if self._last_action is not None:
                self._masks.update(np.array([self._last_action]), observation[None])
            masks = self._masks.masks().view(np.uint8)
        self._last_action = int(self._policy.act(observation[None], rng=self._rng, masks=masks)[0])
        return self._last_action


def load_player(path: Path, options: GameOptions, seed: int | None = None, order: Order | None = None) -> PolicyPlayer:
    """A player from a policy file.

    Args:
        path: the file.
        options: settings of the game.
        seed: decides its draws.
        order: the workflow order that it is to follow; needed for a universal policy.

    Raises:
        UserError: the file is no policy, or one of another network, observation or order, or universal without one.
    """
    network = options.network
    expect = {
        "num_observations": network.num_observations,
        "num_actions": len(network.codec),
        "observation": options.observation,
    }
    return PolicyPlayer(load_policy(path, expect, order=order), options, seed)
