"""Choosing actions from probabilities by uniform numbers that the caller draws: the same numbers, the same actions."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cageflow.numerics.elementary import log, small_exp
from cageflow.numerics.vectors import LANES, masked_total

MASKED_LOGIT = -1e9
"""Logit that stands for minus infinity: its probability is exactly 0, and sums with it stay finite."""


_ZERO = np.float32(0.0)


@njit(cache=True, nogil=True)
def softmax_row(log_probs: NDArray[np.float32], probs: NDArray[np.float32]) -> None:
    """Turn one row of logits into log-probabilities in place, and write the probabilities beside them; both (A,)."""
    top = log_probs[0]
    for a in range(log_probs.shape[0]):
        top = max(top, log_probs[a])
    for a in range(log_probs.shape[0]):
        probs[a] = small_exp(log_probs[a] - top)
    total = 0.0
    for a in range(log_probs.shape[0]):
        total += probs[a]
    log_total = np.float32(log(total))
    for a in range(log_probs.shape[0]):
        log_probs[a] = (log_probs[a] - top) - log_total
        probs[a] = np.float32(probs[a] / total)


@njit(cache=True, nogil=True)
def cumulate_row(probs: NDArray[np.float32]) -> None:
    """Replace one row of probabilities, (A,), by their running sum."""
    running = 0.0
    for a in range(probs.shape[0]):
        running += probs[a]
        probs[a] = np.float32(running)


@njit(cache=True, nogil=True)
def sample_actions(
    row_idx: NDArray[np.int32],
    log_probs: NDArray[np.float32],
    cumulative: NDArray[np.float32],
    uniforms: NDArray[np.float64],
    actions: NDArray[Any],
    action_log_probs: NDArray[np.float32],
) -> None:
    """Invert the cumulative distribution of each environment's row at its uniform number.

    Args:
        row_idx: (B,) int32 rows of the tables.
        log_probs: (R, A) float32.
        cumulative: (R, A) float32, running sums of the probabilities.
        uniforms: (B,) float64 in [0, 1).
        actions: (B,) any integer type, written.
        action_log_probs: (B,) float32, written.
    """
    for b in range(row_idx.shape[0]):
        row = row_idx[b]
        actions[b], action_log_probs[b] = sample_row(log_probs[row], cumulative[row], uniforms[b])


@njit(cache=True, nogil=True)
def sample_row(
    log_probs: NDArray[np.float32], cumulative: NDArray[np.float32], uniform: float
) -> tuple[int, np.float32]:
    """The action of one row, (A,), at a uniform number, and its log-probability; see `sample_actions`."""
    last = cumulative.shape[0] - 1
    x = uniform * cumulative[last]
    action = 0
    for a in range(last):
        action += cumulative[a] <= x
    return action, log_probs[action]


@njit(cache=True, nogil=True)
def sample_masked_actions(
    row_idx: NDArray[np.int32],
    log_probs: NDArray[np.float32],
    probs: NDArray[np.float32],
    masks: NDArray[np.uint8],
    uniforms: NDArray[np.float64],
    actions: NDArray[Any],
    action_log_probs: NDArray[np.float32],
) -> int:
    """`sample_actions` among the allowed actions only, whose probabilities are brought to a sum of 1.

    Args:
        probs: (R, A) float32 probabilities, not running sums.
        masks: (B, A) uint8, 1 for allowed.

    Returns:
        -1, or the first environment whose allowed actions have no probability between them.
    """
    totals = np.empty(num_totals(probs.shape[1]), np.float64)
    for b in range(row_idx.shape[0]):
        row = row_idx[b]
        action, log_prob = sample_masked_row(log_probs[row], probs[row], masks[b], uniforms[b], totals)
        if action < 0:
            return b
        actions[b] = action
        action_log_probs[b] = log_prob
    return -1


@njit(cache=True, nogil=True)
def sample_masked_row(
    log_probs: NDArray[np.float32],
    probs: NDArray[np.float32],
    mask: NDArray[np.uint8],
    uniform: float,
    totals: NDArray[np.float64],
) -> tuple[int, np.float32]:
    """The action of one row, (A,), at a uniform number, among those that its mask allows; see `sample_masked_actions`.

    Args:
        totals: (`num_totals`,) float64, written: the probability of the allowed among the first eight actions, the
            first sixteen and so on; the last of all.

    Returns:
        The action and its log-probability among the allowed; -1 where these have no probability between them.
    """
    num_actions = probs.shape[0]
    num_whole = num_actions // LANES
    total = 0.0
    for part in range(num_whole):
        total += np.float64(masked_total(probs, part * LANES, mask, part * LANES))
        totals[part] = total
    share = 0.0
    for a in range(num_whole * LANES, num_actions):
        if mask[a]:
            share += probs[a]
    total += share
    totals[num_whole] = total
    if not total > 0.0:
        return -1, _ZERO
    x = uniform * total
    chosen = 0
    for part in range(num_whole):
        chosen += totals[part] <= x
    action = -1
    running = totals[chosen - 1] if chosen > 0 else 0.0
    for a in range(chosen * LANES, min(chosen * LANES + LANES, num_actions)):
        if mask[a] and probs[a] > 0.0:
            action = a
            running += probs[a]
            if running > x:
                break
    return action, log_probs[action] - np.float32(log(total))


@njit(cache=True, nogil=True)
def num_totals(num_actions: int) -> int:
    """Parts of eight actions that `sample_masked_row` adds up, the rest being one more."""
    return num_actions // LANES + 1


@njit(cache=True, nogil=True)
def best_actions(
    row_idx: NDArray[np.int32],
    log_probs: NDArray[np.float32],
    masks: NDArray[np.uint8],
    actions: NDArray[Any],
) -> int:
    """The likeliest action of each environment's row, the first of equals.

    Args:
        masks: (B, A) uint8, 1 for allowed; (0, A) for all allowed.

    Returns:
        -1, or the first environment with no allowed action.
    """
    for b in range(row_idx.shape[0]):
        row = log_probs[row_idx[b]]
        action = -1
        for a in range(row.shape[0]):
            if masks.shape[0] and not masks[b, a]:
                continue
            if action < 0 or row[a] > row[action]:
                action = a
        if action < 0:
            return b
        actions[b] = action
    return -1
