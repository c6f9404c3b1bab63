"""The actor compiled: from observations to actions without torch, each distinct observation once.

A row's logits come from that row alone, summed in a fixed order (`dense`). So the same observation gets the same
probabilities to the last bit whatever batch, process, processor or number of threads it is seen in.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cageflow.learn.bit_table import BitTable, TableRoom
from cageflow.learn.config import ACTIVATIONS
from cageflow.learn.dense import BLOCK_ROWS, INPUTS, OUTPUTS, OUTPUTS_AT, WIDTH, forward, list_bits, pack_stack
from cageflow.learn.sampling import best_actions, cumulate_row, sample_actions, sample_masked_actions, softmax_row
from cageflow.numerics.vectors import copy

Layers = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Per layer its weight (outputs, inputs) and its bias (outputs,), both float32."""


class ActorWeights(NamedTuple):
    """An actor with a workflow order folded in: plain arrays, cheap to send to another process.

    Attributes:
        layout: (L, 8) int64, see `dense.stack_layout`.
        weights: float32, laid out so.
        activation: place in `ACTIVATIONS` of the function between layers.
    """

    layout: NDArray[np.int64]
    weights: NDArray[np.float32]
    activation: int

    @property
    def num_observations(self) -> int:
        """F, bits of an observation."""
        return int(self.layout[0, INPUTS])

    @property
    def num_actions(self) -> int:
        """A."""
        return int(self.layout[-1, OUTPUTS])


def pack_weights(
    layers: Layers,
    activation: str,
    order_encoding: NDArray[np.float32] | None = None,
) -> ActorWeights:
    """Lay the layers of an actor out for the compiled code.

    Args:
        layers: per layer the weight (outputs, inputs) and the bias (outputs,), both float32. The inputs of the first
            are the observation bits and, with an order, its code after them.
        activation: one of `ACTIVATIONS`.
        order_encoding: as for `fold_order`.
    """
    return ActorWeights(*pack_stack(fold_order(layers, order_encoding)), ACTIVATIONS.index(activation))


def fold_order(layers: Layers, order_encoding: NDArray[np.float32] | None) -> Layers:
    """The layers of an actor that needs the observation bits alone.

    Args:
        layers: as for `pack_weights`.
        order_encoding: (D,) float32 code of the workflow order, or None. It is the same at every step, so its share of
            the first layer is added to that layer's bias once and for all.
    """
    if order_encoding is None:
        return list(layers)
    weight, bias = layers[0]
    num_observations = weight.shape[1] - order_encoding.shape[0]
    for place, share in enumerate(order_encoding):  # one after the other, as `compiled_update` adds them
        bias = bias + weight[:, num_observations + place] * share
    return [(weight[:, :num_observations], bias), *layers[1:]]


class ActorRoom(NamedTuple):
    """An actor as compiled code takes it: its table of observations, and the arguments of `evaluate_rows` after it."""

    table: TableRoom
    layout: NDArray[np.int64]
    weights: NDArray[np.float32]
    activation: int
    starts: NDArray[np.int64]
    places: NDArray[np.int32]
    block: NDArray[np.int32]
    outputs: NDArray[np.float32]
    log_probs: NDArray[np.float32]
    sampling: NDArray[np.float32]


