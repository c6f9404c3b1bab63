"""A batch of games in step, as the collectors see it: the same face for the compiled simulator and for CybORG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from cageflow.envs.agent import BlueSource
from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.scenario.orders import Order
from cageflow.sim.recall import num_recalled
from cageflow.workflow.compliance import ComplianceTracker, WorkflowMode
from cageflow.workflow.tested import TestedFixes

Observations = npt.NDArray[np.uint8]
QUIET = "SleepAgent"
"""The red agent of games in which a learner takes its place: it can play on every network."""


@dataclass(frozen=True, slots=True)
class WorkflowSpec:
    """The workflow that fixes are judged by, and how the policy that plays is brought to follow it.

    Attributes:
        order: highest priority first.
        alignment_lambda: reward for an episode of full compliance.
        definition: what counts as compromised, one of `workflow.compliance.DEFINITIONS`.
        mode: rewarded, or enforced by masks.
    """

    order: Order
    alignment_lambda: float
    definition: str
    mode: WorkflowMode = "rewarded"

    @property
    def is_enforced(self) -> bool:
        """Whether masks keep the order."""
        return self.mode == "enforced"


@dataclass(frozen=True, slots=True)
class GameSpec:
    """What is played, in plain data that can be sent to another process.

    Attributes:
        options: settings of the game.
        masked: whether blue is to leave out the actions that it can know to be in vain.
        cyborg_path: folder of an installed CybORG to play on; None for the compiled simulator.
        memory: whether its observations are followed by what it remembers, see `cageflow.sim.recall`.
        steps_per_s: that a game is slowed down to, for measurements; None for as fast as it goes.
        blue: who plays blue where the learner plays red; None where the learner is blue.
    """

    options: GameOptions
    masked: bool
    cyborg_path: str | None = None
    memory: bool = False
    steps_per_s: float | None = None
    blue: BlueSource | None = None

    @property
    def is_slow(self) -> bool:
        """Whether an episode takes so long that it is worth a task of its own."""
        return self.cyborg_path is not None or self.steps_per_s is not None


class Outcomes(NamedTuple):
    """How B episodes ended.

    Attributes:
        end_rewards: (B,) float32 alignment reward that the end adds.
        compliance: (B,) float64, NaN without a workflow.
        fixes: (B,) int32, 0 without a workflow.
        tests: (B, 4) int32, which fixes tested the workflow, see `workflow.tested.TestedFixes`; 0 without one.
        contests: (B, T, T) int32, whom they passed over, likewise.
    """

    end_rewards: npt.NDArray[np.float32]
    compliance: npt.NDArray[np.float64]
    fixes: npt.NDArray[np.int32]
    tests: npt.NDArray[np.int32]
    contests: npt.NDArray[np.int32]


class Games(Protocol):
    """B games in step. The observations and masks are overwritten by the next call.

    Where blue reads its memory, F stands for the bits of its table and of that.
    """

    def reset(
        self, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None, variation: Variation = UNVARIED
    ) -> None:
        """Begin B episodes, one for each seed, which differ as `variation` says."""

    @property
    def observations(self) -> Observations:
        """(B, F) uint8 what blue sees now."""

    @property
    def masks(self) -> npt.NDArray[np.uint8] | None:
        """(B, A) uint8, 1 for actions that blue may choose; None where it may choose any.

        Left out are those that it can know to be in vain, where that is asked for, and fixes that have to wait by the
        workflow, where that is enforced.
        """

    def step(
        self,
        actions: npt.NDArray[np.int16],
        env_rewards: npt.NDArray[np.float32],
        alignment_rewards: npt.NDArray[np.float32],
    ) -> None:
        """Judge (B,) actions by the workflow, then take them; both (B,) rewards are overwritten."""

    def outcomes(self) -> Outcomes:
        """How the episodes ended, once they have."""

    def close(self) -> None:
        """Give back what the games hold."""


class Batch(Protocol):
    """Games that are played, and judged by nobody: `envs.game.GameBatch`, or those of the original."""

    @property
    def memory(self) -> BlueMemory:
        """What blue remembers."""

    def begin(self, seeds: npt.NDArray[np.uint64], observations: npt.NDArray[Any]) -> None:
        """Begin B episodes, one for each seed; (B, F) what blue sees at the start is overwritten."""

    def vary(self, seeds: npt.NDArray[np.uint64], variation: Variation, observations: npt.NDArray[Any]) -> None:
        """Have the episodes that have just begun differ; (B, F) what blue sees now is written where it is another."""

    def play(
        self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any], rewards: npt.NDArray[np.floating]
    ) -> None:
        """One step of every game; (B, F) what blue sees after it and its (B,) rewards are overwritten."""

    def judge(
        self, tracker: ComplianceTracker, actions: npt.NDArray[np.integer], rewards: npt.NDArray[np.float32]
    ) -> None:
        """Have (B,) actions judged by a workflow before they are taken; its (B,) rewards are overwritten."""

    def access(self) -> npt.NDArray[np.int8]:
        """(B, H) int8 of `inspection.Access`: the highest level at which red holds a session on each host."""

    def close(self) -> None:
        """Give back what the games hold."""


class LocalGames:
    """Games in this process, of which one can look up the truth and what blue remembers.

    Args:
        spec: what is played.
        batch: the games.

    Attributes:
        spec: what is played.
        batch: the games.
        tracker: who judges the fixes; None where there is no workflow.
        kept: the order that masks keep; None where they keep none.
        table: (B, F) uint8 what blue sees now, without what it remembers.
    """

    def __init__(self, spec: GameSpec, batch: Batch) -> None:
        self.spec = spec
        self.batch = batch
        self.tracker: ComplianceTracker | None = None
        self.kept: Order | None = None
        self._make_room(0)

    def reset(
        self, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None, variation: Variation = UNVARIED
    ) -> None:
        """Begin B episodes, one for each seed, which differ as `variation` says."""
        num_envs = len(seeds)
        if num_envs != len(self.table):
            self._make_room(num_envs)
        self.batch.begin(seeds, self.table)
        if variation != UNVARIED:
            self.batch.vary(seeds, variation, self.table)
        self.tracker, self.kept = None, None
        if workflow is not None:
            self.kept = workflow.order if workflow.is_enforced else None
            self.tracker = ComplianceTracker(
                self.spec.options.network, workflow.order, num_envs, workflow.alignment_lambda, workflow.definition
            )

    @property
    def is_masked(self) -> bool:
        """Whether there are `masks`."""
        return self.spec.masked or self.kept is not None

    @property
    def observations(self) -> Observations:
        """(B, F) uint8 what blue sees now."""
        return np.concatenate([self.table, self.recalled()], axis=1) if self.spec.memory else self.table

    @property
    def masks(self) -> npt.NDArray[np.uint8] | None:
        """(B, A) uint8, 1 for actions that blue may choose; None where it may choose any."""
        if self.kept is None:
            return self.known_masks() if self.spec.masked else None
        if self.spec.masked:
            self.known_masks()
        else:
            self._mask_room.fill(True)
        self.batch.memory.keep_order(self.kept, self._mask_room)
        return self._mask_room.view(np.uint8)

    def known_masks(self) -> npt.NDArray[np.uint8]:
        """(B, A) uint8, 1 for actions that may be of use, whether they are asked for or not."""
        return self.batch.memory.masks(self._mask_room).view(np.uint8)

    def in_turn(self, order: Order) -> npt.NDArray[np.uint8]:
        """(B, A) uint8, 0 for fixes that have to wait by an order."""
        masks = np.ones(self._mask_room.shape, np.bool_)
        self.batch.memory.keep_order(order, masks)
        return masks.view(np.uint8)

    def step(
        self,
        actions: npt.NDArray[np.int16],
        env_rewards: npt.NDArray[np.float32],
        alignment_rewards: npt.NDArray[np.float32],
    ) -> None:
        """Judge (B,) actions by the workflow, then take them; both (B,) rewards are overwritten."""
        if self.tracker is None:
            alignment_rewards.fill(0.0)
        else:
            self.batch.judge(self.tracker, actions, alignment_rewards)
        self.batch.play(actions, self.table, env_rewards)

    def outcomes(self) -> Outcomes:
        """How the episodes ended, once they have."""
        tracker, num_envs = self.tracker, len(self.table)
        if tracker is not None:
            tests = tracker.tests
            return Outcomes(
                tracker.end_rewards(),
                tracker.compliance(),
                tracker.fixes.copy(),
                tests.counts.copy(),
                tests.contests.copy(),
            )
        none = TestedFixes(num_envs, len(self.spec.options.network.unit_types))
        no_fixes = np.zeros(num_envs, np.int32)
        return Outcomes(np.zeros(num_envs, np.float32), np.full(num_envs, np.nan), no_fixes, none.counts, none.contests)

    def recalled(self) -> npt.NDArray[np.uint8]:
        """(B, R) uint8 of 0 and 1: what blue remembers."""
        return self.batch.memory.recalled(self._recall_room)

    def access(self) -> npt.NDArray[np.int8]:
        """(B, H) int8 of `inspection.Access`: the highest level at which red holds a session on each host."""
        return self.batch.access()

    def close(self) -> None:
        """Give back what the games hold."""
        self.batch.close()

    def _make_room(self, num_envs: int) -> None:
        network = self.spec.options.network
        self.table = np.zeros((num_envs, network.num_observations), np.uint8)
        self._mask_room = np.empty((num_envs, len(network.codec)), np.bool_)
        self._recall_room = np.empty((num_envs, num_recalled(network)), np.uint8)
