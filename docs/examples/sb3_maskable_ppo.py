"""Train MaskablePPO of sb3-contrib on many games at once, save it, and see what it scores.

pip install 'cageflow[sb3]'
python sb3_maskable_ppo.py --red-agent B_lineAgent --total-timesteps 1000000
"""

import argparse

import numpy as np
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from cageflow.envs.sb3 import Cage2VecEnv


def train(args):
    """The trained model."""
    games = VecMonitor(Cage2VecEnv(args.num_envs, red_agent=args.red_agent, max_steps=args.max_steps))
    games = VecNormalize(games, norm_obs=False)  # observations are bits already; returns go from -10 to -1000
    model = MaskablePPO(
        "MlpPolicy",
        games,
        n_steps=args.max_steps,
        batch_size=args.num_envs * args.max_steps // 4,
        n_epochs=6,
        learning_rate=1e-3,
        ent_coef=0.01,
        seed=args.seed,
        device="cpu",
        verbose=1,
    )
    return model.learn(args.total_timesteps)


def evaluate(model, args):
    """The returns of one episode in each of some games, which the model has not seen."""
    games = Cage2VecEnv(args.episodes, red_agent=args.red_agent, max_steps=args.max_steps)
    games.seed(args.seed + 1)
    observations = games.reset()
    returns = np.zeros(args.episodes)
    for _ in range(args.max_steps):
        actions, _ = model.predict(observations, action_masks=get_action_masks(games))
        observations, rewards, _, _ = games.step(actions)
        returns += rewards
    return returns


def main():
    """Train, save, evaluate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--red-agent", default="B_lineAgent")
    parser.add_argument("--max-steps", type=int, default=100)
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--total-timesteps", type=int, default=1_000_000)
    parser.add_argument("--episodes", type=int, default=1000, help="of the evaluation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="maskable_ppo.zip")
    args = parser.parse_args()
    model = train(args)
    model.save(args.out)
    returns = evaluate(model, args)
    print(f"mean return {returns.mean():.2f} ± {returns.std() / len(returns) ** 0.5:.2f}, saved as {args.out}")


if __name__ == "__main__":
    main()
