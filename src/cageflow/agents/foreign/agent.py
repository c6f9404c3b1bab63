"""An agent of others as the player of a batch of games."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.foreign import wire
from cageflow.agents.foreign.process import DEFAULT_TIMEOUT_S, AgentProcess
from cageflow.envs.agent import BlueSetting, BlueView
from cageflow.errors import UserError

NO_MASKS = 0


class ForeignAgent:
    """Plays an agent that stands in another process.

    The agent is told of each episode a number of its own, made of the episode's seed in one direction: with the seed
    itself it could play the game ahead.

    Args:
        process: where the agent has been loaded.
        num_actions: that there are.
        max_envs: most games that it plays at once; None for any number.
        wants_masks: whether it is to be shown them.
    """

    def __init__(self, process: AgentProcess, num_actions: int, max_envs: int | None, wants_masks: bool) -> None:
        self.max_envs = max_envs
        self._process = process
        self._num_actions = num_actions
        self._wants_masks = wants_masks

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes.

        Raises:
            UserError: the agent failed at the end of the last one, or now.
        """
        self._process.ask(wire.RESET, own_seeds(seeds).tobytes(), wire.DONE, "end_episode")
        self._no_masks = np.zeros((len(seeds), NO_MASKS), np.uint8)
        self._no_actions = np.full(len(seeds), -1, np.int64)

    def act(self, view: BlueView) -> npt.NDArray[np.int64]:
        """(B,) what the agent answers.

        Raises:
            UserError: it failed, took too long, or its answer is no action.
        """
        last = self._no_actions if view.last_actions is None else view.last_actions.astype(np.int64)
        masks = view.masks if self._wants_masks else self._no_masks
        shown = wire.Shown(view.step, view.observations, last, masks)
        answer = self._process.ask(wire.ACT, shown.to_bytes(), wire.ACTIONS, f"step {view.step + 1}")
        if len(answer) != 8 * len(view.observations):
            raise UserError(f"{self._process.name} gave what is no answer in step {view.step + 1}.")
        return np.frombuffer(answer, np.int64)


def load_agent(
    location: str,
    arguments: Mapping[str, Any],
    setting: BlueSetting,
    cyborg_path: Path | str | None = None,
    *,
    deterministic: bool = False,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> ForeignAgent:
    """Start a process and make an agent in it.

    Args:
        location: `path/to/file.py:Name` or `package.module:Name`, of a class, an object or a function, or a model as
            `.zip` or `.onnx`; see `cageflow.agents.foreign.kinds`.
        arguments: for the constructor.
        setting: of the games.
        cyborg_path: folder of an installed CybORG, for agents that import it.
        deterministic: whether a model takes its likeliest action instead of drawing one.
        timeout_s: seconds that the agent has for each answer, and to be loaded.

    Raises:
        UserError: there is no such file, module or name, loading it failed or took too long, or it is no agent.
    """
    process = AgentProcess(location, timeout_s)
    network = setting.network
    request = {
        "location": location,
        "arguments": dict(arguments),
        "cyborg_path": None if cyborg_path is None else str(cyborg_path),
        "num_observations": network.num_observations,
        "actions": network.codec.names,
        "deterministic": deterministic,
    }
    answer = wire.from_text(process.ask(wire.LOAD, wire.to_text(request), wire.LOADED, "loading"))
    max_envs = answer.get("max_envs")
    return ForeignAgent(
        process,
        len(network.codec),
        max_envs if isinstance(max_envs, int) and max_envs > 0 else None,
        bool(answer.get("wants_masks")),
    )


def own_seeds(seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """(B,) numbers of an agent's own, each made of an episode's seed in one direction."""
    return np.array([_own_seed(int(seed)) for seed in seeds], np.uint64)


def _own_seed(seed: int) -> int:
    digest = hashlib.blake2b(seed.to_bytes(8, "little"), digest_size=8, person=b"agent").digest()
    return int.from_bytes(digest, "little")
