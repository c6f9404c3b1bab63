"""What all learners of `cageflow bench peers` have in common: the setting, and what they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from torch import nn, optim

from cageflow.envs.options import GameOptions
from cageflow.learn.config import PPOConfig
from cageflow.settings.presets import find_preset

SAME_FOR_ALL = {"target_kl": None, "final_learning_rate": None, "final_ent_coef": None}
"""What the `default` preset does to end an update early or to change its settings: left out, so that all do as much."""


def learner_of_all() -> PPOConfig:
    """The learner of the `default` preset, without what would have some of them do less than others."""
    return find_preset("default", SAME_FOR_ALL).learner


@dataclass(frozen=True, kw_only=True)
class PeerSetting:
    """What every learner does.

    Attributes:
        game: that is played, blue free to take every action.
        num_episodes: whole episodes of an update, which are played at once.
        config: network, epochs, minibatches and coefficients.
        seed: decides all chance.
    """

    game: GameOptions = field(default_factory=GameOptions)
    num_episodes: int = 100
    config: PPOConfig = field(default_factory=learner_of_all)
    seed: int = 0

    @property
    def num_steps(self) -> int:
        """Steps of an update."""
        return self.num_episodes * self.game.max_steps

    @property
    def minibatch_size(self) -> int:
        """Steps of a gradient step; the division has no remainder."""
        return self.num_steps // self.config.num_minibatches


class Peer(Protocol):
    """A learner and its games.

    Attributes:
        env_steps: of all games, so far.
        gradient_steps: of the optimiser, so far.
    """

    env_steps: int
    gradient_steps: int

    def learn(self, updates: int) -> None:
        """Collect a batch and learn from it, so many times."""

    def close(self) -> None:
        """End the games."""


def make_network(num_inputs: int, num_outputs: int, config: PPOConfig) -> nn.Sequential:
    """Layers of the setting's widths and activation, as CleanRL and torchrl have them made by their user."""
    activation = ACTIVATIONS[config.activation]
    widths = [num_inputs, *config.hidden_sizes]
    layers: list[nn.Module] = []
    for before, after in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(before, after), activation()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], num_outputs))


ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}


def count_steps(optimizer: optim.Optimizer, peer: Peer) -> None:
    """Have the optimiser itself count the gradient steps of a peer."""

    def count(*_: object) -> None:
        peer.gradient_steps += 1

    optimizer.register_step_post_hook(count)
