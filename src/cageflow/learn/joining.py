"""Two policies, one for each rule set, as one that is told which of them it plays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cageflow.envs.options import MIXED_RULES, RULES
from cageflow.errors import UserError
from cageflow.learn.inference import Layers
from cageflow.learn.policy import Policy, PolicyCard

SATURATED = 10.0
"""From here on tanh is 1 in float32."""
Array = NDArray[np.float64]


def join_rules(policies: tuple[Policy, Policy]) -> Policy:
    """One policy that plays as the first under the first of RULES and as the second under the other.

    Both stand side by side in its layers. The bit that tells it the rules drives the units of the one that is not to
    play to -1, whatever they read, so that all they add to the logits is a constant, which a last unit takes away
    again. It is the same policy but for rounding.

    Args:
        policies: with tanh layers, their cards alike but for the rules and the number of episodes.

    Raises:
        UserError: they are not.
    """
    first, second = policies
    for policy, rules in zip(policies, RULES, strict=True):
        if policy.card.rules != rules or policy.card.activation != "tanh":
            raise UserError(f"expected a tanh policy trained under {rules}, got {policy.card.rules}")
    if _without_rules(first.card) != _without_rules(second.card) or len(first.layers) != len(second.layers):
        raise UserError("the two policies were trained in different games: expected cards alike but for the rules")
    num_order = 0 if first.order_encoding is None else len(first.order_encoding)
    joined, off = _first(policies, num_order), [-np.ones(len(policy.layers[0][1])) for policy in policies]
    layers = [joined]
    for number in range(1, len(first.layers) - 1):
        parts = [policy.layers[number] for policy in policies]
        layers.append(_between(parts))
        off = [np.tanh(_apply(part, values)) for part, values in zip(parts, off, strict=True)]
    lasts = [policy.layers[-1] for policy in policies]
    idle = [_apply(part, values) - part[1] for part, values in zip(lasts, off, strict=True)]
    wanted = lasts[0][1] - idle[1], lasts[1][1] - idle[0]  # the biases under either of the rules
    weight = np.column_stack([lasts[0][0], lasts[1][0], (wanted[1] - wanted[0]) / 2])
    layers.append((weight, (wanted[1] + wanted[0]) / 2))
    sizes = {**first.card.sizes, "rules": 1}
    episodes = first.card.training_episodes + second.card.training_episodes
    card = replace(first.card, rules=MIXED_RULES, sizes=sizes, training_episodes=episodes)
    return Policy(card, [(w.astype(np.float32), b.astype(np.float32)) for w, b in layers], first.order_encoding)


def _without_rules(card: PolicyCard) -> PolicyCard:
    return replace(card, rules=MIXED_RULES, training_episodes=0)


def _apply(layer: tuple[NDArray[np.float32], NDArray[np.float32]], values: Array) -> Array:
    return layer[0].astype(np.float64) @ values + layer[1]


def _first(policies: tuple[Policy, Policy], num_order: int) -> tuple[Array, Array]:
    """The first layer: its inputs are the bits of the game, the one that tells the rules, and the order's code."""
    layers: list[Layers] = [policy.layers for policy in policies]
    reach = max(float((np.abs(weight).sum(axis=1) + np.abs(bias)).max()) for (weight, bias), *_ in layers)
    push = np.ceil(reach + SATURATED)
    (one, one_bias), (other, other_bias) = layers[0][0], layers[1][0]
    gate = np.zeros((1, one.shape[1]))
    weight = np.concatenate([one, other, gate]).astype(np.float64)
    told = np.concatenate([np.full(len(one), -push), np.full(len(other), push), [2 * SATURATED]])
    bias = np.concatenate([one_bias, other_bias.astype(np.float64) - push, [-SATURATED]])
    return np.insert(weight, one.shape[1] - num_order, told, axis=1), bias


def _between(parts: list[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> tuple[Array, Array]:
    """A layer between hidden ones: each part reads its own units, and the last unit says the rules on."""
    (one, one_bias), (other, other_bias) = parts
    weight = np.zeros((len(one) + len(other) + 1, one.shape[1] + other.shape[1] + 1))
    weight[: len(one), : one.shape[1]] = one
    weight[len(one) : -1, one.shape[1] : -1] = other
    weight[-1, -1] = SATURATED
    return weight, np.concatenate([one_bias, other_bias, [0.0]])
