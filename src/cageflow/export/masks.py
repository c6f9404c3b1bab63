"""Blue's knowledge of what is in vain, for an ONNX graph: `cageflow.sim.memory` and `knowledge`.

What blue remembers is a vector of zeros and ones: for each host whether red may have left files there (H), for each
host and decoy whether blue has planted it (H D), and with green awake for each host whether a scan may have hidden an
attack (H). What a step does to it, and the question what is of use then, are lookups by action and a few elementwise
functions, all exact in float32, since nothing but small whole numbers occurs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.export.crews import Acting, by_action, hosts_of
from cageflow.export.graph import GraphBuilder
from cageflow.scenario import BlueKind, Network
from cageflow.scenario.orders import Order

SCAN_BIT, EXPLOIT_BIT, UNKNOWN_BIT, COMPROMISED_BIT = 0, 1, 2, 3
"""Bits of a host in the observation: any activity; an attack; that the table says `unknown` or `privileged`; that it
says `user` or `privileged`."""


class Knowledge(NamedTuple):
    """Names of what blue remembers after a step; N games, H hosts, D decoys. All float32, of 0 and 1.

    Attributes:
        traces: (N, H) whether red may have left files.
        decoys: (N, H, D) whether blue's own stands there.
        hidden: (N, H) whether a scan may have hidden an attack; None with green asleep.
        restored: (N, H) whether a Restore was done in this step.
        memory: (N, `knowledge_size`) all but the last.
    """

    traces: str
    decoys: str
    hidden: str | None
    restored: str
    memory: str


def knowledge_size(network: Network, *, green: bool) -> int:
    """Numbers of the memory for what blue knows.

    Args:
        network: that is played.
        green: whether the green agent is awake.
    """
    return len(network.hosts) * (1 + decoy_columns(network) + green)


def decoy_columns(network: Network) -> int:
    """D, but 1 where a network has no decoys: that one fits nowhere, and ONNX cannot reshape to no columns at all."""
    return max(1, len(network.decoys))


def add_knowledge(
    graph: GraphBuilder, network: Network, acting: Acting, before: str, *, official: bool, green: bool
) -> Knowledge:
    """Write into a graph what blue remembers after a step.

    Args:
        graph: with the input `observation` (N, F) float32.
        network: that is played.
        acting: what takes effect in the step.
        before: name of this memory before the step, (N, `knowledge_size`) float32.
        official: whether blue is shown the official table, which can hide a connection behind a new decoy.
        green: whether the green agent is awake.
    """
    num_hosts, num_decoys = len(network.hosts), decoy_columns(network)
    restores = _restores(graph, network)
    decoy_hosts = graph.constant("decoy_hosts", hosts_of(network, [BlueKind.DECOY]))
    decoy_sets = graph.constant("decoy_sets", by_action(_bits(_choices(network), num_decoys)))
    one = graph.number(1)

    end = num_hosts * (1 + num_decoys)
    traces = graph.columns(before, 0, num_hosts)
    decoys = graph.reshape(graph.columns(before, num_hosts, end), num_hosts, num_decoys)
    hidden = graph.columns(before, end, end + num_hosts) if green else None
    restored = None
    for action in acting.done:
        cleared = graph.lookup(restores, action)
        kept = graph.node("Sub", one, cleared)
        on_host = graph.unsqueeze(graph.lookup(decoy_hosts, action), 2)
        wanted = graph.node("Mul", on_host, graph.unsqueeze(graph.lookup(decoy_sets, action), 1))
        fitting = graph.node("Mul", wanted, _room(graph, network, decoys))
        # Where chance chose among several blue is not told which: it counts the first, and how many is enough.
        before_it = graph.node("CumSum", fitting, graph.constant("axis_2", np.array(2)), exclusive=1)
        planted = graph.node("Mul", fitting, graph.to_float(graph.node("Less", before_it, one)))
        decoys = graph.node("Max", graph.node("Mul", decoys, graph.unsqueeze(kept, 2)), planted)
        traces = graph.node("Mul", traces, kept)
        if official:
            traces = graph.node("Max", traces, graph.node("ReduceMax", planted, axes=[2], keepdims=0))
        if hidden is not None:
            looks = graph.constant("restores_or_removes", hosts_of(network, [BlueKind.RESTORE, BlueKind.REMOVE]))
            hidden = graph.node("Mul", hidden, graph.node("Sub", one, graph.lookup(looks, action)))
        restored = cleared if restored is None else graph.node("Max", restored, cleared)
    assert restored is not None
    active = table_bits(graph, network, SCAN_BIT)
    traces = graph.node("Max", traces, active)
    parts = [traces, graph.reshape(decoys, num_hosts * num_decoys)]
    if hidden is not None:
        seen = graph.node("Sub", one, table_bits(graph, network, EXPLOIT_BIT))
        hidden = graph.node("Max", hidden, graph.node("Mul", active, seen))
        parts.append(hidden)
    return Knowledge(traces, decoys, hidden, restored, graph.node("Concat", *parts, axis=1))


def add_mask(graph: GraphBuilder, network: Network, acting: Acting, known: Knowledge) -> str:
    """Write into a graph which actions may be of use, as far as blue can know.

    Args:
        graph: with the input `observation` (N, F) float32.
        network: that is played.
        acting: what is under way.
        known: what blue remembers.

    Returns:
        The name of the mask, (N, A) bool.
    """
    codec, num_hosts = network.codec, len(network.hosts)
    groups = sorted(set(_choices(network)))  # of decoys that share an action; none for actions that plant none
    plants = graph.constant("decoys_of_groups", _bits(groups, decoy_columns(network)).T)
    can_plant = graph.node("MatMul", _room(graph, network, known.decoys), plants)
    if acting.under_way is not None:  # what a Restore will have cleared by then
        restoring = _being_restored(graph, network, acting.under_way)
        can_plant = graph.node("Max", can_plant, graph.unsqueeze(restoring, 2))
    removable = table_bits(graph, network, COMPROMISED_BIT)
    if known.hidden is not None:
        removable = graph.node("Max", removable, known.hidden)
    facts = graph.node("Concat", known.traces, removable, graph.reshape(can_plant, num_hosts * len(groups)), axis=1)

    # Each action has its fact, or is of use always, or never.
    kinds, is_slow = np.asarray(codec.kind), network.tables.action_steps > 1
    always = np.isin(kinds, [BlueKind.SLEEP, BlueKind.RESTORE])
    always |= np.isin(kinds, [BlueKind.ANALYSE, BlueKind.REMOVE]) & is_slow
    hosts = np.maximum(codec.host, 0).astype(np.int64)
    decoys = 2 * num_hosts + hosts * len(groups) + np.array([groups.index(choice) for choice in _choices(network)])
    places = np.where(kinds == BlueKind.DECOY, decoys, np.where(kinds == BlueKind.REMOVE, num_hosts + hosts, hosts))
    depends = ~always & (kinds != BlueKind.MONITOR)
    use = graph.node("Gather", facts, graph.constant("facts_of_actions", places), axis=1)
    use = graph.node("Mul", use, graph.constant("useful_at_times", depends.astype(np.float32)))
    use = graph.is_positive(graph.node("Add", use, graph.constant("useful_always", always.astype(np.float32))))
    if acting.has_free_crew is not None:
        is_sleep = graph.constant("is_sleep", np.asarray(codec.kind) == BlueKind.SLEEP)
        use = graph.node("And", use, graph.node("Or", acting.has_free_crew, is_sleep))
    return use


def add_order(graph: GraphBuilder, network: Network, order: Order, under_way: str | None) -> str:
    """Write into a graph which actions an order lets blue take: all but fixes that have to wait.

    The rule of `cageflow.sim.knowledge.first_in_turn`, on what the table of this step says.

    Args:
        graph: with the input `observation` (N, F) float32.
        network: that is played.
        order: highest priority first.
        under_way: as in `Acting`.

    Returns:
        The name of (N, A) bool.
    """
    tables, codec, num_types = network.tables, network.codec, len(order)
    ranks = np.argsort(network.orders.indices(order))[tables.unit_type]  # of hosts
    can_be_freed = (tables.start_privileged == 0) & (tables.start_user == 0)
    flagged = graph.node("Max", table_bits(graph, network, UNKNOWN_BIT), table_bits(graph, network, COMPROMISED_BIT))
    if under_way is not None:
        served = graph.node("Sub", graph.number(1), _being_restored(graph, network, under_way))
        flagged = graph.node("Mul", flagged, served)
    haste = np.where(can_be_freed, num_types - ranks, 0).astype(np.float32)  # of a host that looks compromised
    most = graph.node("ReduceMax", graph.node("Mul", flagged, graph.constant("haste", haste)), axes=[1], keepdims=1)
    is_fix = np.isin(codec.kind, [BlueKind.REMOVE, BlueKind.RESTORE])
    own = np.where(is_fix, (num_types - ranks)[np.maximum(codec.host, 0)], num_types + 1).astype(np.float32)
    return graph.node("GreaterOrEqual", graph.constant("haste_of_actions", own), most)


def table_bits(graph: GraphBuilder, network: Network, bit: int) -> str:
    """Name of one bit of each host in the observation, (N, H) float32."""
    places = np.arange(bit, network.num_observations, network.num_observations // len(network.hosts))
    return graph.node("Gather", "observation", graph.constant(f"table_bits.{bit}", places), axis=1)


def _room(graph: GraphBuilder, network: Network, decoys: str) -> str:
    """Name of (N, H, D) float32 of 0 and 1: whether another decoy can be planted, given those that stand."""
    num_decoys = decoy_columns(network)
    rivals = np.zeros((num_decoys, num_decoys), np.float32)
    rivals[:, : len(network.decoys)] = _bits(network.tables.decoy_rivals, num_decoys).T
    taken = graph.node("MatMul", decoys, graph.constant("decoy_rivals", rivals))
    is_free = graph.to_float(graph.node("Less", taken, graph.number(1)))
    return graph.node("Mul", is_free, graph.constant("decoy_fits", _bits(network.tables.decoy_fits, num_decoys)))


def _restores(graph: GraphBuilder, network: Network) -> str:
    return graph.constant("restores", hosts_of(network, [BlueKind.RESTORE]))


def _being_restored(graph: GraphBuilder, network: Network, under_way: str) -> str:
    """Name of (N, H) float32 of 0 and 1: whether a Restore is under way on a host."""
    each = graph.lookup(_restores(graph, network), under_way)
    return graph.node("ReduceMax", each, axes=[1], keepdims=0)


def _choices(network: Network) -> list[int]:
    """For each action the mask of the decoys that it plants one of."""
    choices = [int(mask) for mask in network.tables.decoy_choices]
    return [0 if decoy < 0 else choices[decoy] for decoy in network.codec.decoy]


def _bits(masks: Iterable[Any], num_bits: int) -> npt.NDArray[np.float32]:
    """(M, `num_bits`) of 0 and 1."""
    return np.array([[int(mask) >> bit & 1 for bit in range(num_bits)] for mask in masks], np.float32)
