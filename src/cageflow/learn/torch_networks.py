"""The actor and the critic as torch runs them, for a device that compiled code does not run on."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cageflow.learn.networks import Networks


class ActorCritic(nn.Module):
    """`Networks` with gradients; output and gradients are those of the observation and the order's code side by side.

    Args:
        networks: whose sizes, order and present values these have.
    """

    order: Tensor | None

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.num_observations = networks.num_observations
        self._activation = torch.tanh if networks.activation == "tanh" else torch.relu
        self.register_buffer("order", torch.from_numpy(networks.order.copy()) if networks.order.size else None)
        half = len(networks.shapes) // 2
        self.actor = _build_layers(networks.shapes[:half])
        self.critic = _build_layers(networks.shapes[half:])
        self.take(networks)

    def logits(self, observations: Tensor) -> Tensor:
        """(B, F) float32 observations to the (B, A) logits of the actions."""
        return self._run(self.actor, observations)

    def values(self, observations: Tensor) -> Tensor:
        """(B, F) float32 observations to (B,) values, in the unit that the critic was trained in."""
        return self._run(self.critic, observations)[:, 0]

    @torch.no_grad()
    def take(self, networks: Networks) -> None:
        """Take over the parameters of networks of the same sizes."""
        for (_, theirs), mine in zip(networks.named_parameters(), self.parameters(), strict=True):
            mine.copy_(torch.from_numpy(theirs.copy()))

    def give(self, networks: Networks) -> None:
        """Hand the parameters over to networks of the same sizes."""
        for (_, theirs), mine in zip(networks.named_parameters(), self.parameters(), strict=True):
            theirs[...] = mine.detach().cpu().numpy()

    def _run(self, layers: nn.ModuleList, observations: Tensor) -> Tensor:
        first, *others = cast(list[nn.Linear], list(layers))
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


def _build_layers(shapes: Sequence[tuple[int, int]]) -> nn.ModuleList:
    """Linear layers of these (outputs, inputs); their values are not to be used."""
    with torch.random.fork_rng(devices=[]):
        return nn.ModuleList(nn.Linear(inputs, outputs) for outputs, inputs in shapes)
