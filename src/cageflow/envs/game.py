"""A batch of games: what the single and the vector environment have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.options import GameOptions
from cageflow.envs.saved import Array, GameState, fitting_arrays, setting_of
from cageflow.errors import UserError
from cageflow.sim.batch import play_loop, restart_batch, seed_loop, unpack_batch
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import mask_loop
from cageflow.sim.memory import forget, new_memories
from cageflow.sim.recall import decoy_places, num_recalled, recall_loop
from cageflow.sim.state import new_states
from cageflow.sim.threads import BatchThreads

SEED_RANGE = 2**64


class GameBatch:
    """B games with the same settings, each with a random stream of its own.

    Args:
        options: the settings.
        num_envs: B.
        num_threads: that share the steps.

    Attributes:
        network: the network that is played.
        states: (B,) environments.
        memories: (B,) what blue remembers, see `cageflow.sim.memory`.
        has_begun: whether episodes have begun.
    """

    def __init__(self, options: GameOptions, num_envs: int, num_threads: int = 1) -> None:
        self.network = options.network
        self._options = options
        self._num_envs = num_envs
        self._initial = plain(new_states(self.network, 1))
        self._nets = row(self.network.tables)
        self._settings = row(options.params())
        self.states = plain(new_states(self.network, num_envs))
        self.memories = plain(new_memories(self.network, num_envs))
        self._threads = BatchThreads(num_envs, num_threads)
        self.has_begun = False

    def restart(
        self,
        mask: npt.NDArray[np.bool_],
        seeds: Sequence[int | None],
        draw_seeds: Callable[[int], npt.NDArray[np.uint64]],
    ) -> None:
        """Begin an episode in some games.

        Args:
            mask: (B,) bool, which ones.
            seeds: (B,) of them; None lets a stream run on.
            draw_seeds: gives that many seeds by chance, for games that never had one.
        """
        given = np.array([seed is not None for seed in seeds], np.bool_)
        if not self.has_begun:
            everything = np.ones(self._num_envs, np.bool_)
            seed_loop(self.states, draw_seeds(self._num_envs), everything)
            self.has_begun = True
        if given.any():
            values = np.array([int(seed or 0) % SEED_RANGE for seed in seeds], np.uint64)
            seed_loop(self.states, values, given & mask)
        self.go_on(mask)

    def go_on(self, mask: npt.NDArray[np.bool_]) -> None:
        """Begin an episode in the games of a mask; their streams run on."""
        restart_batch(self.states, self._initial, mask)
        forget(self.memories, mask)

    def play(
        self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any], rewards: npt.NDArray[np.float64]
    ) -> None:
        """One step of every game; see `play_loop`."""
        if self._threads.num_threads == 1:  # slices cost a microsecond, as much as a single game's step
            play_loop(self.states, self.memories, self._nets, self._settings, actions, observations, rewards)
        else:
            self._threads.run(
                lambda part: play_loop(
                    self.states[part],
                    self.memories[part],
                    self._nets,
                    self._settings,
                    actions[part],
                    observations[part],
                    rewards[part],
                )
            )

    def outcomes(self) -> npt.NDArray[np.int8]:
        """(B,) int8 of `cageflow.sim.enums.Outcome`: whether blue's last actions succeeded, as blue is told."""
        outcomes: npt.NDArray[np.int8] = self.states["blue_outcome"].copy()
        return outcomes

    def save(self, progress: dict[str, Array]) -> GameState:
        """Where the games stand; all arrays are copies.

        Args:
            progress: (B, ...) arrays by name, what the environment itself keeps of its games.
        """
        return GameState(self._setting, {name: array.copy() for name, array in self._arrays(progress).items()})

    def load(
        self, state: object, progress: dict[str, Array], seeds: npt.NDArray[np.uint64] | None = None
    ) -> dict[str, Array]:
        """Go on from where games stood.

        Args:
            state: of these games or of others with the same settings, see `fitting_arrays`.
            progress: as in `save`.
            seeds: (B,) uint64, of random streams that begin anew; None: those of the state run on.

        Returns:
            What the environment itself had kept of them, by name; read-only.

        Raises:
            UserError: the state is none, or one of other games.
        """
        arrays = fitting_arrays(state, self._setting, self._arrays(progress), self._num_envs)
        self.states.view(np.ndarray)[:] = arrays["states"]
        self.memories.view(np.ndarray)[:] = arrays["memories"]
        if seeds is not None:
            seed_loop(self.states, seeds, np.ones(self._num_envs, np.bool_))
        self.has_begun = True
        return {name: arrays[name] for name in progress}

    def _arrays(self, progress: dict[str, Array]) -> dict[str, Array]:
        return {"states": self.states.view(np.ndarray), "memories": self.memories.view(np.ndarray)} | progress

    @cached_property
    def _setting(self) -> dict[str, Any]:
        """What a state must have been played with to fit here."""
        return setting_of(self._options)

    def observations(self) -> npt.NDArray[np.float32]:
        """(B, F) float32: what blue saw last."""
        observations = np.empty((self._num_envs, self.network.num_observations), np.float32)
        unpack_batch(self.states, observations)
        return observations

    def blue_sees(self, env_idx: int) -> npt.NDArray[np.uint8]:
        """(F,) uint8: the last observation of one game."""
        bits = np.empty((1, self.network.num_observations), np.uint8)
        unpack_batch(self.states[env_idx : env_idx + 1], bits)
        return bits.reshape(-1)

    def masks(self) -> npt.NDArray[np.bool_]:
        """(B, A) bool: False where blue can know that an action is in vain."""
        masks = np.empty((self._num_envs, len(self.network.codec)), np.bool_)
        mask_loop(self.memories, self._nets, masks)
        return masks

    def recalled(self) -> npt.NDArray[np.uint8]:
        """(B, R) uint8 of 0 and 1: what blue remembers, as a policy with a memory reads it."""
        places, num_bits = self._recall_layout
        bits = np.empty((self._num_envs, num_bits), np.uint8)
        recall_loop(self.memories, self._nets, places, bits)
        return bits

    @cached_property
    def _recall_layout(self) -> tuple[npt.NDArray[np.int64], int]:
        """What `recalled` needs of the network, worked out once."""
        return decoy_places(self.network), num_recalled(self.network)

    def close(self) -> None:
        """End the threads."""
        self._threads.close()


def check_seed(seed: object) -> None:
    """Refuse what is no seed.

    Raises:
        UserError: it is neither None nor a whole number from 0.
    """
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0):
        raise UserError(f"seed is {seed!r}; expected a whole number from 0, or None.")


def check_reset_options(options: object, possible: Collection[str] = ()) -> None:
    """Refuse options of `reset` that nothing would read: a setting given there would be lost in silence.

    Args:
        options: as given to `reset`.
        possible: keys that are read.

    Raises:
        UserError: they are neither None nor a dict, or hold another key.
    """
    if options is None:
        return
    if not isinstance(options, dict):
        raise UserError(f"the options of reset are {options!r}; expected a dict, or None.")
    unknown = [key for key in options if key not in possible]
    if unknown:
        known = f"only {', '.join(possible)} is read there" if possible else "none is read there"
        raise UserError(
            f"{unknown[0]!r} is no option of reset ({known}); the settings of a game are given when it is made."
        )


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
