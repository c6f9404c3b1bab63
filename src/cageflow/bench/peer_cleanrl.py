"""PPO in one loop, in the manner of CleanRL, on `Cage2VectorEnv`; docs/examples has a script like it, with masks."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

from cageflow.bench.peer import PeerSetting, count_steps, make_network
from cageflow.envs.vector import Cage2VectorEnv


class CleanRLPeer:
    """See `cageflow.bench.peer.Peer`."""

    def __init__(self, setting: PeerSetting) -> None:
        self.env_steps = self.gradient_steps = 0
        self._setting = setting
        torch.manual_seed(setting.seed)
        self._rng = np.random.default_rng(setting.seed)
        self._games = Cage2VectorEnv(
            setting.num_episodes, **setting.game.as_kwargs(), autoreset_mode="SameStep", num_threads=1
        )
        network, config = setting.game.network, setting.config
        self._actor = make_network(network.num_observations, len(network.codec), config)
        self._critic = make_network(network.num_observations, 1, config)
        self._parameters = [*self._actor.parameters(), *self._critic.parameters()]
        self._optimizer = torch.optim.Adam(
            self._parameters, config.learning_rate, betas=config.adam_betas, eps=config.adam_eps
        )
        count_steps(self._optimizer, self)
        shape = (setting.game.max_steps, setting.num_episodes)
        self._obs = torch.zeros(*shape, network.num_observations)
        self._actions = torch.zeros(shape, dtype=torch.int64)
        self._logprobs, self._rewards, self._values, self._dones = (torch.zeros(shape) for _ in range(4))
        self._next_obs = torch.from_numpy(self._games.reset(seed=setting.seed)[0])
        self._next_done = torch.zeros(setting.num_episodes)

    def learn(self, updates: int) -> None:
        """Collect a batch and learn from it, so many times."""
        for _ in range(updates):
            self._collect()
            self._update()

    def close(self) -> None:
        """End the games."""
        self._games.close()

    def _collect(self) -> None:
        for t in range(len(self._obs)):
            self._obs[t], self._dones[t] = self._next_obs, self._next_done
            with torch.no_grad():
                policy = Categorical(logits=self._actor(self._next_obs))
                action = policy.sample()
                self._values[t] = self._critic(self._next_obs).flatten()
            self._actions[t], self._logprobs[t] = action, policy.log_prob(action)
            seen, reward, _, truncated, _ = self._games.step(action.numpy())
            self._rewards[t] = torch.from_numpy(reward)
            self._next_obs, self._next_done = torch.from_numpy(seen), torch.from_numpy(truncated).float()
            self.env_steps += len(action)

    def _advantages(self) -> torch.Tensor:
        config = self._setting.config
        advantages = torch.zeros_like(self._rewards)
        with torch.no_grad():
            next_value, last = self._critic(self._next_obs).flatten(), torch.zeros(self._setting.num_episodes)
            goes_on = 1.0 - self._next_done
            for t in reversed(range(len(advantages))):
                delta = self._rewards[t] + config.gamma * next_value * goes_on - self._values[t]
                last = delta + config.gamma * (config.gae_lambda or 1.0) * goes_on * last
                advantages[t] = last
                next_value, goes_on = self._values[t], 1.0 - self._dones[t]
        return advantages

    def _update(self) -> None:
        config, size = self._setting.config, self._setting.minibatch_size
        advantages = self._advantages()
        arrays = (self._obs, self._actions, self._logprobs, advantages, advantages + self._values)
        obs, actions, logprobs, advantages, returns = (array.flatten(0, 1) for array in arrays)
        for _, first in itertools.product(range(config.update_epochs), range(0, len(obs), size)):
            if first == 0:
                order = self._rng.permutation(len(obs))
            chosen = torch.from_numpy(order[first : first + size])
            policy = Categorical(logits=self._actor(obs[chosen]))
            ratio = (policy.log_prob(actions[chosen]) - logprobs[chosen]).exp()
            scaled = advantages[chosen]
            scaled = (scaled - scaled.mean()) / (scaled.std() + 1e-8)
            clipped = torch.clamp(ratio, 1 - config.clip_coef, 1 + config.clip_coef)
            policy_loss = torch.max(-scaled * ratio, -scaled * clipped).mean()
            value_loss = 0.5 * (self._critic(obs[chosen]).flatten() - returns[chosen]).pow(2).mean()
            loss = policy_loss - config.ent_coef * policy.entropy().mean() + config.vf_coef * value_loss
            self._optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self._parameters, config.max_grad_norm or 0.5)
            self._optimizer.step()
