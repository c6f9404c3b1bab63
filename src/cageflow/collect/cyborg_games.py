"""Games on an installed CybORG, one after the other in this process."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.collect.games import GameSpec, Observations, Outcomes, WorkflowSpec, judge, make_tracker
from cageflow.envs.cyborg import CyborgEnv
from cageflow.envs.inspection import Access
from cageflow.envs.memory import BlueMemory
from cageflow.workflow.compliance import ComplianceTracker


class CyborgGames:
    """Games in the original.

    CybORG draws from Python's global generator; each game gets its own by putting its state in place for as long as it
    plays, so that an episode depends on its seed alone.

    Args:
        spec: what is played; `cyborg_path` is set.

    Raises:
        UserError: CybORG is not there or cannot be imported.
    """

    def __init__(self, spec: GameSpec) -> None:
        self._spec = spec
        self._network = spec.options.network
        self._envs: list[CyborgEnv] = []
        self._tracker: ComplianceTracker | None = None
        self._grow(1)

    def reset(self, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> None:
        """Begin B episodes, one for each seed."""
        num_envs = seeds.shape[0]
        self._grow(num_envs)
        self._streams: list[Any] = []
        self._observations = np.empty((num_envs, self._network.num_observations), np.uint8)
        outer = random.getstate()
        for i, seed in enumerate(seeds):
            self._observations[i] = self._envs[i].reset(seed=int(seed))[0]
            self._streams.append(random.getstate())
        random.setstate(outer)
        self._memory = BlueMemory(self._spec.options, num_envs)
        self._tracker = make_tracker(self._network, workflow, num_envs)

    @property
    def observations(self) -> Observations:
        """(B, F) uint8 what blue sees now."""
        if not self._spec.memory:
            return self._observations
        return np.concatenate([self._observations, self.recalled()], axis=1)

    @property
    def masks(self) -> npt.NDArray[np.uint8] | None:
        """(B, A) uint8, 1 for actions that may be of use; None where they are not asked for."""
        return self._memory.masks().view(np.uint8) if self._spec.masked else None

    def step(
        self,
        actions: npt.NDArray[np.int16],
        env_rewards: npt.NDArray[np.float32],
        alignment_rewards: npt.NDArray[np.float32],
    ) -> None:
        """Judge (B,) actions by the workflow, then take them; both (B,) rewards are overwritten."""
        num_envs = actions.shape[0]
        if self._tracker is None:
            alignment_rewards.fill(0.0)
        else:
            self._tracker.score_sessions(self._sessions(num_envs), actions, alignment_rewards)
        outer = random.getstate()
        for i in range(num_envs):
            random.setstate(self._streams[i])
            self._observations[i], env_rewards[i], *_ = self._envs[i].step(int(actions[i]))
            self._streams[i] = random.getstate()
        random.setstate(outer)
        self._memory.update(actions, self._observations)

    def outcomes(self) -> Outcomes:
        """How the episodes ended, once they have."""
        return judge(self._tracker, self._observations.shape[0])

    def recalled(self) -> npt.NDArray[np.uint8]:
        """(B, R) uint8 of 0 and 1: what blue remembers."""
        return self._memory.recalled()

    def access(self) -> npt.NDArray[np.int8]:
        """(B, H) int8 of `inspection.Access`: the highest level at which red holds a session on each host."""
        states = [env.true_state() for env in self._envs[: len(self._observations)]]
        user = np.array([state.user_sessions for state in states]) > 0
        privileged = np.array([state.privileged_sessions for state in states]) > 0
        return np.where(privileged, Access.PRIVILEGED, np.where(user, Access.USER, Access.NONE)).astype(np.int8)

    def close(self) -> None:
        """Nothing is held."""

    def _sessions(self, num_envs: int) -> npt.NDArray[np.int16]:
        """(B, H) red's sessions on each host."""
        states = [env.true_state() for env in self._envs[:num_envs]]
        return np.array([state.user_sessions + state.privileged_sessions for state in states])

    def _grow(self, num_envs: int) -> None:
        options = self._spec.options
        while len(self._envs) < num_envs:
            self._envs.append(
                CyborgEnv(
                    self._spec.cyborg_path,
                    red_agent=options.red_agent,
                    observation=options.observation,
                    max_steps=options.max_steps,
                    green=options.green,
                )
            )
