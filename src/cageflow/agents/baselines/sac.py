"""Discrete soft actor-critic: the loss, the replay buffer and the target networks of TorchRL, a loop over our games."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torch import nn
from torch.distributions import Categorical
from torchrl.data import LazyTensorStorage, ReplayBuffer
from torchrl.modules import ProbabilisticActor
from torchrl.objectives import DiscreteSACLoss, SoftUpdate

from cageflow.agents.baselines.conversion import policy_of
from cageflow.agents.baselines.libraries import Tell
from cageflow.envs.options import GameOptions
from cageflow.envs.seeds import EpisodeStream
from cageflow.envs.vector import Cage2VectorEnv
from cageflow.learn.policy import Policy


@dataclass(frozen=True, kw_only=True)
class SACSettings:
    """What was tuned stands in docs/baselines.md.

    Attributes:
        num_envs: games at once; each of their steps is followed by `gradient_steps`.
        hidden_size: width of the two hidden layers of each network.
        buffer_size: steps that are remembered.
        learning_starts: steps at random before the first update.
        batch_size: steps of an update.
        gradient_steps: updates after each step of the games.
        learning_rate: Adam's, of actor, critics and temperature.
        gamma: discount per step.
        tau: share of the critics that goes into their targets at each update.
        reward_scale: factor of the rewards that are learned from.
        alpha_init: temperature at the start.
        target_entropy_weight: entropy that the temperature is steered to, as a share of that of a uniform choice.
    """

    num_envs: int = 32
    hidden_size: int = 64
    buffer_size: int = 200_000
    learning_starts: int = 3_000
    batch_size: int = 512
    gradient_steps: int = 1
    learning_rate: float = 1e-3
    gamma: float = 0.99
    tau: float = 0.01
    reward_scale: float = 0.1
    alpha_init: float = 0.1
    target_entropy_weight: float = 0.3


def train_sac(
    game: GameOptions, total_episodes: int, seed: int, tell: Tell, settings: SACSettings | None = None
) -> Policy:
    """Train SAC.

    Args:
        game: that is played.
        total_episodes: whose steps are the budget.
        seed: decides all chance; torch's own stream is set by it.
        tell: is told how many episodes have been played.
        settings: of the learner; None is the default.
    """
    logging.getLogger("torchrl").setLevel(logging.WARNING)  # it tells of each buffer that it makes
    settings = settings or SACSettings()
    torch.manual_seed(seed)
    num_envs = min(settings.num_envs, total_episodes)
    games = Cage2VectorEnv(num_envs, **game.as_kwargs(), num_threads=1, autoreset_mode="SameStep")
    learner = _Learner(settings, game.network.num_observations, len(game.network.codec))
    seeds = EpisodeStream(seed, "sac").seeds(0, num_envs)
    observations, _ = games.reset(seed=[int(one) for one in seeds])
    num_steps = 0
    while num_steps < total_episodes * game.max_steps:
        actions = learner.act(observations, at_random=num_steps < settings.learning_starts)
        next_observations, rewards, _, truncated, info = games.step(actions)
        seen = next_observations.copy()
        for i in np.flatnonzero(truncated):
            seen[i] = info["final_obs"][i]
        learner.remember(observations, actions, rewards, seen)
        observations = next_observations
        num_steps += num_envs
        if num_steps >= settings.learning_starts:
            for _ in range(settings.gradient_steps):
                learner.update()
        tell(num_steps // game.max_steps)
    games.close()
    return policy_of(learner.actor, "sac", game, -(-num_steps // game.max_steps))


class _Learner:
    """Actor, critics and temperature, and what they learn from.

    Attributes:
        actor: from (B, F) observations to (B, A) logits.
    """

    def __init__(self, settings: SACSettings, num_observations: int, num_actions: int) -> None:
        self._settings = settings
        self._num_actions = num_actions

        def network() -> nn.Sequential:
            hidden = settings.hidden_size
            return nn.Sequential(
                nn.Linear(num_observations, hidden),
                nn.ReLU(),
                nn.Linear(hidden, hidden),
                nn.ReLU(),
                nn.Linear(hidden, num_actions),
            )

        self.actor = network()
        policy = ProbabilisticActor(
            TensorDictModule(self.actor, in_keys=["observation"], out_keys=["logits"]),
            in_keys=["logits"],
            out_keys=["action"],
            distribution_class=Categorical,
        )
        critic = TensorDictModule(network(), in_keys=["observation"], out_keys=["action_value"])
        self._loss: Any = DiscreteSACLoss(
            policy,
            critic,
            action_space="categorical",
            num_actions=num_actions,
            loss_function="l2",
            alpha_init=settings.alpha_init,
            target_entropy_weight=settings.target_entropy_weight,
        )
        self._loss.make_value_estimator(gamma=settings.gamma)
        self._targets = SoftUpdate(self._loss, tau=settings.tau)
        self._optimizer = torch.optim.Adam(self._loss.parameters(), lr=settings.learning_rate)
        self._buffer = ReplayBuffer(storage=LazyTensorStorage(settings.buffer_size), batch_size=settings.batch_size)

    def act(self, observations: npt.NDArray[np.float32], *, at_random: bool) -> npt.NDArray[np.int64]:
        """(B,) actions, drawn from the policy or all equally likely."""
        if at_random:
            actions = torch.randint(self._num_actions, (len(observations),))
        else:
            with torch.no_grad():
                actions = Categorical(logits=self.actor(torch.from_numpy(observations))).sample()
        numbers: npt.NDArray[np.int64] = actions.numpy()
        return numbers

    def remember(
        self,
        observations: npt.NDArray[np.float32],
        actions: npt.NDArray[np.int64],
        rewards: npt.NDArray[np.float64],
        next_observations: npt.NDArray[np.float32],
    ) -> None:
        """Take in a step of B games; the last of an episode is followed by what was seen there, and by no end.

        Games of CAGE-2 are cut off and never end, so the value of the last observation stands for what was cut off.
        """
        num_envs = len(observations)
        goes_on = torch.zeros(num_envs, 1, dtype=torch.bool)
        scaled = torch.from_numpy(rewards).float()[:, None] * self._settings.reward_scale
        after = {
            "observation": torch.from_numpy(next_observations),
            "reward": scaled,
            "done": goes_on,
            "terminated": goes_on,
        }
        step = {"observation": torch.from_numpy(observations), "action": torch.from_numpy(actions), "next": after}
        self._buffer.extend(TensorDict(step, batch_size=[num_envs]))

    def update(self) -> None:
        """One step down the three losses on a batch of the past."""
        losses = self._loss(self._buffer.sample())
        self._optimizer.zero_grad()
        (losses["loss_actor"] + losses["loss_qvalue"] + losses["loss_alpha"]).backward()
        self._optimizer.step()
        self._targets.step()
