"""PPO of torchrl: its collector, its advantages, its replay buffer and its loss, on a batch of our games."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from tensordict import TensorDict, TensorDictBase
from tensordict.nn import TensorDictModule
from torch import nn
from torch.distributions import Categorical
from torchrl.collectors import Collector
from torchrl.data import Binary, Composite, LazyTensorStorage, ReplayBuffer, SamplerWithoutReplacement, Unbounded
from torchrl.data import Categorical as CategoricalSpec
from torchrl.envs import EnvBase
from torchrl.modules import ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from cageflow.bench.peer import PeerSetting, count_steps, make_network
from cageflow.envs.vector import Cage2VectorEnv


class BatchedGames(EnvBase):
    """B games in one environment of torchrl, which begins anew those that are over."""

    def __init__(self, setting: PeerSetting) -> None:
        batch = torch.Size([setting.num_episodes])
        super().__init__(device="cpu", batch_size=batch)
        self._seed: int | None = setting.seed
        self._games = Cage2VectorEnv(
            setting.num_episodes, **setting.game.as_kwargs(), autoreset_mode="Disabled", num_threads=1
        )
        network = setting.game.network
        seen = Unbounded((*batch, network.num_observations), dtype=torch.float32)
        self.observation_spec = Composite(observation=seen, shape=batch)
        self.action_spec = CategoricalSpec(len(network.codec), shape=batch)
        self.reward_spec = Unbounded((*batch, 1), dtype=torch.float32)
        self.done_spec = Composite(
            {name: Binary(1, (*batch, 1), dtype=torch.bool) for name in ("done", "terminated", "truncated")},
            shape=batch,
        )

    def _reset(self, tensordict: TensorDictBase | None, **_: Any) -> TensorDictBase:
        mask = None if tensordict is None else tensordict.get("_reset", None)
        options = None if mask is None else {"reset_mask": mask.flatten().numpy()}
        observations, _info = self._games.reset(seed=self._seed, options=options)
        self._seed = None
        return self._told(observations, np.zeros(len(observations), np.bool_))

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        observations, rewards, _, truncated, _ = self._games.step(tensordict["action"].numpy())
        told = self._told(observations, truncated)
        told["reward"] = torch.from_numpy(rewards).float()[:, None]
        return told

    def _set_seed(self, seed: int | None) -> None:
        self._seed = seed

    def _told(self, observations: np.ndarray, truncated: np.ndarray) -> TensorDict:
        over = torch.from_numpy(truncated)[:, None]
        told = {"observation": torch.from_numpy(observations), "done": over, "truncated": over.clone()}
        return TensorDict({**told, "terminated": torch.zeros_like(over)}, batch_size=self.batch_size)

    def close(self, **_: Any) -> None:
        """End the games."""
        self._games.close()


class TorchRLPeer:
    """See `cageflow.bench.peer.Peer`."""

    def __init__(self, setting: PeerSetting) -> None:
        logging.getLogger("torchrl").setLevel(logging.WARNING)  # it tells of each buffer that it makes
        self.env_steps = self.gradient_steps = 0
        self._setting = setting
        torch.manual_seed(setting.seed)
        network, config = setting.game.network, setting.config
        actor = ProbabilisticActor(
            TensorDictModule(
                make_network(network.num_observations, len(network.codec), config), ["observation"], ["logits"]
            ),
            in_keys=["logits"],
            distribution_class=Categorical,
            return_log_prob=True,
        )
        critic = ValueOperator(make_network(network.num_observations, 1, config), in_keys=["observation"])
        self._games = BatchedGames(setting)
        self._collector = Collector(
            self._games,
            actor,
            frames_per_batch=setting.num_steps,
            total_frames=-1,
            trust_policy=True,
            auto_register_policy_transforms=False,
        )
        self._batches = iter(self._collector)
        self._advantages = GAE(gamma=config.gamma, lmbda=config.gae_lambda or 1.0, value_network=critic)
        self._buffer = ReplayBuffer(
            storage=LazyTensorStorage(setting.num_steps),
            sampler=SamplerWithoutReplacement(),
            batch_size=setting.minibatch_size,
        )
        self._loss: Any = ClipPPOLoss(
            actor,
            critic,
            clip_epsilon=config.clip_coef,
            entropy_coeff=config.ent_coef,
            critic_coeff=config.vf_coef,
            loss_critic_type="l2",
            normalize_advantage=True,
        )
        self._optimizer = torch.optim.Adam(
            self._loss.parameters(), config.learning_rate, betas=config.adam_betas, eps=config.adam_eps
        )
        count_steps(self._optimizer, self)

    def learn(self, updates: int) -> None:
        """Collect a batch and learn from it, so many times."""
        config = self._setting.config
        for _ in range(updates):
            batch = next(self._batches)
            self.env_steps += batch.numel()
            with torch.no_grad():
                self._advantages(batch)
            self._buffer.extend(batch.reshape(-1))
            for _epoch in range(config.update_epochs):
                for part in self._buffer:
                    losses = self._loss(part)
                    self._optimizer.zero_grad()
                    (losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]).backward()
                    nn.utils.clip_grad_norm_(self._loss.parameters(), config.max_grad_norm or 0.5)
                    self._optimizer.step()

    def close(self) -> None:
        """End the collector, and with it the games."""
        self._collector.shutdown()
