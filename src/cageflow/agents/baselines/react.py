"""Reacts to what blue's table flags: what a person would write down as a rule in an afternoon.

A host is *dear* if a step of it in red's hands costs at least a Restore: in CAGE-2 the enterprise servers and the
operational server. In each step blue takes the first of these that can be of use, the dearest host first:

1. Restore a dear host about which the table says anything but `no`.
2. Restore a host that the table calls `privileged`.
3. Remove from a host that it calls `user`.
4. Plant a decoy on a dear host, in the order of the table.
5. Restore a host whose state is `unknown`, as it is after a Remove.
6. Analyse a host on which something was seen in this step.
7. Plant a decoy anywhere.
8. Sleep.

Where actions take time, a host on which a crew is at work is left to it, and while all crews are busy blue sleeps.

Decoys that trap red's favourite exploits go first. Since decoys go before the Restore of a desktop that was only
cleaned, the servers are armed before red has found them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.agents.baselines.worth import host_worth, restore_cost
from cageflow.envs.agent import Actions, BlueSetting, BlueView
from cageflow.scenario import BlueKind, Network
from cageflow.sim.enums import Compromise
from cageflow.sim.recall import recalled_crews

UNDECIDED = -1


class ReactAgent:
    """Plays the rule.

    Args:
        setting: of the games.
    """

    max_envs: int | None = None

    def __init__(self, setting: BlueSetting) -> None:
        network = setting.network
        codec = network.codec
        self._network = network
        self._host = codec.host
        worth = host_worth(network)
        dearest_first = np.argsort(-worth, kind="stable")
        self._hosts = dearest_first
        self._is_dear = (worth >= restore_cost(network))[dearest_first]
        self._sleep = codec.encode("Sleep")
        numbers = {kind: np.flatnonzero(codec.kind == kind)[dearest_first] for kind in _TARGETED}
        self._analyse, self._remove, self._restore = (numbers[kind] for kind in _TARGETED)
        decoys = np.array(_decoy_actions(network, range(len(network.hosts))), np.intp)
        self._dear_decoys = decoys[np.isin(codec.host[decoys], dearest_first[self._is_dear])]
        self._decoys = np.array(_decoy_actions(network, dearest_first.tolist()), np.intp)

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; what is to be remembered of them is in the masks."""

    def act(self, view: BlueView) -> Actions:
        """(B,) actions."""
        bits = view.observations.reshape(len(view.observations), -1, 4)[:, self._hosts]
        seen = bits[..., 0] > 0
        compromise = bits[..., 2] + 2 * bits[..., 3]
        of_use = view.masks > 0
        if self._network.blue_takes_time:
            under_way, _ = recalled_crews(self._network, view.recalled)
            is_begun: npt.NDArray[np.bool_] = np.logical_or.reduce(under_way, axis=1)
            of_use &= ~is_begun[:, self._host]  # Sleep, which has no host, is asked for without a mask
        actions = np.full(len(bits), UNDECIDED, np.int64)

        def decide(numbers: npt.NDArray[np.intp], wanted: npt.NDArray[np.bool_] | None = None) -> None:
            """Where nothing is decided yet, take the first of the actions that is wanted and of use."""
            possible = of_use[:, numbers] if wanted is None else of_use[:, numbers] & wanted
            undecided = (actions == UNDECIDED) & possible.any(axis=1)
            actions[undecided] = numbers[possible.argmax(axis=1)[undecided]]

        decide(self._restore, self._is_dear & (compromise != Compromise.NO))
        decide(self._restore, compromise == Compromise.PRIVILEGED)
        decide(self._remove, compromise == Compromise.USER)
        if len(self._dear_decoys):
            decide(self._dear_decoys)
        decide(self._restore, compromise == Compromise.UNKNOWN)
        decide(self._analyse, seen)
        if len(self._decoys):
            decide(self._decoys)
        actions[actions == UNDECIDED] = self._sleep
        return actions


_TARGETED = (BlueKind.ANALYSE, BlueKind.REMOVE, BlueKind.RESTORE)


def _decoy_actions(network: Network, hosts: range | list[int]) -> list[int]:
    """Numbers of the decoy actions, host by host, those first that trap the exploits with the most weight.

    A decoy that can be planted on top of itself (it asks for another port than it opens) is left out: it would never
    be done.
    """
    exploits, tables = network.scenario.exploits.values(), network.tables
    weights = []
    for d, decoy in enumerate(network.scenario.decoys.values()):
        trapped = [
            one.weight for one, traps in zip(exploits, tables["exploit_traps"], strict=True) if int(traps) >> d & 1
        ]
        if decoy.needed_port == decoy.port:
            weights.append((max(trapped, default=0.0), d))
    ranked = [d for _, d in sorted(weights, key=lambda pair: -pair[0])]
    codec = network.codec
    number = {(int(codec.host[a]), int(codec.decoy[a])): a for a in np.flatnonzero(codec.kind == BlueKind.DECOY)}
    return [int(number[host, d]) for host in hosts for d in ranked if (host, d) in number]
