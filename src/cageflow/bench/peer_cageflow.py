"""Our own PPO in the setting of `cageflow bench peers`: the vector collector and the learner, as trainings use them."""

from __future__ import annotations

import torch

from cageflow.bench.peer import PeerSetting
from cageflow.collect import EpisodeStream, GameSpec, make_collector
from cageflow.learn.ppo import PPO


class CageflowPeer:
    """See `cageflow.bench.peer.Peer`."""

    def __init__(self, setting: PeerSetting) -> None:
        self.env_steps = self.gradient_steps = 0
        self._setting = setting
        network = setting.game.network
        self._collector = make_collector("vector", GameSpec(setting.game, masked=False), 1)
        self._stream = EpisodeStream(setting.seed, "peers")
        self._ppo = PPO(
            setting.config,
            num_observations=network.num_observations,
            num_actions=len(network.codec),
            num_threads=torch.get_num_threads(),
            seed=setting.seed,
        )

    def learn(self, updates: int) -> None:
        """Collect a batch and learn from it, so many times."""
        count = self._setting.num_episodes
        for _ in range(updates):
            seeds = self._stream.seeds(self.env_steps // self._setting.game.max_steps, count)
            episodes = self._collector.play(self._ppo.actor_weights(), seeds, None)
            self.env_steps += episodes.rollout.actions.size
            self.gradient_steps += self._ppo.update(episodes.rollout).gradient_steps

    def close(self) -> None:
        """End the games."""
        self._collector.close()
