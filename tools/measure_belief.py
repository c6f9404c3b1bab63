"""What blue could know at best: the exact belief about red's sessions, by particles, against the truth.

    python -m tools.measure_belief runs/NAME/policies/policy.safetensors --rules challenge --red-agent meander

Particles are copies of the simulator. Each takes blue's action with chance of its own; those that show blue another
table than the real game are dropped, and others are drawn in their place until enough agree. The Brier score of their
share with a privileged session, beside that of each host's base rate, is printed by host: see `docs/champion.md`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numba import njit

from cageflow.agents.playing import play_steps
from cageflow.agents.policy_agent import PolicyAgent
from cageflow.collect.games import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.options import GameOptions
from cageflow.envs.seeds import EpisodeStream
from cageflow.learn.policy_file import load_policy
from cageflow.sim.draws import mix
from cageflow.sim.handover import plain
from cageflow.sim.state import new_states
from cageflow.sim.step import step

TRIES = 40
"""Copies that are tried for each particle wanted, and FEWEST more, before a step does with those that agree."""
FEWEST = 2000


@njit(nogil=True)
def filter_episode(particles, spare, initial, nets, settings, tables, actions, privileged, salt):
    """Follow one episode.

    Args:
        particles: (N,) environments, scratch; `spare` likewise.
        initial: (1,) an environment at its start.
        nets: (1,) the network's tables.
        settings: (1,) the settings.
        tables: (T, W) uint64, `table` of the real environment after each step.
        actions: (T,) blue's.
        privileged: (T, H) zero; the share of particles with a privileged session is written.
        salt: uint64, of the particles' chance.

    Returns:
        Steps in which no particle agreed; all are kept there, and show the real table from then on.
    """
    count, lost = 1, 0
    particles[0] = initial[0]
    for t in range(actions.shape[0]):
        agreeing, tried = 0, 0
        while agreeing < particles.shape[0] and tried < TRIES * particles.shape[0] + FEWEST:
            salt += np.uint64(1)
            tried += 1
            stream = mix(salt)
            spare[agreeing] = particles[int(stream >> np.uint64(11)) % count]
            spare[agreeing].rng = stream
            step(spare[agreeing], nets[0], settings[0], actions[t])
            agrees = True
            for word in range(tables.shape[1]):
                agrees &= spare[agreeing].table[word] == tables[t, word]
            agreeing += agrees
        if agreeing == 0:
            lost += 1
            for i in range(count):
                spare[i] = particles[i]
                step(spare[i], nets[0], settings[0], actions[t])
                for word in range(tables.shape[1]):
                    spare[i].table[word] = tables[t, word]
            agreeing = count
        particles, spare, count = spare, particles, agreeing
        for i in range(count):
            for host in range(privileged.shape[1]):
                if particles[i].privileged[host] > 0:
                    privileged[t, host] += 1.0 / count
    return lost


def main() -> None:
    """Play, filter, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("policy", type=Path)
    parser.add_argument("--rules", default="challenge")
    parser.add_argument("--red-agent", default="meander", help="whose script the particles play too")
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--particles", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--seed", type=int, default=77)
    given = parser.parse_args()
    options = GameOptions(given.red_agent, rules=given.rules)
    games, network = make_games(GameSpec(options, masked=True)), options.network
    seeds = EpisodeStream(given.seed, "belief").seeds(0, given.episodes)
    games.reset(seeds, None)
    played = [
        (taken.actions, games.batch.states["table"].copy(), games.batch.states["privileged"] > 0)
        for taken in play_steps(PolicyAgent(load_policy(given.policy)), games, seeds)
    ]
    actions, tables, truth = (np.stack(part, axis=1) for part in zip(*played, strict=True))
    base = truth.mean(axis=(0, 1))
    hosts = np.flatnonzero((base > 0.0) & (base < 1.0))
    print(f"{'':>16} {'all':>7} " + " ".join(f"{network.hosts[host]:>11}" for host in hosts))
    show("base rate", (base * (1.0 - base))[hosts])
    initial = plain(new_states(network, 1))
    for number in given.particles:
        particles, share, lost = np.repeat(initial, number), np.zeros(truth.shape), 0
        began = time.process_time()
        for i in range(given.episodes):
            lost += filter_episode(
                particles,
                particles.copy(),
                initial,
                games.batch.memory.nets,
                games.batch.memory.settings,
                tables[i],
                actions[i],
                share[i],
                np.uint64(mix(seeds[i])),
            )
        taken_ms = 1e3 * (time.process_time() - began) / actions.size
        show(f"{number} particles", ((share - truth) ** 2).mean(axis=(0, 1))[hosts])
        print(f"{'':>16} {taken_ms:.3f} ms a step with what is compiled; none agreed in {lost} of {actions.size} steps")


def show(name: str, scores: np.ndarray) -> None:
    """Print a line."""
    print(f"{name:>16} {scores.mean():7.4f} " + " ".join(f"{score:11.4f}" for score in scores), flush=True)


if __name__ == "__main__":
    main()
