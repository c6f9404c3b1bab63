"""The games in this process: the truth that one can look up."""

from pathlib import Path

import numpy as np
import pytest

from cageflow.collect import EpisodeStream, GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.game import GameBatch
from cageflow.envs.inspection import Access
from cageflow.envs.options import GameOptions
from cageflow.scenario import default_network

SEEDS = EpisodeStream(1, "test").seeds(0, 3)
HOSTS = default_network().hosts
DECOY = default_network().codec.encode("DecoyApache User2")


def accesses(spec: GameSpec, num_steps: int = 40) -> np.ndarray:
    """(T, B, H) access before each step while blue sleeps."""
    games = make_games(spec)
    games.reset(SEEDS, None)
    seen = []
    rewards = np.empty(len(SEEDS), np.float32)
    for _ in range(num_steps):
        seen.append(games.access())
        games.step(np.zeros(len(SEEDS), np.int16), rewards, np.empty_like(rewards))
    games.close()
    return np.array(seen)


def check(seen: np.ndarray) -> None:
    """B-line holds its first host throughout, takes others as a user, then with privileges, and the goal in the end."""
    assert seen.dtype == np.int8
    assert seen.shape == (40, len(SEEDS), len(HOSTS))
    assert (seen[:, :, HOSTS.index("User0")] == Access.PRIVILEGED).all()
    assert (np.delete(seen[0], HOSTS.index("User0"), axis=1) == Access.NONE).all()
    assert (seen[-1, :, HOSTS.index("Op_Server0")] == Access.PRIVILEGED).all()
    assert (seen == Access.USER).any()


def test_access__is_red_s_highest_level_on_each_host() -> None:
    spec = GameSpec(GameOptions("bline", max_steps=40), masked=False)
    assert isinstance(make_games(spec).batch, GameBatch)
    check(accesses(spec))


@pytest.mark.cyborg
def test_access__in_the_original_likewise(cyborg_path: Path) -> None:
    check(accesses(GameSpec(GameOptions("bline", max_steps=40), False, str(cyborg_path))))


def test_reset__forgets_the_episodes_before_in_as_many_games_and_in_fewer() -> None:
    games = make_games(GameSpec(GameOptions("meander", max_steps=10), masked=True, memory=True))

    def play(seeds: np.ndarray) -> list[np.ndarray]:
        games.reset(seeds, None)
        seen = [games.observations.copy(), games.masks.copy(), games.access()]
        rewards = np.empty(len(seeds), np.float32)
        for _ in range(10):
            games.step(np.full(len(seeds), DECOY, np.int16), rewards, np.empty_like(rewards))
            seen += [games.observations.copy(), games.masks.copy(), rewards.copy()]
        return seen

    first = play(SEEDS)
    assert all(np.array_equal(*pair) for pair in zip(first, play(SEEDS), strict=True))
    assert all(np.array_equal(one[:2], other) for one, other in zip(first, play(SEEDS[:2]), strict=True))
    assert not first[0].any() and first[-3].any()
