"""A batch of games on an installed CybORG, one after the other in this process."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.cyborg import CyborgEnv
from cageflow.envs.inspection import Access
from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.envs.perturbing import PERTURBING_STEPS, UNPERTURBED, perturbing_action, start_of
from cageflow.envs.varying import Variation
from cageflow.errors import UserError
from cageflow.workflow.compliance import ComplianceTracker


class CyborgBatch:
    """B games in the original, as `cageflow.envs.game.GameBatch` has them in the compiled simulator.

    CybORG draws from Python's global generator; each game gets its own by putting its state in place for as long as it
    plays, so that an episode depends on its seed alone.

    Args:
        options: the settings.
        cyborg_path: as for `CyborgEnv`.

    Attributes:
        memory: what blue remembers.

    Raises:
        UserError: CybORG is not there or cannot be imported.
    """

    def __init__(self, options: GameOptions, cyborg_path: str) -> None:
        self.memory = BlueMemory(options)
        self._options = options
        self._path = cyborg_path
        self._envs: list[CyborgEnv] = []
        self._streams: list[Any] = []
        self._grow(1)

    def begin(self, seeds: npt.NDArray[np.uint64], observations: npt.NDArray[Any]) -> None:
        """Begin an episode for each seed.

        Args:
            seeds: (B,) uint64; B may be another number than before.
            observations: (B, F) of any number type; overwritten with what blue sees at the start.
        """
        self._grow(len(seeds))
        self.memory.resize(len(seeds))
        self._streams = []
        outer = random.getstate()
        for i, seed in enumerate(seeds):
            observations[i] = self._envs[i].reset(seed=int(seed))[0]
            self._streams.append(random.getstate())
        random.setstate(outer)

    def play(
        self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any], rewards: npt.NDArray[np.floating]
    ) -> None:
        """One step of every game; (B, F) what blue sees after it and its (B,) rewards are overwritten."""
        outer = random.getstate()
        for i in range(len(actions)):
            random.setstate(self._streams[i])
            observations[i], rewards[i], *_ = self._envs[i].step(int(actions[i]))
            self._streams[i] = random.getstate()
        random.setstate(outer)
        self.memory.update(actions, observations)

    def vary(self, seeds: npt.NDArray[np.uint64], variation: Variation, observations: npt.NDArray[Any]) -> None:
        """Have a share of the episodes that have just begun start perturbed.

        Args:
            seeds: (B,) uint64, of the episodes.
            variation: what is drawn for them.
            observations: (B, F) of any number type; what blue sees at the end is written where a game is perturbed.

        Raises:
            UserError: anything else is to be drawn.
        """
        if variation.green_share is not None or variation.red_mixture:
            raise UserError(
                "CybORG has one red and one green agent for all episodes: leave red_mixture and green_share out."
            )
        memory, num_actions = self.memory, len(self.memory.network.codec)
        outer = random.getstate()
        for i, seed in enumerate(seeds):
            start = start_of(seed, variation.perturbed)
            random.setstate(self._streams[i])
            for done in range(0 if start == UNPERTURBED else PERTURBING_STEPS):
                action = perturbing_action(seed, done, start, num_actions)
                observations[i], *_ = self._envs[i].step(action)
                memory.update_one(i, action, observations[i])
            self._streams[i] = random.getstate()
        random.setstate(outer)

    def judge(
        self, tracker: ComplianceTracker, actions: npt.NDArray[np.integer], rewards: npt.NDArray[np.float32]
    ) -> None:
        """Have (B,) actions judged by a workflow before they are taken; its (B,) rewards are overwritten."""
        states = [env.true_state() for env in self._playing]
        sessions = np.array([state.user_sessions + state.privileged_sessions for state in states])
        tracker.score_sessions(sessions, self.memory.records, actions, rewards)

    def access(self) -> npt.NDArray[np.int8]:
        """(B, H) int8 of `inspection.Access`: the highest level at which red holds a session on each host."""
        states = [env.true_state() for env in self._playing]
        user = np.array([state.user_sessions > 0 for state in states])
        privileged = np.array([state.privileged_sessions > 0 for state in states])
        access = np.where(privileged, Access.PRIVILEGED, np.where(user, Access.USER, Access.NONE))
        return access.astype(np.int8)

    def close(self) -> None:
        """Nothing is held."""

    @property
    def _playing(self) -> list[CyborgEnv]:
        return self._envs[: len(self._streams)]

    def _grow(self, num_envs: int) -> None:
        options = self._options
        while len(self._envs) < num_envs:
            self._envs.append(
                CyborgEnv(
                    self._path,
                    red_agent=options.red_agent,
                    observation=options.observation,
                    max_steps=options.max_steps,
                    green=options.green,
                    lead_in=PERTURBING_STEPS,
                )
            )
