"""The truth about a game, and the last step of it, in words and arrays. Blue never sees any of this."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.scenario import Network, RedKind
from cageflow.sim.enums import Outcome


class Access(IntEnum):
    """The highest level at which red holds a session on a host."""

    NONE = 0
    USER = 1
    PRIVILEGED = 2


def true_states(network: Network, states: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """What really holds in a batch of games; all arrays are copies.

    Args:
        network: the network that is played.
        states: (B,) environments.

    Returns:
        Arrays by name: `access` (B, H) int8 of `Access`, `user_sessions` and `privileged_sessions` (B, H) int16,
        `decoys` (B, H) int16 masks (bit d: `network.decoys[d]`), `malware` (B, H) bool: whether there are files that
        Analyse finds, and `service_running` (B, H) bool: False where a service that Impact stops is down.
    """
    return {
        "access": accesses(states),
        "user_sessions": states["removable"] + states["stubborn"],
        "privileged_sessions": states["privileged"].copy(),
        "decoys": states["decoys"].copy(),
        "malware": (states["malware"][:, None] >> np.arange(len(network.hosts)) & 1).astype(np.bool_),
        "service_running": states["stopped"][:, None] >> np.arange(len(network.hosts)) & 1 == 0,
    }


def accesses(states: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """(B, H) int8 of `Access` in a batch of games."""
    user = states["removable"] + states["stubborn"]
    access = np.where(states["privileged"] > 0, Access.PRIVILEGED, np.where(user > 0, Access.USER, Access.NONE))
    return access.astype(np.int8)


def describe_hosts(network: Network, state: npt.NDArray[Any]) -> dict[str, dict[str, Any]]:
    """What really holds in one game, host by host, in table order.

    Args:
        network: the network that is played.
        state: (1,) the environment.

    Returns:
        By host: `access` ("none", "user" or "privileged"), `user_sessions`, `privileged_sessions`, `decoys` (names of
        services), `malware` (whether there are files that Analyse finds), and `service_running`: whether the service
        that Impact stops runs, None where the host has none.
    """
    arrays = true_states(network, state)
    return {
        host: {
            "access": Access(arrays["access"][0, i]).name.lower(),
            "user_sessions": int(arrays["user_sessions"][0, i]),
            "privileged_sessions": int(arrays["privileged_sessions"][0, i]),
            "decoys": [name for d, name in enumerate(network.decoys) if arrays["decoys"][0, i] >> d & 1],
            "malware": bool(arrays["malware"][0, i]),
            "service_running": bool(arrays["service_running"][0, i]) if network.scenario.hosts[host].service else None,
        }
        for i, host in enumerate(network.hosts)
    }


@dataclass(frozen=True)
class LastStep:
    """Who did what in one step; before the first of an episode the actions are "none".

    Attributes:
        number: of the step in its episode, from 1; 0 before the first.
        blue_action: that blue chose, as the codec names it, such as "Remove User1".
        blue_success: None where CybORG says neither; where actions take several steps, of what ended in this one.
        green_action: "GreenPortScan User1" or "Sleep".
        red_action: such as "ExploitRemoteService User1 by HarakaRCE".
        red_success: None where CybORG says neither.
        reward: of blue.
        blue_host: that blue's action was aimed at, None for none.
        red_host: that red's was.
        red_subnet: that red's was.
        under_way: blue's actions that go on, the one begun first in front, each with the steps that it still takes.
    """

    number: int
    blue_action: str
    blue_success: bool | None
    green_action: str
    red_action: str
    red_success: bool | None
    reward: float
    blue_host: str | None = None
    red_host: str | None = None
    red_subnet: str | None = None
    under_way: tuple[tuple[str, int], ...] = ()


def describe_step(network: Network, state: npt.NDArray[Any], action: int, reward: float) -> LastStep:
    """Put the last step of one game in words.

    Args:
        network: the network that is played.
        state: (1,) the environment after the step.
        action: blue's.
        reward: blue's.
    """
    number = int(state["step"][0])
    if number == 0:
        return LastStep(0, "none", None, "none", "none", None, 0.0)
    scanned = int(state["green_scan"][0])
    blue_host = int(network.codec.host[action])
    red_host, red_subnet = _red_target(network, state)
    return LastStep(
        number,
        network.codec.names[action],
        _success(int(state["blue_outcome"][0])),
        "Sleep" if scanned < 0 else f"GreenPortScan {network.hosts[scanned]}",
        _red_action(network, state),
        _success(int(state["red_outcome"][0])),
        reward,
        None if blue_host < 0 else network.hosts[blue_host],
        red_host,
        red_subnet,
        _under_way(network, state),
    )


def _under_way(network: Network, state: npt.NDArray[Any]) -> tuple[tuple[str, int], ...]:
    busy = int(state["num_busy"][0])
    actions, left = state["crew_action"][0, :busy].tolist(), state["crew_left"][0, :busy].tolist()
    return tuple((network.codec.names[action], steps) for action, steps in zip(actions, left, strict=True))


def _red_target(network: Network, state: npt.NDArray[Any]) -> tuple[str | None, str | None]:
    """The host or the subnet that red's action was aimed at."""
    kind, target = int(state["red_kind"][0]), int(state["red_target"][0])
    if kind == RedKind.SLEEP or target < 0:
        return None, None
    if kind == RedKind.DISCOVER_REMOTE_SYSTEMS:
        return None, network.subnets[target]
    return network.hosts[target], None


def _red_action(network: Network, state: npt.NDArray[Any]) -> str:
    kind, target, exploit = (int(state[name][0]) for name in ("red_kind", "red_target", "exploit"))
    verb = RedKind(kind).name.title().replace("_", "")
    if kind == RedKind.SLEEP:
        return verb
    still = " (under way)" if state["red_left"][0] > 0 else ""
    if kind == RedKind.DISCOVER_REMOTE_SYSTEMS:
        return f"{verb} {network.subnets[target]}{still}"
    by = f" by {network.exploits[exploit]}" if exploit >= 0 else ""
    return f"{verb} {network.hosts[target]}{by}{still}"


def _success(outcome: int) -> bool | None:
    return None if outcome == Outcome.UNKNOWN else outcome == Outcome.TRUE
