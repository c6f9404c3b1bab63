"""Free episodes of the simulator: played, hashed, and checked for what must hold in every step.

Run as a program it prints the hashes of some episodes, for a comparison with another way of running the same code:
`python -m tests.helpers.play STEPS`.
"""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from cageflow.scenario import BlueKind, Network, RedAgent, default_network
from cageflow.sim.batch import reset_batch, step_batch
from cageflow.sim.state import SESSION_ORDER_BITS, make_params, new_states

ALL_REDS = tuple(RedAgent)
OF_TWO_GAMES = (RedAgent.SLEEP, RedAgent.B_LINE, RedAgent.MEANDER, RedAgent.MIXED)
GAMES = tuple(
    {"red_agent": red, "rules": rules, "green": green}
    for red in ALL_REDS
    for rules, green in (("v2.1", False), ("challenge", True))
    if red in OF_TWO_GAMES or green
)


@dataclass
class Games:
    """A batch of environments and what their last step gave; `seen` is (B, F) what blue sees."""

    network: Network
    params: Any
    states: Any
    seen: npt.NDArray[np.uint8]
    rewards: npt.NDArray[np.float32]

    @classmethod
    def start(cls, seeds: npt.ArrayLike, network: Network | None = None, **settings: Any) -> "Games":
        """Begin one episode for each seed; `settings` are those of `make_params`."""
        network = default_network() if network is None else network
        seeds = np.asarray(seeds, np.uint64)
        states = new_states(network, len(seeds))
        reset_batch(states, new_states(network, 1), seeds)
        seen = np.zeros((len(seeds), network.num_observations), np.uint8)
        return cls(network, make_params(**settings), states, seen, np.zeros(len(seeds), np.float32))

    def step(self, actions: npt.ArrayLike) -> None:
        """One step of every environment on this thread."""
        actions = np.ascontiguousarray(np.broadcast_to(np.asarray(actions, np.int64), self.rewards.shape))
        step_batch(self.states, self.network.tables, self.params, actions, self.seen, self.rewards)

    def digest(self) -> bytes:
        """All that these environments are and gave, field by field."""
        fields = [np.ascontiguousarray(self.states[name]).tobytes() for name in self.states.dtype.names]
        return b"".join([*fields, self.seen.tobytes(), self.rewards.tobytes()])


