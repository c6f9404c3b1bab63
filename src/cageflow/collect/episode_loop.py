"""Whole episodes on the compiled simulator in one compiled function: choosing, judging, stepping, remembering.

It calls what the loop in Python of `play` calls, in the same order, so both give the same episodes to the last bit. It
is quicker since no step passes through Python, and since the number of a mask is looked up only where the mask changed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.collect.seeds import action_uniform
from cageflow.learn.bit_table import TableRoom, find_or_add_packed, find_or_add_row
from cageflow.learn.inference import ActorRoom, evaluate_rows
from cageflow.learn.sampling import num_totals, sample_masked_row, sample_row
from cageflow.numerics.borrowing import borrowed
from cageflow.numerics.stopwatch import now
from cageflow.sim.batch import play_loop
from cageflow.sim.knowledge import keep_order, update_mask
from cageflow.sim.recall import recall
from cageflow.workflow.compliance import Judging, score_states


class Played(NamedTuple):
    """What is played on: see `cageflow.sim.batch.play_loop`.

    Attributes:
        table: (B, F) uint8 what blue sees now; overwritten in each step.
        bits: (F,) uint8 scratch, what the policy reads of one game; longer than the table where it reads its memory.
        decoys: (P, 2) for `cageflow.sim.recall.recall`.
    """

    states: npt.NDArray[Any]
    memories: npt.NDArray[Any]
    nets: npt.NDArray[Any]
    settings: npt.NDArray[Any]
    table: npt.NDArray[np.uint8]
    bits: npt.NDArray[np.uint8]
    decoys: npt.NDArray[np.int64]


class Masking(NamedTuple):
    """What keeps the masks of a batch: see `cageflow.sim.knowledge`, `update_mask` and `keep_order`.

    Attributes:
        leaves_out: whether actions that are in vain are masked.
        keeps_order: whether fixes that have to wait by an order are masked.
        masks: (B, A) uint8 without the order; all 1 where nothing is left out.
        mask: (A,) uint8 scratch, of one game with the order.
    """

    leaves_out: bool
    known: npt.NDArray[Any]
    starts: npt.NDArray[np.int64]
    host_actions: npt.NDArray[np.int64]
    masks: npt.NDArray[np.uint8]
    keeps_order: bool
    ranks: npt.NDArray[np.int64]
    fixes: npt.NDArray[np.int64]
    mask: npt.NDArray[np.uint8]


class Steps(NamedTuple):
    """What is written of T steps of B games; the names are those of `cageflow.learn.rollout.Rollout`.

    Attributes:
        mask_idx: (T, B) int32, nothing that counts where no masks are used; (T, B) all before it and after it but:
        final_observation_idx: (B,) int32.
        counts: (2,) int64 distinct observations and masks so far.
        seconds: (2,) float64 that went into choosing and into the games so far.
    """

    observation_idx: npt.NDArray[np.int32]
    mask_idx: npt.NDArray[np.int32]
    actions: npt.NDArray[np.int16]
    log_probs: npt.NDArray[np.float32]
    env_rewards: npt.NDArray[np.float32]
    alignment_rewards: npt.NDArray[np.float32]
    final_observation_idx: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def play_steps(
    first: int,
    seeds: npt.NDArray[np.uint64],
    played: Played,
    actor: ActorRoom,
    masking: Masking,
    mask_table: TableRoom,
    is_judged: bool,
    judging: Judging,
    steps: Steps,
) -> int:
    """Play B games from step `first` to their end, or to where a table of distinct rows has to grow.

    Args:
        first: steps that are behind them.
        seeds: (B,) uint64 episode seeds.
        played: the games.
        actor: who plays.
        masking: the masks that it chooses by.
        mask_table: the distinct ones.
        is_judged: whether a workflow judges the actions.
        judging: by what.
        steps: written.

    Returns:
        Steps that are now behind them: T + 1 once they have ended and the last observation is noted; -1 - b where the
        mask of game b allows no action of any probability.
    """
    seeds, played, actor, masking = borrowed(seeds), borrowed(played), borrowed(actor), borrowed(masking)
    mask_table, judging, steps = borrowed(mask_table), borrowed(judging), borrowed(steps)
    num_steps, num_envs = steps.actions.shape
    net, table = played.nets[0], actor.table
    is_masked = masking.leaves_out or masking.keeps_order
    num_observations, num_masks = steps.counts[0], steps.counts[1]
    num_seen = played.table.shape[1]
    has_memory = played.bits.shape[0] > num_seen
    totals = np.empty(num_totals(actor.log_probs.shape[1]), np.float64)
    behind = first
    began = now()
    for t in range(first, num_steps + 1):
        if num_observations + num_envs > table.rows.shape[0] or num_masks + num_envs > mask_table.rows.shape[0]:
            break
        row_idx = steps.observation_idx[t] if t < num_steps else steps.final_observation_idx
        num_known = num_observations
        for i in range(num_envs):
            seen = played.table[i]
            if has_memory:
                bits = played.bits
                for place in range(num_seen):  # an assignment of slices would have its refusal compiled
                    bits[place] = seen[place]
                recall(played.memories[i], net, played.decoys, bits[num_seen:])
                row_idx[i] = find_or_add_row(bits, table.slots, table.words, table.rows, num_observations, table.word)
            else:  # the environment has its table packed as well
                word = played.states[i].table
                row_idx[i] = find_or_add_packed(word, seen, table.slots, table.words, table.rows, num_observations)
            num_observations = max(num_observations, row_idx[i] + 1)
        evaluate_rows(
            table.rows,
            num_known,
            num_observations,
            actor.layout,
            actor.weights,
            actor.activation,
            not is_masked,
            actor.starts,
            actor.places,
            actor.block,
            actor.outputs,
            actor.log_probs,
            actor.sampling,
        )
        steps.counts[0] = num_observations
        if t == num_steps:
            behind = num_steps + 1
            break
        for i in range(num_envs):
            row, uniform = row_idx[i], action_uniform(seeds[i], t)
            log_probs, sampling = actor.log_probs[row], actor.sampling[row]
            if not is_masked:
                steps.actions[t, i], steps.log_probs[t, i] = sample_row(log_probs, sampling, uniform)
                continue
            mask, is_new = masking.masks[i], t == 0
            if masking.leaves_out:
                known, starts, actions = masking.known[i], masking.starts, masking.host_actions
                is_new |= update_mask(played.memories[i], known, net, starts, actions, mask)
            if masking.keeps_order:
                for action in range(mask.shape[0]):
                    masking.mask[action] = mask[action]
                mask, is_new = masking.mask, True
                keep_order(played.memories[i], net, masking.ranks, masking.fixes, mask)
            if is_new:
                mask_idx = find_or_add_row(
                    mask, mask_table.slots, mask_table.words, mask_table.rows, num_masks, mask_table.word
                )
                num_masks = max(num_masks, mask_idx + 1)
            else:
                mask_idx = steps.mask_idx[t - 1, i]
            steps.mask_idx[t, i] = mask_idx
            action, log_prob = sample_masked_row(log_probs, sampling, mask, uniform, totals)
            if action < 0:
                return -1 - i
            steps.actions[t, i], steps.log_probs[t, i] = action, log_prob
        steps.counts[1] = num_masks
        chosen = now()
        steps.seconds[0] += chosen - began
        if is_judged:
            score_states(
                played.states,
                played.memories,
                judging.nets,
                judging.order,
                judging.spared,
                judging.alignment_lambda,
                steps.actions[t],
                judging.fixes,
                judging.compliant_fixes,
                judging.tests,
                judging.contests,
                steps.alignment_rewards[t],
            )
        play_loop(
            played.states,
            played.memories,
            played.nets,
            played.settings,
            steps.actions[t],
            played.table,
            steps.env_rewards[t],
        )
        began = now()
        steps.seconds[1] += began - chosen
        behind = t + 1
    steps.seconds[0] += now() - began
    return behind
