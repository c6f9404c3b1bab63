"""PPO's gradient step, compiled: from a minibatch of steps to the parameters after it.

The steps of a rollout are sorted by observation and mask, so that a minibatch meets those of one observation together.
It is worked through in blocks of `BLOCK_ROWS` observations: networks forward, the loss and its derivatives, networks
backward. Of a large one the blocks are dealt out to parts, which threads may share, and the gradients of the parts are
added up. Actions that no mask of the rollout allows have probability 0 and gradient 0 throughout, and are left out.
Every sum has its order, see `cageflow.numerics`.

The parameters are one vector: for the actor, then for the critic, layer after layer, the bias (outputs,) and the weight
(inputs, outputs), an order's code counted among the first layer's inputs; zeros fill it up to a multiple of `LANES`.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cageflow.learn.dense import (
    BLOCK_ROWS,
    DELTAS_AT,
    GRADIENT_AT,
    INPUTS,
    NO_OFFSET,
    OUTPUTS,
    OUTPUTS_AT,
    SINGLE,
    WEIGHTS_AT,
    WIDTH,
    backward,
    forward,
    turn,
)
from cageflow.numerics.elementary import exp, fma, log, small_exp
from cageflow.numerics.vectors import (
    LANES,
    add_masked,
    apart,
    clear,
    copy,
    dot,
    highest,
    masked_sums,
    sum_of_squares,
    total_of,
)

STEPPED, TOO_FAR, NOT_FINITE, NO_GRADIENT = range(4)
"""What came of a minibatch: a step; none, as the policy had moved too far; none, as the loss was not finite; none, as
the gradient was not."""

AS_GIVEN, NORMALISED, LESS_VALUE = range(3)
"""What the advantages are: as they stand; brought to mean 0 and standard deviation 1; targets less present values."""

PARAMETERS, MEAN, SQUARE, GRADIENT = range(4)
"""What is learned, a row of (4, P) float32 each: the parameters, Adam's two moments, the gradient."""

STEP = np.dtype(
    [
        ("row_idx", np.int32),
        ("mask_idx", np.int32),
        ("action", np.int32),
        ("log_prob", np.float32),
        ("target", np.float32),
        ("advantage", np.float32),
    ]
)
"""A step: its observation; its mask; the place of its action among the columns; the log-probability under the policy
that acted; the critic's target; the advantage, not read where it is the target less the value."""

_EPS = 1e-8  # beside the standard deviation of the advantages
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_FORBIDDEN = np.float32(-1e9)  # logit of what only fills up a row
_EXPS, _PRODUCTS, _EXP_WEIGHTS, _PRODUCT_WEIGHTS = range(4)
_TOTALS, _ENTROPIES, _LOG_TOTALS, _LOG_RATIOS, _ERRORS, _UNITS, _GRADS, _SURROGATES, _DIVERGENCES, _OUTSIDE = range(10)
_ENDS, _PAIR_ROWS, _PLACES = range(3)
NUM_STEP_ROWS, NUM_WHOLE_ROWS, NUM_SUMS = 10, 3, 6
_BLOCKS = 5  # place among the sums of the number of blocks

PARTS, WORTH_SHARING = 2, 2048
"""Into so many parts the blocks of a minibatch are dealt where a rollout has so many distinct observations, whoever
works through them, so that the sums do not depend on the number of threads. More parts, or parts of less, cost more
where one thread has them all than they gain where others help."""
NUM_SHARED = 9
"""Of the first arguments of `minibatch_part`, which `minibatch_end` takes too."""


class Rates(NamedTuple):
    """The numbers of a step, under the names of `PPOConfig`; those that are off are infinite.

    Attributes:
        mean_share: 1 less the mean's decay to the power of the steps, this one included.
        square_share: the same of the square's decay.
    """

    clip_coef: float
    ent_coef: float
    vf_coef: float
    max_grad_norm: float
    target_kl: float
    learning_rate: float
    mean_decay: float
    square_decay: float
    mean_share: float
    square_share: float
    eps: float


class Measures(NamedTuple):
    """What a minibatch came to; means over its steps.

    Attributes:
        outcome: one of the four.
        clipped: clipped surrogate, negated.
        value_loss: squared error of the critic.
        entropy: of the policy, in nats.
        approx_kl: (r - 1) - log r, r the probability ratio.
        clip_fraction: share of the steps with r outside the clip interval.
        grad_norm: length of the gradient before clipping.
    """

    outcome: int
    clipped: float
    value_loss: float
    entropy: float
    approx_kl: float
    clip_fraction: float
    grad_norm: float


