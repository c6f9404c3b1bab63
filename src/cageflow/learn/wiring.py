"""Units wired into a network beside its own, each of which speaks for or against an action where it sees some bits.

A unit reads bits of the table and of blue's memory (`cageflow.sim.recall`), is 1 or -1, and is handed on from layer to
layer; the last one adds to its action's logit where it is 1. The other units are as they were, and so is the policy
wherever no unit is 1. Training goes on with all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.learn.inference import Layers
from cageflow.scenario import BlueKind, Network
from cageflow.sim.recall import num_inputs, recalled_bits

SURE = 10.0
"""From here on tanh is 1 in float32."""
Array = NDArray[np.float64]


class Units(NamedTuple):
    """Units, one for each host.

    Attributes:
        weights: (N, F) of the first layer, F bits of the table and of what is recalled.
        biases: (N,) of the same.
        actions: (N,) numbers of the actions that they speak for or against.
        push: what is added to the logit of an action whose unit is 1.
    """

    weights: Array
    biases: Array
    actions: NDArray[np.int64]
    push: float


class Bits:
    """Places of what a policy with a memory reads, in a network."""

    def __init__(self, network: Network) -> None:
        self._names = {name: number for number, name in enumerate(recalled_bits(network))}
        self._network = network

    def recalled(self, name: str) -> int:
        """Of a bit of `recalled_bits`."""
        return self._network.num_observations + self._names[name]

    def held(self, host: int) -> int:
        """Of the bit of the table that is set where blue believes that red holds a host."""
        return 4 * host + 3  # the high one of `Compromise`: USER and PRIVILEGED


def units_of(network: Network, kind: BlueKind, sees: Mapping[int, Sequence[int]], push: float) -> Units:
    """A unit for each host, which is 1 where all the bits are set that it sees.

    Args:
        network: that is played.
        kind: of the action on the host that it speaks for or against.
        sees: bits of each host.
        push: as of `Units`.
    """
    kinds, hosts = np.asarray(network.tables.action_kind), np.asarray(network.tables.action_host)
    count = len(network.hosts)
    weights, biases = np.zeros((count, num_inputs(network, memory=True))), np.empty(count)
    for host in range(count):
        weights[host, list(sees[host])] = 2 * SURE
        biases[host] = SURE * (1 - 2 * len(sees[host]))
    actions = [np.flatnonzero((kinds == kind) & (hosts == host))[0] for host in range(count)]
    return Units(weights, biases, np.array(actions, np.int64), push)


def wire(learner: dict[str, Any], units: Units) -> dict[str, Any]:
    """The learner of a run (`PPO.state_dict`) with units; its actor is another one only where one of them is 1.

    Its hidden layers are wider by the number of units, and its critic's as well, where nothing is added.

    Args:
        learner: of a policy with tanh layers, a memory and no workflow.
        units: of the network that it plays.

    Raises:
        UserError: it is of another kind.
    """
    state = dict(learner["networks"])
    for side in ("actor", "critic"):
        count = sum(name.startswith(f"{side}.") and name.endswith(".weight") for name in state)
        keys = [(f"{side}.{number}.weight", f"{side}.{number}.bias") for number in range(count)]
        layers = [(state[weight], state[bias]) for weight, bias in keys]
        if layers[0][0].shape[1] != units.weights.shape[1]:
            raise UserError(
                f"the learner reads {layers[0][0].shape[1]} bits, expected {units.weights.shape[1]}: units are for a "
                "policy with a memory and without a workflow"
            )
        for (weight, bias), values in zip(keys, _widened(layers, units, speaks=side == "actor"), strict=True):
            state[weight], state[bias] = values
    return {**learner, "networks": state}


def wired_sizes(hidden_sizes: Sequence[int], network: Network) -> list[int]:
    """The hidden sizes of a learner with a unit for each host, `hidden_sizes` being those without."""
    return [size + len(network.hosts) for size in hidden_sizes]


def _widened(layers: Layers, units: Units, *, speaks: bool) -> Layers:
    """Layers with the units beside their own; without `speaks` nothing follows from them."""
    num = len(units.actions)
    (first, first_bias), *between, (last, last_bias) = layers
    wide = [(np.concatenate([first, units.weights]), np.concatenate([first_bias, units.biases]))]
    for weight, bias in between:
        both = np.zeros((len(weight) + num, weight.shape[1] + num))
        both[: len(weight), : weight.shape[1]] = weight
        both[len(weight) :, weight.shape[1] :] = SURE * np.eye(num)
        wide.append((both, np.concatenate([bias, np.zeros(num)])))
    added, base = np.zeros((len(last), num)), last_bias.astype(np.float64)
    if speaks:
        added[units.actions, np.arange(num)] = units.push / 2
        base[units.actions] += units.push / 2
    wide.append((np.concatenate([last, added], axis=1), base))
    return [(weight.astype(np.float32), bias.astype(np.float32)) for weight, bias in wide]
