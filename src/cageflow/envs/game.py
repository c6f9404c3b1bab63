"""A batch of games on the compiled simulator: what environments, collectors and evaluations play in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.inspection import accesses
from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import RULES, GameOptions
from cageflow.envs.perturbing import PERTURBING_STEPS, UNPERTURBED, perturb_loop, perturbing_action, start_of
from cageflow.envs.red_memory import RedMemory
from cageflow.envs.red_player import RedPlayer, open_red
from cageflow.envs.red_seat import RedSeat
from cageflow.envs.saved import Array, GameState, fitting_arrays, setting_of
from cageflow.envs.varying import Variation
from cageflow.errors import UserError
from cageflow.scenario.enums import RedAgent
from cageflow.scenario.red_agents import BUILT_IN
from cageflow.sim.batch import play_loop, reset_batch, restart_batch, seed_loop, unpack_batch
from cageflow.sim.handover import plain
from cageflow.sim.state import new_states
from cageflow.sim.threads import BatchThreads
from cageflow.workflow.compliance import ComplianceTracker

SEED_RANGE = 2**64


class GameBatch:
    """B games with the same settings, each with a random stream of its own.

    Args:
        options: the settings.
        num_envs: B.
        num_threads: that share the steps.
        red: plays red; None leaves it to the settings.

    Attributes:
        network: the network that is played.
        states: (B,) environments.
        memory: what blue remembers.
        red: red's place, where somebody sits there; None where the compiled rules play red.
        played: the arrays that compiled loops play on: environments, memories, the network's tables, the settings.
        has_begun: whether episodes have begun.
    """

    def __init__(self, options: GameOptions, num_envs: int, num_threads: int = 1, red: RedPlayer | None = None) -> None:
        self.network = options.network
        self.memory = BlueMemory(options, num_envs)
        player = red if red is not None or options.red_agent in BUILT_IN else open_red(options)
        self.red = None if player is None else RedSeat(player, options, num_envs)
        self._options = options
        self._num_threads = num_threads
        self._initial = plain(new_states(self.network, 1))
        self.has_begun = False
        self._make_room(num_envs)

    def _make_room(self, num_envs: int) -> None:
        self._num_envs = num_envs
        self.states = plain(new_states(self.network, num_envs))
        self.played = (self.states, self.memory.records, self.memory.nets, self.memory.settings)
        self._threads = BatchThreads(num_envs, self._num_threads)

    def begin(self, seeds: npt.NDArray[np.uint64], observations: npt.NDArray[Any] | None = None) -> None:
        """Begin an episode for each seed, in all games.

        Args:
            seeds: (B,) uint64; B may be another number than before.
            observations: (B, F) of any number type; overwritten with what blue sees at the start, where given.
        """
        if len(seeds) != self._num_envs:
            self.close()
            self.memory.resize(len(seeds))
            self._make_room(len(seeds))
        reset_batch(self.states, self._initial, seeds)
        self.memory.reset()
        if self.red is not None:
            self.red.begin(self.states, np.ones(self._num_envs, np.bool_))
        self.has_begun = True
        if observations is not None:
            observations[:] = 0

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
        self._begin(mask, ~given)

    def go_on(self, mask: npt.NDArray[np.bool_]) -> None:
        """Begin an episode in the games of a mask; their streams run on."""
        self._begin(mask, mask)

    def _begin(self, mask: npt.NDArray[np.bool_], runs_on: npt.NDArray[np.bool_]) -> None:
        restart_batch(self.states, self._initial, mask)
        self.memory.reset(mask)
        if self.red is not None:
            self.red.begin(self.states, mask, runs_on)

    def play(
        self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any], rewards: npt.NDArray[np.floating]
    ) -> None:
        """One step of every game; see `play_loop`."""
        self.play_going(actions, observations, rewards)

    def play_going(
        self,
        actions: npt.NDArray[np.integer],
        observations: npt.NDArray[Any],
        rewards: npt.NDArray[np.floating],
        over: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """The same where the step counts for nothing in the games of a (B,) mask, whose episode is over."""
        if self.red is None:
            self._play(actions, observations, rewards)
            return
        going = np.ones(self._num_envs, np.bool_) if over is None else ~over
        self.red.choose(self.states, going)
        self._play(actions, observations, rewards)
        self.red.learn(self.states, going)

    def _play(
        self, actions: npt.NDArray[np.integer], observations: npt.NDArray[Any], rewards: npt.NDArray[np.floating]
    ) -> None:
        states, memories, nets, settings = self.played
        if self._threads.num_threads == 1:  # slices cost a microsecond, as much as a single game's step
            play_loop(states, memories, nets, settings, actions, observations, rewards)
        else:
            self._threads.run(
                lambda part: play_loop(
                    states[part], memories[part], nets, settings, actions[part], observations[part], rewards[part]
                )
            )

    def vary(self, seeds: npt.NDArray[np.uint64], variation: Variation, observations: npt.NDArray[Any]) -> None:
        """Have the episodes that have just begun differ.

        Args:
            seeds: (B,) uint64, of the episodes.
            variation: what is drawn for them; those who play red of it have to be of BUILT_IN.
            observations: (B, F) of any number type; what blue sees is written where an episode starts perturbed.
        """
        states, memories, nets, settings = self.played
        awake, reds = variation.green_awake(seeds), variation.reds(seeds)
        if awake is not None:
            states["green"] = awake
            memories["green"] = 1
        if reds is not None:
            states["mixture_red"] = np.array(
                [BUILT_IN.get(red, RedAgent.GIVEN) for red, _ in variation.red_mixture], np.int8
            )[reds]
        if variation.rules is not None:
            states["rules"] = RULES.index(variation.rules)
        if variation.perturbed > 0.0:
            if self.red is None:
                perturb_loop(states, memories, nets, settings, seeds, variation.perturbed, observations)
            else:
                self._perturb_against(self.red, seeds, variation.perturbed, observations)

    def _perturb_against(
        self, red: RedSeat, seeds: npt.NDArray[np.uint64], share: float, observations: npt.NDArray[Any]
    ) -> None:
        """What `perturb_loop` does, step by step, for red to be asked."""
        starts = np.array([start_of(seed, share) for seed in seeds])
        chosen = starts != UNPERTURBED
        part = np.flatnonzero(chosen)
        states, memories, nets, settings = self.played
        known, seen, rewards = memories[part], observations[part], np.empty(len(part), np.float32)
        for done in range(PERTURBING_STEPS):
            red.choose(states, chosen)
            here = states[part]
            actions = [perturbing_action(seeds[i], done, starts[i], len(self.network.codec)) for i in part]
            play_loop(here, known, nets, settings, np.array(actions, np.int16), seen, rewards)
            states[part] = here
            red.learn(states, chosen)
        memories[part], observations[part] = known, seen

    def judge(
        self, tracker: ComplianceTracker, actions: npt.NDArray[np.integer], rewards: npt.NDArray[np.float32]
    ) -> None:
        """Have (B,) actions judged by a workflow before they are taken; its (B,) rewards are overwritten."""
        tracker.score_states(self.states, self.memory.records, actions, rewards)

    def access(self) -> npt.NDArray[np.int8]:
        """(B, H) int8 of `inspection.Access`: the highest level at which red holds a session on each host."""
        return accesses(self.states)

    def outcomes(self) -> npt.NDArray[np.int8]:
        """(B,) int8 of `cageflow.sim.enums.Outcome`: whether blue's last actions succeeded, as blue is told."""
        outcomes: npt.NDArray[np.int8] = self.states["blue_outcome"].copy()
        return outcomes

    def save(self, progress: dict[str, Array]) -> GameState:
        """Where the games stand; all arrays are copies.

        Args:
            progress: (B, ...) arrays by name, what the environment itself keeps of its games.

        Raises:
            UserError: red is code of a user's, see `RedSeat.arrays`.
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
        own = self._arrays(progress)
        arrays = fitting_arrays(state, self._setting, own, self._num_envs)
        for name in own.keys() - progress.keys():
            own[name][:] = arrays[name]
        if seeds is not None:
            seed_loop(self.states, seeds, np.ones(self._num_envs, np.bool_))
        if self.red is not None:
            self.red.go_on(self.states, anew=seeds is not None)
        self.has_begun = True
        return {name: arrays[name] for name in progress}

    def _arrays(self, progress: dict[str, Array]) -> dict[str, Array]:
        arrays = {"states": self.states.view(np.ndarray), "memories": self.memory.records.view(np.ndarray)}
        return arrays | ({} if self.red is None else self.red.arrays()) | progress

    @property
    def red_memory(self) -> RedMemory:
        """What red knows, where somebody plays it."""
        assert self.red is not None, "the compiled rules play red"
        return self.red.memory

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
