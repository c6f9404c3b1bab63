"""Train MaskablePPO of sb3-contrib to attack a defender.

pip install 'cageflow[sb3]'
python sb3_red.py --blue react --total-timesteps 200000
"""

import argparse

from sb3_contrib import MaskablePPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import cageflow  # noqa: F401 - registers the environment


def main():
    """Train, save, and print what an episode brings red."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blue", default="react", help="whatever `cageflow evaluate` takes for a policy")
    parser.add_argument("--max-steps", type=int, default=100)
    parser.add_argument("--num-envs", type=int, default=8)
    parser.add_argument("--total-timesteps", type=int, default=200_000)
    parser.add_argument("--episodes", type=int, default=100, help="of the evaluation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="red_ppo.zip")
    args = parser.parse_args()
    games = {"blue": args.blue, "max_steps": args.max_steps}
    env = make_vec_env("cageflow/Cage2Red-v0", args.num_envs, seed=args.seed, env_kwargs=games)
    model = MaskablePPO("MlpPolicy", env, n_steps=args.max_steps, learning_rate=1e-3, seed=args.seed, device="cpu")
    model.learn(args.total_timesteps)
    model.save(args.out)
    mean, deviation = evaluate_policy(model, env, args.episodes, deterministic=False)
    print(f"mean return of red {mean:.1f} ± {deviation / args.episodes**0.5:.1f}, saved as {args.out}")


if __name__ == "__main__":
    main()
