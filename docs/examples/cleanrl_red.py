"""PPO in one file, in the manner of CleanRL, that attacks a defender in the vector environment of red.

python cleanrl_red.py --blue react --total-timesteps 500000

A rollout is one episode in all games, which begin and end together, so that advantages never cross an episode's end.
"""

import argparse

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import cageflow  # noqa: F401 - registers the environment


def main():
    """Train, and print what an episode brings red."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blue", default="react", help="whatever `cageflow evaluate` takes for a policy")
    parser.add_argument("--max-episode-steps", type=int, default=100)
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--total-timesteps", type=int, default=500_000)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--gae-lambda", type=float, default=0.95)
    parser.add_argument("--update-epochs", type=int, default=6)
    parser.add_argument("--clip-coef", type=float, default=0.2)
    parser.add_argument("--ent-coef", type=float, default=0.01)
    parser.add_argument("--reward-scale", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    num_steps = args.max_episode_steps
    envs = gym.make_vec("cageflow/Cage2Red-v0", args.num_envs, blue=args.blue, max_episode_steps=num_steps)
    num_bits, num_actions = envs.single_observation_space.shape[0], int(envs.single_action_space.n)
    actor, critic = (
        nn.Sequential(nn.Linear(num_bits, 64), nn.Tanh(), nn.Linear(64, outputs)) for outputs in (num_actions, 1)
    )
    optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], args.learning_rate)

    def distribution(obs, masks):
        return Categorical(logits=torch.where(masks, actor(obs), torch.tensor(-1e8)))

    seed = args.seed  # of the first episodes; later ones go on with the games' own streams
    for update in range(1, args.total_timesteps // (num_steps * args.num_envs) + 1):
        steps = []
        obs, seed = torch.from_numpy(envs.reset(seed=seed)[0]), None
        for _ in range(num_steps):
            masks = torch.from_numpy(envs.unwrapped.action_masks())
            with torch.no_grad():
                policy = distribution(obs, masks)
                action = policy.sample()
                logprob, value = policy.log_prob(action), critic(obs).squeeze(-1)
            seen, reward, _, _, _ = envs.step(action.numpy())
            steps.append((obs, masks, action, logprob, value, torch.from_numpy(reward).float()))
            obs = torch.from_numpy(seen)
        b_obs, b_masks, b_actions, b_logprobs, values, rewards = (torch.stack(one) for one in zip(*steps, strict=True))

        with torch.no_grad():  # an episode is cut off and not over, so that the value after it counts
            next_values = torch.cat([values[1:], critic(obs).squeeze(-1)[None]])
        deltas = args.reward_scale * rewards + args.gamma * next_values - values
        advantages, last = torch.zeros_like(values), torch.zeros(args.num_envs)
        for t in reversed(range(num_steps)):
            last = deltas[t] + args.gamma * args.gae_lambda * last
            advantages[t] = last
        targets, scaled = advantages + values, (advantages - advantages.mean()) / (advantages.std() + 1e-8)

        for _ in range(args.update_epochs):
            policy = distribution(b_obs, b_masks)
            ratio = (policy.log_prob(b_actions) - b_logprobs).exp()
            clipped = torch.clamp(ratio, 1 - args.clip_coef, 1 + args.clip_coef)
            policy_loss = -torch.min(scaled * ratio, scaled * clipped).mean()
            value_loss = 0.5 * (critic(b_obs).squeeze(-1) - targets).pow(2).mean()
            loss = policy_loss + 0.5 * value_loss - args.ent_coef * policy.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"update {update}  return of red {float(np.mean(rewards.sum(0).numpy())):.1f}", flush=True)
    envs.close()


if __name__ == "__main__":
    main()
