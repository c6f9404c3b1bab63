"""How often, where and at what price: sums over the steps of recorded episodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.analysis.traces import Trace
from cageflow.envs.inspection import Access
from cageflow.scenario import BlueKind, Network

Counts = npt.NDArray[Any]

KINDS = (BlueKind.ANALYSE, BlueKind.REMOVE, BlueKind.RESTORE, BlueKind.DECOY)
"""What blue does to a host, in the order of all tables."""
FIXES = (BlueKind.REMOVE, BlueKind.RESTORE)
OPENING_STEPS = 12
CREWS_BUSY = "all crews busy"
RESPONSES = ("analyse it", "remove", "restore", "decoy on it", "another host", "nothing", CREWS_BUSY)
"""What blue does in the step after an alarm on a host; the last where it could begin nothing."""


def count_actions(network: Network, trace: Trace) -> Counts:
    """(A,) int64: how often each action was taken."""
    return np.bincount(trace.actions.ravel(), minlength=len(network.codec))


def count_opening(network: Network, trace: Trace) -> Counts:
    """(OPENING_STEPS, A) int64: the same for each of the first steps; fewer where episodes are shorter."""
    return np.array(
        [np.bincount(step, minlength=len(network.codec)) for step in trace.actions[:OPENING_STEPS]], np.int64
    )


def count_held_steps(trace: Trace) -> Counts:
    """(2, H) int64: steps that ended with red on the host, at user level and privileged."""
    after = trace.access[1:]
    return np.array([(after == level).sum(axis=(0, 1)) for level in (Access.USER, Access.PRIVILEGED)], np.int64)


def count_fixes(network: Network, trace: Trace) -> Counts:
    """(2, 2, H) int64: Removes and Restores of a host, by whether red held it before."""
    kinds, hosts = network.codec.kind[trace.actions], network.codec.host[trace.actions]
    counts = np.zeros((len(FIXES), 2, len(network.hosts)), np.int64)
    for k, kind in enumerate(FIXES):
        steps, episodes = np.nonzero(kinds == kind)
        targets = hosts[steps, episodes]
        held = trace.access[steps, episodes, targets] != Access.NONE
        np.add.at(counts[k], (held.astype(np.int64), targets.astype(np.int64)), 1)
    return counts


def count_responses(network: Network, trace: Trace) -> Counts:
    """(H, RESPONSES) int64: what blue did in the step after its table showed an exploit on a host."""
    steps, episodes, alarmed = np.nonzero(trace.alarms[:-1])
    answers = trace.actions[steps + 1, episodes]
    kinds, targets = network.codec.kind[answers], network.codec.host[answers]
    response = np.full(len(answers), RESPONSES.index("another host"))
    response[targets < 0] = RESPONSES.index("nothing")
    here = {BlueKind.ANALYSE: 0, BlueKind.REMOVE: 1, BlueKind.RESTORE: 2, BlueKind.DECOY: 3}
    response[trace.busy[steps + 1, episodes]] = RESPONSES.index(CREWS_BUSY)
    for kind, place in here.items():
        response[(targets == alarmed) & (kinds == kind)] = place
    counts = np.zeros((len(network.hosts), len(RESPONSES)), np.int64)
    np.add.at(counts, (alarmed, response), 1)
    return counts


def price(network: Network, trace: Trace) -> tuple[Counts, Counts, Counts]:
    """What the episodes lost, in tenths of a point.

    Returns:
        (H,) each, of every host: for red's privileged sessions, for its service that was down, for blue's Restores,
        which cost in their last step: those that the end of the episode cut off cost nothing.
    """
    tables, codec = network.tables, network.codec
    held = count_held_steps(trace)[1] * tables.confidentiality.astype(np.int64)
    down = trace.service_down.sum(axis=(0, 1)) * tables.availability.astype(np.int64)
    steps, episodes = np.nonzero(codec.kind[trace.actions] == BlueKind.RESTORE)
    actions = trace.actions[steps, episodes]
    restored = codec.host[actions[steps + tables.action_steps[actions] <= len(trace.actions)]]
    restores = np.bincount(restored, minlength=len(network.hosts)) * int(tables.restore_cost)
    return held, down, restores
