"""Restores what blue's table flags, the dearest host first, and does nothing else.

The rule that needs no training and no thought: a host is flagged while the table says anything of it but `no`. Hosts
on which red began are left out, since it cannot be driven from them. Where a Restore takes time, a host is left out
that a crew is restoring already, and while all crews are busy the rule sleeps.

It is the measure for a policy that was put where it has never been: whoever loses more than this would do better to
look at the table.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.agents.baselines.worth import host_worth
from cageflow.envs.agent import Actions, BlueSetting, BlueView
from cageflow.scenario import BlueKind
from cageflow.sim.recall import CREW_KINDS, recalled_crews
from cageflow.workflow.compliance import spared_sessions

RESTORE = CREW_KINDS.index(BlueKind.RESTORE)


class FlaggedAgent:
    """Plays the rule; among hosts of equal worth the first of the table goes first.

    Args:
        setting: of the games.
    """

    max_envs: int | None = None

    def __init__(self, setting: BlueSetting) -> None:
        self._network = network = setting.network
        dearest_first = np.argsort(-host_worth(network), kind="stable")
        self._hosts = dearest_first[spared_sessions(network, "evictable")[dearest_first] == 0]
        codec = network.codec
        self._restore = np.array([codec.encode(f"Restore {network.hosts[host]}") for host in self._hosts], np.int64)
        self._sleep = codec.encode("Sleep")

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; there is nothing to forget."""

    def act(self, view: BlueView) -> Actions:
        """(B,) actions: a Restore, or Sleep where nothing is flagged."""
        bits = view.observations.reshape(len(view.observations), -1, 4)[:, self._hosts]
        is_flagged = (bits[..., 2] > 0) | (bits[..., 3] > 0)
        if self._network.blue_takes_time:
            under_way, is_free = recalled_crews(self._network, view.recalled)
            is_flagged &= is_free[:, np.newaxis] & ~under_way[:, RESTORE][:, self._hosts]
        actions: Actions = np.where(is_flagged.any(axis=1), self._restore[is_flagged.argmax(axis=1)], self._sleep)
        return actions
