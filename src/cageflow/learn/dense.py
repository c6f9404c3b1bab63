"""A stack of dense layers on observations of bits, forward and backward, compiled, a block of rows at a time.

A row's outputs come from that row alone: its sums start with the bias and take their terms by ascending input, each
product added with one rounding. So they are the same to the last bit whatever block, process or processor they are
computed in. The first layer adds up the weights of the bits that are set, which is the same sum without its zeros.

A stack's weights stand in one vector, layer after layer: the bias, then a row of outputs for each input, each row
filled up to a multiple of `LANES`.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cageflow.learn.config import ACTIVATIONS
from cageflow.numerics.elementary import small_tanh
from cageflow.numerics.vectors import LANES, add_rows, apart, copy, multiply

BLOCK_ROWS = 128
"""Rows that are taken through all layers together, so that they stay in the processor's cache."""

# What a row of a layout says of a layer: numbers of inputs and outputs, the width of a row of outputs, and the places
# of its weights, of its outputs for a block, and for learning of the weights turned round, of their gradient and of
# the derivatives by the outputs.
INPUTS, OUTPUTS, WIDTH, WEIGHTS_AT, OUTPUTS_AT, TURNED_AT, GRADIENT_AT, DELTAS_AT = range(8)

_TANH = ACTIVATIONS.index("tanh")
_ONE = np.float32(1.0)
NO_OFFSET: Any = np.int64(0)
SINGLE: Any = np.int64(1)
"""Numbers that are no literals to the compiler: for each literal it compiles a function anew."""

_ZERO = np.float32(0.0)


def stack_layout(sizes: Sequence[int], first: int = 0) -> NDArray[np.int64]:
    """(L, 8) int64, not to be changed: where a stack's layers stand in its memory, the weights from place `first` on.

    Args:
        sizes: inputs, hidden widths, outputs.
    """
    return _stack_layout(tuple(sizes), first)


@functools.lru_cache(maxsize=1000)
def _stack_layout(sizes: tuple[int, ...], first: int) -> NDArray[np.int64]:
    layout = np.zeros((len(sizes) - 1, 8), np.int64)
    layout[:, INPUTS] = sizes[:-1]
    layout[:, OUTPUTS] = sizes[1:]
    layout[:, WIDTH] = [padded(size) for size in sizes[1:]]
    weights = (1 + layout[:, INPUTS]) * layout[:, WIDTH]
    outputs = BLOCK_ROWS * layout[:, WIDTH]
    turned = layout[:, OUTPUTS] * np.asarray([padded(size) for size in sizes[:-1]])
    turned[0] = 0
    at = first
    for column, counts in (
        (WEIGHTS_AT, weights),
        (OUTPUTS_AT, outputs),
        (TURNED_AT, turned),
        (GRADIENT_AT, weights),
        (DELTAS_AT, outputs),
    ):
        layout[:, column] = at + np.cumsum(counts) - counts
        at += int(counts.sum())
    return layout


def num_weights(layout: NDArray[np.int64]) -> int:
    """Float32 that the weights of a stack take."""
    return int(layout[0, OUTPUTS_AT] - layout[0, WEIGHTS_AT])


def memory_end(layout: NDArray[np.int64]) -> int:
    """The place after the memory of a stack."""
    return int(layout[-1, DELTAS_AT] + BLOCK_ROWS * layout[-1, WIDTH])


