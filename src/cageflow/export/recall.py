"""What blue remembers, as the bits that a policy with a memory reads: `cageflow.sim.recall` for an ONNX graph.

Beside what the masks need (`masks`), the graph's memory holds, for H hosts and F bits of the table: whether each host
was touched, attacked, restored (3 H zeros and ones), how many steps ago it was last touched, from 1, or 0 (H), the
table of the step before (F), and the steps behind (1).
"""

from __future__ import annotations

import numpy as np

from cageflow.export.graph import GraphBuilder
from cageflow.export.masks import EXPLOIT_BIT, SCAN_BIT
from cageflow.scenario import BlueKind, Network
from cageflow.sim.recall import AGES, CLOCK, decoy_places


def recall_size(network: Network) -> int:
    """Numbers of the memory beside those that the masks need."""
    return 4 * len(network.hosts) + network.num_observations + 1


def add_recall(graph: GraphBuilder, network: Network, before: str, planted: str) -> tuple[str, str]:
    """Write the memory of a step, and the bits that tell of it, into a graph.

    Args:
        graph: with inputs `observation` (N, F) float32 and `last_action` (N,) int64.
        network: that is played.
        before: name of this memory before the step, (N, `recall_size`) float32.
        planted: name of (N, H * D) float32, for each host and decoy whether blue's own stands there after the step.

    Returns:
        Names of the bits, (N, R) float32, and of the memory after the step.
    """
    codec = network.codec
    num_hosts, num_bits, num_decoys = len(network.hosts), network.num_observations, len(network.decoys)
    numbers = np.arange(len(codec))
    kinds = np.eye(len(BlueKind), dtype=np.float32)[np.asarray(codec.kind)]
    acts_on = np.zeros((len(codec), num_hosts), np.float32)
    for action in numbers:
        if codec.kind[action] not in (BlueKind.SLEEP, BlueKind.MONITOR):
            acts_on[action, int(codec.host[action])] = 1.0
    restores = acts_on * kinds[:, [BlueKind.RESTORE]]
    one, zero = graph.constant("recall_one", np.float32(1)), graph.constant("recall_zero", np.float32(0))

    def product(value: str, name: str, matrix: np.ndarray) -> str:
        return graph.node("MatMul", value, graph.constant(name, matrix.astype(np.float32)))

    # An action of -1, before the first step, equals no number: no step is behind.
    column = graph.node("Unsqueeze", "last_action", graph.constant("recall_columns", np.array([1])))
    taken = graph.to_float(graph.node("Equal", column, graph.constant("recall_numbers", numbers)))
    bit = np.eye(num_bits)
    active = product("observation", "activity_bits", bit[:, SCAN_BIT::4])
    attacks = product("observation", "attack_bits", bit[:, EXPLOIT_BIT::4])
    ever = graph.node("Concat", active, attacks, product(taken, "restores", restores), axis=1)
    ever = graph.node("Max", graph.columns(before, 0, 3 * num_hosts), ever)
    age = graph.columns(before, 3 * num_hosts, 4 * num_hosts)
    older = graph.node("Add", age, graph.to_float(graph.node("Greater", age, zero)))
    age = graph.node("Where", graph.node("Greater", active, zero), one, older)
    last_table = graph.columns(before, 4 * num_hosts, 4 * num_hosts + num_bits)
    steps = graph.columns(before, 4 * num_hosts + num_bits, recall_size(network))
    steps = graph.node("Add", steps, product(taken, "any_action", np.ones((len(codec), 1))))

    places = np.zeros((num_hosts * num_decoys, len(decoy_places(network))))
    for i, (host, decoy) in enumerate(decoy_places(network)):
        places[host * num_decoys + decoy, i] = 1.0
    spread = product(age, "ages_of_hosts", np.repeat(np.eye(num_hosts), len(AGES), axis=1))
    longest = graph.constant("longest_ages", np.tile(np.array(AGES, np.float32), num_hosts))
    recent = graph.node("And", graph.node("Greater", spread, zero), graph.node("LessOrEqual", spread, longest))
    clock = graph.node("GreaterOrEqual", steps, graph.constant("clock", np.array(CLOCK, np.float32)))
    bits = graph.node(
        "Concat",
        product(planted, "decoy_places", places),
        ever,
        graph.to_float(recent),
        last_table,
        product(taken, "kinds", kinds),
        product(taken, "acts_on", acts_on),
        graph.to_float(clock),
        axis=1,
    )
    return bits, graph.node("Concat", ever, age, "observation", steps, axis=1)
