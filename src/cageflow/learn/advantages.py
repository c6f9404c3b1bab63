"""Returns and advantages of whole episodes of equal length, time-major."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray


def discounted_returns(
    rewards: NDArray[np.float32], final_values: NDArray[np.float32], gamma: float
) -> NDArray[np.float32]:
    """Monte-Carlo returns: the rewards from each step to the end of its episode, discounted by `gamma` a step.

    Args:
        rewards: (T, B) float32.
        final_values: (B,) float32, what stands for the rewards after the last step; zeros for nothing.

    Returns:
        (T, B) float32.

    Raises:
        ValueError: a wrong shape.
    """
    _check_shapes(rewards, final_values)
    returns = np.empty_like(rewards)
    _discount(rewards, final_values, gamma, returns)
    return returns


def gae(
    rewards: NDArray[np.float32],
    values: NDArray[np.float32],
    final_values: NDArray[np.float32],
    gamma: float,
    gae_lambda: float,
) -> NDArray[np.float32]:
    """Generalised advantage estimates of episodes that all end with the last step.

    A_t = delta_t + gamma * lambda * A_{t+1} with delta_t = r_t + gamma * V_{t+1} - V_t and A_T = 0.

    Args:
        rewards: (T, B) float32.
        values: (T, B) float32, the critic's value of each observation, in units of the rewards.
        final_values: (B,) float32, V_T, the value of the observation after the last step; zeros where the end of the
            episode counts as a true end.

    Returns:
        (T, B) float32. Added to `values` they are the critic's targets.

    Raises:
        ValueError: a wrong shape.
    """
    _check_shapes(rewards, final_values)
    if values.shape != rewards.shape:
        raise ValueError(f"expected {rewards.shape} values, got {values.shape}")
    advantages = np.empty_like(rewards)
    _accumulate(rewards, values, final_values, gamma, gae_lambda, advantages)
    return advantages


def explained_variance(values: NDArray[np.float32], returns: NDArray[np.float32]) -> float:
    """Share of the variance of `returns` that `values` predict: 1 perfect, 0 no better than a constant, else worse.

    Returns:
        NaN where all returns are equal.
    """
    variance = float(np.var(returns, dtype=np.float64))
    if variance == 0.0:
        return float("nan")
    return 1.0 - float(np.var(returns - values, dtype=np.float64)) / variance


def _check_shapes(rewards: NDArray[np.float32], final_values: NDArray[np.float32]) -> None:
    if rewards.ndim != 2:
        raise ValueError(f"expected (T, B) rewards, got {rewards.shape}")
    if final_values.shape != rewards.shape[1:]:
        raise ValueError(f"expected {rewards.shape[1:]} final_values, got {final_values.shape}")


@njit(cache=True, nogil=True)
def _discount(
    rewards: NDArray[np.float32], final_values: NDArray[np.float32], gamma: float, returns: NDArray[np.float32]
) -> None:
    """Write the (T, B) discounted returns."""
    num_steps, num_envs = rewards.shape
    running = final_values.astype(np.float64)
    for t in range(num_steps - 1, -1, -1):
        for b in range(num_envs):
            running[b] = rewards[t, b] + gamma * running[b]
            returns[t, b] = running[b]


@njit(cache=True, nogil=True)
def _accumulate(
    rewards: NDArray[np.float32],
    values: NDArray[np.float32],
    final_values: NDArray[np.float32],
    gamma: float,
    gae_lambda: float,
    advantages: NDArray[np.float32],
) -> None:
    """Write the (T, B) advantages."""
    num_steps, num_envs = rewards.shape
    running = np.zeros(num_envs)
    for t in range(num_steps - 1, -1, -1):
        for b in range(num_envs):
            next_value = final_values[b] if t == num_steps - 1 else values[t + 1, b]
            delta = rewards[t, b] + gamma * next_value - values[t, b]
            running[b] = delta + gamma * gae_lambda * running[b]
            advantages[t, b] = running[b]


def step_weights(episode_lengths: Sequence[int], num_steps: int) -> NDArray[np.float32]:
    """How many of the episode lengths each step lies within, (T,) float32."""
    steps = np.arange(num_steps)
    weights: NDArray[np.float32] = np.sum([steps < length for length in episode_lengths], axis=0, dtype=np.float32)
    return weights
