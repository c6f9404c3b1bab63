"""An agent as the blue player of one game that somebody watches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.envs.agent import BlueAgent, BlueView
from cageflow.envs.inspection import Access
from cageflow.envs.single import Cage2Env
from cageflow.scenario.orders import Order


class AgentPlayer:
    """Plays one episode of an environment.

    Args:
        agent: who plays.
        env: the environment, at the start of the episode.
        seed: decides the agent's draws; None is chance.
    """

    def __init__(self, agent: BlueAgent, env: Cage2Env, seed: int | None = None) -> None:
        self._agent = agent
        self._env = env
        self._num_steps = 0
        self._last_actions: npt.NDArray[np.int64] | None = None
        agent.reset(agent_seed(seed))

    def __call__(self, observation: npt.NDArray[np.float32]) -> int:
        """The agent's action for an observation (F,)."""
        bits = observation[None].astype(np.uint8)
        view = BlueView(
            self._num_steps, bits, self._last_actions, self._masks, self._recalled, self._access, self._in_turn
        )
        action = int(self._agent.act(view)[0])
        self._num_steps += 1
        self._last_actions = np.array([action])
        return action

    def _masks(self) -> npt.NDArray[np.uint8]:
        return self._env.action_masks()[None].view(np.uint8)

    def _in_turn(self, order: Order) -> npt.NDArray[np.uint8]:
        return self._env.in_turn(order)[None].view(np.uint8)

    def _recalled(self) -> npt.NDArray[np.uint8]:
        return self._env.recalled()[None]

    def _access(self) -> npt.NDArray[np.int8]:
        access = [Access[facts["access"].upper()] for facts in self._env.true_state().values()]
        return np.array([access], np.int8)


def agent_seed(seed: int | None) -> npt.NDArray[np.uint64]:
    """(1,) uint64: the agent's seed in a game of some seed; None is chance."""
    return np.random.SeedSequence(seed).generate_state(1, np.uint64).astype(np.uint64)
