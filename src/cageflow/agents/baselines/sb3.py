"""A2C and DQN of Stable-Baselines3."""

from __future__ import annotations

from typing import Any

from stable_baselines3 import A2C, DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

from cageflow.agents.baselines.conversion import policy_of
from cageflow.agents.baselines.libraries import Tell
from cageflow.envs.options import GameOptions
from cageflow.envs.sb3 import Cage2VecEnv
from cageflow.learn.policy import Policy

NUM_ENVS = 32
A2C_SETTINGS: dict[str, Any] = {
    "learning_rate": 3e-3,
    "n_steps": 10,
    "gae_lambda": 0.95,
    "ent_coef": 0.01,
    "normalize_advantage": True,
    "policy_kwargs": {"net_arch": [64, 64]},
}
DQN_SETTINGS: dict[str, Any] = {
    "learning_rate": 1e-3,
    "buffer_size": 200_000,
    "learning_starts": 3_000,
    "batch_size": 256,
    "train_freq": 1,  # a step of all games
    "gradient_steps": 4,
    "target_update_interval": 1_000,
    "exploration_fraction": 0.3,
    "exploration_final_eps": 0.02,
    "policy_kwargs": {"net_arch": [64, 64]},
}
"""What is not the library's own default; docs/baselines.md says what was tuned."""


def train_a2c(game: GameOptions, total_episodes: int, seed: int, tell: Tell) -> Policy:
    """Train A2C, on rewards in units of the running deviation of their discounted sum."""
    model = A2C(
        "MlpPolicy",
        VecNormalize(_games(game, total_episodes), norm_obs=False),
        seed=seed,
        device="cpu",
        **A2C_SETTINGS,
    )
    episodes = _learn(model, game, total_episodes, tell)
    network: Any = model.policy
    return policy_of([*network.mlp_extractor.policy_net, network.action_net], "a2c", game, episodes)


def train_dqn(game: GameOptions, total_episodes: int, seed: int, tell: Tell) -> Policy:
    """Train DQN; the policy takes the action with the highest value."""
    model = DQN("MlpPolicy", _games(game, total_episodes), seed=seed, device="cpu", **DQN_SETTINGS)
    episodes = _learn(model, game, total_episodes, tell)
    network: Any = model.policy
    return policy_of(network.q_net.q_net, "dqn", game, episodes, greedy=True)


def _games(game: GameOptions, total_episodes: int) -> Cage2VecEnv:
    return Cage2VecEnv(min(NUM_ENVS, total_episodes), **game.as_kwargs(), num_threads=1)


def _learn(model: BaseAlgorithm, game: GameOptions, total_episodes: int, tell: Tell) -> int:
    """Use up the budget, and say how many episodes that was."""
    model.learn(total_episodes * game.max_steps, callback=_Teller(game.max_steps, tell))
    env = model.get_env()
    if env is not None:
        env.close()
    return -(-model.num_timesteps // game.max_steps)


class _Teller(BaseCallback):
    """Says after each step of the games how many episodes have been played."""

    def __init__(self, max_steps: int, tell: Tell) -> None:
        super().__init__()
        self._max_steps = max_steps
        self._tell = tell

    def _on_step(self) -> bool:
        self._tell(self.num_timesteps // self._max_steps)
        return True
