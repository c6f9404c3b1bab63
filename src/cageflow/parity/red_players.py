"""Who plays red in a recording besides CybORG's own agents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from cageflow.envs.cyborg import CyborgEnv
from cageflow.envs.cyborg_red import what_red_was_told
from cageflow.envs.options import GameOptions
from cageflow.envs.red_memory import RedMemory
from cageflow.envs.red_player import RedPlayer, open_red
from cageflow.scenario.red_agents import is_code

RANDOM = "random"


class UniformRed:
    """Red takes any action there is, all equally likely, whether it knows of the target or not.

    What the built-in `random` does, from chance of its own: a recording forces what is drawn from the episode's stream.
    """

    def begin(self, seeds: npt.NDArray[np.uint64], mask: npt.NDArray[np.bool_]) -> None:
        """See `RedPlayer`; a recording plays one game."""
        self._rng = np.random.default_rng(seeds)

    def act(self, memory: RedMemory, free: npt.NDArray[np.bool_]) -> npt.NDArray[np.integer]:
        """See `RedPlayer`."""
        return self._rng.integers(len(memory.network.red_codec), size=len(free))


def find_red(red_agent: str | RedPlayer, scenario: Path | str | None = None) -> RedPlayer | None:
    """Who plays red where it is none of CybORG's own agents; None where it is, or is to be refused as none.

    Args:
        red_agent: as `record_episodes` takes it.
        scenario: the network that is played.

    Raises:
        UserError: it names a class in a file that cannot play red.
    """
    if not isinstance(red_agent, str):
        return red_agent
    if is_code(red_agent):
        return open_red(GameOptions(red_agent, scenario=scenario))
    return UniformRed() if red_agent.lower() == RANDOM else None


def name_of_red(red_agent: str | RedPlayer, player: RedPlayer) -> str:
    """What a recording calls a red player."""
    if isinstance(red_agent, str) and is_code(red_agent):
        return Path(red_agent).name
    kind = type(player)
    if kind is UniformRed:
        return RANDOM
    return f"{kind.__module__.rpartition('.')[2]}.py:{kind.__name__}"


class RecordedRed:
    """A red player at the console of CybORG: asked before each step, told after it what CybORG tells red.

    Args:
        env: the game, made so that the caller plays red.
        player: who is asked.
    """

    def __init__(self, env: CyborgEnv, player: RedPlayer) -> None:
        self.memory = RedMemory(env.network)
        self._env, self._player = env, player
        self._one = np.ones(1, np.bool_)

    def begin(self, seed: np.random.SeedSequence) -> None:
        """Begin an episode."""
        self.memory.reset()
        self._player.begin(seed.generate_state(1, np.uint64).astype(np.uint64), self._one)

    def choose(self) -> None:
        """Have the player say what red is to do in the next step."""
        assert self._env.red is not None
        self._env.red.action = int(self._player.act(self.memory, self._one)[0])

    def learn(self) -> None:
        """Take in a step."""
        self.memory.update(what_red_was_told(self._env.cyborg, self._env.network))
