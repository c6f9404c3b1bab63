"""Playing whole episodes with a policy, in one compiled function where the simulator is compiled too."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from cageflow.collect.episode_loop import Masking, Played, Steps, play_steps
from cageflow.collect.episodes import Episodes
from cageflow.collect.games import Games, LocalGames, WorkflowSpec
from cageflow.collect.lockstep_games import LockstepGames
from cageflow.collect.seeds import action_uniforms
from cageflow.collect.simulators import make_games_against
from cageflow.envs.game import GameBatch
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.learn.bit_table import BitTable
from cageflow.learn.inference import Actor, ActorWeights
from cageflow.learn.rollout import Rollout
from cageflow.workflow.compliance import ComplianceTracker


class Player:
    """Plays a policy in games.

    Args:
        games: to play in.
        num_steps: T, of an episode.
    """

    def __init__(self, games: Games, num_steps: int) -> None:
        self._games = games
        self._num_steps = num_steps
        self._actor: Actor | None = None
        self._mask_table: BitTable | None = None
        self._against: dict[str, Games] = {}

    def play(
        self,
        weights: ActorWeights,
        seeds: npt.NDArray[np.uint64],
        workflow: WorkflowSpec | None,
        variation: Variation = UNVARIED,
    ) -> Episodes:
        """Play one episode for each seed.

        Args:
            weights: the policy.
            seeds: (B,) uint64 episode seeds; each decides the game's chance and the policy's.
            workflow: that the fixes are judged by, or None.
            variation: what is drawn for each of them.
        """
        parts = variation.parts(seeds)
        if len(parts) == 1 and parts[0].red is None:
            return self._play(self._games, weights, seeds, workflow, variation)
        played = [
            self._play(self._games_against(part.red), weights, seeds[part.places], workflow, part.variation)
            for part in parts
        ]
        order = np.argsort(np.concatenate([part.places for part in parts]))
        return Episodes.concatenate(played).take(order)

    def _games_against(self, red: str | None) -> Games:
        """The games in which a policy of red's plays red; None: those of everybody else."""
        if red is None:
            return self._games
        if red not in self._against:
            games = self._games
            if isinstance(games, LockstepGames):
                self._against[red] = games.against(red)
            else:
                assert isinstance(games, LocalGames), "who learns red meets no other"
                self._against[red] = make_games_against(games.spec, red)
        return self._against[red]

    def _play(
        self,
        games: Games,
        weights: ActorWeights,
        seeds: npt.NDArray[np.uint64],
        workflow: WorkflowSpec | None,
        variation: Variation,
    ) -> Episodes:
        """The same in games of one kind."""
        started = time.perf_counter()
        games.reset(seeds, workflow, variation)
        steps = _make_room(self._num_steps, len(seeds))
        if isinstance(games, LocalGames) and isinstance(games.batch, GameBatch) and games.batch.red is None:
            actor = self._start_actor(weights, masked=games.is_masked)
            mask_table = self._start_masks(len(games.spec.options.network.codec))
            _play_compiled(games, games.batch, actor, mask_table, seeds, steps)
            masks = mask_table if games.is_masked else None
        else:
            actor = self._start_actor(weights, masked=games.masks is not None)
            masks = _play_step_by_step(games, actor, seeds, steps)
        outcomes = games.outcomes()
        steps.alignment_rewards[-1] += outcomes.end_rewards
        rollout = Rollout(
            observations=actor.observations.copy(),
            observation_idx=steps.observation_idx,
            final_observation_idx=steps.final_observation_idx,
            actions=steps.actions,
            log_probs=steps.log_probs,
            env_rewards=steps.env_rewards,
            alignment_rewards=steps.alignment_rewards,
            masks=None if masks is None else masks.rows.copy(),
            mask_idx=None if masks is None else steps.mask_idx,
        )
        inference_s = float(steps.seconds[0])
        return Episodes(
            rollout=rollout,
            seeds=seeds,
            compliance=outcomes.compliance,
            fixes=outcomes.fixes,
            tests=outcomes.tests,
            contests=outcomes.contests,
            inference_s=inference_s,
            simulation_s=time.perf_counter() - started - inference_s,
        )

    def close(self) -> None:
        """End the games."""
        self._games.close()
        for games in self._against.values():
            games.close()

    def _start_actor(self, weights: ActorWeights, *, masked: bool) -> Actor:
        if self._actor is None or self._actor.is_masked != masked:
            self._actor = Actor(weights, masked=masked)
        else:
            self._actor.start(weights)
        return self._actor

    def _start_masks(self, num_actions: int) -> BitTable:
        """An empty table for the distinct masks, as large as the last play needed."""
        if self._mask_table is None or self._mask_table.num_bits != num_actions:
            self._mask_table = BitTable(num_actions)
        self._mask_table.clear()
        return self._mask_table


