"""Red's intrusions, and how soon blue reacts to them.

An intrusion begins with the step in which red gains a session on a host where it had none, and ends when blue has taken
the last one away. Red's first host is left out: red never loses it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.analysis.tallies import FIXES
from cageflow.analysis.traces import Trace
from cageflow.envs.inspection import Access
from cageflow.scenario import Network

STILL_OPEN = -1


class Intrusions(NamedTuple):
    """N intrusions.

    Attributes:
        hosts: (N,) where.
        first_fix: (N,) steps from the beginning to blue's first Remove or Restore of the host, when that is begun;
            STILL_OPEN for none. One that was under way already is met when it ends the intrusion.
        eviction: (N,) steps to the end of the intrusion, STILL_OPEN if the episode ended before.
    """

    hosts: npt.NDArray[np.int64]
    first_fix: npt.NDArray[np.int64]
    eviction: npt.NDArray[np.int64]


def find_intrusions(network: Network, trace: Trace) -> Intrusions:
    """All intrusions of some episodes."""
    num_steps, num_envs = trace.actions.shape
    kinds, targets = network.codec.kind[trace.actions], network.codec.host[trace.actions]
    hosts = np.arange(len(network.hosts))
    began = np.full((num_envs, len(hosts)), STILL_OPEN)
    first_fix = np.full(began.shape, STILL_OPEN)
    found: list[npt.NDArray[Any]] = []

    def close(which: npt.NDArray[np.bool_], step: int) -> None:
        """Write these intrusions down, evicted in a step (0: not at all)."""
        _, where = np.nonzero(which)
        eviction = step - began[which] if step else np.full(len(where), STILL_OPEN)
        first = np.where(first_fix[which] == STILL_OPEN, eviction, first_fix[which])
        found.append(np.stack([where, first, eviction]))
        began[which] = first_fix[which] = STILL_OPEN

    for step in range(1, num_steps + 1):
        fixed = np.isin(kinds[step - 1], FIXES)[:, None] & (targets[step - 1][:, None] == hosts)
        is_open = began != STILL_OPEN
        answered = fixed & is_open & (first_fix == STILL_OPEN)
        first_fix[answered] = (step - began)[answered]
        close(is_open & ~trace.left[step - 1], step)
        held = trace.access[step] != Access.NONE
        held[:, (network.tables.start_privileged > 0) | (network.tables.start_user > 0)] = False
        began[held & (began == STILL_OPEN)] = step
    close(began != STILL_OPEN, 0)
    table = np.concatenate(found, axis=1)
    return Intrusions(*table)
