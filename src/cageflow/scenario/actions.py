"""The action codec: what each of blue's action numbers means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cageflow.scenario.action_names import NamedActions
from cageflow.scenario.enums import BlueKind


@dataclass(frozen=True)
class ActionCodec(NamedActions):
    """Blue's actions in the order of CybORG's `EnumActionWrapper`: A = 2 + hosts * (3 + decoys), 145 in CAGE-2.

    Attributes:
        names: (A,) "Sleep", "Monitor", then "Analyse Defender" and so on.
        kind: (A,) int8 BlueKind.
        host: (A,) int8 host index, -1 for none.
        decoy: (A,) int8 index of the decoy, or of the first of those that the action plants one of; -1 for none.
        hosts: (H,) names that `host` points to.
        verbs: (A,) the words before the host: "Sleep", "Analyse", or the decoy's name.
    """

    NOT_ONE = "no action; expected Sleep, Monitor, or one of Analyse, Remove, Restore and the decoys followed by a host"

    kind: npt.NDArray[np.int8]
    host: npt.NDArray[np.int8]
    decoy: npt.NDArray[np.int8]
    hosts: tuple[str, ...]
    verbs: tuple[str, ...]

    @classmethod
    def build(cls, hosts: Sequence[str], decoys: Sequence[str], firsts: Sequence[int] | None = None) -> ActionCodec:
        """Number the actions of a network with these hosts and these decoy actions, both in table order.

        Args:
            hosts: names.
            decoys: names of the actions that plant decoys.
            firsts: index of the first decoy that each of them plants, None where each plants one.
        """
        rows: list[tuple[str, str, BlueKind, int, int]] = [
            ("Sleep", "Sleep", BlueKind.SLEEP, -1, -1),
            ("Monitor", "Monitor", BlueKind.MONITOR, -1, -1),
        ]
        targeted = [("Analyse", BlueKind.ANALYSE, -1), ("Remove", BlueKind.REMOVE, -1)]
        targeted += list(zip(decoys, [BlueKind.DECOY] * len(decoys), firsts or range(len(decoys)), strict=True))
        targeted += [("Restore", BlueKind.RESTORE, -1)]
        for verb, kind, decoy in targeted:
            rows += [(f"{verb} {host}", verb, kind, i, decoy) for i, host in enumerate(hosts)]
        names, verbs, kinds, targets, planted = zip(*rows, strict=True)
        return cls(
            names=names,
            kind=np.array(kinds, np.int8),
            host=np.array(targets, np.int8),
            decoy=np.array(planted, np.int8),
            hosts=tuple(hosts),
            verbs=verbs,
        )

    def describe(self, action: int) -> str:
        """What an action does, in one sentence for a person.

        Raises:
            UserError: the number is out of range.
        """
        self.check(action)
        host = self.hosts[self.host[action]]
        return {
            BlueKind.SLEEP: "Do nothing.",
            BlueKind.MONITOR: "Look at the network, as blue does at the end of every step anyway.",
            BlueKind.ANALYSE: f"Search {host} for files that an intruder has left.",
            BlueKind.REMOVE: f"Stop the processes on {host} that blue has seen to be red's, if they are unprivileged.",
            BlueKind.DECOY: f"Plant {self.verbs[action]} on {host}, where it fits.",
            BlueKind.RESTORE: f"Reset {host} to its first state, at a cost.",
        }[BlueKind(int(self.kind[action]))]
