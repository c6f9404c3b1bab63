"""Free 100-step episodes against the original's mean returns in tests/data/returns.json.

Run as a program it prints the table of docs/parity.md: `python -m tests.helpers.free_run`.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cageflow.scenario import BlueKind, default_network
from cageflow.scenario.red_agents import RED_AGENTS
from tests.helpers.play import Games

RETURNS = json.loads((Path(__file__).parents[1] / "data" / "returns.json").read_text())
NUM_STEPS = 100

# From observations (B, 52) and a generator to actions (B,).
Policy = Callable[[npt.NDArray[np.uint8], np.random.Generator], npt.NDArray[np.int64]]


def _clean_first(kind: BlueKind) -> Policy:
    codec = default_network().codec
    cleaning = np.flatnonzero(codec.kind == kind)
    monitor = codec.encode("Monitor")

    def act(observations: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.int64]:
        flagged = observations.reshape(len(observations), -1, 4)[:, :, 2:].any(axis=2)
        return np.where(flagged.any(axis=1), cleaning[flagged.argmax(axis=1)], monitor)

    return act


POLICIES: dict[str, Policy] = {
    "random": lambda observations, rng: rng.integers(len(default_network().codec), size=len(observations)),
    "sleep": lambda observations, rng: np.zeros(len(observations), np.int64),
    "restore": _clean_first(BlueKind.RESTORE),
    "remove": _clean_first(BlueKind.REMOVE),
}

CELLS = [(rules, red, policy) for rules in RETURNS for red in RETURNS[rules] for policy in RETURNS[rules][red]]


@dataclass(frozen=True)
class Cell:
    """One comparison: the original's mean and its standard error, ours, and how far they are apart in both together."""

    mean: float
    se: float
    our_mean: float
    our_se: float

    @property
    def z(self) -> float:
        return (self.our_mean - self.mean) / math.hypot(self.se, self.our_se)


def episode_returns(rules: str, red: str, policy: str, num_episodes: int, seed: int) -> npt.NDArray[np.float64]:
    """(B,) returns of free episodes, each with a seed of its own from `seed` on."""
    games = Games.start(np.arange(seed, seed + num_episodes), red_agent=RED_AGENTS[red], rules=rules)
    rng = np.random.default_rng(seed)
    total = np.zeros(num_episodes)
    for _ in range(NUM_STEPS):
        games.step(POLICIES[policy](games.seen, rng))
        total += games.rewards
    return total


def compare(rules: str, red: str, policy: str, num_episodes: int) -> Cell:
    """Play a cell; every cell has seeds of its own."""
    theirs = RETURNS[rules][red][policy]
    ours = episode_returns(rules, red, policy, num_episodes, seed=1_000_000 * (1 + CELLS.index((rules, red, policy))))
    return Cell(
        mean=theirs["mean"],
        se=theirs["sd"] / math.sqrt(theirs["episodes"]),
        our_mean=float(ours.mean()),
        our_se=float(ours.std(ddof=1)) / math.sqrt(num_episodes),
    )


if __name__ == "__main__":
    print("| rules | red | blue | CybORG, mean ± SE | cageflow, mean ± SE | z |\n|---|---|---|---|---|---|")
    for names in CELLS:
        cell = compare(*names, num_episodes=50_000)
        figures = f"{cell.mean:.2f} ± {cell.se:.2f} | {cell.our_mean:.2f} ± {cell.our_se:.2f} | {cell.z:+.2f}"
        print(f"| {' | '.join(names)} | {figures} |")
