"""PPO in one file, in the manner of CleanRL, on the vector environment that `gymnasium.make_vec` makes.

python cleanrl_ppo.py --red-agent B_lineAgent --total-timesteps 1000000

The next episode begins in the same step ("SameStep"), so that every step counts and none has to be left out of the
batch; the value of the last observation, in `infos["final_obs"]`, stands for what the step limit cut off.
"""

import argparse
import time

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import cageflow  # noqa: F401 - registers the environment


class Agent(nn.Module):
    """An actor and a critic; actions that blue can know to be in vain have the probability 0."""

    def __init__(self, num_observations, num_actions, hidden=64):
        super().__init__()
        self.critic = nn.Sequential(nn.Linear(num_observations, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        self.actor = nn.Sequential(nn.Linear(num_observations, hidden), nn.Tanh(), nn.Linear(hidden, num_actions))

    def distribution(self, obs, masks):
        """Over the actions."""
        return Categorical(logits=torch.where(masks, self.actor(obs), torch.tensor(-1e8)))

    def value(self, obs):
        """Of the observations, one each."""
        return self.critic(obs).squeeze(-1)


def main():
    """Train and print what the episodes return."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--red-agent", default="B_lineAgent")
    parser.add_argument("--max-episode-steps", type=int, default=100)
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--num-steps", type=int, default=100, help="of each environment between two updates")
    parser.add_argument("--total-timesteps", type=int, default=1_000_000)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--gae-lambda", type=float, default=0.95)
    parser.add_argument("--num-minibatches", type=int, default=4)
    parser.add_argument("--update-epochs", type=int, default=6)
    parser.add_argument("--clip-coef", type=float, default=0.2)
    parser.add_argument("--ent-coef", type=float, default=0.01)
    parser.add_argument("--vf-coef", type=float, default=0.5)
    parser.add_argument("--reward-scale", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    envs = gym.make_vec(
        "cageflow/Cage2-v0",
        args.num_envs,
        red_agent=args.red_agent,
        max_episode_steps=args.max_episode_steps,
        autoreset_mode="SameStep",
    )
    envs = gym.wrappers.vector.RecordEpisodeStatistics(envs)
    games = envs.unwrapped
    agent = Agent(envs.single_observation_space.shape[0], int(envs.single_action_space.n))
    optimizer = torch.optim.Adam(agent.parameters(), args.learning_rate, eps=1e-5)

    shape = (args.num_steps, args.num_envs)
    obs = torch.zeros(*shape, *envs.single_observation_space.shape)
    masks = torch.zeros(*shape, agent.actor[-1].out_features, dtype=torch.bool)
    actions = torch.zeros(shape, dtype=torch.int64)
    logprobs, rewards, values, next_values, dones = (torch.zeros(shape) for _ in range(5))

    next_obs = torch.from_numpy(envs.reset(seed=args.seed)[0])
    global_step, start, returns = 0, time.time(), []
    for update in range(1, args.total_timesteps // (args.num_steps * args.num_envs) + 1):
        for t in range(args.num_steps):
            obs[t], masks[t] = next_obs, torch.from_numpy(games.action_masks())
            with torch.no_grad():
                policy = agent.distribution(obs[t], masks[t])
                actions[t] = policy.sample()
                logprobs[t], values[t] = policy.log_prob(actions[t]), agent.value(obs[t])
            seen, reward, _, truncated, infos = envs.step(actions[t].numpy())
            next_obs = torch.from_numpy(seen)
            follows = next_obs.clone()  # what follows each observation, also where an episode ended
            for i in np.flatnonzero(truncated):
                follows[i] = torch.from_numpy(infos["final_obs"][i])
                returns.append(float(infos["episode"]["r"][i]))
            with torch.no_grad():
                next_values[t] = agent.value(follows)
            rewards[t] = torch.from_numpy(reward).float() * args.reward_scale
            dones[t] = torch.from_numpy(truncated).float()
            global_step += args.num_envs

        advantages, last = torch.zeros(shape), torch.zeros(args.num_envs)
        for t in reversed(range(args.num_steps)):  # episodes are only ever cut off, so the next value always counts
            delta = rewards[t] + args.gamma * next_values[t] - values[t]
            last = delta + args.gamma * args.gae_lambda * (1 - dones[t]) * last
            advantages[t] = last
        targets = advantages + values

        batch = [array.flatten(0, 1) for array in (obs, masks, actions, logprobs, advantages, targets)]
        for _ in range(args.update_epochs):
            for chosen in np.array_split(rng.permutation(len(batch[0])), args.num_minibatches):
                b_obs, b_masks, b_actions, b_logprobs, b_advantages, b_targets = (array[chosen] for array in batch)
                policy = agent.distribution(b_obs, b_masks)
                ratio = (policy.log_prob(b_actions) - b_logprobs).exp()
                scaled = (b_advantages - b_advantages.mean()) / (b_advantages.std() + 1e-8)
                clipped = torch.clamp(ratio, 1 - args.clip_coef, 1 + args.clip_coef)
                policy_loss = -torch.min(scaled * ratio, scaled * clipped).mean()
                value_loss = 0.5 * (agent.value(b_obs) - b_targets).pow(2).mean()
                loss = policy_loss + args.vf_coef * value_loss - args.ent_coef * policy.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                optimizer.step()

        mean = np.mean(returns[-200:]) if returns else float("nan")
        speed = global_step / (time.time() - start)
        print(f"update {update}  steps {global_step:,}  return {mean:.1f}  {speed:,.0f} steps/s", flush=True)
    envs.close()


if __name__ == "__main__":
    main()
