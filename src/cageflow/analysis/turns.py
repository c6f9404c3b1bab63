"""Where a policy departs from its workflow: fixes of a type that was not the one that was due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.analysis.traces import DEPARTS, FOLLOWS, NO_FIX, Trace
from cageflow.envs.inspection import Access
from cageflow.scenario import Network
from cageflow.scenario.orders import Order

NOTHING_DUE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One fix out of turn.

    Attributes:
        episode: number of the episode, from 0.
        step: from 1.
        action: blue's, such as "Restore User1".
        due: the unit type that was due.
        held: hosts that counted as compromised before the fix.
    """

    episode: int
    step: int
    action: str
    due: str
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turns:
    """Fixes by what was due and what was fixed.

    Attributes:
        counts: (n + 1, n) int64 by the due type (the last row: nothing was compromised) and the fixed type.
        on_clean: departures whose target red did not hold.
        examples: (due, fixed) to the first departures of that kind.
    """

    counts: npt.NDArray[np.int64]
    on_clean: int
    examples: dict[tuple[int, int], list[Departure]]


def find_turns(network: Network, trace: Trace, order: Order, first_episode: int, num_examples: int) -> Turns:
    """Sort the fixes of some episodes.

    Args:
        network: the network that was played.
        trace: the episodes.
        order: the workflow.
        first_episode: number of the first of these episodes.
        num_examples: to keep of each kind of departure.

    Raises:
        RuntimeError: what was due here is not what the episodes were judged by.
    """
    steps, episodes = np.nonzero(trace.verdicts != NO_FIX)
    held = trace.held[steps, episodes]
    due = due_types(network, held, order)
    actions = trace.actions[steps, episodes]
    targets = network.codec.host[actions]
    fixed = network.host_unit_type[targets]
    departs = trace.verdicts[steps, episodes] == DEPARTS
    if not np.array_equal(departs, (due != NOTHING_DUE) & (due != fixed)):
        raise RuntimeError(f"the fixes were judged by another workflow than {order}; FOLLOWS is {FOLLOWS}")
    counts = np.zeros((len(network.unit_types) + 1, len(network.unit_types)), np.int64)
    np.add.at(counts, (due, fixed), 1)
    clean = trace.access[steps, episodes, targets] == Access.NONE
    examples: dict[tuple[int, int], list[Departure]] = {}
    for i in np.nonzero(departs)[0].tolist():
        kept = examples.setdefault((int(due[i]), int(fixed[i])), [])
        if len(kept) < num_examples:
            kept.append(
                Departure(
                    episode=first_episode + int(episodes[i]),
                    step=int(steps[i]) + 1,
                    action=network.codec.names[actions[i]],
                    due=network.unit_types[due[i]],
                    held=tuple(host for host, is_held in zip(network.hosts, held[i], strict=True) if is_held),
                )
            )
    return Turns(counts, int((departs & clean).sum()), examples)


def due_types(network: Network, held: npt.NDArray[Any], order: Order) -> npt.NDArray[np.int64]:
    """(N,) the highest type of the order that is among the (N, H) held hosts, NOTHING_DUE for none."""
    due = np.full(len(held), NOTHING_DUE)
    for unit_type in reversed(network.orders.indices(order)):
        due[held[:, network.host_unit_type == unit_type].any(axis=1)] = unit_type
    return due
