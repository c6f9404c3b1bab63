"""Games in which the learner plays red, and an agent blue: the same face to the collectors as games of blue.

What the learner sees is what red knows, its actions are those of the red codec, and its reward is what blue loses. Blue
is asked once a step for all games, and the games take the step in compiled code.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cageflow.collect.games import GameSpec, LocalGames, Observations, Outcomes, WorkflowSpec
from cageflow.envs.agent import BlueView
from cageflow.envs.game import GameBatch
from cageflow.envs.memory import checked_actions
from cageflow.envs.red_memory import RedMemory
from cageflow.envs.red_player import GivenActions
from cageflow.envs.seeds import scramble
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.errors import UserError
from cageflow.scenario.red_agents import GIVEN

BLUE_SALT = np.uint64(0x9FB21C651E98DF25)
"""Keeps blue's numbers apart from those of red, which are drawn by the episode's own seed."""


class RedGames:
    """B games in step, of which the learner plays red.

    Args:
        spec: what is played; `spec.blue` says by whom.

    Raises:
        UserError: blue cannot be made, or was not made for these games.
    """

    def __init__(self, spec: GameSpec) -> None:
        assert spec.blue is not None, "somebody plays blue"
        options = spec.options.against(GIVEN, spec.options.max_steps)
        self._blue = spec.blue.load(options.blue_setting)
        self._given = GivenActions(1)
        self._batch = GameBatch(options, 1, red=self._given)
        self._games = LocalGames(replace(spec, options=options, memory=False), self._batch)
        self._is_masked = spec.masked
        self._num_envs = self._step = 0
        self._last_actions: npt.NDArray[np.int16] | None = None

    def reset(
        self, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None, variation: Variation = UNVARIED
    ) -> None:
        """Begin B episodes, one for each seed, which differ as `variation` says; red sleeps in perturbing steps.

        Raises:
            UserError: blue plays fewer games at once.
        """
        most = self._blue.max_envs
        if most is not None and most < len(seeds):
            raise UserError(
                f"blue plays {most} games at once, and {len(seeds)} are to be in step: give --collector sequential"
            )
        self._given.actions = np.zeros(len(seeds), np.int64)
        self._games.reset(seeds, None, variation)
        self._blue.reset(scramble(seeds ^ BLUE_SALT))
        self._num_envs, self._step, self._last_actions = len(seeds), 0, None

    @property
    def _red(self) -> RedMemory:
        memory = self._batch.red_memory
        assert memory is not None, "somebody else than the compiled rules plays red"
        return memory

    @property
    def observations(self) -> Observations:
        """(B, F) uint8 what red knows now."""
        return self._red.observations()

    @property
    def masks(self) -> npt.NDArray[np.uint8] | None:
        """(B, R) uint8, 1 for actions that red may choose: those that it cannot know to be in vain; None for any."""
        return self._red.masks().view(np.uint8) if self._is_masked else None

    def step(
        self,
        actions: npt.NDArray[np.int16],
        env_rewards: npt.NDArray[np.float32],
        alignment_rewards: npt.NDArray[np.float32],
    ) -> None:
        """Take (B,) actions of red and those that blue answers with; both (B,) rewards are overwritten.

        Raises:
            UserError: blue gives what is no action.
        """
        games = self._games
        view = BlueView(
            self._step, games.table, self._last_actions, games.known_masks, games.recalled, games.access, games.in_turn
        )
        self._last_actions = checked_actions(
            self._blue.act(view), self._num_envs, len(games.spec.options.network.codec), self._step
        )
        self._given.actions[:] = actions
        self._batch.play(self._last_actions, games.table, env_rewards)
        np.subtract(np.float32(0.0), env_rewards, out=env_rewards)
        alignment_rewards.fill(0.0)
        self._step += 1

    def outcomes(self) -> Outcomes:
        """How the episodes ended: nobody judges them by a workflow."""
        return self._games.outcomes()

    def close(self) -> None:
        """Give back what the games hold."""
        self._games.close()
