"""What blue remembers, as the bits that a policy with a memory reads: `cageflow.sim.recall` for an ONNX graph.

Beside what the masks need (`masks`) and what is under way (`crews`), the graph's memory holds, for H hosts and F bits
of the table: whether each host was touched, attacked, restored (3 H zeros and ones), how many steps ago it was last
touched, from 1, or 0 (H), the table of the step before (F), and the steps behind (1).
"""

from __future__ import annotations

import numpy as np

from cageflow.export.crews import NEED_NO_CREW, Acting, by_action, hosts_of
from cageflow.export.graph import GraphBuilder
from cageflow.export.masks import EXPLOIT_BIT, SCAN_BIT, Knowledge, decoy_columns, table_bits
from cageflow.scenario import BlueKind, Network
from cageflow.sim.recall import AGES, CLOCK, CREW_KINDS, LEFT, decoy_places


def recall_size(network: Network) -> int:
    """Numbers of the memory beside those of masks and crews."""
    return 4 * len(network.hosts) + network.num_observations + 1


def add_recall(graph: GraphBuilder, network: Network, acting: Acting, known: Knowledge, before: str) -> tuple[str, str]:
    """Write the memory of a step, and the bits that tell of it, into a graph.

    Args:
        graph: with the input `observation` (N, F) float32.
        network: that is played.
        acting: what blue did, and what is under way.
        known: what blue knows by it.
        before: name of this memory before the step, (N, `recall_size`) float32.

    Returns:
        Names of the bits, (N, R) float32, and of the memory after the step.
    """
    num_hosts, num_bits, num_decoys = len(network.hosts), network.num_observations, decoy_columns(network)
    targeted = [kind for kind in BlueKind if kind not in NEED_NO_CREW]
    kinds = graph.constant("kinds", by_action(np.eye(len(BlueKind))[np.asarray(network.codec.kind)]))
    acts_on = graph.constant("acts_on", hosts_of(network, targeted))
    active = table_bits(graph, network, SCAN_BIT)
    ever = graph.node("Concat", active, table_bits(graph, network, EXPLOIT_BIT), known.restored, axis=1)
    ever = graph.node("Max", graph.columns(before, 0, 3 * num_hosts), ever)
    age = graph.columns(before, 3 * num_hosts, 4 * num_hosts)
    older = graph.node("Add", age, graph.to_float(graph.is_positive(age)))
    age = graph.node("Where", graph.is_positive(active), graph.number(1), older)
    last_table = graph.columns(before, 4 * num_hosts, 4 * num_hosts + num_bits)
    steps = graph.columns(before, 4 * num_hosts + num_bits, recall_size(network))
    is_step = graph.node("Greater", acting.chosen, graph.constant("no_action_yet", np.array(0)))
    steps = graph.node("Add", steps, graph.unsqueeze(graph.to_float(is_step), 1))

    places = [host * num_decoys + decoy for host, decoy in decoy_places(network)]
    planted = graph.reshape(known.decoys, num_hosts * num_decoys)
    longest = graph.constant("longest_ages", np.array(AGES, np.float32))
    spread = graph.unsqueeze(age, 2)
    recent = graph.node("And", graph.is_positive(spread), graph.node("LessOrEqual", spread, longest))
    clock = graph.node("GreaterOrEqual", steps, graph.constant("clock", np.array(CLOCK, np.float32)))
    bits = graph.node(
        "Concat",
        graph.node("Gather", planted, graph.constant("decoy_places", np.array(places, np.int64)), axis=1),
        ever,
        graph.reshape(graph.to_float(recent), num_hosts * len(AGES)),
        last_table,
        graph.lookup(kinds, acting.acted),
        graph.lookup(acts_on, acting.acted),
        graph.to_float(clock),
        *_crew_bits(graph, network, acting, acts_on),
        axis=1,
    )
    return bits, graph.node("Concat", ever, age, "observation", steps, axis=1)


def _crew_bits(graph: GraphBuilder, network: Network, acting: Acting, acts_on: str) -> list[str]:
    """Names of the bits that tell what is under way, in order; none where every action takes one step."""
    if acting.under_way is None or acting.left is None or acting.has_free_crew is None:
        return []
    num_hosts = len(network.hosts)
    by_kind = np.concatenate([hosts_of(network, [kind]) for kind in CREW_KINDS], axis=1)
    each = graph.lookup(graph.constant("kinds_under_way", by_kind), acting.under_way)
    last_steps = graph.constant("steps_left", np.array(LEFT, np.float32))
    near = graph.to_float(graph.node("LessOrEqual", graph.unsqueeze(acting.left, 2), last_steps))
    there = graph.unsqueeze(graph.lookup(acts_on, acting.under_way), 3)
    done_within = graph.node("Mul", there, graph.unsqueeze(near, 2))
    return [
        graph.node("ReduceMax", each, axes=[1], keepdims=0),
        graph.reshape(graph.node("ReduceMax", done_within, axes=[1], keepdims=0), num_hosts * len(LEFT)),
        graph.to_float(acting.has_free_crew),
    ]
