"""Networks of other libraries as policies of cageflow: the same weights, so the same actions, without the library."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from cageflow.envs.options import GameOptions
from cageflow.learn.inference import Layers
from cageflow.learn.policy import Policy, PolicyCard, made_for

ARGMAX_SCALE = 2.0**40
"""Factor that turns action values into logits of a policy which takes the best: values that differ at all in float32
then differ by hundreds, so that every other action has the probability 0. A power of two rounds nothing."""

_ACTIVATIONS: dict[type[nn.Module], str] = {nn.Tanh: "tanh", nn.ReLU: "relu"}


def policy_of(
    modules: Iterable[nn.Module], name: str, game: GameOptions, training_episodes: int, *, greedy: bool = False
) -> Policy:
    """The policy of a chain of linear layers with one kind of activation between them.

    Args:
        modules: the chain, from the observation to the logits.
        name: of the algorithm; the card says it as the preset.
        game: that it was trained in.
        training_episodes: that it has learned from.
        greedy: the outputs are action values, and the best action is to be taken.

    Raises:
        ValueError: a module of another kind, or two kinds of activation.
    """
    layers: Layers = []
    activations = set()
    for module in modules:
        if isinstance(module, nn.Linear):
            layers.append((_array(module.weight), _array(module.bias)))
        elif type(module) in _ACTIVATIONS:
            activations.add(_ACTIVATIONS[type(module)])
        elif not isinstance(module, nn.Flatten | nn.Identity):
            raise ValueError(f"expected linear layers, tanh and relu, got {type(module).__name__}")
    if len(activations) > 1:
        raise ValueError(f"expected one kind of activation, got {' and '.join(sorted(activations))}")
    if greedy:
        weight, bias = layers[-1]
        layers[-1] = (weight * np.float32(ARGMAX_SCALE), bias * np.float32(ARGMAX_SCALE))
    card = PolicyCard(
        workflow=None,
        rules=game.rules,
        red_agent=game.red_agent,
        observation=game.observation,
        max_steps=game.max_steps,
        preset=name,
        activation=activations.pop() if activations else "tanh",
        training_episodes=training_episodes,
        green=game.green,
        **made_for(game.network, memory=False, ordered=False),
    )
    return Policy(card, layers)


def _array(parameter: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return parameter.detach().cpu().numpy().astype(np.float32)
