"""The vector collector: a batch of episodes in step, in this process, on the compiled simulator."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from cageflow.collect.episodes import Episodes
from cageflow.collect.seeds import action_uniforms
from cageflow.envs.options import GameOptions
from cageflow.learn.bit_table import BitTable
from cageflow.learn.inference import Actor, ActorWeights
from cageflow.learn.rollout import Rollout
from cageflow.sim.batch import reset_loop, step_loop, unpack_batch
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import mask_loop, new_memories, remember_keys_loop
from cageflow.sim.state import new_states
from cageflow.workflow.compliance import ComplianceTracker


class VectorCollector:
    """Plays whole episodes, all environments one step at a time.

    Args:
        game: that is played.
        masked: leave out the actions that blue can know to be in vain.
    """

    def __init__(self, game: GameOptions, *, masked: bool) -> None:
        self._network = game.network
        self._num_steps = game.max_steps
        self._masked = masked
        self._nets = row(self._network.tables)
        self._settings = row(game.params())
        self._initial = plain(new_states(self._network, 1))
        self._actor: Actor | None = None

    def collect(
        self, weights: ActorWeights, seeds: npt.NDArray[np.uint64], tracker: ComplianceTracker | None = None
    ) -> Episodes:
        """Play one episode for each seed.

        Args:
            weights: the policy.
            seeds: (B,) uint64 episode seeds.
            tracker: judges the fixes of these B environments; None without a workflow.
        """
        start = time.perf_counter()
        num_envs, num_steps = seeds.shape[0], self._num_steps
        steps = (num_steps, num_envs)
        actor = self._start_actor(weights)
        states = plain(new_states(self._network, num_envs))
        keys = np.empty(num_envs, np.uint64)
        observations = np.zeros((num_envs, self._network.num_observations), np.uint8)
        uniforms = np.empty(num_envs, np.float64)
        observation_idx = np.empty(steps, np.int32)
        actions = np.empty(steps, np.int16)
        log_probs = np.empty(steps, np.float32)
        env_rewards = np.empty(steps, np.float32)
        alignment_rewards = np.zeros(steps, np.float32)
        masks = _Masks(len(self._network.codec), steps) if self._masked else None
        memories = plain(new_memories(self._network, num_envs))

        reset_loop(states, self._initial, seeds, keys)
        if tracker is not None:
            tracker.restart()
        for t in range(num_steps):
            action_uniforms(seeds, t, uniforms)
            allowed = None
            if masks is not None:
                mask_loop(memories, self._nets, masks.present)
                allowed = masks.note(t)
            actor.act(observations, uniforms, actions[t], log_probs[t], observation_idx[t], allowed)
            if tracker is not None:
                tracker.score_states(states, actions[t], alignment_rewards[t])
            step_loop(states, self._nets, self._settings, actions[t], keys, env_rewards[t])
            unpack_batch(keys, observations)
            if masks is not None:
                remember_keys_loop(memories, self._nets, self._settings, actions[t], keys)
        final_observation_idx = actor.index(observations)
        if tracker is not None:
            alignment_rewards[-1] += tracker.end_rewards()
        return Episodes(
            rollout=Rollout(
                observations=actor.observations.copy(),
                observation_idx=observation_idx,
                final_observation_idx=final_observation_idx,
                actions=actions,
                log_probs=log_probs,
                env_rewards=env_rewards,
                alignment_rewards=alignment_rewards,
                masks=None if masks is None else masks.table.rows.copy(),
                mask_idx=None if masks is None else masks.idx,
            ),
            seeds=seeds,
            compliance=np.full(num_envs, np.nan) if tracker is None else tracker.compliance(),
            fixes=np.zeros(num_envs, np.int32) if tracker is None else tracker.fixes.copy(),
            num_seconds=time.perf_counter() - start,
        )

    def _start_actor(self, weights: ActorWeights) -> Actor:
        if self._actor is None:
            self._actor = Actor(weights, masked=self._masked)
        else:
            self._actor.start(weights)
        return self._actor


class _Masks:
    """The masks of a rollout, each distinct one kept once."""

    def __init__(self, num_actions: int, steps: tuple[int, int]) -> None:
        self.table = BitTable(num_actions)
        self.idx = np.empty(steps, np.int32)
        self.present = np.empty((steps[1], num_actions), np.bool_)

    def note(self, t: int) -> npt.NDArray[np.uint8]:
        """Keep the present masks as those of step `t`, and give them as (B, A) uint8."""
        masks = self.present.view(np.uint8)
        self.table.index(masks, self.idx[t])
        return masks