def _make_room(num_steps: int, num_envs: int) -> Steps:
    shape = (num_steps, num_envs)
    return Steps(
        observation_idx=np.empty(shape, np.int32),
        mask_idx=np.empty(shape, np.int32),
        actions=np.empty(shape, np.int16),
        log_probs=np.empty(shape, np.float32),
        env_rewards=np.empty(shape, np.float32),
        alignment_rewards=np.zeros(shape, np.float32),
        final_observation_idx=np.empty(num_envs, np.int32),
        counts=np.zeros(2, np.int64),
        seconds=np.zeros(2, np.float64),
    )


def _play_step_by_step(games: Games, actor: Actor, seeds: npt.NDArray[np.uint64], steps: Steps) -> BitTable | None:
    """Play games that run anywhere from their reset to their end; the distinct masks, where they have any."""
    uniforms = np.empty(len(seeds), np.float64)
    mask_table = None if games.masks is None else BitTable(games.masks.shape[1])
    for t in range(len(steps.actions)):
        asked = time.perf_counter()
        action_uniforms(seeds, t, uniforms)
        masks = games.masks
        if mask_table is not None and masks is not None:
            mask_table.index(masks, steps.mask_idx[t])
        actor.act(games.observations, uniforms, steps.actions[t], steps.log_probs[t], steps.observation_idx[t], masks)
        steps.seconds[0] += time.perf_counter() - asked
        games.step(steps.actions[t], steps.env_rewards[t], steps.alignment_rewards[t])
    actor.index(games.observations, steps.final_observation_idx)
    return mask_table


def _play_compiled(
    games: LocalGames,
    batch: GameBatch,
    actor: Actor,
    mask_table: BitTable,
    seeds: npt.NDArray[np.uint64],
    steps: Steps,
) -> None:
    """Likewise on the compiled simulator, in compiled code.

    Args:
        mask_table: for the distinct masks; written.

    Raises:
        ValueError: a mask that allows nothing.
    """
    network = games.spec.options.network
    tracker = games.tracker or ComplianceTracker(network, network.orders.unrank(0), 0, 0.0)
    bits = np.empty(actor.num_bits, np.uint8)
    played = Played(*batch.played, games.table, bits, batch.memory.recalled_decoys)
    known, starts, host_actions, masks = batch.memory.mask_keeping()
    masking = Masking(
        games.spec.masked,
        known,
        starts,
        host_actions,
        masks if games.spec.masked else np.ones_like(masks),
        games.kept is not None,
        *batch.memory.order_rule(games.kept or network.orders.unrank(0)),
        np.empty(len(network.codec), np.uint8),
    )
    behind = 0
    while behind <= len(steps.actions):
        room = actor.room(len(seeds))
        mask_table.reserve(len(mask_table) + len(seeds))
        behind = play_steps(
            behind,
            seeds,
            played,
            room,
            masking,
            mask_table.room(),
            games.tracker is not None,
            tracker.judging(),
            steps,
        )
        actor.fill(int(steps.counts[0]))
        mask_table.fill(int(steps.counts[1]))
        if behind < 0:
            raise ValueError(f"the mask of environment {-1 - behind} allows no action of any probability")
