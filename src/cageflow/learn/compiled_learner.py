"""A learner's networks in the layout of the compiled update, and one rollout in its order."""

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cageflow.learn.compiled_update import (
    AS_GIVEN,
    LESS_VALUE,
    NORMALISED,
    NUM_SHARED,
    NUM_STEP_ROWS,
    NUM_SUMS,
    NUM_WHOLE_ROWS,
    PARTS,
    STEP,
    STEPPED,
    WORTH_SHARING,
    Measures,
    Rates,
    deal,
    minibatch_end,
    minibatch_part,
    pack_masks,
    sort_steps,
)
from cageflow.learn.config import ACTIVATIONS, PPOConfig
from cageflow.learn.dense import (
    BLOCK_ROWS,
    WIDTH,
    memory_end,
    pack_stack,
    padded,
    set_bits_of,
    stack_layout,
    stack_outputs,
)
from cageflow.learn.networks import Networks
from cageflow.learn.rollout import Rollout
from cageflow.sim.threads import BatchThreads, available_cores


class CompiledLearner:
    """Steps networks on the CPU where they stand.

    Args:
        networks: the networks.
        config: settings.
        num_threads: to work on; how many they are changes no figure.
    """

    def __init__(self, networks: Networks, config: PPOConfig, num_threads: int) -> None:
        self._networks = networks
        self._config = config
        self._activation = ACTIVATIONS.index(config.activation)
        self._threads = BatchThreads(PARTS, min(num_threads, available_cores()))

    def values(self, observations: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(U,) float32 values of (U, F) observations, in the unit that the critic was trained in."""
        layout, weights = pack_stack(self._networks.critic_layers())
        starts, places = set_bits_of(observations)
        return stack_outputs(layout, weights, self._activation, starts, places)[:, 0].copy()

    def begin(self, rollout: Rollout, targets: NDArray[np.float32], advantages: NDArray[np.float32] | None) -> None:
        """Take up a rollout: the next steps are its.

        Args:
            targets: (T, B) for the critic, in its unit.
            advantages: (T, B); None: targets less present values.
        """
        networks = self._networks
        actions = rollout.actions.reshape(-1)
        row_idx = _flat(rollout.observation_idx, np.int32)
        if rollout.masks is None or rollout.mask_idx is None:
            masks, mask_idx = np.ones((1, networks.num_actions), np.uint8), np.zeros_like(row_idx)
        else:
            masks, mask_idx = rollout.masks, _flat(rollout.mask_idx, np.int32)
        used = np.bitwise_or.reduce(masks, axis=0) != 0
        used[actions] = True
        columns = np.flatnonzero(used).astype(np.int32)
        column_of = np.cumsum(used, dtype=np.int32) - 1
        order = sort_steps(row_idx, mask_idx, rollout.observations.shape[0], masks.shape[0])
        steps = np.empty(order.shape[0], STEP)
        for name, array in (
            ("row_idx", row_idx),
            ("mask_idx", mask_idx),
            ("action", column_of[actions]),
            ("log_prob", rollout.log_probs.reshape(-1)),
            ("target", targets.reshape(-1)),
            ("advantage", (targets if advantages is None else advantages).reshape(-1)),
        ):
            steps[name] = array[order]
        hidden = self._config.hidden_sizes
        first = max(padded(size) for size in (*hidden, columns.shape[0]))  # after the zeros
        actor = stack_layout([networks.num_observations, *hidden, columns.shape[0]], first)
        critic = stack_layout([networks.num_observations, *hidden, 1], memory_end(actor))
        width = int(actor[-1, WIDTH])
        num_parts = self._num_parts = PARTS if rollout.observations.shape[0] >= WORTH_SHARING else 1
        self._arrays: tuple[Any, ...] = (
            networks.learned,
            actor,
            critic,
            np.zeros((num_parts, memory_end(critic)), np.float32),
            np.empty((num_parts, NUM_SUMS)),
            networks.order,
            columns,
            np.zeros(1, np.int32),
            networks.num_actions,
            np.empty((num_parts, 4, BLOCK_ROWS * width), np.float32),
            np.empty((num_parts, NUM_STEP_ROWS, padded(order.shape[0]))),
            np.empty((num_parts, NUM_WHOLE_ROWS, padded(order.shape[0])), np.int64),
            np.empty((num_parts, networks.num_observations * BLOCK_ROWS), np.int32),
            np.empty((num_parts, networks.num_observations), np.int64),
            np.empty((num_parts, 2, BLOCK_ROWS), np.int32),
            *set_bits_of(rollout.observations),
            pack_masks(masks, columns, width),
        )
        self._steps = steps
        self._advantage_kind = LESS_VALUE if advantages is None else NORMALISED if self._config.norm_adv else AS_GIVEN
        self._places = np.empty_like(order)
        self._places[order] = np.arange(order.shape[0], dtype=np.int32)

    def shuffle(self, order: NDArray[np.int64], num_minibatches: int) -> None:
        """Deal the steps out for an epoch: in (N,) `order`, into parts of nearly equal size."""
        if num_minibatches == 1:  # all of them, sorted as they are
            self._bounds = np.asarray([0, order.shape[0]], np.int64)
            self._members = np.arange(order.shape[0], dtype=np.int32)
            return
        sizes = [part.shape[0] for part in np.array_split(order, num_minibatches)]
        self._bounds = np.asarray([0, *itertools.accumulate(sizes)], np.int64)
        self._members = deal(self._places, order, self._bounds)

    def step(self, number: int, learning_rate: float, ent_coef: float) -> Measures:
        """Learn from a minibatch of the epoch."""
        config = self._config
        mean_decay, square_decay = config.adam_betas
        steps_done = self._networks.num_steps + 1
        rates = Rates(
            clip_coef=config.clip_coef,
            ent_coef=ent_coef,
            vf_coef=config.vf_coef,
            max_grad_norm=math.inf if config.max_grad_norm is None else config.max_grad_norm,
            target_kl=math.inf if config.target_kl is None else config.target_kl,
            learning_rate=learning_rate,
            mean_decay=mean_decay,
            square_decay=square_decay,
            mean_share=1.0 - whole_power(mean_decay, steps_done),
            square_share=1.0 - whole_power(square_decay, steps_done),
            eps=config.adam_eps,
        )
        members = self._members[self._bounds[number] : self._bounds[number + 1]]
        num_parts = self._num_parts

        def work_through(parts: slice) -> None:
            for part in range(num_parts)[parts]:
                what: tuple[Any, ...] = (self._steps, members, part, self._advantage_kind, self._activation, rates)
                minibatch_part(*(*self._arrays, *what))

        if num_parts == PARTS:
            self._threads.run(work_through)
        else:
            work_through(slice(None))
        measures = Measures(*minibatch_end(*(*self._arrays[:NUM_SHARED], members.shape[0], rates)))
        if measures.outcome == STEPPED:
            self._networks.num_steps = steps_done
        return measures

    def end(self) -> None:
        """Nothing is left to do: the networks have been stepped where they stand."""


def _flat(array: NDArray[np.integer], dtype: type[np.generic]) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype).reshape(-1)


def whole_power(number: float, exponent: int) -> float:
    """A power by multiplications alone, since the C library's depends on the processor in its last bit."""
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= number
        number *= number
        exponent >>= 1
    return result
