"""Play a policy in the original, all episodes on one random stream, and say which host B-line drew.

    python tools/play_one_stream.py FOLDER-OF-CYBORG --policy champion --red-agent bline --episodes 2000 --seed 0

A line of CSV for each episode, then the mean return; against B-line also by host. B-line draws the host that it attacks
first, one of four, once an episode, and some cost more than others: the mean of a few hundred episodes moves with how
often each was drawn.
`cageflow evaluate --simulator cyborg` seeds each episode by itself. `--also-after 30,50` says what an episode had come
to by then, which is an episode of so many steps to a policy that does not know how long one is.
"""

import argparse
import sys

import numpy as np

from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.envs.agent import BlueView
from cageflow.envs.cyborg import CyborgEnv, cyborg_rules
from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.evaluation.statistics import summarize
from cageflow.scenario.orders import Order


def view_of(step: int, seen: np.ndarray, actions: np.ndarray | None, memory: BlueMemory) -> BlueView:
    """What blue is shown of the one game; no truth, and no order to keep."""

    def in_turn(order: Order) -> np.ndarray:
        masks = np.ones((1, len(memory.network.codec)), np.bool_)
        memory.keep_order(order, masks)
        return masks.view(np.uint8)

    def access() -> np.ndarray:
        raise ValueError("a fair agent does not ask for the truth")

    return BlueView(step, seen, actions, lambda: memory.masks().view(np.uint8), memory.recalled, access, in_turn)


def first_host(env: CyborgEnv) -> str | None:
    """The host of red's action where it is the scan of one; None else."""
    action = env.cyborg.get_last_action("Red")
    address = getattr(action, "ip_address", None)
    hosts = {ip: name for name, ip in env.cyborg.get_ip_map().items()}
    return hosts.get(address)


def main() -> None:
    """Play, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cyborg_path")
    parser.add_argument("--policy", default="champion")
    parser.add_argument("--red-agent", default="bline", choices=("bline", "meander", "sleep"))
    parser.add_argument("--episodes", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--also-after", default="", metavar="STEPS,...")
    asked = parser.parse_args()
    marks = [int(step) for step in asked.also_after.split(",") if step]
    env = CyborgEnv(asked.cyborg_path, asked.red_agent, max_steps=asked.steps)
    options = GameOptions(asked.red_agent, cyborg_rules(asked.cyborg_path), max_steps=asked.steps)
    agent = find_agent(asked.policy, SourceOptions(deterministic=True)).load(options.blue_setting)
    returns: dict[str, list[float]] = {}
    on_the_way: list[list[float]] = []
    env.reset(seed=asked.seed)
    print(",".join(["episode", "host", "return", *(f"after_{step}" for step in marks)]))
    for episode in range(asked.episodes):
        observation, _ = env.reset()
        memory = BlueMemory(options)
        agent.reset(np.array([episode], np.uint64))
        host, total, actions, by_then = None, 0.0, None, []
        for step in range(asked.steps):
            seen = observation[None].astype(np.uint8)
            actions = np.asarray(agent.act(view_of(step, seen, actions, memory))).astype(np.int16)
            observation, reward, *_ = env.step(int(actions[0]))
            memory.update(actions, observation[None])
            total += reward
            if step + 1 in marks:
                by_then.append(round(total, 1))
            if asked.red_agent == "bline":
                host = host or first_host(env)
        returns.setdefault(host or "none", []).append(round(total, 1))
        on_the_way.append(by_then)
        print(",".join([str(episode), str(host), *(f"{value:.1f}" for value in (total, *by_then))]), flush=True)
    for host, values in sorted(returns.items()):
        if host == "none" or len(values) < 2:
            continue  # no host, no error
        one = summarize(values)
        print(f"{host}: {one.size} episodes, {one.mean:.2f} ± {one.se:.2f}", file=sys.stderr)
    for step, values in zip(marks, zip(*on_the_way, strict=True), strict=True):
        one = summarize(values)
        print(f"after {step}: {one.size} episodes, {one.mean:.2f} ± {one.se:.2f}", file=sys.stderr)
    everything = summarize(sum(returns.values(), []))
    print(f"all: {everything.size} episodes, {everything.mean:.2f} ± {everything.se:.2f}", file=sys.stderr)


if __name__ == "__main__":
    main()
