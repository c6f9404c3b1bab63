"""A batch of games in step, as the collectors see it: the same face for the compiled simulator and for CybORG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from cageflow.envs.inspection import true_states
from cageflow.envs.options import GameOptions
from cageflow.scenario import Network
from cageflow.scenario.orders import Order
from cageflow.sim.batch import play_loop, reset_loop
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import mask_loop
from cageflow.sim.memory import new_memories
from cageflow.sim.recall import decoy_places, num_recalled, recall_loop
from cageflow.sim.state import new_states
from cageflow.workflow.compliance import ComplianceTracker

Observations = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class WorkflowSpec:
    """The workflow that fixes are judged by.

    Attributes:
        order: highest priority first.
        alignment_lambda: reward for an episode of full compliance.
        definition: what counts as compromised, one of `workflow.compliance.DEFINITIONS`.
    """

    order: Order
    alignment_lambda: float
    definition: str


@dataclass(frozen=True, slots=True)
class GameSpec:
    """What is played, in plain data that can be sent to another process.

    Attributes:
        options: settings of the game.
        masked: whether blue is to leave out the actions that it can know to be in vain.
        cyborg_path: folder of an installed CybORG to play on; None for the compiled simulator.
        memory: whether its observations are followed by what it remembers, see `cageflow.sim.recall`.
    """

    options: GameOptions
    masked: bool
    cyborg_path: str | None = None
    memory: bool = False


class Outcomes(NamedTuple):
    """How B episodes ended.

    Attributes:
        end_rewards: (B,) float32 alignment reward that the end adds.
        compliance: (B,) float64, NaN without a workflow.
        fixes: (B,) int32, 0 without a workflow.
    """

    end_rewards: npt.NDArray[np.float32]
    compliance: npt.NDArray[np.float64]
    fixes: npt.NDArray[np.int32]


class Games(Protocol):
    """B games in step. The observations and masks are overwritten by the next call.

    Where blue reads its memory, F stands for the bits of its table and of that.
    """

    def reset(self, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> None:
        """Begin B episodes, one for each seed."""

    @property
    def observations(self) -> Observations:
        """(B, F) uint8 what blue sees now."""

    @property
    def masks(self) -> npt.NDArray[np.uint8] | None:
        """(B, A) uint8, 1 for actions that may be of use; None where they are not asked for."""

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


class LocalGames(Games, Protocol):
    """Games in this process, of which one can look up the truth and what blue remembers."""

    def recalled(self) -> npt.NDArray[np.uint8]:
        """(B, R) uint8 of 0 and 1: what blue remembers."""

    def access(self) -> npt.NDArray[np.int8]:
        """(B, H) int8 of `inspection.Access`: the highest level at which red holds a session on each host."""


class CompiledGames:
    """Games on the compiled simulator.

    Args:
        spec: what is played.
    """

    def __init__(self, spec: GameSpec) -> None:
        self._network = spec.options.network
        self._masked = spec.masked
        self._has_memory = spec.memory
        self._places = decoy_places(self._network)
        self._nets = row(self._network.tables)
        self._settings = row(spec.options.params())
        self._initial = plain(new_states(self._network, 1))
        self._tracker: ComplianceTracker | None = None

    def reset(self, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> None:
        """Begin B episodes, one for each seed."""
        num_envs = seeds.shape[0]
        self._states = plain(new_states(self._network, num_envs))
        self._memories = plain(new_memories(self._network, num_envs))
        self._observations = np.zeros((num_envs, self._network.num_observations), np.uint8)
        self._recalled = np.zeros((num_envs, num_recalled(self._network)), np.uint8)
        self._mask_room = np.empty((num_envs, len(self._network.codec)), np.bool_)
        reset_loop(self._states, self._initial, seeds)
        self._tracker = make_tracker(self._network, workflow, num_envs)

    @property
    def observations(self) -> Observations:
        """(B, F) uint8 what blue sees now."""
        if not self._has_memory:
            return self._observations
        return np.concatenate([self._observations, self.recalled()], axis=1)

    @property
    def masks(self) -> npt.NDArray[np.uint8] | None:
        """(B, A) uint8, 1 for actions that may be of use; None where they are not asked for."""
        if not self._masked:
            return None
        mask_loop(self._memories, self._nets, self._mask_room)
        return self._mask_room.view(np.uint8)

    def step(
        self,
        actions: npt.NDArray[np.int16],
        env_rewards: npt.NDArray[np.float32],
        alignment_rewards: npt.NDArray[np.float32],
    ) -> None:
        """Judge (B,) actions by the workflow, then take them; both (B,) rewards are overwritten."""
        if self._tracker is None:
            alignment_rewards.fill(0.0)
        else:
            self._tracker.score_states(self._states, actions, alignment_rewards)
        play_loop(self._states, self._memories, self._nets, self._settings, actions, self._observations, env_rewards)

    def outcomes(self) -> Outcomes:
        """How the episodes ended, once they have."""
        return judge(self._tracker, self._states.shape[0])

    def recalled(self) -> npt.NDArray[np.uint8]:
        """(B, R) uint8 of 0 and 1: what blue remembers."""
        recall_loop(self._memories, self._nets, self._places, self._recalled)
        return self._recalled

    def access(self) -> npt.NDArray[np.int8]:
        """(B, H) int8 of `inspection.Access`: the highest level at which red holds a session on each host."""
        access: npt.NDArray[np.int8] = true_states(self._network, self._states)["access"]
        return access

    def close(self) -> None:
        """Nothing is held."""


def make_tracker(network: Network, workflow: WorkflowSpec | None, num_envs: int) -> ComplianceTracker | None:
    """Who judges the fixes of B episodes, if there is a workflow."""
    if workflow is None:
        return None
    return ComplianceTracker(network, workflow.order, num_envs, workflow.alignment_lambda, workflow.definition)


def judge(tracker: ComplianceTracker | None, num_envs: int) -> Outcomes:
    """The outcomes that a tracker has seen, or those of episodes without a workflow."""
    if tracker is None:
        return Outcomes(np.zeros(num_envs, np.float32), np.full(num_envs, np.nan), np.zeros(num_envs, np.int32))
    return Outcomes(tracker.end_rewards(), tracker.compliance(), tracker.fixes.copy())