@njit(cache=True, nogil=True, error_model="numpy")
def minibatch_part(
    learned: NDArray[np.float32],
    actor: NDArray[np.int64],
    critic: NDArray[np.int64],
    memories: NDArray[np.float32],
    all_sums: NDArray[np.float64],
    order: NDArray[np.float32],
    columns: NDArray[np.int32],
    value_column: NDArray[np.int32],
    num_actions: int,
    scratches: NDArray[np.float32],
    rooms: NDArray[np.float64],
    wholes: NDArray[np.int64],
    all_bit_rows: NDArray[np.int32],
    all_bit_counts: NDArray[np.int64],
    all_rows: NDArray[np.int32],
    starts: NDArray[np.int64],
    places: NDArray[np.int32],
    masks: NDArray[np.int8],
    steps: NDArray[np.void],
    members: NDArray[np.int32],
    part: int,
    advantage_kind: int,
    activation: int,
    rates: Rates,
) -> None:
    """Work through every D-th block of a minibatch, from number `part` on; the D parts may run beside each other.

    Args:
        learned: (4, P) float32, of which the parameters are read.
        actor: layout of the actor with C outputs, see `dense.stack_layout`, in a row of `memories`.
        critic: layout of the critic, in the same.
        memories: (D, M) float32, for both; each begins with zeros, as many as the widest row.
        all_sums: (D, NUM_SUMS) float64, written: the first five means of `Measures` as sums, and the number of
            blocks; the gradient stands in the part's memory if there are any.
        order: (D,) float32 code of the workflow order, empty without one.
        columns: (C,) int32, the actions that a mask of the rollout allows.
        value_column: (1,) int32 of 0, the same for the critic.
        num_actions: A.
        scratches: (D, 4, BLOCK_ROWS * width) float32, of the actor's outputs.
        rooms: (D, NUM_STEP_ROWS, N') float64, scratch like the next four; N' at least the steps, a multiple of
            `LANES`.
        wholes: (D, NUM_WHOLE_ROWS, N') int64.
        all_bit_rows: (D, F * BLOCK_ROWS) int32.
        all_bit_counts: (D, F) int64.
        all_rows: (D, 2, BLOCK_ROWS) int32.
        starts: with `places` the observations' bits, see `dense.set_bits_of`.
        masks: int8, the distinct masks one after the other, each as wide as a row of the actor's outputs: -1 for
            allowed.
        steps: (N,) `STEP`, sorted by observation and then by mask.
        members: int32 numbers of the steps to learn from, ascending.
        part: 0 <= part < D.
        advantage_kind: one of the three.
        activation: place in `ACTIVATIONS`.
    """
    memory, sums = memories[part], all_sums[part]
    scratch, room, whole = scratches[part], rooms[part], wholes[part]
    bit_rows, bit_counts = all_bit_rows[part], all_bit_counts[part]
    every, block = all_rows[part, 0], all_rows[part, 1]
    for r in range(BLOCK_ROWS):
        every[r] = r
    row_idx = steps["row_idx"]
    clear(sums, 0, sums.shape[0])
    center, scale = 0.0, 1.0
    start = NO_OFFSET
    number = NO_OFFSET
    while start < members.shape[0]:
        num_rows = NO_OFFSET
        stop = start
        while stop < members.shape[0]:
            row = row_idx[members[stop]]
            if num_rows == 0 or row != block[num_rows - 1]:
                if num_rows == BLOCK_ROWS:
                    break
                block[num_rows] = row
                num_rows += 1
            stop += 1
        if number % all_sums.shape[0] == part:
            if sums[_BLOCKS] == 0.0:
                center, scale = _advantage_unit(steps["advantage"], members, advantage_kind)
                critic_at = _load_stack(learned[PARAMETERS], NO_OFFSET, actor, memory, order, columns, num_actions)
                _load_stack(learned[PARAMETERS], critic_at, critic, memory, order, value_column, SINGLE)
            sums[_BLOCKS] += 1.0
            _list_rows(starts, places, block, num_rows, bit_rows, bit_counts)
            for stack in range(2):
                layout = critic if stack else actor
                forward(layout, memory, activation, starts, places, block, num_rows, memory)
            block_loss(
                actor, critic, memory, scratch, room, whole, masks, steps, members, start, stop, num_rows,
                advantage_kind, center, scale, rates, sums,
            )  # fmt: skip
            for stack in range(2):
                layout = critic if stack else actor
                backward(layout, memory, activation, bit_rows, bit_counts, every, num_rows)
        number += 1
        start = stop


