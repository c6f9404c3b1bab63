"""Which fixes put an order to the test.

Most fixes leave an order no say: there is but one unit type to fix, or the machine is clean. A fix *tests* the order
where two or more types are held that a fix could serve, its target's among them, and then complies if that is the
highest of them. It is told twice: by the truth, and by what blue could know, which is all that blue can be blamed for.

* By the truth a host is held while red has a session there that blue could end, whatever level it has: a Restore ends
  all but those that red began with.
* By what blue could know it is held while it looks compromised, see `cageflow.sim.knowledge.looks_compromised`.

A host on which a fix is under way is held by neither: it is being served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.scenario import BlueKind
from cageflow.sim.hosts import count_sessions
from cageflow.sim.knowledge import looks_compromised
from cageflow.workflow.due import is_compliant, types_of

REMOVE, RESTORE = BlueKind.REMOVE.value, BlueKind.RESTORE.value

TESTED, KNOWN = 0, 2  # places in a row of counts of the tests by each, what complied follows


class TestedFixes:
    """Tests of an order in a batch of episodes.

    Attributes:
        counts: (B, 4) int32: tests by the truth, those of them that complied, tests by what blue could know, likewise.
        contests: (B, T, T) int32: [a, b] how often, by what blue could know, a host of type a was fixed while one of
            type b was held too and passed over.

    Args:
        num_envs: B.
        num_types: T.
    """

    __test__ = False  # no class of tests

    def __init__(self, num_envs: int, num_types: int) -> None:
        self.counts = np.zeros((num_envs, 4), np.int32)
        self.contests = np.zeros((num_envs, num_types, num_types), np.int32)

    def restart(self) -> None:
        """Begin new episodes in all environments."""
        self.counts.fill(0)
        self.contests.fill(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTests:
    """How often fixes tested an order, an episode.

    Attributes:
        tested: fixes that tested it, by the truth.
        tested_compliant: of them, those that complied.
        known_tested: fixes that tested it, by what blue could know.
        known_compliant: of them, those that complied.
        contests: (T, T) as of `TestedFixes`.
    """

    tested: float
    tested_compliant: float
    known_tested: float
    known_compliant: float
    contests: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, counts: npt.NDArray[np.int32], contests: npt.NDArray[np.int32]) -> OrderTests:
        """Those of B >= 1 episodes, as `TestedFixes` counts them."""
        means = contests.mean(axis=0)
        return cls(
            **dict(zip(_COUNTS, counts.mean(axis=0).tolist(), strict=True)),
            contests=tuple(tuple(row) for row in means.tolist()),
        )

    @classmethod
    def of_facts(cls, facts: Any) -> OrderTests | None:
        """Those that stand in a record's fields of the same names; None where it has none."""
        if facts.tested is None:
            return None
        return cls(**{field.name: getattr(facts, field.name) for field in fields(cls)})

    @property
    def tested_compliance(self) -> float | None:
        """Share of the tests by the truth that complied; None where there was none."""
        return pooled_share(self.tested_compliant, self.tested)

    @property
    def known_compliance(self) -> float | None:
        """Share of the tests by what blue could know that complied; None where there was none."""
        return pooled_share(self.known_compliant, self.known_tested)

    def facts(self) -> dict[str, Any]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def in_words(self) -> tuple[str, str]:
        """By what blue could know, and by the truth: how many an episode, and the share that followed the order."""
        known, true = (
            f"{number:.2f} an episode" + ("" if share is None else f", {share:.1%} followed")
            for number, share in ((self.known_tested, self.known_compliance), (self.tested, self.tested_compliance))
        )
        return known, true

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints: by what blue could know, and under `true_...` by the truth."""
        return {
            "tested_fixes": self.known_tested,
            "tested_compliance": self.known_compliance,
            "true_tested_fixes": self.tested,
            "true_tested_compliance": self.tested_compliance,
        }


_COUNTS = ("tested", "tested_compliant", "known_tested", "known_compliant")


def pooled_tests(parts: Sequence[OrderTests]) -> OrderTests | None:
    """Those of several cells of as many episodes each, together; None of none."""
    if not parts:
        return None
    means = {name: sum(getattr(part, name) for part in parts) / len(parts) for name in _COUNTS}
    contests = np.mean([part.contests for part in parts], axis=0)
    return OrderTests(**means, contests=tuple(tuple(row) for row in contests.tolist()))


def pooled_share(complied: float, tested: float) -> float | None:
    """Share of tests that complied; None where there was none."""
    return complied / tested if tested > 0 else None


def began_with(start_user: npt.NDArray[np.integer], start_privileged: npt.NDArray[np.integer]) -> npt.NDArray[np.int16]:
    """(H,) int16 sessions on each host that red began with and that blue can never end."""
    return (start_user.astype(np.int16) + start_privileged.astype(np.int16)).astype(np.int16)


@njit(cache=True)
def held_by_truth(s, net):
    """Mask of the hosts on which red has a session that blue could end, those aside on which a fix is under way."""
    held = 0
    for host in range(net.unit_type.shape[0]):
        if count_sessions(s, host) > int(net.start_user[host]) + int(net.start_privileged[host]):
            held |= 1 << host
    return held & ~hosts_under_repair(s, net)


@njit(cache=True)
def held_by_knowledge(m, net):
    """Mask of the hosts that look compromised to blue, likewise; `m` is one record of `memory_dtype`."""
    return looks_compromised(m, net) & ~hosts_under_repair(m, net)


@njit(cache=True)
def hosts_under_repair(r, net):
    """Mask of the hosts on which a Remove or a Restore is under way; `r` is any record of `crews`."""
    hosts = 0
    for i in range(r.num_busy):
        kind = net.action_kind[r.crew_action[i]]
        if kind == REMOVE or kind == RESTORE:
            hosts |= 1 << int(net.action_host[r.crew_action[i]])
    return hosts


@njit(cache=True)
def note_test(net, order, held, action, counts, place):
    """Count a fix if it tests the order.

    Args:
        net: the network's tables.
        order: (T,) int8 unit types, highest priority first.
        held: mask of the hosts that are held.
        action: number of the fix.
        counts: (4,) int32; written.
        place: TESTED or KNOWN.

    Returns:
        Mask of the types that are held where it is a test, else 0.
    """
    target = int(net.action_host[action])
    if not held >> target & 1:
        return 0
    types = types_of(net, held)
    if types & (types - 1) == 0:
        return 0
    counts[place] += 1
    if is_compliant(types, order, net.unit_type[target]):
        counts[place + 1] += 1
    return types


@njit(cache=True)
def note_contests(net, types, action, contests):
    """Count whom a test passed over.

    Args:
        net: the network's tables.
        types: mask of the types that are held; 0 where it was no test.
        action: number of the fix.
        contests: (T, T) int32; written.
    """
    fixed = net.unit_type[net.action_host[action]]
    for other in range(contests.shape[0]):
        if types >> other & 1 and other != fixed:
            contests[fixed, other] += 1