def num_games(usual: int) -> int:
    """Games of a batch, few where the rules run as plain Python."""
    return max(3, usual // 8) if numba.config.DISABLE_JIT else usual


def random_actions(seed: int, num_steps: int, num_envs: int) -> npt.NDArray[np.int64]:
    """(T, B) actions, half of them on few hosts so that they meet red."""
    rng = np.random.default_rng(seed)
    codec = default_network().codec
    actions = rng.integers(len(codec), size=(num_steps, num_envs))
    busy = np.flatnonzero(np.isin(codec.host, [1, 3, 7, 10, 11]) | (codec.host < 0))
    return np.where(rng.random(actions.shape) < 0.5, rng.choice(busy, actions.shape), actions)


def hash_of_play(num_steps: int, num_envs: int = 4, **settings: Any) -> str:
    """Hash over every step of some episodes."""
    games = Games.start(np.arange(num_envs), **settings)
    whole = hashlib.sha256()
    for actions in random_actions(7, num_steps, num_envs):
        games.step(actions)
        whole.update(games.digest())
    return whole.hexdigest()


def _bits(mask: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.array([int(value).bit_count() for value in mask.ravel()]).reshape(mask.shape)


def expected_tenths(games: Games, actions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The reward of a step from the state after it, by CAGE-2's price list."""
    worth = {"defender": 1, "enterprise": 10, "op_server": 10, "op_host": 1, "user": 1}
    prices = np.array([worth[host.unit_type] for host in games.network.scenario.hosts.values()])
    prices[games.network.hosts.index("User0")] = 0
    is_down = games.states.stopped >> games.network.hosts.index("Op_Server0") & 1
    cost = (games.states.privileged > 0) @ prices + 100 * is_down
    return -(cost + 10 * (games.network.codec.kind[actions] == BlueKind.RESTORE))


INVARIANTS: dict[str, Callable[[Games, npt.NDArray[np.int64]], Any]] = {}


def invariant(check: Callable[[Games, npt.NDArray[np.int64]], Any]) -> Callable[[Games, npt.NDArray[np.int64]], Any]:
    """Add a check: from the games after a step, and the actions of it, an array of what must be true."""
    INVARIANTS[check.__name__] = check
    return check


@invariant
def red_keeps_its_first_session(games, actions):
    return games.states.privileged[:, games.network.hosts.index("User0")] >= 1


@invariant
def session_counts_are_not_negative(games, actions):
    s = games.states
    return (s.removable >= 0) & (s.stubborn >= 0) & (s.privileged >= 0)


@invariant
def session_order_has_a_bit_for_each_removable_session(games, actions):
    s = games.states
    sessions = s.removable + s.stubborn
    kept = sessions <= SESSION_ORDER_BITS
    ones = _bits(s.session_order)
    in_range = s.session_order.astype(np.int64) >> np.minimum(sessions, 62) == 0
    return np.where(kept, (ones == s.removable) & in_range, ones <= s.removable)


@invariant
def red_never_holds_the_defender(games, actions):
    s = games.states
    return (s.removable + s.stubborn + s.privileged)[:, games.network.hosts.index("Defender")] == 0


@invariant
def removable_sessions_have_left_files(games, actions):
    s = games.states
    return (s.removable == 0) | (s.malware[:, None] >> np.arange(s.removable.shape[1]) & 1 == 1)


@invariant
def decoys_and_their_number_agree(games, actions):
    s = games.states
    return ((s.decoys == 0) == (s.num_decoys == 0)) & (s.num_decoys >= _bits(s.decoys)) & (s.decoys >= 0)


@invariant
def restored_host_is_clean_unless_red_came_back_in_the_same_step(games, actions):
    s, codec = games.states, games.network.codec
    host = codec.host[actions]
    row = np.arange(len(actions))
    sessions = (s.removable + s.stubborn + s.privileged)[row, host] - (host == games.network.hosts.index("User0"))
    restored = (codec.kind[actions] == BlueKind.RESTORE) & (s.red_target != host)
    return ~restored | ((sessions == 0) & (s.decoys[row, host] == 0) & (s.malware >> host & 1 == 0))


@invariant
def service_that_was_restored_runs_for_good(games, actions):
    s = games.states
    was_restored = s.restored >> games.network.hosts.index("Op_Server0") & 1 == 1
    return ~was_restored | (s.stopped == 0)


@invariant
def observation_bits_are_legal(games, actions):
    rows = games.seen.reshape(len(games.seen), -1, 4)
    return (rows <= 1).all(axis=2) & (rows[:, :, 1] <= rows[:, :, 0])  # an attack is an activity


@invariant
def observation_shows_blues_marks(games, actions):
    rows, hosts = games.seen.reshape(len(games.seen), -1, 4), np.arange(len(games.network.hosts))
    low, high = (mask[:, None] >> hosts & 1 for mask in (games.states.belief_low, games.states.belief_high))
    return (rows[:, :, 2] == low) & (rows[:, :, 3] == high)


@invariant
def reward_is_what_the_price_list_says(games, actions):
    return np.rint(games.rewards * 10).astype(np.int64) == expected_tenths(games, actions)


@invariant
def red_acts_on_what_it_knows(games, actions):
    s = games.states
    on_host = np.isin(s.red_kind, [2, 3, 4, 5])
    is_random = games.params.red_agent == RedAgent.RANDOM
    return ~on_host | (s.known_hosts >> s.red_target & 1 == 1) | is_random


@invariant
def free_draws_are_never_at_fault(games, actions):
    return games.states.tape_fault == 0


@invariant
def outcomes_are_known_words(games, actions):
    s = games.states
    return (s.red_outcome <= 2) & (s.red_outcome >= 0) & (s.blue_outcome <= 2) & (s.blue_outcome >= 0)


def broken_invariants(games: Games, actions: npt.NDArray[np.int64]) -> dict[str, int]:
    """The invariants that do not hold, with the first environment in which they do not."""
    broken = {}
    for name, check in INVARIANTS.items():
        holds = np.asarray(check(games, actions))
        if not holds.all():
            broken[name] = int(np.argwhere(~holds.reshape(len(games.seen), -1).all(axis=1))[0, 0])
    return broken


if __name__ == "__main__":
    with np.errstate(over="ignore"):  # the random stream wraps, which plain NumPy scalars warn of
        for settings in GAMES:
            print(hash_of_play(int(sys.argv[1]), **settings))
