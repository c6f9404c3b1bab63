"""The actor and the critic: two separate stacks of layers over an observation and, with a workflow, its order."""

import itertools
import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cageflow.learn.inference import ActorWeights, Layers, pack_weights
from cageflow.numerics.chance import orthogonal_rows


class ActorCritic(nn.Module):
    """Actor and critic of equal hidden layers without a shared part.

    The input is the observation followed by the code of the workflow order, if there is one. The code is a constant of
    the policy, so it is kept here and its share of the first layer is computed once per call, as a bias, and not once
    per observation. Output and gradients are those of the concatenated input.

    Args:
        num_observations: F.
        num_actions: A.
        hidden_sizes: widths of the hidden layers, at least one.
        activation: one of `config.ACTIVATIONS`.
        orthogonal_init: orthogonal weights (gain sqrt 2, actor's last layer 0.01, critic's last layer 1), zero biases;
            False: torch's default, uniform within 1 / sqrt(inputs).
        order_encoding: (D,) float32, or None.
        generator: source of the initial weights; torch's global generator is left alone.
    """

    order: Tensor | None

    def __init__(
        self,
        num_observations: int,
        num_actions: int,
        *,
        hidden_sizes: Sequence[int],
        activation: str,
        orthogonal_init: bool,
        order_encoding: NDArray[np.float32] | None,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.num_observations = num_observations
        self._activation_name = activation
        self._activation = torch.tanh if activation == "tanh" else torch.relu
        order = None if order_encoding is None else torch.tensor(order_encoding, dtype=torch.float32)
        self.register_buffer("order", order)
        num_inputs = num_observations + (0 if order is None else order.shape[0])
        self.actor = _build_layers([num_inputs, *hidden_sizes, num_actions])
        self.critic = _build_layers([num_inputs, *hidden_sizes, 1])
        for layers, last_gain in ((self.actor, 0.01), (self.critic, 1.0)):
            for layer in linears(layers):
                gain = last_gain if layer is layers[-1] else math.sqrt(2.0)
                _initialise(layer, gain if orthogonal_init else None, generator)

    def logits(self, observations: Tensor) -> Tensor:
        """(B, F) float32 observations to the (B, A) logits of the actions."""
        return self._run(self.actor, observations)

    def values(self, observations: Tensor) -> Tensor:
        """(B, F) float32 observations to (B,) values, in the unit that the critic was trained in."""
        return self._run(self.critic, observations)[:, 0]

    @property
    def critic_head(self) -> nn.Linear:
        """The critic's last layer."""
        return linears(self.critic)[-1]

    def actor_layers(self) -> Layers:
        """A copy of the actor's layers, the order's columns included."""
        return _copies(self.actor)

    def critic_layers(self) -> Layers:
        """The same of the critic."""
        return _copies(self.critic)

    def actor_weights(self) -> ActorWeights:
        """A copy of the actor for the compiled code, the order folded into the first bias."""
        order = None if self.order is None else self.order.cpu().numpy()
        return pack_weights(self.actor_layers(), self._activation_name, order)

    def _run(self, layers: nn.ModuleList, observations: Tensor) -> Tensor:
        first, *others = linears(layers)
        bias: Tensor = first.bias
        if self.order is not None:
            bias = bias + first.weight[:, self.num_observations :] @ self.order
        x = functional.linear(observations, first.weight[:, : self.num_observations], bias)
        for layer in others:
            x = layer(self._activation(x))
        return x


def share_storage(module: nn.Module) -> nn.Parameter:
    """Put all parameters of a module, and their gradients, into one vector of which they become views.

    Gradients then add up in the vector's `grad`, and clearing, measuring, clipping and stepping are one operation each.

    Returns:
        (P,) the vector, for an optimiser.
    """
    parameters = list(module.parameters())
    vector = nn.Parameter(torch.cat([parameter.detach().reshape(-1) for parameter in parameters]))
    vector.grad = torch.zeros_like(vector)
    sizes = [parameter.numel() for parameter in parameters]
    for parameter, value, grad in zip(parameters, vector.data.split(sizes), vector.grad.split(sizes), strict=True):
        parameter.data = value.view_as(parameter)
        parameter.grad = grad.view_as(parameter)
    return vector


def _build_layers(sizes: Sequence[int]) -> nn.ModuleList:
    """Linear layers between the given widths; their values are not to be used."""
    with torch.random.fork_rng(devices=[]):
        return nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in itertools.pairwise(sizes))


def _copies(layers: nn.ModuleList) -> Layers:
    return [
        (layer.weight.detach().cpu().numpy().copy(), layer.bias.detach().cpu().numpy().copy())
        for layer in linears(layers)
    ]


def _initialise(layer: nn.Linear, gain: float | None, generator: torch.Generator) -> None:
    """Orthogonal weights of that gain and a bias of 0; without a gain all uniform within 1 / sqrt(inputs).

    The numbers are made here and not by torch, whose last bits depend on the processor.
    """

    def uniforms(count: int) -> NDArray[np.float64]:
        whole = torch.randint(1 << 53, (count,), generator=generator).numpy()
        return whole * 2.0**-53

    outputs, inputs = layer.weight.shape
    if gain is None:
        bound = 1.0 / math.sqrt(inputs)
        weight = bound * (2.0 * uniforms(outputs * inputs) - 1.0).reshape(outputs, inputs)
        bias = bound * (2.0 * uniforms(outputs) - 1.0)
    else:
        rows = orthogonal_rows(min(outputs, inputs), max(outputs, inputs), uniforms)
        weight = gain * (rows if outputs <= inputs else rows.T)
        bias = np.zeros(outputs)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))


def linears(layers: nn.ModuleList) -> list[nn.Linear]:
    """The layers of the actor or the critic, as what they are."""
    return cast(list[nn.Linear], list(layers))
