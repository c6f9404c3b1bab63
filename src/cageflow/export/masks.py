"""Blue's knowledge of what is in vain as five matrices: the rules of `cageflow.sim.knowledge` for an ONNX graph.

What blue remembers is a vector of zeros and ones. A step, and the question what is of use, are then products and a few
elementwise functions, all exact in float32, since nothing but small whole numbers occurs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.export.graph import GraphBuilder
from cageflow.scenario import BlueKind, Network
from cageflow.scenario.schema import decoy_actions

SCAN_BIT, EXPLOIT_BIT, COMPROMISED_BIT = 0, 1, 3
"""Bits of a host in the observation: any activity, an attack, and that the table says `user` or `privileged`."""

Matrix = NDArray[np.float32]


class MaskTables(NamedTuple):
    """What a step does to blue's memory, and what is of use then.

    The memory of M numbers says for each host whether red may have left files there, for each host and decoy whether
    blue has planted it, and with green awake for each host whether a scan may have hidden an attack.

    A step with the action a, one-hot, and the observation o after it:

        planted = (a if useful_always + memory @ useful_memory > 0 else 0) @ plants
        memory = max(memory * (1 - a @ clears), planted, o @ shows)
        mask = useful_always + memory @ useful_memory + o @ useful_seen > 0

    Attributes:
        clears: (A, M), 1 where the action wipes the entry.
        plants: (A, M), 1 where the action, if the decoy has room, sets the entry.
        shows: (F, M), so that o @ shows is above 0 where the observation sets the entry.
        useful_always: (A,), 1 where the action is of use unless the memory says otherwise.
        useful_memory: (M, A), 1 for an entry that makes the action one of use, -1 for one that makes it vain.
        useful_seen: (F, A), 1 for a bit that makes the action one of use.
    """

    clears: Matrix
    plants: Matrix
    shows: Matrix
    useful_always: Matrix
    useful_memory: Matrix
    useful_seen: Matrix

    @property
    def memory_size(self) -> int:
        """M."""
        return len(self.useful_memory)


def mask_tables(network: Network, *, official: bool, green: bool) -> MaskTables:
    """The matrices of a network.

    Args:
        network: that is played.
        official: whether blue is shown the official table, which can hide a connection behind a new decoy.
        green: whether the green agent is awake.

    Raises:
        UserError: some decoys share an action: how many of them still fit, no matrix says.
    """
    codec, tables = network.codec, network.tables
    if len(decoy_actions(network.scenario)) < len(network.decoys):
        raise UserError(
            f"{network.scenario.name} has decoys that share an action, which an exported file cannot follow."
        )
    num_actions, num_hosts, num_decoys = len(codec), len(network.hosts), len(network.decoys)
    traces = np.arange(num_hosts)
    decoys = num_hosts + np.arange(num_hosts * num_decoys).reshape(num_hosts, num_decoys)
    hidden = num_hosts * (1 + num_decoys) + np.arange(num_hosts)
    size = num_hosts * (1 + num_decoys) + (num_hosts if green else 0)
    made = MaskTables(
        np.zeros((num_actions, size), np.float32),
        np.zeros((num_actions, size), np.float32),
        np.zeros((network.num_observations, size), np.float32),
        np.zeros(num_actions, np.float32),
        np.zeros((size, num_actions), np.float32),
        np.zeros((network.num_observations, num_actions), np.float32),
    )
    for host in range(num_hosts):
        made.shows[4 * host + SCAN_BIT, traces[host]] = 1.0
        if green:
            made.shows[4 * host + SCAN_BIT, hidden[host]] = 1.0
            made.shows[4 * host + EXPLOIT_BIT, hidden[host]] = -1.0
    for action in range(num_actions):
        kind, host, decoy = codec.kind[action], int(codec.host[action]), int(codec.decoy[action])
        if kind in (BlueKind.SLEEP, BlueKind.RESTORE):
            made.useful_always[action] = 1.0
        if kind == BlueKind.RESTORE:
            made.clears[action, [traces[host], *decoys[host]]] = 1.0
        if kind in (BlueKind.RESTORE, BlueKind.REMOVE) and green:
            made.clears[action, hidden[host]] = 1.0
        if kind == BlueKind.ANALYSE:
            made.useful_memory[traces[host], action] = 1.0
        if kind == BlueKind.REMOVE:
            made.useful_seen[4 * host + COMPROMISED_BIT, action] = 1.0
            if green:
                made.useful_memory[hidden[host], action] = 1.0
        if kind == BlueKind.DECOY:
            made.useful_always[action] = int(tables.decoy_fits[host]) >> decoy & 1
            for other in range(num_decoys):
                if int(tables.decoy_rivals[decoy]) >> other & 1:
                    made.useful_memory[decoys[host, other], action] = -1.0
            made.plants[action, decoys[host, decoy]] = 1.0
            if official:
                made.plants[action, traces[host]] = 1.0
    return made


def add_masks(graph: GraphBuilder, tables: MaskTables, before: str) -> tuple[str, str]:
    """Write what the docstring of `MaskTables` says into a graph.

    Args:
        graph: with inputs `observation` (N, F) float32 and `last_action` (N,) int64.
        tables: of the network.
        before: name of the memory before the step, (N, M) float32.

    Returns:
        Names of the mask, (N, A) bool, and of the memory after the step, (N, M) float32.
    """
    num_actions = len(tables.useful_always)
    numbers = graph.constant("action_numbers", np.arange(num_actions))
    column = graph.node("Unsqueeze", "last_action", graph.constant("columns", np.array([1])))
    zero, one = (graph.constant(name, np.float32(value)) for name, value in (("zero", 0), ("one", 1)))
    always = graph.constant("useful_always", tables.useful_always)
    matrices = {name: graph.constant(name, array) for name, array in tables._asdict().items() if array.ndim == 2}

    # An action of -1, before the first step, equals no number, and so does nothing.
    was_taken = graph.node("Equal", column, numbers)
    room = graph.node("Add", graph.node("MatMul", before, matrices["useful_memory"]), always)
    succeeded = graph.node("And", was_taken, graph.node("Greater", room, zero))
    planted = graph.node("MatMul", graph.to_float(succeeded), matrices["plants"])
    cleared = graph.node("MatMul", graph.to_float(was_taken), matrices["clears"])
    kept = graph.node("Mul", before, graph.node("Sub", one, cleared))
    shown = graph.node("MatMul", "observation", matrices["shows"])
    memory = graph.node("Max", kept, planted, shown)

    use = graph.node("Add", graph.node("MatMul", memory, matrices["useful_memory"]), always)
    use = graph.node("Add", use, graph.node("MatMul", "observation", matrices["useful_seen"]))
    return graph.node("Greater", use, zero, output="mask"), memory
