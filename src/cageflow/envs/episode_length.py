"""The length of an episode by its two names: `max_steps`, ours, and `max_episode_steps`, Gymnasium's."""

from __future__ import annotations

import copy
from types import FrameType

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from cageflow.envs.options import GameOptions, whole_number
from cageflow.errors import UserError

NO_LIMIT = -1  # Gymnasium's word for "as the environment has it"


def episode_length(max_steps: int, max_episode_steps: int | None) -> int:
    """Steps of an episode.

    Args:
        max_steps: as given, or its default.
        max_episode_steps: where given, it takes the place of the default.

    Raises:
        UserError: both are given and differ, or the second is no whole number.
    """
    if max_episode_steps is None:
        return max_steps
    length = whole_number("max_episode_steps", max_episode_steps)
    if length == NO_LIMIT:
        return max_steps
    if max_steps not in (GameOptions.max_steps, length):
        raise UserError(
            f"max_steps is {max_steps} and max_episode_steps is {length}: "
            "both are the number of steps of an episode; give one of them."
        )
    return length


def length_asked_of_make(maker: FrameType) -> int | None:
    """The `max_episode_steps` that `gymnasium.make` was called with; None where there is none.

    Gymnasium tells the environment nothing of it, and wraps it in a limit. That can end an episode early and never
    late: an environment that ends its own episodes after 100 steps would silently ignore a limit of 200.

    Args:
        maker: the call that sets the `spec` of an environment, which is one of `gymnasium.make` or of somebody else.
    """
    return maker.f_locals.get("max_episode_steps") if maker.f_code is gym.make.__code__ else None


def spec_with_length(spec: EnvSpec | None, max_steps: int) -> EnvSpec | None:
    """The spec of an environment whose episodes have so many steps, which makes it again with as many."""
    if spec is None:
        return None
    told = copy.copy(spec)
    told.max_episode_steps = max_steps
    told.kwargs = {key: value for key, value in spec.kwargs.items() if key != "max_episode_steps"}
    told.kwargs["max_steps"] = max_steps
    return told
