"""Small games with known solutions, and crude rollouts, for the tests of the learner."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cageflow.learn.inference import Actor, ActorWeights
from cageflow.learn.rollout import Rollout


class Game(Protocol):
    """A game of fixed length for a batch of environments."""

    num_observations: int
    num_actions: int

    def reset(self, num_envs: int, rng: np.random.Generator) -> NDArray[np.uint8]: ...

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]: ...


@dataclass
class ContextualBandit:
    """One of `num_actions` contexts is shown, one-hot; the action of the same number earns 1, every other 0."""

    num_actions: int = 4
    num_observations: int = 4
    _context: NDArray[np.int64] = field(init=False)
    _rng: np.random.Generator = field(init=False)

    def reset(self, num_envs: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        self._rng = rng
        self._context = rng.integers(0, self.num_actions, num_envs)
        return self._observe()

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        rewards = (actions == self._context).astype(np.float32)
        self._context = self._rng.integers(0, self.num_actions, actions.shape[0])
        return self._observe(), rewards

    def _observe(self) -> NDArray[np.uint8]:
        return np.eye(self.num_actions, self.num_observations, dtype=np.uint8)[self._context]


@dataclass
class Chain:
    """Cells in a row, the own one shown one-hot. Action 1 goes right, action 0 goes back to the start for 0.1.

    The last cell gives 1 at every step that ends there, so that going right throughout earns most, once found.
    """

    num_observations: int = 5
    num_actions: int = 2
    _cell: NDArray[np.int64] = field(init=False)

    def reset(self, num_envs: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        self._cell = np.zeros(num_envs, np.int64)
        return self._observe()

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        last = self.num_observations - 1
        self._cell = np.where(actions == 1, np.minimum(self._cell + 1, last), 0)
        rewards = np.where(actions == 0, 0.1, (self._cell == last).astype(float)).astype(np.float32)
        return self._observe(), rewards

    def _observe(self) -> NDArray[np.uint8]:
        return np.eye(self.num_observations, dtype=np.uint8)[self._cell]


def play(
    game: Game,
    weights: ActorWeights,
    *,
    num_steps: int,
    num_envs: int,
    rng: np.random.Generator,
    mask: NDArray[np.uint8] | None = None,
) -> Rollout:
    """Collect a rollout; `mask` (A,) allows the same actions everywhere."""
    actor = Actor(weights, masked=mask is not None)
    masks = None if mask is None else np.tile(mask, (num_envs, 1))
    actions = np.empty((num_steps, num_envs), np.int64)
    log_probs = np.empty((num_steps, num_envs), np.float32)
    rewards = np.empty((num_steps, num_envs), np.float32)
    idx = np.empty((num_steps, num_envs), np.int32)
    observations = game.reset(num_envs, rng)
    for t in range(num_steps):
        actor.act(observations, rng.random(num_envs), actions[t], log_probs[t], idx[t], masks)
        observations, rewards[t] = game.step(actions[t])
    final_idx = actor.index(observations)
    return Rollout(
        observations=actor.observations.copy(),
        observation_idx=idx,
        final_observation_idx=final_idx,
        actions=actions,
        log_probs=log_probs,
        env_rewards=rewards,
        alignment_rewards=np.zeros_like(rewards),
        masks=None if mask is None else mask[None],
        mask_idx=None if mask is None else np.zeros_like(idx),
    )


def crude_rollout(
    weights: ActorWeights,
    seed: int,
    *,
    num_steps: int = 10,
    num_envs: int = 40,
    num_distinct: int = 30,
    masked: bool = False,
) -> Rollout:
    """Observations drawn from a heavy-tailed distribution over `num_distinct` random ones, rewards that vary with all.

    With `masked`, each step has one of five random masks.
    """
    rng = np.random.default_rng(seed)
    table = (rng.random((num_distinct, weights.num_observations)) < 0.3).astype(np.uint8)
    popularity = 1.0 / np.arange(1, num_distinct + 1)
    rows = rng.choice(num_distinct, (num_steps + 1, num_envs), p=popularity / popularity.sum())
    mask_table = (rng.random((5, weights.num_actions)) < 0.7).astype(np.uint8)
    mask_table[:, 0] = 1
    mask_idx = rng.integers(0, 5, (num_steps, num_envs))
    actor = Actor(weights, masked=masked)
    actions = np.empty((num_steps, num_envs), np.int64)
    log_probs = np.empty((num_steps, num_envs), np.float32)
    row_idx = np.empty(num_envs, np.int32)
    for t in range(num_steps):
        masks = mask_table[mask_idx[t]] if masked else None
        actor.act(table[rows[t]], rng.random(num_envs), actions[t], log_probs[t], row_idx, masks)
    rewards = rng.normal(size=actions.shape) - 5.0 * (actions % 3 == 0) + rows[1:] / num_distinct
    return Rollout(
        observations=table,
        observation_idx=rows[:-1],
        final_observation_idx=rows[-1],
        actions=actions,
        log_probs=log_probs,
        env_rewards=rewards.astype(np.float32),
        alignment_rewards=rng.normal(size=actions.shape).astype(np.float32),
        masks=mask_table if masked else None,
        mask_idx=mask_idx if masked else None,
    )


def spread(rollout: Rollout) -> Rollout:
    """The same rollout with a row of the tables for every single step, so that nothing is shared."""
    num_steps, num_envs = rollout.observation_idx.shape
    size = num_steps * num_envs
    observations = np.concatenate(
        [
            rollout.observations[rollout.observation_idx].reshape(size, -1),
            rollout.observations[rollout.final_observation_idx],
        ]
    )
    idx = np.arange(size).reshape(num_steps, num_envs)
    return Rollout(
        observations=observations,
        observation_idx=idx,
        final_observation_idx=np.arange(size, size + num_envs),
        actions=rollout.actions,
        log_probs=rollout.log_probs,
        env_rewards=rollout.env_rewards,
        alignment_rewards=rollout.alignment_rewards,
        masks=None if rollout.masks is None else rollout.masks[rollout.mask_idx].reshape(size, -1),
        mask_idx=None if rollout.masks is None else idx,
    )
