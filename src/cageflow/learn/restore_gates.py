"""Units of a network that forbid Restores which a red agent can make blue repeat for ever, wired before it learns on.

Nothing keeps red out of the subnet in which it begins: a host there is taken again in the step after its Restore, which
costs ten times what a step of the host does. So a unit for each of these hosts closes its Restore for good once it was
restored. Elsewhere a unit closes the Restore in the step after one of the same host, so that blue has to try something
else in between. Each unit reads bits of blue's memory (`cageflow.sim.recall`), is 1 or -1, and is handed on from layer
to layer; the last one takes so much from the action's logit that it is not chosen. The other units are as they were,
and so is the policy wherever no Restore is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.learn.inference import Layers
from cageflow.scenario import BlueKind, Network
from cageflow.sim.recall import num_inputs, recalled_bits

CLOSED = 40.0
"""What a closed action's logit is lowered by."""
_SURE = 10.0
"""From here on tanh is 1 in float32."""
Array = NDArray[np.float64]


class Gates(NamedTuple):
    """Units, one for each host.

    Attributes:
        weights: (N, F) of the first layer, F bits of the table and of what is recalled.
        biases: (N,) of the same.
        actions: (N,) numbers of the Restores that they close.
    """

    weights: Array
    biases: Array
    actions: NDArray[np.int64]


def restore_gates(network: Network) -> Gates:
    """The units of a network: hosts beside red's first are restored once, others not twice in succession."""
    tables, names = network.tables, recalled_bits(network)
    kinds, hosts = np.asarray(tables.action_kind), np.asarray(tables.action_host)
    num_hosts = len(network.hosts)
    weights, actions = np.zeros((num_hosts, num_inputs(network, memory=True))), np.empty(num_hosts, np.int64)
    biases = np.empty(num_hosts)

    def bit(name: str) -> int:
        return network.num_observations + names.index(name)

    for number, host in enumerate(network.hosts):
        actions[number] = np.flatnonzero((kinds == BlueKind.RESTORE) & (hosts == number))[0]
        if tables.subnet[number] == tables.subnet[int(tables.start)]:
            weights[number, bit(f"restored {host}")] = 2 * _SURE
            biases[number] = -_SURE
        else:
            weights[number, [bit(f"last action {BlueKind.RESTORE.name}"), bit(f"last action {host}")]] = 2 * _SURE
            biases[number] = -3 * _SURE
    return Gates(weights, biases, actions)


def wire(learner: dict[str, Any], network: Network) -> dict[str, Any]:
    """The learner of a run (`PPO.state_dict`) with the units; its actor is another one only where a Restore is closed.

    Its hidden layers are wider by the number of hosts, and its critic's as well, where nothing is taken.

    Args:
        learner: of a policy with tanh layers, a memory and no workflow.
        network: that it plays.

    Raises:
        UserError: it is of another kind.
    """
    gates, state = restore_gates(network), dict(learner["networks"])
    for side in ("actor", "critic"):
        count = sum(name.startswith(f"{side}.") and name.endswith(".weight") for name in state)
        keys = [(f"{side}.{number}.weight", f"{side}.{number}.bias") for number in range(count)]
        layers = [(state[weight], state[bias]) for weight, bias in keys]
        if layers[0][0].shape[1] != gates.weights.shape[1]:
            raise UserError(
                f"the learner reads {layers[0][0].shape[1]} bits, expected {gates.weights.shape[1]}: gates are for a "
                "policy with a memory and without a workflow"
            )
        for (weight, bias), values in zip(keys, widened(layers, gates, closes=side == "actor"), strict=True):
            state[weight], state[bias] = values
    return {**learner, "networks": state}


def wired_sizes(hidden_sizes: Sequence[int], network: Network) -> list[int]:
    """The hidden sizes of a learner with the units, `hidden_sizes` being those without."""
    return [size + len(network.hosts) for size in hidden_sizes]


def widened(layers: Layers, gates: Gates, *, closes: bool) -> Layers:
    """Layers with the units beside their own; without `closes` nothing follows from them."""
    num = len(gates.actions)
    (first, first_bias), *between, (last, last_bias) = layers
    wide = [(np.concatenate([first, gates.weights]), np.concatenate([first_bias, gates.biases]))]
    for weight, bias in between:
        both = np.zeros((len(weight) + num, weight.shape[1] + num))
        both[: len(weight), : weight.shape[1]] = weight
        both[len(weight) :, weight.shape[1] :] = _SURE * np.eye(num)
        wide.append((both, np.concatenate([bias, np.zeros(num)])))
    taken, base = np.zeros((len(last), num)), last_bias.astype(np.float64)
    if closes:
        taken[gates.actions, np.arange(num)] = -CLOSED / 2
        base[gates.actions] -= CLOSED / 2
    wide.append((np.concatenate([last, taken], axis=1), base))
    return [(weight.astype(np.float32), bias.astype(np.float32)) for weight, bias in wide]
