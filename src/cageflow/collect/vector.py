"""The vector collector: a batch of episodes in step, in this process, on the compiled simulator."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.collect.episodes import Episodes
from cageflow.collect.seeds import action_uniforms
from cageflow.learn.inference import Actor, ActorWeights
from cageflow.learn.rollout import Rollout
from cageflow.scenario import Network
from cageflow.sim.batch import reset_batch, step_batch, unpack_batch
from cageflow.sim.state import new_states
from cageflow.workflow.compliance import ComplianceTracker


class VectorCollector:
    """Plays whole episodes, all environments one step at a time.

    Args:
        network: the network that is played.
        params: settings of the game, `make_params`.
    """

    def __init__(self, network: Network, params: Any) -> None:
        self._network = network
        self._params = params
        self._initial = new_states(network, 1)
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
        num_envs, num_steps = seeds.shape[0], int(self._params.max_steps)
        actor = self._start_actor(weights)
        states = new_states(self._network, num_envs)
        keys = np.empty(num_envs, np.uint64)
        observations = np.zeros((num_envs, self._network.num_observations), np.uint8)
        uniforms = np.empty(num_envs, np.float64)
        observation_idx = np.empty((num_steps, num_envs), np.int32)
        actions = np.empty((num_steps, num_envs), np.int16)
        log_probs = np.empty((num_steps, num_envs), np.float32)
        env_rewards = np.empty((num_steps, num_envs), np.float32)
        alignment_rewards = np.zeros((num_steps, num_envs), np.float32)

        reset_batch(states, self._initial, seeds, keys)
        if tracker is not None:
            tracker.restart()
        for t in range(num_steps):
            action_uniforms(seeds, t, uniforms)
            actor.act(observations, uniforms, actions[t], log_probs[t], observation_idx[t])
            if tracker is not None:
                tracker.score_states(states, actions[t], alignment_rewards[t])
            step_batch(states, self._network.tables, self._params, actions[t], keys, env_rewards[t])
            unpack_batch(keys, observations)
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
            ),
            seeds=seeds,
            compliance=np.full(num_envs, np.nan) if tracker is None else tracker.compliance(),
            fixes=np.zeros(num_envs, np.int32) if tracker is None else tracker.fixes.copy(),
            num_seconds=time.perf_counter() - start,
        )

    def _start_actor(self, weights: ActorWeights) -> Actor:
        if self._actor is None:
            self._actor = Actor(weights)
        else:
            self._actor.start(weights)
        return self._actor
