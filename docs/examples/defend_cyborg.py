"""Defend CybORG with a policy that `cageflow export` wrote, using NumPy, onnxruntime and CybORG, nothing of cageflow.

python defend_cyborg.py POLICY.onnx --red-agent B_lineAgent --steps 100 --episodes 20
"""

import argparse
import inspect
import json
import random
from pathlib import Path

import numpy as np
import onnxruntime
from CybORG import Agents, CybORG
from CybORG.Agents.Wrappers import ChallengeWrapper


class Defender:
    """Plays blue, one game at a time; draws its actions if it is given a generator, else takes the likeliest."""

    def __init__(self, path, rng=None):
        self.session = onnxruntime.InferenceSession(str(path))
        self.card = self.session.get_modelmeta().custom_metadata_map
        self.hosts = json.loads(self.card["hosts"])
        self.rng = rng
        self.begin()

    def begin(self):
        """Begin an episode."""
        self.last_action = -1
        self.memory = np.zeros((1, int(self.card["memory_size"])), np.float32)

    def act(self, table):
        """Blue's next action, for its table after the last step: 52 numbers."""
        inputs = {"observation": np.array([table], np.float32)}
        if self.memory.size:  # such a policy remembers what blue has tried and seen
            inputs |= {"last_action": np.array([self.last_action]), "memory": self.memory}
        names = [output.name for output in self.session.get_outputs()]
        outputs = dict(zip(names, self.session.run(names, inputs), strict=True))
        self.memory = outputs.get("next_memory", self.memory)
        if self.rng is None:
            self.last_action = int(outputs["action"][0])
        else:
            self.last_action = int(self.rng.choice(len(outputs["probs"][0]), p=outputs["probs"][0]))
        return self.last_action


def corrected(table, hosts, normal, seen):
    """CybORG's table with a scan where it overlooks one: on a host on which blue plants a decoy in the same step.

    `normal` and `seen` are CybORG's raw observations at the start of the episode and now.
    """
    table = np.array(table)
    for i, host in enumerate(hosts):
        usual = normal[host].get("Processes", [])
        entries = [entry for entry in seen.get(host, {}).get("Processes", []) if entry not in usual]
        if entries and "Connections" in entries[-1] and not table[4 * i]:
            table[4 * i] = 1
    return table


def play(defender, red_agent, steps, seeds):
    """The returns of one episode for each seed."""
    scenario = Path(inspect.getfile(CybORG)).parent / "Shared" / "Scenarios" / "Scenario2.yaml"
    cyborg = CybORG(str(scenario), "sim", agents={"Red": getattr(Agents, red_agent)})
    game = ChallengeWrapper(agent_name="Blue", env=cyborg)
    returns = []
    for seed in seeds:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - CybORG draws from the global generators
        table = game.reset()
        normal = cyborg.get_observation("Blue")
        defender.begin()
        rewards = []
        for _ in range(steps):
            if defender.card["observation"] == "corrected":
                table = corrected(table, defender.hosts, normal, cyborg.get_observation("Blue"))
            table, reward, _, _ = game.step(defender.act(table))
            rewards.append(reward)
        returns.append(round(float(sum(rewards)), 1))
    return returns


def main():
    """Play and print the mean return."""
    parser = argparse.ArgumentParser(description="Defend CybORG with an exported policy.")
    parser.add_argument("policy")
    parser.add_argument("--red-agent", default="B_lineAgent", choices=["B_lineAgent", "RedMeanderAgent", "SleepAgent"])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--sample", action="store_true", help="draw actions instead of taking the likeliest")
    options = parser.parse_args()
    defender = Defender(options.policy, np.random.default_rng(0) if options.sample else None)
    returns = play(defender, options.red_agent, options.steps, range(options.episodes))
    error = np.std(returns, ddof=1) / np.sqrt(len(returns))
    print(f"{options.steps} steps against {options.red_agent}: {np.mean(returns):.2f} ± {error:.2f} (standard error)")


if __name__ == "__main__":
    main()
