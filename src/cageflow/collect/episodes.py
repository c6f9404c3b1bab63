"""What a collector brings back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cageflow.learn.rollout import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Episodes:
    """B whole episodes and what they amounted to.

    Attributes:
        rollout: the steps, for the learner.
        seeds: (B,) uint64 episode seeds.
        compliance: (B,) float64; NaN where no workflow was given.
        fixes: (B,) int32 Removes and Restores; 0 where no workflow was given.
        tests: (B, 4) int32, which of them tested the workflow, see `workflow.tested.TestedFixes`; likewise.
        contests: (B, T, T) int32, whom these passed over; likewise.
        simulation_s: wall-clock seconds in the games, summed over all processes.
        inference_s: wall-clock seconds in choosing actions, likewise.
    """

    rollout: Rollout
    seeds: npt.NDArray[np.uint64]
    compliance: npt.NDArray[np.float64]
    fixes: npt.NDArray[np.int32]
    tests: npt.NDArray[np.int32]
    contests: npt.NDArray[np.int32]
    simulation_s: float
    inference_s: float

    @property
    def env_returns(self) -> npt.NDArray[np.float64]:
        """(B,) sums of the game's rewards, exact to the tenth in which the game counts."""
        returns: npt.NDArray[np.float64] = np.round(self.rollout.env_rewards.sum(axis=0, dtype=np.float64), 1)
        return returns

    @property
    def alignment_returns(self) -> npt.NDArray[np.float64]:
        """(B,) sums of the alignment rewards."""
        returns: npt.NDArray[np.float64] = self.rollout.alignment_rewards.sum(axis=0, dtype=np.float64)
        return returns

    def take(self, places: npt.NDArray[np.integer]) -> Episodes:
        """The episodes at (B,) places, in the order given."""
        return replace(
            self,
            rollout=self.rollout.take(places),
            seeds=self.seeds[places],
            compliance=self.compliance[places],
            fixes=self.fixes[places],
            tests=self.tests[places],
            contests=self.contests[places],
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Episodes]) -> Episodes:
        """The episodes of several collections, in the order given; the seconds add up."""
        return cls(
            rollout=Rollout.concatenate([part.rollout for part in parts]),
            seeds=np.concatenate([part.seeds for part in parts]),
            compliance=np.concatenate([part.compliance for part in parts]),
            fixes=np.concatenate([part.fixes for part in parts]),
            tests=np.concatenate([part.tests for part in parts]),
            contests=np.concatenate([part.contests for part in parts]),
            simulation_s=sum(part.simulation_s for part in parts),
            inference_s=sum(part.inference_s for part in parts),
        )
