"""Rollouts from the steps of episodes, as they came."""

from cageflow.learn.bit_table import BitTable
from cageflow.learn.rollout import Rollout


def rollout_of(*, observations, final_observations, masks=None, **others):
    """A rollout of (T, B, F) observations, (B, F) final ones and (T, B, A) masks or None; the rest stays as it is."""
    num_steps, num_envs, num_bits = observations.shape
    table = BitTable(num_bits)
    observation_idx = table.index(observations.reshape(-1, num_bits)).reshape(num_steps, num_envs)
    final_observation_idx = table.index(final_observations)
    mask_table = mask_idx = None
    if masks is not None:
        distinct = BitTable(masks.shape[2])
        mask_idx = distinct.index(masks.reshape(-1, distinct.num_bits)).reshape(num_steps, num_envs)
        mask_table = distinct.rows.copy()
    return Rollout(
        observations=table.rows.copy(),
        observation_idx=observation_idx,
        final_observation_idx=final_observation_idx,
        masks=mask_table,
        mask_idx=mask_idx,
        **others,
    )
