"""Playing whole episodes with a policy: the one loop over steps that all collectors run."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from cageflow.collect.episodes import Episodes
from cageflow.collect.games import Games, WorkflowSpec
from cageflow.collect.seeds import action_uniforms
from cageflow.learn.bit_table import BitTable
from cageflow.learn.inference import Actor, ActorWeights
from cageflow.learn.rollout import Rollout


class Player:
    """Plays a policy in games.

    Args:
        games: to play in.
        num_steps: T, of an episode.
    """

    def __init__(self, games: Games, num_steps: int) -> None:
        self._games = games
        self._num_steps = num_steps
        self._actor: Actor | None = None

    def play(self, weights: ActorWeights, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None) -> Episodes:
        """Play one episode for each seed.

        Args:
            weights: the policy.
            seeds: (B,) uint64 episode seeds; each decides the game's chance and the policy's.
            workflow: that the fixes are judged by, or None.
        """
        started = time.perf_counter()
        inference_s = 0.0
        games = self._games
        games.reset(seeds, workflow)
        masks = games.masks
        actor = self._start_actor(weights, masked=masks is not None)
        steps = (self._num_steps, seeds.shape[0])
        uniforms = np.empty(steps[1], np.float64)
        observation_idx = np.empty(steps, np.int32)
        actions = np.empty(steps, np.int16)
        log_probs = np.empty(steps, np.float32)
        env_rewards = np.empty(steps, np.float32)
        alignment_rewards = np.empty(steps, np.float32)
        mask_table = None if masks is None else BitTable(masks.shape[1])
        mask_idx = None if masks is None else np.empty(steps, np.int32)
        for t in range(steps[0]):
            asked = time.perf_counter()
            action_uniforms(seeds, t, uniforms)
            if mask_table is not None and mask_idx is not None:
                masks = games.masks
                assert masks is not None
                mask_table.index(masks, mask_idx[t])
            actor.act(games.observations, uniforms, actions[t], log_probs[t], observation_idx[t], masks)
            inference_s += time.perf_counter() - asked
            games.step(actions[t], env_rewards[t], alignment_rewards[t])
        final_observation_idx = actor.index(games.observations)
        outcomes = games.outcomes()
        alignment_rewards[-1] += outcomes.end_rewards
        return Episodes(
            rollout=Rollout(
                observations=actor.observations.copy(),
                observation_idx=observation_idx,
                final_observation_idx=final_observation_idx,
                actions=actions,
                log_probs=log_probs,
                env_rewards=env_rewards,
                alignment_rewards=alignment_rewards,
                masks=None if mask_table is None else mask_table.rows.copy(),
                mask_idx=mask_idx,
            ),
            seeds=seeds,
            compliance=outcomes.compliance,
            fixes=outcomes.fixes,
            tests=outcomes.tests,
            contests=outcomes.contests,
            inference_s=inference_s,
            simulation_s=time.perf_counter() - started - inference_s,
        )

    def close(self) -> None:
        """End the games."""
        self._games.close()

    def _start_actor(self, weights: ActorWeights, *, masked: bool) -> Actor:
        if self._actor is None or self._actor.is_masked != masked:
            self._actor = Actor(weights, masked=masked)
        else:
            self._actor.start(weights)
        return self._actor