class Actor:
    """A fixed policy that acts in many environments at once and remembers every distinct observation it was shown.

    The memory holds two float32 per action and observation. `start` empties it.

    Args:
        weights: the network.
        masked: whether `act` gets masks; then it must get them at each call.
    """

    def __init__(self, weights: ActorWeights, *, masked: bool = False) -> None:
        self._masked = masked
        self._table = BitTable(weights.num_observations)
        self._log_probs = np.empty((self._table.capacity, weights.num_actions), np.float32)
        self._sampling = np.empty_like(self._log_probs)  # running sums; probabilities if masked
        self.start(weights)

    @property
    def is_masked(self) -> bool:
        """Whether `act` gets masks."""
        return self._masked

    @property
    def observations(self) -> NDArray[np.uint8]:
        """(U, F) uint8: the distinct observations since `start`; a view that is valid until the next call."""
        return self._table.rows

    @property
    def num_bits(self) -> int:
        """F, bits of an observation."""
        return self._table.num_bits

    @property
    def num_observations(self) -> int:
        """U, the distinct observations since `start`."""
        return len(self._table)

    def start(self, weights: ActorWeights) -> None:
        """Take on new weights of the same sizes and forget all observations."""
        if weights.num_observations != self._table.num_bits or weights.num_actions != self._log_probs.shape[1]:
            raise ValueError(
                f"expected weights from {self._table.num_bits} bits to {self._log_probs.shape[1]} actions, "
                f"got {weights.num_observations} to {weights.num_actions}"
            )
        self._weights = weights
        self._table.clear()
        width, outputs_at = int(weights.layout[-1, WIDTH]), int(weights.layout[-1, OUTPUTS_AT])
        self._starts = np.empty(BLOCK_ROWS + 1, np.int64)
        self._places = np.empty(BLOCK_ROWS * self._table.num_bits + 1, np.int32)
        self._block = np.arange(BLOCK_ROWS, dtype=np.int32)
        self._outputs = np.empty(outputs_at + BLOCK_ROWS * width, np.float32)

    def index(self, observations: NDArray[np.uint8], out: NDArray[np.int32] | None = None) -> NDArray[np.int32]:
        """Rows of `self.observations` that hold these observations, new ones added and evaluated.

        Args:
            observations: (B, F) uint8.
            out: (B,) int32 to write to; None: a new array.
        """
        known = len(self._table)
        row_idx = self._table.index(observations, out)
        if len(self._table) > known:
            self._follow_table(known)
            evaluate_rows(
                self._table.room().rows,
                known,
                len(self._table),
                *self._weights,
                not self._masked,
                self._starts,
                self._places,
                self._block,
                self._outputs,
                self._log_probs,
                self._sampling,
            )
        return row_idx

    def room(self, num_new: int) -> ActorRoom:
        """The actor for compiled code that may add and evaluate so many observations, and then tells `fill`."""
        known = len(self._table)
        self._table.reserve(known + num_new)
        self._follow_table(known)
        return ActorRoom(
            self._table.room(),
            *self._weights,
            self._starts,
            self._places,
            self._block,
            self._outputs,
            self._log_probs,
            self._sampling,
        )

    def fill(self, num_rows: int) -> None:
        """Take note that compiled code has brought the observations to so many, all of them evaluated."""
        self._table.fill(num_rows)

    def act(
        self,
        observations: NDArray[np.uint8],
        uniforms: NDArray[np.float64],
        actions: NDArray[Any],
        log_probs: NDArray[np.float32],
        row_idx: NDArray[np.int32],
        masks: NDArray[np.uint8] | None = None,
    ) -> None:
        """Choose an action for each environment.

        Args:
            observations: (B, F) uint8.
            uniforms: (B,) float64 in [0, 1): one number per environment decides its action.
            actions: (B,) any integer type, written.
            log_probs: (B,) float32, written: log-probability of the action.
            row_idx: (B,) int32, written: row of `self.observations` of the observation.
            masks: (B, A) uint8, 1 for allowed; given if and only if the actor is masked.

        Raises:
            ValueError: a wrong shape, masks missing or not expected, or a mask that allows nothing.
        """
        num_envs = observations.shape[0]
        for name, array in (
            ("uniforms", uniforms),
            ("actions", actions),
            ("log_probs", log_probs),
            ("row_idx", row_idx),
        ):
            if array.shape != (num_envs,):
                raise ValueError(f"expected ({num_envs},) {name}, got {array.shape}")
        self._check_masks(masks, num_envs)
        self.index(observations, row_idx)
        if masks is None:
            sample_actions(row_idx, self._log_probs, self._sampling, uniforms, actions, log_probs)
            return
        stuck = sample_masked_actions(row_idx, self._log_probs, self._sampling, masks, uniforms, actions, log_probs)
        if stuck >= 0:
            raise ValueError(f"the mask of environment {stuck} allows no action of any probability")

    def best(self, observations: NDArray[np.uint8], masks: NDArray[np.uint8] | None = None) -> NDArray[np.int64]:
        """The likeliest action of each environment, (B,) int64, the first of equals.

        Raises:
            ValueError: as for `act`.
        """
        self._check_masks(masks, observations.shape[0])
        row_idx = self.index(observations)
        actions = np.empty(observations.shape[0], np.int64)
        if masks is None:
            masks = np.empty((0, self._log_probs.shape[1]), np.uint8)
        stuck = best_actions(row_idx, self._log_probs, masks, actions)
        if stuck >= 0:
            raise ValueError(f"the mask of environment {stuck} allows no action")
        return actions

    def log_probs(self, observations: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(B, A) float32 log-probabilities of all actions, masks aside."""
        row_idx = self.index(observations)
        return self._log_probs[row_idx]

    def _check_masks(self, masks: NDArray[np.uint8] | None, num_envs: int) -> None:
        if (masks is not None) != self._masked:
            raise ValueError("expected masks, got none" if self._masked else "expected no masks, got some")
        wanted = (num_envs, self._log_probs.shape[1])
        if masks is not None and (masks.shape != wanted or masks.dtype != np.uint8):
            raise ValueError(f"expected {wanted} uint8 masks, got {masks.shape} {masks.dtype}")

    def _follow_table(self, known: int) -> None:
        """Grow as the table did; the first `known` rows are kept."""
        if self._table.capacity == self._log_probs.shape[0]:
            return
        for name in ("_log_probs", "_sampling"):
            old = getattr(self, name)
            grown = np.empty((self._table.capacity, old.shape[1]), np.float32)
            grown[:known] = old[:known]
            setattr(self, name, grown)


@njit(cache=True, nogil=True)
def evaluate_rows(
    observations: NDArray[np.uint8],
    start: int,
    end: int,
    layout: NDArray[np.int64],
    weights: NDArray[np.float32],
    activation: int,
    cumulate: bool,
    starts: NDArray[np.int64],
    places: NDArray[np.int32],
    rows: NDArray[np.int32],
    memory: NDArray[np.float32],
    log_probs: NDArray[np.float32],
    sampling: NDArray[np.float32],
) -> None:
    """Run the actor on the observations from number `start` to before number `end`.

    Args:
        observations: (R, F) uint8.
        layout: as in `ActorWeights`, like the next two.
        starts: (BLOCK_ROWS + 1,) int64, scratch, as in `dense.forward` like the next three.
        places: room for all bits of a block.
        rows: the numbers of the rows of a block.
        memory: room for the outputs of a block.
        log_probs: (R, A) float32; these rows are written: log-probabilities of the actions.
        sampling: (R, A) float32, likewise: their running sums if `cumulate`, else the probabilities.
    """
    last = layout.shape[0] - 1
    for first in range(start, end, BLOCK_ROWS):
        count = min(BLOCK_ROWS, end - first)
        list_bits(observations[first : first + count], starts, places)
        forward(layout, weights, activation, starts, places, rows, count, memory)
        for r in range(count):
            row = first + r
            copy(memory, layout[last, OUTPUTS_AT] + r * layout[last, WIDTH], log_probs[row], 0, log_probs.shape[1])
            softmax_row(log_probs[row], sampling[row])
            if cumulate:
                cumulate_row(sampling[row])
