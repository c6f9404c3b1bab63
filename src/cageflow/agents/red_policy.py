"""A policy that `cageflow train --side red` has made, as a red agent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.collect.seeds import action_uniform
from cageflow.envs.options import GameOptions
from cageflow.envs.red_memory import RedMemory
from cageflow.learn.fit import check_red_fit
from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import load_policy


class PolicyRed:
    """Plays red by a policy, which draws its actions as it did in training; see `cageflow.envs.red_player.RedPlayer`.

    Args:
        policy: the policy.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._seeds = np.empty(0, np.uint64)

    def begin(self, seeds: npt.NDArray[np.uint64], mask: npt.NDArray[np.bool_]) -> None:
        """Begin episodes in the games of a mask; what is drawn in them depends on their seeds alone.

        Args:
            seeds: (B,) uint64.
            mask: (B,) bool; all where B is another number than before.
        """
        if len(seeds) != len(self._seeds):
            self._seeds, self._uniforms = seeds.copy(), np.empty(len(seeds), np.float64)
        self._seeds[mask] = seeds[mask]

    def act(self, memory: RedMemory, free: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """(B,) drawn actions of the red codec."""
        masks = memory.masks().view(np.uint8) if self._policy.card.is_masked else None
        draw_uniforms(self._seeds, memory.records["step"], self._uniforms)
        return self._policy.draw(memory.observations(), self._uniforms, masks)


def open_red_policy(source: str, options: GameOptions) -> PolicyRed:
    """The policy in a file, to play red in games.

    Raises:
        UserError: there is none in it, it plays blue, or it was made for another network.
    """
    policy = load_policy(Path(source))
    check_red_fit(policy, options.unchecked_network, f"policy file {source}")
    return PolicyRed(policy)


@njit(cache=True, nogil=True)
def draw_uniforms(seeds: npt.NDArray[np.uint64], steps: npt.NDArray[np.int32], out: npt.NDArray[np.float64]) -> None:
    """The policy's numbers in one step of each game, which may be at different steps.

    Args:
        seeds: (B,) uint64.
        steps: (B,) int32 already done in the episodes.
        out: (B,) float64 in [0, 1); overwritten.
    """
    for i in range(seeds.shape[0]):
        out[i] = action_uniform(seeds[i], steps[i])
