"""The compiled part of the actor's loss where every step has its own mask."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True, error_model="numpy")
def masked_steps(
    shifted: NDArray[np.float32],
    exps: NDArray[np.float32],
    products: NDArray[np.float32],
    row_idx: NDArray[np.int64],
    masks: NDArray[np.uint8],
    mask_idx: NDArray[np.int64],
    actions: NDArray[np.int64],
    old_log_probs: NDArray[np.float32],
    advantages: NDArray[np.float32],
    clip_coef: float,
    ent_coef: float,
    exp_weights: NDArray[np.float32],
    product_weights: NDArray[np.float32],
    grad: NDArray[np.float32],
) -> tuple[float, float, float, float]:
    """Go through the steps once, for the loss and for its gradient.

    With l a row of logits less its maximum, m a mask and sums over the allowed actions: Z = sum e^l and S = sum l e^l
    give the log-probability l_a - log Z and the entropy H = log Z - S / Z. If g is the derivative of the loss by the
    log-probability of the action taken and c = ent_coef / N, its derivative by l_a is

        g [a taken] + m_a (e^l_a (c (H - log Z) - g) / Z + l_a e^l_a c / Z).

    The first term goes to `grad`. The factors of e^l and of l e^l are summed over the steps of a row, so that the
    caller finishes with one product per row: grad + exps * exp_weights + products * product_weights.

    Args:
        shifted: (U, A) float32, l.
        exps: (U, A) float32, e^l.
        products: (U, A) float32, l e^l.
        row_idx: (N,) int64, each step's row of these.
        masks: (M, A) uint8, 1 for allowed.
        mask_idx: (N,) int64, each step's row of `masks`.
        actions: (N,) int64, allowed ones.
        old_log_probs: (N,) float32 under the policy that acted.
        advantages: (N,) float32.
        clip_coef: half-width of the interval around 1 that the ratio is clipped to.
        ent_coef: weight of the entropy bonus.
        exp_weights: (U, A) float32, added to.
        product_weights: (U, A) float32, added to.
        grad: (U, A) float32, added to.

    Returns:
        Sums over the steps of the clipped surrogate, negated; the entropy; (r - 1) - log r; and the number of steps
        with r outside the clip interval.
    """
    num_steps = row_idx.shape[0]
    bonus = ent_coef / num_steps
    clipped = 0.0
    entropy = 0.0
    divergence = 0.0
    outside = 0.0
    for n in range(num_steps):
        row = row_idx[n]
        mask = masks[mask_idx[n]]
        total, total_product = _masked_sums(mask, exps[row], products[row])
        log_total = math.log(total)
        step_entropy = log_total - total_product / total

        # In double precision throughout: rounding must not decide whether a ratio counts as clipped.
        advantage = np.float64(advantages[n])
        log_ratio = np.float64(shifted[row, actions[n]]) - log_total - np.float64(old_log_probs[n])
        ratio = math.exp(log_ratio)
        surrogate = ratio * advantage
        clipped_surrogate = min(max(ratio, 1.0 - clip_coef), 1.0 + clip_coef) * advantage
        step_grad = 0.0
        if surrogate <= clipped_surrogate:
            step_grad = -surrogate / num_steps
        clipped -= min(surrogate, clipped_surrogate)
        entropy += step_entropy
        divergence += ratio - 1.0 - log_ratio
        outside += abs(ratio - 1.0) > clip_coef

        exp_weight = (bonus * (step_entropy - log_total) - step_grad) / total
        _add_masked(mask, exp_weight, exp_weights[row])
        _add_masked(mask, bonus / total, product_weights[row])
        grad[row, actions[n]] += step_grad
    return clipped, entropy, divergence, outside


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _masked_sums(
    mask: NDArray[np.uint8], first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[float, float]:
    """Sums of two rows (A,) over the allowed actions, in any order: the compiler may vectorise them."""
    first_sum = second_sum = np.float32(0.0)
    for a in range(mask.shape[0]):
        allowed = np.float32(mask[a])
        first_sum += allowed * first[a]
        second_sum += allowed * second[a]
    return np.float64(first_sum), np.float64(second_sum)


@njit(cache=True, nogil=True)
def _add_masked(mask: NDArray[np.uint8], number: float, row: NDArray[np.float32]) -> None:
    """Add a number to a row (A,) at the allowed actions."""
    small = np.float32(number)
    for a in range(mask.shape[0]):
        row[a] += np.float32(mask[a]) * small
