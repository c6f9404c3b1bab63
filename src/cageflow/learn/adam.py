"""Adam on one vector of parameters.

The same arithmetic as `torch.optim.Adam`, a test says so. Torch's own takes more time to walk its groups and hooks than
to step networks of this size, and its first use imports a compiler for 1.5 seconds.
"""

import math

import torch
from torch import Tensor


class Adam:
    """Adam (Kingma & Ba 2015) without weight decay.

    `num_steps`, `mean` and `square`, the steps taken and the running moments, are copied from and to `Networks`.

    Args:
        parameters: (P,) the vector to step; its `grad` is read.
        betas: decay of the running mean of the gradient and of its square.
        eps: added to the root of the latter.
    """

    def __init__(self, parameters: Tensor, *, betas: tuple[float, float], eps: float) -> None:
        self._parameters = parameters
        self._betas = betas
        self._eps = eps
        self.num_steps = 0
        self.mean = torch.zeros_like(parameters, requires_grad=False)
        self.square = torch.zeros_like(parameters, requires_grad=False)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move the parameters against their gradient.

        Raises:
            ValueError: there is no gradient.
        """
        gradient = self._parameters.grad
        if gradient is None:
            raise ValueError("expected parameters with a gradient, got none")
        self.num_steps += 1
        mean_decay, square_decay = self._betas
        self.mean.lerp_(gradient, 1.0 - mean_decay)
        self.square.mul_(square_decay).addcmul_(gradient, gradient, value=1.0 - square_decay)
        mean_share = 1.0 - mean_decay**self.num_steps  # how much of the start at zero is left in the running means
        square_share = 1.0 - square_decay**self.num_steps
        scale = self.square.sqrt().div_(math.sqrt(square_share)).add_(self._eps)
        self._parameters.addcdiv_(self.mean, scale, value=-learning_rate / mean_share)