@njit(cache=True, nogil=True, error_model="numpy")
def minibatch_end(
    learned: NDArray[np.float32],
    actor: NDArray[np.int64],
    critic: NDArray[np.int64],
    memories: NDArray[np.float32],
    all_sums: NDArray[np.float64],
    order: NDArray[np.float32],
    columns: NDArray[np.int32],
    value_column: NDArray[np.int32],
    num_actions: int,
    num_steps: int,
    rates: Rates,
) -> Measures:
    """Add up what the parts of a minibatch of so many steps have come to, in their order, and step.

    Args:
        learned: changed if the outcome is `STEPPED`.
        memories: the first part's is written; the first part has a block.
        order: as for `minibatch_part`, like the rest.
    """
    sums = all_sums[0]
    for part in range(1, all_sums.shape[0]):
        if all_sums[part, _BLOCKS] == 0.0:
            continue
        for i in range(sums.shape[0]):
            sums[i] += all_sums[part, i]
        for stack in range(2):
            layout = critic if stack else actor
            begin = layout[0, GRADIENT_AT]
            size = layout[0, DELTAS_AT] - begin
            total, more = memories[0, begin : begin + size], memories[part, begin : begin + size]
            for i in range(size):
                total[i] += more[i]
    for i in range(sums.shape[0]):
        sums[i] = np.float64(np.float32(sums[i] / num_steps))  # infinite where the networks' numbers would be
    loss = sums[0] + rates.vf_coef * sums[1] - rates.ent_coef * sums[2]
    norm = 0.0
    if not math.isfinite(loss):
        outcome = NOT_FINITE
    elif sums[3] > rates.target_kl:
        outcome = TOO_FAR
    else:
        gradient, memory = learned[GRADIENT], memories[0]
        critic_at = _store_stack(gradient, NO_OFFSET, actor, memory, order, columns, num_actions)
        _store_stack(gradient, critic_at, critic, memory, order, value_column, SINGLE)
        norm = math.sqrt(sum_of_squares(gradient))
        outcome = STEPPED if math.isfinite(norm) else NO_GRADIENT
        if outcome == STEPPED:
            _adam(learned[PARAMETERS], learned[MEAN], learned[SQUARE], gradient, norm, rates)
    return Measures(outcome, sums[0], sums[1], sums[2], sums[3], sums[4], norm)


@njit(nogil=True, error_model="numpy")
def _advantage_unit(advantages: NDArray[np.float32], members: NDArray[np.int32], kind: int) -> tuple[float, float]:
    """What is taken from an advantage, and what the rest is multiplied by."""
    if kind != NORMALISED:
        return 0.0, 1.0
    total = 0.0
    for i in range(members.shape[0]):
        total += advantages[members[i]]
    mean = total / members.shape[0]
    squares = 0.0
    for i in range(members.shape[0]):
        off = advantages[members[i]] - mean
        squares += off * off
    spread = math.sqrt(squares / (members.shape[0] - 1)) if members.shape[0] > 1 else 0.0  # of one value there is none
    return mean, 1.0 / (spread + _EPS)


