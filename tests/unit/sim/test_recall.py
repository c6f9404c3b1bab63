"""What blue's memory tells a policy: histories worked by hand, and that nothing in it is more than blue can know."""

import numpy as np
import pytest

from cageflow.collect.games import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.sim.handover import plain, row
from cageflow.sim.memory import new_memories, remember, see_bits
from cageflow.sim.recall import AGES, CLOCK, decoy_places, num_recalled, recall_loop, recalled_bits
from tests.helpers.lab import Lab

LAB = Lab()
NETWORK = LAB.network
NAMES = recalled_bits(NETWORK)
SCAN, EXPLOIT = (1, 0), (1, 1)


class Blue:
    """A blue that remembers steps whose observations are made up."""

    def __init__(self):
        self.memories = new_memories(NETWORK, 1)

    def step(self, action="Sleep", **seen):
        """Blue acts; `seen` gives the two activity bits of hosts."""
        bits = np.zeros((len(NETWORK.hosts), 4))
        for host, activity in seen.items():
            bits[NETWORK.hosts.index(host), :2] = activity
        see_bits(self.memories[0], bits.reshape(-1))
        remember(self.memories[0], NETWORK.tables, LAB.params, NETWORK.codec.encode(action))
        return self

    def recalls(self):
        """Names of the bits that are set."""
        bits = np.full((1, num_recalled(NETWORK)), 7, np.uint8)
        recall_loop(plain(self.memories), row(NETWORK.tables), decoy_places(NETWORK), bits)
        assert set(np.unique(bits)) <= {0, 1}
        return {name for name, bit in zip(NAMES, bits[0], strict=True) if bit}

    def knows(self, *words):
        return {name for name in self.recalls() if name.startswith(words)}


def test_names__are_different_and_as_many_as_the_bits():
    assert len(set(NAMES)) == len(NAMES) == num_recalled(NETWORK) == 217


def test_start_of_an_episode__there_is_nothing_to_recall():
    assert Blue().recalls() == set()


def test_sleep__leaves_its_kind_and_the_clock():
    assert Blue().step().recalls() == {"last action SLEEP", "step 1"}


def test_decoy__is_recalled_until_the_host_is_restored():
    blue = Blue().step("DecoyApache User2")
    assert blue.recalls() == {"DecoyApache User2", "last action DECOY", "last action User2", "step 1"}
    assert "DecoyApache User2" in blue.step("Restore User1").recalls()
    assert blue.step("Restore User2").knows("Decoy", "restored") == {"restored User1", "restored User2"}


def test_decoy_that_has_no_room__is_not_recalled():
    assert Blue().step("DecoyFemitter Op_Host0").knows("Decoy") == set()  # not for Linux


def test_scan_and_attack__are_told_apart_and_not_forgotten():
    blue = Blue().step(User1=SCAN, User2=EXPLOIT)
    expected = {"touched User1", "touched User2", "attacked User2"}
    assert {name for name in blue.knows("touched ", "attacked") if "within" not in name} == expected
    blue.step("Restore User2")
    assert expected < blue.recalls()


@pytest.mark.parametrize("silent_steps", [0, 1, 2, 3, 4, 7, 8, 15, 16, 40])
def test_age__counts_the_steps_since_the_last_activity(silent_steps):
    blue = Blue().step(Enterprise0=SCAN).step(Enterprise0=SCAN)
    for _ in range(silent_steps):
        blue.step()
    known = {f"touched within {age} Enterprise0" for age in AGES if silent_steps + 1 <= age}
    assert blue.knows("touched within") == known


def test_last_table__is_that_of_the_step_before():
    user1 = 4 * NETWORK.hosts.index("User1")
    blue = Blue().step(User1=EXPLOIT)
    assert blue.knows("last table") == set()
    assert blue.step().knows("last table") == {f"last table {user1}", f"last table {user1 + 1}"}
    assert blue.step().knows("last table") == set()


def test_monitor__acts_on_no_host():
    assert Blue().step("Monitor").knows("last action") == {"last action MONITOR"}


def test_clock__runs_to_its_end():
    blue = Blue()
    for _ in range(28):
        blue.step()
    assert blue.knows("step") == {f"step {step}" for step in CLOCK if step <= 28}


def test_memory_kept_elsewhere__is_what_the_game_recalls():
    options = GameOptions("meander", rules="challenge", max_steps=40)
    games, memory = make_games(GameSpec(options, masked=True, memory=True)), BlueMemory(options, 8)
    games.reset(np.arange(8, dtype=np.uint64), None)
    rng, rewards = np.random.default_rng(0), np.empty(8, np.float32)
    for _ in range(40):
        observations = games.observations
        np.testing.assert_array_equal(observations[:, 52:], memory.recalled())
        actions = rng.integers(145, size=8).astype(np.int16)
        games.step(actions, rewards, np.empty(8, np.float32))
        memory.update(actions, games.observations[:, :52])
    assert observations[:, 52:].any(axis=0).sum() > 120
