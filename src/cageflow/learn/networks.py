"""The actor and the critic: two separate stacks of layers over an observation and, with a workflow, its order.

What is learned stands in plain arrays, in the layout of the compiled update; `torch_networks` runs it on a device.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cageflow.learn.compiled_update import PARAMETERS
from cageflow.learn.dense import padded
from cageflow.learn.generator import Generator
from cageflow.learn.inference import ActorWeights, Layers, fold_order, pack_weights
from cageflow.numerics.chance import orthogonal_rows


class Layer(NamedTuple):
    """Views of what is learned of a layer: the weight (outputs, inputs) and the bias (outputs,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


class Networks:
    """Actor and critic of equal hidden layers without a shared part, and where Adam stands with them.

    The input is the observation followed by the code of the workflow order, if there is one. The code is a constant of
    the policy, so it is kept here and its share of the first layer is computed once per call, as a bias, and not once
    per observation.

    Args:
        num_observations: F.
        num_actions: A.
        hidden_sizes: widths of the hidden layers, at least one.
        activation: one of `config.ACTIVATIONS`.
        orthogonal_init: orthogonal weights (gain sqrt 2, actor's last layer 0.01, critic's last layer 1), zero biases;
            False: torch's default, uniform within 1 / sqrt(inputs).
        order_encoding: (D,) float32, or None.
        generator: source of the initial weights.

    Attributes:
        num_observations, num_actions, activation: as given.
        order: (D,) float32, empty without one.
        learned: (4, P) float32, see `compiled_update`; P is filled up to a multiple of `LANES`.
        num_steps: that Adam has taken.
        shapes: (outputs, inputs) of each layer, the actor's and then the critic's.
    """

    def __init__(
        self,
        num_observations: int,
        num_actions: int,
        *,
        hidden_sizes: Sequence[int],
        activation: str,
        orthogonal_init: bool,
        order_encoding: NDArray[np.float32] | None,
        generator: Generator,
    ) -> None:
        self.num_observations = num_observations
        self.num_actions = num_actions
        self.activation = activation
        self.order = np.zeros(0, np.float32) if order_encoding is None else order_encoding.astype(np.float32)
        first = [num_observations + self.order.size, *hidden_sizes]
        self.shapes = [
            (outputs, inputs) for last in (num_actions, 1) for inputs, outputs in itertools.pairwise([*first, last])
        ]
        self.num_steps = 0
        self.learned = np.zeros((4, padded(sum((inputs + 1) * outputs for outputs, inputs in self.shapes))), np.float32)
        for stack, last_gain in ((self.actor, 0.01), (self.critic, 1.0)):
            for layer in stack:
                gain = last_gain if layer is stack[-1] else math.sqrt(2.0)
                _initialise(layer, gain if orthogonal_init else None, generator)

    @property
    def actor(self) -> list[Layer]:
        """The actor's layers, the order's columns included."""
        return self.layers(PARAMETERS)[: len(self.shapes) // 2]

    @property
    def critic(self) -> list[Layer]:
        """The critic's layers, likewise."""
        return self.layers(PARAMETERS)[len(self.shapes) // 2 :]

    def layers(self, row: int) -> list[Layer]:
        """The actor's layers and then the critic's in a row of `learned`."""
        layers, at = [], 0
        vector = self.learned[row]
        for outputs, inputs in self.shapes:
            bias, at = vector[at : at + outputs], at + outputs
            weight, at = vector[at : at + inputs * outputs].reshape(inputs, outputs).T, at + inputs * outputs
            layers.append(Layer(weight, bias))
        return layers

    def actor_layers(self) -> Layers:
        """A copy of the actor's layers."""
        return [(layer.weight.copy(), layer.bias.copy()) for layer in self.actor]

    def critic_layers(self) -> Layers:
        """The critic's layers, the order folded into the first bias."""
        return fold_order([*self.critic], self._code)

    def actor_weights(self) -> ActorWeights:
        """A copy of the actor for the compiled code, the order folded into the first bias."""
        return pack_weights([*self.actor], self.activation, self._code)

    def state_dict(self) -> dict[str, NDArray[np.float32]]:
        """The parameters by their names, such as actor.0.weight, and the order if there is one; a copy."""
        named = {name: parameter.copy() for name, parameter in self.named_parameters()}
        return named if self._code is None else {"order": self.order.copy(), **named}

    def load_state_dict(self, state: Mapping[str, NDArray[np.float32]]) -> None:
        """Take over what `state_dict` gave.

        Raises:
            ValueError: it is of networks of other sizes.
        """
        wanted = dict(self.named_parameters()) | ({} if self._code is None else {"order": self.order})
        found = {name: np.shape(array) for name, array in state.items()}
        for name in sorted({*wanted, *found}):
            shape = wanted[name].shape if name in wanted else None
            if found.get(name) != shape:
                raise ValueError(f"expected {name} of shape {shape}, got {found.get(name)}")
        for name, array in wanted.items():
            array[...] = state[name]

    def named_parameters(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """The name and a view of each weight and bias."""
        for part, layers in (("actor", self.actor), ("critic", self.critic)):
            for number, layer in enumerate(layers):
                yield f"{part}.{number}.weight", layer.weight
                yield f"{part}.{number}.bias", layer.bias

    @property
    def _code(self) -> NDArray[np.float32] | None:
        return self.order if self.order.size else None


def _initialise(layer: Layer, gain: float | None, generator: Generator) -> None:
    """Orthogonal weights of that gain and a bias of 0; without a gain all uniform within 1 / sqrt(inputs)."""
    outputs, inputs = layer.weight.shape
    if gain is None:
        bound = 1.0 / math.sqrt(inputs)
        layer.weight[...] = bound * (2.0 * generator.uniforms(outputs * inputs) - 1.0).reshape(outputs, inputs)
        layer.bias[...] = bound * (2.0 * generator.uniforms(outputs) - 1.0)
    else:
        rows = orthogonal_rows(min(outputs, inputs), max(outputs, inputs), generator.uniforms)
        layer.weight[...] = gain * (rows if outputs <= inputs else rows.T)
        layer.bias[...] = 0.0
