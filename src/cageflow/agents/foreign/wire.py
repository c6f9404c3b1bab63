"""The messages between a game and the process of an agent: a kind, a length, and bytes that are numbers or text.

Nothing is unpickled on either side, so that an agent cannot hand the game code to run.
"""

from __future__ import annotations

import json
import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.reading import TextError, parse_json

HEADER = struct.Struct("<cI")
"""Kind and length of what follows."""
MAX_ANSWER = 1024 * 1024
"""Bytes; 4,096 actions are 32 kB."""

LOAD, RESET, ACT = b"L", b"R", b"A"  # to the agent
LOADED, DONE, ACTIONS, FAULT = b"l", b"d", b"a", b"f"  # from it

_SIZES = struct.Struct("<IIII")


class Shown(NamedTuple):
    """What an agent is shown before a step of B games.

    Attributes:
        step: steps already played.
        observations: (B, F) uint8.
        last_actions: (B,) int64; -1 before the first step.
        masks: (B, A) uint8; (B, 0) for an agent that does not ask for them.
    """

    step: int
    observations: npt.NDArray[np.uint8]
    last_actions: npt.NDArray[np.int64]
    masks: npt.NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """The message."""
        num_envs, num_bits = self.observations.shape
        sizes = _SIZES.pack(self.step, num_envs, num_bits, self.masks.shape[1])
        return b"".join((sizes, self.last_actions.tobytes(), self.observations.tobytes(), self.masks.tobytes()))

    @classmethod
    def from_bytes(cls, content: bytes) -> Shown:
        """What a message says; the arrays can be written to."""
        step, num_envs, num_bits, num_actions = _SIZES.unpack_from(content)
        first, second = _SIZES.size + 8 * num_envs, _SIZES.size + (8 + num_bits) * num_envs
        return cls(
            step,
            np.frombuffer(content[first:second], np.uint8).reshape(num_envs, num_bits).copy(),
            np.frombuffer(content[_SIZES.size : first], np.int64).copy(),
            np.frombuffer(content[second:], np.uint8).reshape(num_envs, num_actions).copy(),
        )


def to_text(content: dict[str, Any]) -> bytes:
    """Plain data as a message."""
    return json.dumps(content).encode()


def from_text(content: bytes) -> dict[str, Any]:
    """Plain data of a message.

    Raises:
        TextError: it is none.
    """
    data = parse_json(content.decode("utf-8", "replace"))
    if not isinstance(data, dict):
        raise TextError("expected names and values")
    return data
