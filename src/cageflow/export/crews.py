"""What of blue's is under way: the rules of `cageflow.sim.crews` for an ONNX graph.

Actions are counted from 1 in the graph, 0 being none, so a constant that says something of every action begins with a
row for none (`by_action`). For k crews the graph's memory holds the actions under way in the order in which they were
begun (k), then the steps that each still takes (k). Where every action takes one step it holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.export.graph import GraphBuilder
from cageflow.scenario import BlueKind, Network
from cageflow.sim.memory import SLEEP

NEED_NO_CREW = (BlueKind.SLEEP, BlueKind.MONITOR)


class Acting(NamedTuple):
    """Names of what a step does to what is under way; N games, k crews. Actions are counted from 1.

    Attributes:
        chosen: (N,) int64 what blue chose; 0 before the first step.
        acted: (N,) int64 what it did: Sleep where all crews were busy.
        done: each (N,) int64: actions that take effect in this step, one after the other.
        under_way: (N, k) int64 actions under way after the step; None where every action takes one step.
        left: (N, k) float32 steps that they still take; likewise.
        has_free_crew: (N, 1) bool; likewise.
        memory: (N, 2 k) float32; likewise.
    """

    chosen: str
    acted: str
    done: tuple[str, ...]
    under_way: str | None = None
    left: str | None = None
    has_free_crew: str | None = None
    memory: str | None = None


def crews_size(network: Network) -> int:
    """Numbers of the memory for what is under way."""
    return 2 * network.scenario.crews if network.blue_takes_time else 0


def by_action(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """(A, ...) of every action as (A + 1, ...) float32, after zeros for none."""
    array = np.asarray(values, np.float32)
    return np.concatenate([np.zeros_like(array[:1]), array])


def hosts_of(network: Network, kinds: Iterable[BlueKind]) -> npt.NDArray[np.float32]:
    """(A + 1, H) `by_action`: 1 for the host of an action of one of these kinds."""
    codec = network.codec
    on_host = np.eye(len(network.hosts))[np.maximum(codec.host, 0)]
    return by_action(on_host * np.isin(codec.kind, list(kinds))[:, None])


def add_crews(graph: GraphBuilder, network: Network, before: str | None) -> Acting:
    """Write a step of what is under way into a graph.

    Args:
        graph: with the input `last_action` (N,) int64.
        network: that is played.
        before: name of this memory before the step, (N, 2 k) float32; None where every action takes one step.
    """
    one, none = (graph.constant(name, np.array(value)) for name, value in (("one_action", 1), ("no_action", -1)))
    chosen = graph.node("Add", graph.node("Max", "last_action", none), one)
    if before is None:
        return Acting(chosen, chosen, (chosen,))
    crews, half = network.scenario.crews, graph.number(0.5)
    places = graph.constant("crews", np.arange(crews, dtype=np.float32))
    steps = graph.constant("action_steps", by_action(network.tables.action_steps))
    needs = graph.constant("needs_crew", by_action(~np.isin(network.codec.kind, NEED_NO_CREW)))
    actions, left = graph.columns(before, 0, crews), graph.columns(before, crews, 2 * crews)

    # What is chosen while all crews are busy does nothing.
    busy = graph.to_float(graph.is_positive(left))
    num_busy = graph.node("ReduceSum", busy, graph.constant("axis.1", np.array([1])), keepdims=1)
    needs_one = graph.is_positive(graph.unsqueeze(graph.lookup(needs, chosen), 1))
    begins = graph.node("And", needs_one, graph.node("Less", num_busy, graph.number(crews)))
    here = graph.node("And", begins, graph.node("Equal", num_busy, places))
    actions = graph.node("Where", here, graph.to_float(graph.unsqueeze(chosen, 1)), actions)
    left = graph.node("Where", here, graph.unsqueeze(graph.lookup(steps, chosen), 1), left)
    ignored = graph.reshape(graph.node("And", needs_one, graph.node("Not", begins)))
    acted = graph.node("Where", ignored, graph.constant("asleep", np.array(SLEEP + 1)), chosen)

    ends = graph.to_float(graph.node("Equal", left, graph.number(1)))
    ended = graph.to_int(graph.node("Mul", actions, ends))
    done = tuple(graph.reshape(graph.columns(ended, crew, crew + 1)) for crew in range(crews))
    left = graph.node("Max", graph.node("Sub", left, graph.number(1)), graph.number(0))

    # Those that go on close ranks: each moves to the place of as many as go on before it.
    goes_on = graph.to_float(graph.is_positive(left))
    place = graph.node("CumSum", goes_on, graph.constant("axis_1", np.array(1)), exclusive=1)
    moves = graph.node("Equal", graph.unsqueeze(place, 2), places)
    moves = graph.node("Mul", graph.to_float(moves), graph.unsqueeze(goes_on, 2))
    both = graph.reshape(graph.node("Concat", actions, left, axis=1), 2, crews)
    memory = graph.reshape(graph.node("MatMul", both, moves), 2 * crews)
    left = graph.columns(memory, crews, 2 * crews)
    return Acting(
        chosen,
        acted,
        done,
        under_way=graph.to_int(graph.columns(memory, 0, crews)),
        left=left,
        has_free_crew=graph.node("Less", graph.columns(left, crews - 1, crews), half),
        memory=memory,
    )