@njit(nogil=True, error_model="numpy")
def block_loss(
    actor: NDArray[np.int64],
    critic: NDArray[np.int64],
    memory: NDArray[np.float32],
    scratch: NDArray[np.float32],
    room: NDArray[np.float64],
    whole: NDArray[np.int64],
    masks: NDArray[np.int8],
    steps: NDArray[np.void],
    members: NDArray[np.int32],
    start: int,
    stop: int,
    num_rows: int,
    advantage_kind: int,
    center: float,
    scale: float,
    rates: Rates,
    sums: NDArray[np.float64],
) -> None:
    """The loss of the steps of a block and its derivatives by the networks' outputs.

    With l a row of logits less its maximum, m a mask and sums over the allowed actions: Z = sum e^l and S = sum l e^l
    give the log-probability l_a - log Z and the entropy H = log Z - S / Z. If g is the derivative of the loss by the
    log-probability of the action taken and c = ent_coef / N, its derivative by l_a is

        g [a taken] + m_a (e^l_a (c (H - log Z) - g) / Z + l_a e^l_a c / Z).

    The factors of e^l and of l e^l are summed over the steps of a row before they are multiplied.

    Args:
        memory: the outputs of the block are read, the derivatives by the last layers' written.
        start: with `stop` the steps `members[start:stop]`, of `num_rows` observations.
        sums: float64, added to: the first five means of `Measures`, as sums.
    """
    apart()
    last = actor.shape[0] - 1
    width = actor[last, WIDTH]
    size = num_rows * width
    shifted = memory[actor[last, OUTPUTS_AT] : actor[last, OUTPUTS_AT] + size]
    deltas = memory[actor[last, DELTAS_AT] : actor[last, DELTAS_AT] + size]
    exps, products = scratch[_EXPS], scratch[_PRODUCTS]
    exp_weights, product_weights = scratch[_EXP_WEIGHTS], scratch[_PRODUCT_WEIGHTS]
    for r in range(num_rows):
        top = highest(shifted, r * width, width)
        logits = shifted[r * width : (r + 1) * width]
        for c in range(width):
            logits[c] -= top
    for i in range(size):  # two loops, as the compiler vectorises each
        exps[i] = small_exp(shifted[i])
    for i in range(size):
        products[i] = exps[i] * shifted[i]
    clear(exp_weights, 0, size)
    clear(product_weights, 0, size)
    clear(deltas, 0, size)
    value_width = critic[last, WIDTH]
    values_at, value_deltas_at = critic[last, OUTPUTS_AT], critic[last, DELTAS_AT]
    clear(memory, value_deltas_at, num_rows * value_width)

    num_steps = members.shape[0]
    count = stop - start
    row_idx, mask_idx, actions = steps["row_idx"], steps["mask_idx"], steps["action"]
    log_probs, targets, advantages = steps["log_prob"], steps["target"], steps["advantage"]

    # Once for each observation and mask: the sums over the allowed actions.
    ends, pair_rows = whole[_ENDS], whole[_PAIR_ROWS]
    totals, entropies, log_totals = room[_TOTALS], room[_ENTROPIES], room[_LOG_TOTALS]
    num_pairs = 0
    r = -1
    row = mask = np.int32(-1)
    for k in range(count):
        n = members[start + k]
        if row_idx[n] != row or mask_idx[n] != mask:
            r += row_idx[n] != row
            row, mask = row_idx[n], mask_idx[n]
            some, some_product = masked_sums(exps, products, r * width, masks, np.int64(mask) * width, width)
            totals[num_pairs] = some
            entropies[num_pairs] = some_product
            pair_rows[num_pairs] = r
            num_pairs += 1
        ends[num_pairs - 1] = k + 1
    for p in range(num_pairs):
        log_totals[p] = log(totals[p])
    for p in range(num_pairs):
        entropies[p] = log_totals[p] - entropies[p] / totals[p]

    # Once for each step, in double precision: rounding must not decide whether a ratio counts as clipped.
    log_ratios, errors, units, grads = room[_LOG_RATIOS], room[_ERRORS], room[_UNITS], room[_GRADS]
    places = whole[_PLACES]
    k = 0
    entropy = 0.0
    for p in range(num_pairs):
        value = np.float64(memory[values_at + pair_rows[p] * value_width])
        entropy += entropies[p] * (ends[p] - k)
        while k < ends[p]:
            n = members[start + k]
            places[k] = pair_rows[p] * width + actions[n]
            log_ratios[k] = np.float64(shifted[places[k]]) - log_totals[p] - np.float64(log_probs[n])
            errors[k] = value - np.float64(targets[n])
            units[k] = advantages[n]
            k += 1
    if advantage_kind == LESS_VALUE:
        for k in range(count):
            units[k] = -errors[k]
    elif advantage_kind == NORMALISED:
        for k in range(count):
            units[k] = (units[k] - center) * scale
    low, high, farthest = 1.0 - rates.clip_coef, 1.0 + rates.clip_coef, rates.clip_coef
    surrogates, divergences, outside = room[_SURROGATES], room[_DIVERGENCES], room[_OUTSIDE]
    share = -1.0 / num_steps
    for k in range(count):
        divergences[k] = exp(log_ratios[k])
    for k in range(count):
        ratio = divergences[k]
        near = low if ratio < low else ratio
        near = high if near > high else near
        surrogate, clipped = ratio * units[k], near * units[k]
        grads[k] = surrogate * share if surrogate <= clipped else 0.0
        surrogates[k] = clipped if clipped < surrogate else surrogate
    for k in range(count):
        outside[k] = 1.0 if abs(divergences[k] - 1.0) > farthest else 0.0
    for k in range(count):
        divergences[k] = divergences[k] - 1.0 - log_ratios[k]
    full = (count + LANES - 1) // LANES * LANES
    for sums_of in (surrogates, errors, divergences, outside):
        for k in range(count, full):
            sums_of[k] = 0.0
    sums[0] -= total_of(surrogates, full)
    sums[1] += dot(errors, 0, errors, 0, full)
    sums[2] += entropy
    sums[3] += total_of(divergences, full)
    sums[4] += total_of(outside, full)

    # Hand in what the steps of an observation and mask sum up to.
    bonus = rates.ent_coef / num_steps
    error_share = 2.0 * rates.vf_coef / num_steps
    k = 0
    for p in range(num_pairs):
        factor = bonus * (ends[p] - k)
        mask_at = np.int64(mask_idx[members[start + k]]) * width
        grad_sum = error_sum = 0.0
        while k < ends[p]:
            grad_sum += grads[k]
            error_sum += errors[k]
            deltas[places[k]] += np.float32(grads[k])
            k += 1
        add_masked(
            exp_weights, np.float32((factor * (entropies[p] - log_totals[p]) - grad_sum) / totals[p]),
            product_weights, np.float32(factor / totals[p]), pair_rows[p] * width, masks, mask_at, width,
        )  # fmt: skip
        memory[value_deltas_at + pair_rows[p] * value_width] += np.float32(error_share * error_sum)
    for i in range(size):
        deltas[i] = deltas[i] + exps[i] * exp_weights[i] + products[i] * product_weights[i]