def padded(size: int) -> int:
    """The width of a row of `size` numbers."""
    return -(-size // LANES) * LANES


def pack_stack(
    layers: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The layout and the weights of a stack from its layers.

    Args:
        layers: per layer the weight (outputs, inputs) and the bias (outputs,).
    """
    layout = stack_layout([layers[0][0].shape[1], *(bias.shape[0] for _, bias in layers)])
    weights = np.zeros(num_weights(layout), np.float32)
    for (weight, bias), (inputs, outputs, width, at, *_) in zip(layers, layout.tolist(), strict=True):
        rows = weights[at : at + (1 + inputs) * width].reshape(1 + inputs, width)
        rows[0, :outputs] = bias
        rows[1:, :outputs] = weight.T
    return layout, weights


def set_bits_of(observations: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The places of the bits that are set, row after row.

    Args:
        observations: (U, F) uint8.

    Returns:
        (U+1,) int64 where each row's places begin, and (S+1,) int32 the S places and one more number.
    """
    starts = np.zeros(observations.shape[0] + 1, np.int64)
    places = np.empty(int(np.count_nonzero(observations)) + 1, np.int32)  # one that is written and not counted
    list_bits(observations, starts, places)
    return starts, places


@njit(cache=True, nogil=True)
def list_bits(observations: NDArray[np.uint8], starts: NDArray[np.int64], places: NDArray[np.int32]) -> None:
    """Write the places of the bits that are set, as `set_bits_of` gives them.

    Nothing depends on a bit but a count, so that the processor need not guess.
    """
    count = 0
    starts[0] = 0
    for row in range(observations.shape[0]):
        for f in range(observations.shape[1]):
            places[count] = f
            count += observations[row, f] != 0
        starts[row + 1] = count


@njit(nogil=True)
def forward(
    layout: NDArray[np.int64],
    weights: NDArray[np.float32],
    activation: int,
    starts: NDArray[np.int64],
    places: NDArray[np.int32],
    rows: NDArray[np.int32],
    num_rows: int,
    outputs: NDArray[np.float32],
) -> None:
    """The outputs of all layers for a block of observations.

    Args:
        layout: as `stack_layout` makes it.
        weights: the stack's memory, or its beginning.
        activation: place in `ACTIVATIONS` of the function between layers.
        starts: as `set_bits_of` gives them, like `places`.
        rows: int32, the first `num_rows` are the observations of the block.
        outputs: the memory, written: the outputs of the block, the last layer's without activation.
    """
    apart()
    last = layout.shape[0] - 1
    for layer in range(layout.shape[0]):
        width = layout[layer, WIDTH]
        bias_at = layout[layer, WEIGHTS_AT]
        at = layout[layer, OUTPUTS_AT]
        if layer == 0:
            for r in range(num_rows):
                begin, end = starts[rows[r]], starts[rows[r] + 1]
                add_rows(
                    weights, bias_at + width, width, places, begin, end, weights, bias_at,
                    outputs, at + r * width, width,
                )  # fmt: skip
        else:
            before_at, before = layout[layer - 1, OUTPUTS_AT], layout[layer - 1, WIDTH]
            multiply(
                outputs, before_at, before, SINGLE, weights, bias_at + width, width, weights, bias_at, NO_OFFSET,
                outputs, at, width, num_rows, width, layout[layer, INPUTS],
            )  # fmt: skip
        if layer < last:
            _activate(activation, outputs[at : at + num_rows * width])


def stack_outputs(
    layout: NDArray[np.int64],
    weights: NDArray[np.float32],
    activation: int,
    starts: NDArray[np.int64],
    places: NDArray[np.int32],
) -> NDArray[np.float32]:
    """(U, width) float32: the last layer's outputs for observations as `set_bits_of` gives them, each row filled up."""
    result = np.empty((starts.shape[0] - 1, int(layout[-1, WIDTH])), np.float32)
    memory = np.empty(int(layout[-1, OUTPUTS_AT] + BLOCK_ROWS * layout[-1, WIDTH]), np.float32)
    rows = np.empty(BLOCK_ROWS, np.int32)
    write_outputs(layout, weights, activation, starts, places, memory, rows, result)
    return result


@njit(cache=True, nogil=True)
def write_outputs(
    layout: NDArray[np.int64],
    weights: NDArray[np.float32],
    activation: int,
    starts: NDArray[np.int64],
    places: NDArray[np.int32],
    memory: NDArray[np.float32],
    rows: NDArray[np.int32],
    result: NDArray[np.float32],
) -> None:
    """What `stack_outputs` says, with `memory` for a block's outputs and (BLOCK_ROWS,) int32 `rows` as scratch."""
    last = layout.shape[0] - 1
    width = layout[last, WIDTH]
    num_rows = starts.shape[0] - 1
    for first in range(0, num_rows, BLOCK_ROWS):
        count = min(BLOCK_ROWS, num_rows - first)
        for r in range(count):
            rows[r] = first + r
        forward(layout, weights, activation, starts, places, rows, count, memory)
        for r in range(count):
            copy(memory, layout[last, OUTPUTS_AT] + r * width, result[first + r], 0, width)


@njit(nogil=True)
def backward(
    layout: NDArray[np.int64],
    memory: NDArray[np.float32],
    activation: int,
    bit_rows: NDArray[np.int32],
    bit_counts: NDArray[np.int64],
    every: NDArray[np.int32],
    num_rows: int,
) -> None:
    """Add a block's share of the gradient by the weights.

    Args:
        layout: as for `forward`, like `activation`.
        memory: the outputs of the block are read, and the derivatives of the loss by the last layer's; those by the
            others' before activation are written, and the gradient is added to. The first numbers, as many as the
            widest row, are zeros and stay so.
        bit_rows: for each bit of the observations, `BLOCK_ROWS` apart, the rows of the block that have it set.
        bit_counts: how many there are.
        every: int32, the numbers of all rows of a block.
    """
    apart()
    for layer in range(layout.shape[0] - 1, -1, -1):
        width = layout[layer, WIDTH]
        at = layout[layer, DELTAS_AT]
        bias_at = layout[layer, GRADIENT_AT]
        add_rows(memory, at, width, every, NO_OFFSET, num_rows, memory, bias_at, memory, bias_at, width)
        if layer == 0:
            for f in range(layout[0, INPUTS]):
                if bit_counts[f]:
                    begin = f * BLOCK_ROWS
                    to = bias_at + (1 + f) * width
                    add_rows(memory, at, width, bit_rows, begin, begin + bit_counts[f], memory, to, memory, to, width)
            return
        before = layout[layer - 1, WIDTH]
        outputs_at, deltas_at = layout[layer - 1, OUTPUTS_AT], layout[layer - 1, DELTAS_AT]
        multiply(
            memory, outputs_at, SINGLE, before, memory, at, width, memory, bias_at + width, width,
            memory, bias_at + width, width, layout[layer, INPUTS], width, num_rows,
        )  # fmt: skip
        multiply(
            memory, at, width, SINGLE, memory, layout[layer, TURNED_AT], before, memory, NO_OFFSET, NO_OFFSET,
            memory, deltas_at, before, num_rows, before, layout[layer, OUTPUTS],
        )  # fmt: skip
        size = num_rows * before
        _pass_back(activation, memory[outputs_at : outputs_at + size], memory[deltas_at : deltas_at + size])


@njit(nogil=True)
def _pass_back(activation: int, y: NDArray[np.float32], deltas: NDArray[np.float32]) -> None:
    """From derivatives by the outputs `y` of the activation to those by its inputs, in place."""
    if activation == _TANH:
        for i in range(y.shape[0]):
            deltas[i] *= _ONE - y[i] * y[i]
    else:
        for i in range(y.shape[0]):
            deltas[i] = deltas[i] if y[i] > _ZERO else _ZERO


@njit(nogil=True)
def turn(layout: NDArray[np.int64], memory: NDArray[np.float32]) -> None:
    """Write the weights of all layers but the first with a row of inputs for each output."""
    for layer in range(1, layout.shape[0]):
        inputs, width = layout[layer, INPUTS], layout[layer, WIDTH]
        row = layout[layer - 1, WIDTH]
        first = layout[layer, WEIGHTS_AT] + width
        for o in range(layout[layer, OUTPUTS]):
            source = memory[first + o : first + inputs * width : width]
            at = layout[layer, TURNED_AT] + o * row
            target = memory[at : at + inputs]
            for i in range(inputs):
                target[i] = source[i]


@njit(nogil=True, error_model="numpy")
def _activate(activation: int, x: NDArray[np.float32]) -> None:
    if activation == _TANH:
        for i in range(x.shape[0]):
            x[i] = small_tanh(x[i])
    else:
        for i in range(x.shape[0]):
            x[i] = _ZERO if x[i] < _ZERO else x[i]
