"""Recordings with made-up steps on CAGE-2's network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cageflow.analysis.traces import NO_FIX, Trace
from cageflow.envs.inspection import Access
from tests.helpers.agents import NETWORK

START = NETWORK.hosts.index("User0")


def trace(
    actions: Sequence[str],
    held: Mapping[str, Sequence[int]] | None = None,
    *,
    privileged: Mapping[str, Sequence[int]] | None = None,
    evicted: Mapping[str, Sequence[int]] | None = None,
    alarms: Mapping[str, Sequence[int]] | None = None,
    verdicts: Sequence[int] | None = None,
    service_down: Sequence[int] = (),
    counts_start: bool = True,
) -> Trace:
    """One episode. Steps are numbered from 1.

    Args:
        actions: blue's, a step each.
        held: by host, the steps that end with red on it at user level.
        privileged: the same with privileges.
        evicted: by host, the steps in which blue takes red's last session, whatever red then does.
        alarms: by host, the steps after which blue's table shows an exploit.
        verdicts: a step each.
        service_down: steps that end with the service of Op_Server0 down.
        counts_start: whether red's first host counts as compromised, as by `any-session`.
    """
    num_steps, num_hosts = len(actions), len(NETWORK.hosts)
    access = np.zeros((num_steps + 1, 1, num_hosts), np.int8)
    access[:, :, START] = Access.PRIVILEGED
    for level, steps_by_host in ((Access.USER, held or {}), (Access.PRIVILEGED, privileged or {})):
        for host, steps in steps_by_host.items():
            access[list(steps), 0, NETWORK.hosts.index(host)] = level
    left = access[:-1] != Access.NONE
    for host, steps in (evicted or {}).items():
        left[[step - 1 for step in steps], 0, NETWORK.hosts.index(host)] = False
    shown = np.zeros((num_steps, 1, num_hosts), np.bool_)
    for host, steps in (alarms or {}).items():
        shown[[step - 1 for step in steps], 0, NETWORK.hosts.index(host)] = True
    down = np.zeros((num_steps, 1, num_hosts), np.bool_)
    down[[step - 1 for step in service_down], :, NETWORK.hosts.index("Op_Server0")] = True
    return Trace(
        actions=np.array([[NETWORK.codec.encode(name)] for name in actions], np.int16),
        busy=np.zeros((num_steps, 1), np.bool_),
        rewards=np.zeros((num_steps, 1)),
        access=access,
        held=(access[:-1] != Access.NONE) & ((np.arange(num_hosts) != START) | counts_start),
        left=left,
        alarms=shown,
        service_down=down,
        verdicts=np.array([[verdict] for verdict in verdicts or [NO_FIX] * num_steps], np.int8),
        compliance=np.array([np.nan]),
        tests=np.zeros((1, 4), np.int32),
        contests=np.zeros((1, 5, 5), np.int32),
    )
