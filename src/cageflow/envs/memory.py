"""What blue remembers of a batch of games: see `cageflow.sim.memory` for what it holds."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.scenario import BlueKind
from cageflow.scenario.orders import Order
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import actions_by_host, fixes_of, keep_order_loop, looks_loop, update_mask_loop
from cageflow.sim.memory import forget, new_memories, remember_loop
from cageflow.sim.recall import decoy_places, num_recalled, recall_loop
from cageflow.sim.state import Array


class BlueMemory:
    """What blue remembers of a batch of games, and what it knows by that.

    The compiled simulator writes into `records` itself (`game.GameBatch`); of games that run elsewhere, such as in the
    original, `update` has to be told.

    Args:
        options: the settings of the game.
        num_envs: B.

    Attributes:
        network: the network that is played.
        nets: (1,) its tables, as compiled loops take them.
        settings: (1,) the settings, likewise.
        records: (B,) of `cageflow.sim.memory.memory_dtype`.
    """

    def __init__(self, options: GameOptions, num_envs: int = 1) -> None:
        self.network = options.network
        self.nets = row(self.network.tables)
        self.settings = row(options.params())
        self.resize(num_envs)

    def resize(self, num_envs: int) -> None:
        """Begin new episodes, of another number of games."""
        self.records = plain(new_memories(self.network, num_envs))
        self._masked = plain(new_memories(self.network, num_envs))  # what the masks below were written by
        self._masked.view(np.ndarray).view(np.uint8).fill(0xFF)  # by nothing that can be: all are to be written
        kinds = np.asarray(self.network.tables.action_kind)
        self._masks = np.repeat((kinds == BlueKind.SLEEP)[None].astype(np.uint8), num_envs, axis=0)  # always of use

    def reset(self, mask: npt.NDArray[np.bool_] | None = None) -> None:
        """Begin new episodes, in the games of a (B,) mask or in all."""
        forget(self.records, np.ones(len(self.records), np.bool_) if mask is None else mask)

    def update(self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any]) -> None:
        """Take in one step.

        Args:
            actions: (B,) action numbers.
            observations: (B, F) what blue saw after them.

        Raises:
            UserError: a wrong shape or type, or an action out of range.
        """
        num_envs, num_observations = len(self.records), self.network.num_observations
        if actions.shape != (num_envs,) or observations.shape != (num_envs, num_observations):
            raise UserError(
                f"expected ({num_envs},) actions and ({num_envs}, {num_observations}) observations, "
                f"got {actions.shape} and {observations.shape}."
            )
        check_actions(actions, len(self.network.codec))
        remember_loop(self.records, self.nets, self.settings, actions, observations)

    def update_one(self, env_idx: int, action: int, observation: npt.NDArray[Any]) -> None:
        """Take in one step of one game: blue's action, and the (F,) that it saw after it."""
        one = slice(env_idx, env_idx + 1)
        remember_loop(self.records[one], self.nets, self.settings, np.array([action], np.int16), observation[None])

    def masks(self, out: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
        """(B, A) bool: False where an action is certainly in vain; see `cageflow.sim.knowledge`.

        Args:
            out: to write to; None: a new array.
        """
        update_mask_loop(self.records, self.nets, *self.mask_keeping())
        masks = self._masks.view(np.bool_)
        if out is None:
            return masks.copy()
        np.copyto(out, masks)
        return out

    def keep_order(self, order: Order, masks: npt.NDArray[np.bool_]) -> None:
        """Take the fixes that have to wait by an order out of masks, so that who plays by them keeps it.

        Args:
            order: highest priority first.
            masks: (B, A) bool; written.
        """
        keep_order_loop(self.records, self.nets, *self.order_rule(order), masks.view(np.uint8))

    def order_rule(self, order: Order) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """What `cageflow.sim.knowledge.keep_order` needs of an order: the types' places in it, and which are fixes."""
        return np.argsort(self.network.orders.indices(order)).astype(np.int64), self._fixes

    def looks_compromised(self) -> npt.NDArray[np.bool_]:
        """(B, H) bool: which hosts look compromised to blue; see `cageflow.sim.knowledge`."""
        looks = np.empty((len(self.records), len(self.network.hosts)), np.bool_)
        looks_loop(self.records, self.nets, looks)
        return looks

    def mask_keeping(self) -> tuple[Array, Array, Array, Array]:
        """What keeps masks up to date in compiled code: `known`, `starts`, `host_actions`, `masks` of `knowledge`."""
        return (self._masked, *self._actions_by_host, self._masks)

    def recalled(self, out: npt.NDArray[np.uint8] | None = None) -> npt.NDArray[np.uint8]:
        """(B, R) uint8 of 0 and 1: what is remembered, for a policy to read; see `cageflow.sim.recall`.

        Args:
            out: to write to; None: a new array.
        """
        bits = np.empty((len(self.records), num_recalled(self.network)), np.uint8) if out is None else out
        recall_loop(self.records, self.nets, self.recalled_decoys, bits)
        return bits

    @cached_property
    def _actions_by_host(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """What `masks` needs of the network, worked out once."""
        return actions_by_host(self.network)

    @cached_property
    def _fixes(self) -> npt.NDArray[np.int64]:
        """What `keep_order` needs of the network, likewise."""
        return fixes_of(self.network)

    @cached_property
    def recalled_decoys(self) -> npt.NDArray[np.int64]:
        """What `recalled` needs of the network, worked out once: see `cageflow.sim.recall.decoy_places`."""
        return decoy_places(self.network)


def checked_actions(actions: object, num_envs: int, num_actions: int, step: int) -> npt.NDArray[np.int16]:
    """A copy of what an agent answered, in the type that games take: some agents write into what they gave.

    Args:
        actions: as the agent gave them.
        num_envs: B.
        num_actions: A.
        step: that they are for, from 0.

    Raises:
        UserError: they are not one whole number for each game, or one is out of range.
    """
    array = np.asarray(actions)
    if array.shape != (num_envs,):
        raise UserError(f"in step {step + 1} the agent gave {array.shape} actions; expected one for each game.")
    try:
        check_actions(array, num_actions)
    except UserError as error:
        raise UserError(f"in step {step + 1} the agent gave no action: {error}") from None
    return array.astype(np.int16)


def check_actions(actions: npt.NDArray[Any], num_actions: int) -> None:
    """Refuse actions that there are not.

    Raises:
        UserError: they are no integers, or one is out of range.
    """
    if not np.issubdtype(actions.dtype, np.integer):
        raise UserError(f"expected integers as actions, got {actions.dtype}.")
    if actions.min() < 0 or actions.max() >= num_actions:
        wrong = actions[(actions < 0) | (actions >= num_actions)][0]
        raise UserError(f"{wrong} is no action; possible are whole numbers from 0 to {num_actions - 1}.")