@njit(nogil=True)
def _list_rows(
    starts: NDArray[np.int64],
    places: NDArray[np.int32],
    rows: NDArray[np.int32],
    num_rows: int,
    bit_rows: NDArray[np.int32],
    bit_counts: NDArray[np.int64],
) -> None:
    """Write for each bit which observations of the block have it set."""
    clear(bit_counts, 0, bit_counts.shape[0])
    for r in range(num_rows):
        for i in range(starts[rows[r]], starts[rows[r] + 1]):
            f = places[i]
            bit_rows[f * BLOCK_ROWS + bit_counts[f]] = r
            bit_counts[f] += 1


@njit(nogil=True)
def _load_stack(
    parameters: NDArray[np.float32],
    at: int,
    layout: NDArray[np.int64],
    memory: NDArray[np.float32],
    order: NDArray[np.float32],
    columns: NDArray[np.int32],
    num_outputs: int,
) -> int:
    """Lay out a stack of `num_outputs` whose parameters begin at `at`, and clear its gradient; where they end."""
    apart()
    last = layout.shape[0] - 1
    for layer in range(last + 1):
        inputs, outputs, width = layout[layer, INPUTS], layout[layer, OUTPUTS], layout[layer, WIDTH]
        to = layout[layer, WEIGHTS_AT]
        full = num_outputs if layer == last else outputs
        for i in range(inputs + 1):
            if layer < last:
                copy(parameters, at + i * outputs, memory, to + i * width, outputs)
            else:
                for c in range(outputs):
                    memory[to + i * width + c] = parameters[at + i * full + columns[c]]
        at += (inputs + 1) * full
        if layer == last:
            for c in range(outputs, width):
                memory[to + c] = _FORBIDDEN
        elif layer == 0:
            for d in range(order.shape[0]):
                for j in range(outputs):
                    memory[to + j] = fma(order[d], parameters[at + d * outputs + j], memory[to + j])
            at += order.shape[0] * outputs
        clear(memory, layout[layer, GRADIENT_AT], (inputs + 1) * width)
    turn(layout, memory)
    return at


@njit(nogil=True)
def _store_stack(
    gradient: NDArray[np.float32],
    at: int,
    layout: NDArray[np.int64],
    memory: NDArray[np.float32],
    order: NDArray[np.float32],
    columns: NDArray[np.int32],
    num_outputs: int,
) -> int:
    """Put the gradient of a stack in the order of the parameters, from `at` on; where they end."""
    apart()
    last = layout.shape[0] - 1
    for layer in range(last + 1):
        inputs, outputs, width = layout[layer, INPUTS], layout[layer, OUTPUTS], layout[layer, WIDTH]
        source = layout[layer, GRADIENT_AT]
        full = num_outputs if layer == last else outputs
        if layer == last:
            clear(gradient, at, (inputs + 1) * full)
        for i in range(inputs + 1):
            if layer < last:
                copy(memory, source + i * width, gradient, at + i * outputs, outputs)
            else:
                for c in range(outputs):
                    gradient[at + i * full + columns[c]] = memory[source + i * width + c]
        at += (inputs + 1) * full
        if layer == 0:
            for d in range(order.shape[0]):
                for j in range(outputs):
                    gradient[at + d * outputs + j] = order[d] * memory[source + j]
            at += order.shape[0] * outputs
    return at


