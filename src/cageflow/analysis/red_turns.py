"""What red's last action came from and why it went as it did, told from the state after the step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.scenario import ExploitEffect, Network, RedKind
from cageflow.sim.enums import Outcome

OUT_OF_REACH = "out of reach"
NO_SESSION = "no session there"


class RedTurn(NamedTuple):
    """Red's action in a step.

    Attributes:
        origin: index of the host that its traffic comes from, -1 where it acts on the target itself or not at all.
        through: indices of the hosts whose sessions opened the target's subnet; empty where it is open anyway.
        why: of the outcome, in a few words; empty where there is nothing to say.
    """

    origin: int
    through: tuple[int, ...]
    why: str


def red_turn(network: Network, params: Any, state: npt.NDArray[Any], held: npt.NDArray[np.bool_]) -> RedTurn:
    """What there is to say of red's action.

    Args:
        network: the network that is played.
        params: the game's settings, as `GameOptions.params` gives them.
        state: (1,) the environment after the step.
        held: (H,) bool, the hosts that red held before it acted.
    """
    kind, target = RedKind(int(state["red_kind"][0])), int(state["red_target"][0])
    if kind == RedKind.SLEEP or target < 0:
        return RedTurn(-1, (), "")
    if kind in (RedKind.PRIVILEGE_ESCALATE, RedKind.IMPACT):
        return RedTurn(-1, (), _why_on_host(network, state, kind, target, held))
    tables = network.tables
    subnet = target if kind == RedKind.DISCOVER_REMOTE_SYSTEMS else int(tables["subnet"][target])
    is_open = bool(tables["is_open"][subnet])
    guards = int(tables["guards"][subnet])
    through = () if is_open else tuple(host for host in np.flatnonzero(held).tolist() if guards >> host & 1)
    why = "" if is_open or through else OUT_OF_REACH
    if not why and kind == RedKind.EXPLOIT_REMOTE_SERVICE and state["red_outcome"][0] == Outcome.FALSE:
        why = _why_exploit_failed(network, params, state, target)
    return RedTurn(int(tables["start"]), through, "" if state["red_left"][0] > 0 else why)


def _why_on_host(
    network: Network, state: npt.NDArray[Any], kind: RedKind, host: int, held: npt.NDArray[np.bool_]
) -> str:
    if state["red_left"][0] > 0:
        return ""
    if state["red_outcome"][0] == Outcome.FALSE:
        return "the service is not known to it" if held[host] else NO_SESSION
    is_restored = int(state["restored"][0]) >> host & 1
    return "the service was restored and runs on" if kind == RedKind.IMPACT and is_restored else ""


def _why_exploit_failed(network: Network, params: Any, state: npt.NDArray[Any], host: int) -> str:
    """What stood in the way of an exploit of a host in reach; blue's decoys are as red met them."""
    tables, exploit = network.tables, int(state["exploit"][0])
    if exploit < 0:
        return "no way in is known"
    loses = state["rules"][0] == 1 if params["rules_drawn"] else params["restore_loses"]
    has_lost = int(loses) & int(state["restored"][0]) >> host & 1
    if tables["effect"][has_lost, exploit, host] != ExploitEffect.NO_PROCESS:
        return "the service withstood"
    traps = int(state["decoys"][0, host]) & int(tables["exploit_traps"][exploit])
    names = [name for d, name in enumerate(network.decoys) if traps >> d & 1]
    return f"a decoy: {', '.join(names)}" if names else "nothing listens there"
