"""PPO of Stable-Baselines3 on `Cage2VecEnv`, which steps all games at once."""

from __future__ import annotations

from stable_baselines3 import PPO
from torch import optim

from cageflow.bench.peer import ACTIVATIONS, PeerSetting, count_steps
from cageflow.envs.sb3 import Cage2VecEnv


class SB3Peer:
    """See `cageflow.bench.peer.Peer`."""

    def __init__(self, setting: PeerSetting) -> None:
        self.env_steps = self.gradient_steps = 0
        self._setting = setting
        config = setting.config
        games = Cage2VecEnv(setting.num_episodes, **setting.game.as_kwargs(), num_threads=1)
        widths = list(config.hidden_sizes)
        self._model = PPO(
            "MlpPolicy",
            games,
            n_steps=setting.game.max_steps,
            batch_size=setting.minibatch_size,
            n_epochs=config.update_epochs,
            learning_rate=config.learning_rate,
            gamma=config.gamma,
            gae_lambda=config.gae_lambda or 1.0,
            clip_range=config.clip_coef,
            ent_coef=config.ent_coef,
            vf_coef=config.vf_coef,
            max_grad_norm=config.max_grad_norm or 0.5,
            policy_kwargs={
                "net_arch": {"pi": widths, "vf": widths},
                "activation_fn": ACTIVATIONS[config.activation],
                "optimizer_class": optim.Adam,
                "optimizer_kwargs": {"betas": config.adam_betas, "eps": config.adam_eps},
            },
            seed=setting.seed,
            device="cpu",
        )
        count_steps(self._model.policy.optimizer, self)

    def learn(self, updates: int) -> None:
        """Collect a batch and learn from it, so many times."""
        self._model.learn(updates * self._setting.num_steps, reset_num_timesteps=False)
        self.env_steps = self._model.num_timesteps

    def close(self) -> None:
        """End the games."""
        games = self._model.get_env()
        if games is not None:
            games.close()