@njit(nogil=True, error_model="numpy")
def _adam(
    parameters: NDArray[np.float32],
    mean: NDArray[np.float32],
    square: NDArray[np.float32],
    gradient: NDArray[np.float32],
    norm: float,
    rates: Rates,
) -> None:
    """Clip the gradient, of length `norm`, and step as `learn.adam` does."""
    apart()
    shrink = np.float32(rates.max_grad_norm / norm) if norm > rates.max_grad_norm else _ONE
    new_mean = np.float32(1.0 - rates.mean_decay)
    old_square = np.float32(rates.square_decay)
    new_square = np.float32(1.0 - rates.square_decay)
    root_share = np.float32(1.0 / math.sqrt(rates.square_share))
    eps = np.float32(rates.eps)
    rate = np.float32(rates.learning_rate / rates.mean_share)
    for i in range(parameters.shape[0]):
        g = gradient[i] * shrink
        mean[i] += new_mean * (g - mean[i])
        square[i] = old_square * square[i] + new_square * (g * g)
        parameters[i] -= rate * (mean[i] / (math.sqrt(square[i]) * root_share + eps))


@njit(cache=True, nogil=True)
def sort_steps(
    row_idx: NDArray[np.int32], mask_idx: NDArray[np.int32], num_rows: int, num_masks: int
) -> NDArray[np.int32]:
    """The numbers of the steps, (N,) int32, by observation, then by mask, then as they came."""
    by_mask = _counting_sort(_numbers(mask_idx.shape[0]), mask_idx, num_masks)
    return _counting_sort(by_mask, row_idx, num_rows)


@njit(cache=True, nogil=True)
def deal(places: NDArray[np.int32], order: NDArray[np.int64], bounds: NDArray[np.int64]) -> NDArray[np.int32]:
    """Deal steps out to minibatches, each sorted.

    Args:
        places: (N,) int32, the place of each step among the sorted.
        order: (N,) int64, the steps shuffled.
        bounds: (M+1,) int64, minibatch m takes the shuffled steps `bounds[m]:bounds[m + 1]`.

    Returns:
        (N,) int32: those of the minibatches one after the other, by their places among the sorted, ascending.
    """
    part = np.empty(order.shape[0], np.int32)
    for m in range(bounds.shape[0] - 1):
        for k in range(bounds[m], bounds[m + 1]):
            part[places[order[k]]] = m
    return _counting_sort(_numbers(part.shape[0]), part, bounds.shape[0] - 1)


@njit(nogil=True)
def _numbers(count: int) -> NDArray[np.int32]:
    numbers = np.empty(count, np.int32)
    for n in range(count):
        numbers[n] = n
    return numbers


@njit(nogil=True)
def _counting_sort(members: NDArray[np.int32], keys: NDArray[np.int32], num_keys: int) -> NDArray[np.int32]:
    """`members` by ascending key of 0..num_keys-1; equals keep their order."""
    places = np.empty(num_keys + 1, np.int64)
    clear(places, 0, num_keys + 1)
    for k in range(members.shape[0]):
        places[keys[members[k]] + 1] += 1
    for key in range(num_keys):
        places[key + 1] += places[key]
    result = np.empty(members.shape[0], np.int32)
    for k in range(members.shape[0]):
        key = keys[members[k]]
        result[places[key]] = members[k]
        places[key] += 1
    return result


@njit(cache=True, nogil=True)
def pack_masks(masks: NDArray[np.uint8], columns: NDArray[np.int32], width: int) -> NDArray[np.int8]:
    """(M, A) masks as `minibatch_step` reads them, C columns of them."""
    packed = np.empty(masks.shape[0] * width, np.int8)
    clear(packed, 0, packed.shape[0])
    for m in range(masks.shape[0]):
        for c in range(columns.shape[0]):
            packed[m * width + c] = -1 if masks[m, columns[c]] else 0
    return packed
