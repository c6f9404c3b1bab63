"""Free episodes on generated networks of any size: hashed, and checked for what must hold in every step.

Run as a program it prints a hash for each size: `python -m tests.helpers.network_runs SIZE...`.
"""

import hashlib
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.scenario import BlueKind, Network, RedAgent
from cageflow.sim.batch import play_loop, reset_loop
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import mask_loop
from cageflow.sim.memory import new_memories
from cageflow.sim.recall import decoy_places, num_recalled, recall_loop
from cageflow.sim.state import make_params, new_states
from tests.helpers.small_networks import generated_network

SIZES = (2, 5, 17, 40, 63)
SLOW = {"durations": {"analyse": 2, "remove": 3, "restore": 4, "decoy": 2, "exploit": 3, "escalate": 2}, "crews": 3}


def network_of_size(num_hosts: int) -> Network:
    """A generated network; the largest takes time and has three crews."""
    return generated_network(num_hosts, seed=num_hosts, **(SLOW if num_hosts > 40 else {}))


class Run:
    """Games on a network, and what blue remembers of them."""

    def __init__(self, network: Network, red: RedAgent, seeds: npt.NDArray[np.uint64], official: bool = False) -> None:
        self.network, num_envs = network, len(seeds)
        self.nets = row(network.tables)
        self.settings = row(make_params(red, "challenge", "official" if official else "corrected", 100, True))
        self.states, self.memories = plain(new_states(network, num_envs)), plain(new_memories(network, num_envs))
        self.seen = np.zeros((num_envs, network.num_observations), np.uint8)
        self.rewards = np.zeros(num_envs)
        reset_loop(self.states, plain(new_states(network, 1)), seeds)

    def step(self, actions: npt.NDArray[np.int64]) -> None:
        """One step of every game."""
        play_loop(self.states, self.memories, self.nets, self.settings, actions, self.seen, self.rewards)

    def digest(self) -> bytes:
        """All that the games are and gave."""
        fields = [np.ascontiguousarray(self.states[name]).tobytes() for name in self.states.dtype.names]
        return b"".join([*fields, self.seen.tobytes(), self.rewards.tobytes()])

    def lessons(self) -> bytes:
        """All that blue can tell from the games."""
        masks = np.empty((len(self.rewards), len(self.network.codec)), np.bool_)
        recalled = np.empty((len(self.rewards), num_recalled(self.network)), np.uint8)
        mask_loop(self.memories, self.nets, masks)
        recall_loop(self.memories, self.nets, decoy_places(self.network), recalled)
        return masks.tobytes() + recalled.tobytes()


def _bits(mask: npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    return mask[..., None].astype(np.int64) >> np.arange(count) & 1


def broken(run: Run, actions: npt.NDArray[np.int64]) -> list[str]:
    """What does not hold after a step."""
    s, m, tables, codec = run.states, run.memories, run.network.tables, run.network.codec
    hosts, num_ports = len(run.network.hosts), len(run.network.ports)
    down = _bits(s["stopped"], hosts)
    standing = (s["privileged"] > 0) @ tables.confidentiality.astype(np.int64) + down @ tables.availability.astype(int)
    table = np.stack([_bits(s[name], hosts) for name in ("activity_low", "activity_high", "belief_low", "belief_high")])
    planted = _bits(s["decoys"], len(run.network.decoys))
    ports = _bits(tables.decoy_port, num_ports)[: planted.shape[-1]]
    raised = s["escalated_starts"]
    cost = -np.rint(run.rewards * 10).astype(np.int64) - standing
    restores = tables.restore_cost * (codec.kind[actions] == BlueKind.RESTORE)
    holds = {
        "counts are not negative": (s["removable"] >= 0) & (s["stubborn"] >= 0) & (s["num_decoys"] >= 0),
        "red keeps what it began with": (s["privileged"] >= tables.start_privileged + raised)
        & (s["stubborn"] >= tables.start_user - raised)
        & (raised >= 0)
        & (raised <= tables.start_user),
        "the standing cost is that of what stands": s["standing_cost"] == standing,
        "the reward is the standing cost and the action's": (cost == restores)
        | (bool(tables.blue_takes_time) & (cost >= 0) & (cost % int(tables.restore_cost) == 0)),
        "blue sees its table": run.seen.reshape(-1, hosts, 4) == np.moveaxis(table, 0, -1),
        "an attack is an activity": table[1] <= table[0],
        "decoys open their ports": _bits(s["decoy_ports"], num_ports) == ((planted @ ports) > 0),
        "blue knows its decoys": (m["decoys"] == s["decoys"]) & (m["num_busy"] == s["num_busy"])[:, None],
        "blue knows what it restored": m["restored"] == s["restored"],
        "what was restored runs": (s["stopped"] & s["restored"]) == 0,
        "removable sessions have left files": (s["removable"] == 0) | (_bits(s["malware"], hosts) == 1),
        "masks hold hosts of the network": (s["known_hosts"] >= 0)
        & (s["known_hosts"] < 1 << hosts)
        & (s["exploited"] >= 0),
        "draws are possible": s["tape_fault"] == 0,
        "no more is under way than there are crews": s["num_busy"] <= run.network.scenario.crews,
        "red acts on a host that it knows": (s["red_kind"] < 2)
        | (s["known_hosts"].astype(np.int64) >> np.maximum(s["red_target"], 0).astype(np.int64) & 1 == 1),
    }
    return [name for name, check in holds.items() if not np.all(check)]


def play(num_hosts: int, num_steps: int = 50, num_envs: int = 2) -> str:
    """Hash of episodes against both attackers; stops where something does not hold.

    Raises:
        AssertionError: it names the size, the red agent, the step and what does not hold.
    """
    network = network_of_size(num_hosts)
    whole = hashlib.sha256()
    for red in (RedAgent.B_LINE, RedAgent.MEANDER):
        run = Run(network, red, np.arange(num_envs, dtype=np.uint64), official=red == RedAgent.MEANDER)
        rng = np.random.default_rng(num_hosts)
        for step in range(num_steps):
            actions = rng.integers(len(network.codec), size=num_envs)
            run.step(actions)
            faults = broken(run, actions)
            assert not faults, f"{num_hosts} hosts, {red.name}, step {step}: {', '.join(faults)} does not hold"
            whole.update(run.digest())
        whole.update(run.lessons())
    return whole.hexdigest()


if __name__ == "__main__":
    with np.errstate(over="ignore"):  # the random stream wraps, which plain NumPy scalars warn of
        for size in sys.argv[1:]:
            print(size, play(int(size)))
