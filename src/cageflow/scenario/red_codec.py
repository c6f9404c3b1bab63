"""Red's action codec: what each of red's action numbers means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cageflow.scenario.action_names import NamedActions
from cageflow.scenario.enums import RedKind

SLEEP_NAME = "Sleep"
RED_WORDS = {
    RedKind.DISCOVER_REMOTE_SYSTEMS: "sweep",
    RedKind.DISCOVER_NETWORK_SERVICES: "scan",
    RedKind.EXPLOIT_REMOTE_SERVICE: "exploit",
    RedKind.PRIVILEGE_ESCALATE: "escalate",
    RedKind.IMPACT: "impact",
}
"""Red's actions in a word: in names of actions, and in a file that says how long they take."""


@dataclass(frozen=True)
class RedCodec(NamedActions):
    """Red's actions: Sleep, a sweep of each subnet, then a scan, exploit, escalation and impact of each host.

    R = 1 + subnets + 4 * hosts, 56 in CAGE-2. All can be given at any time, sensible or not.

    Attributes:
        names: (R,) "Sleep", "sweep User", "scan Defender" and so on.
        kinds: (R,) int8 RedKind.
        targets: (R,) int8 index of the subnet of a sweep, else of the host; -1 for none.
    """

    NOT_ONE = (
        f"no action of red; expected {SLEEP_NAME}, sweep followed by a subnet, or scan, exploit, escalate or impact "
        "followed by a host"
    )

    kinds: npt.NDArray[np.int8]
    targets: npt.NDArray[np.int8]

    @classmethod
    def build(cls, hosts: Sequence[str], subnets: Sequence[str]) -> RedCodec:
        """Number the actions of a network with these hosts and subnets, both in table order."""
        rows = [(SLEEP_NAME, RedKind.SLEEP, -1)]
        for kind, word in RED_WORDS.items():
            places = subnets if kind == RedKind.DISCOVER_REMOTE_SYSTEMS else hosts
            rows += [(f"{word} {place}", kind, i) for i, place in enumerate(places)]
        names, kinds, targets = zip(*rows, strict=True)
        return cls(
            names=names,
            kinds=np.array(kinds, np.int8),
            targets=np.array(targets, np.int8),
        )

    def describe(self, action: int) -> str:
        """What an action does, in one sentence for a person.

        Raises:
            UserError: the number is out of range.
        """
        self.check(action)
        place = self.names[action].partition(" ")[2]
        return {
            RedKind.SLEEP: "Do nothing.",
            RedKind.DISCOVER_REMOTE_SYSTEMS: f"Find the hosts of the subnet {place}.",
            RedKind.DISCOVER_NETWORK_SERVICES: f"Find the services that {place} offers.",
            RedKind.EXPLOIT_REMOTE_SERVICE: f"Break in on {place} through one of its services that red has found.",
            RedKind.PRIVILEGE_ESCALATE: f"Turn red's session on {place} into a privileged one.",
            RedKind.IMPACT: f"Stop the service that {place} is there for.",
        }[RedKind(int(self.kinds[action]))]

    def number_of(self, kind: int, target: int) -> int:
        """The number of an action given as RedKind and target.

        Raises:
            ValueError: there is none.
        """
        numbers = np.flatnonzero((self.kinds == kind) & ((self.targets == target) | (kind == RedKind.SLEEP)))
        if len(numbers) == 0:
            raise ValueError(f"no action of red is of kind {kind} and target {target}")
        return int(numbers[0])
