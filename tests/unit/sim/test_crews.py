"""Several of blue's actions under way at once, worked by hand on three hosts and two crews.

Restore takes 4 steps, on B only 2; Analyse 2, Remove 3, a decoy 1, and only C has room for one. Red holds A, which
costs 0.1; it escalates in 2 steps, and its exploit takes 3 on B.
"""

import numpy as np
import pytest

from cageflow.scenario import RedAgent, RedKind
from cageflow.sim.enums import Outcome
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import is_of_use
from cageflow.sim.memory import new_memories, remember, see
from cageflow.sim.recall import decoy_places, num_recalled, recall_loop, recalled_bits
from tests.helpers.lab import Lab
from tests.helpers.small_networks import made_network, ssh_host

DURATIONS = {"analyse": 2, "remove": 3, "restore": 4, "escalate": 2}


def two_crews():
    """Made anew for each example, so that a fault in the tables shows."""
    hosts = {
        "A": ssh_host("Lan"),
        "B": ssh_host("Lan", service="S", durations={"restore": 2, "exploit": 3}),
        "C": ssh_host("Lan", processes=[]),
    }
    return made_network(hosts, goal="B", durations=DURATIONS, crews=2)


class Blue:
    """A lab in which blue remembers."""

    def __init__(self, red=RedAgent.SLEEP):
        self.network = two_crews()
        self.lab = Lab(red, network=self.network)
        self.s, self.memories = self.lab.s, new_memories(self.network, 1)
        self.m = self.memories[0]

    def step(self, action="Sleep"):
        """The step's reward."""
        reward, _ = self.lab.step(action)
        see(self.m, self.s)
        remember(self.m, self.network.tables, self.lab.params, self.network.codec.encode(action))
        return reward

    def restored(self):
        return self.lab.hosts(self.s.restored)

    def is_of_use(self, action):
        return bool(is_of_use(self.m, self.network.tables, self.network.codec.encode(action)))

    def recalls(self):
        bits = np.full((1, num_recalled(self.network)), 7, np.uint8)
        recall_loop(plain(self.memories), row(self.network.tables), decoy_places(self.network), bits)
        return {name for name, bit in zip(recalled_bits(self.network), bits[0], strict=True) if bit}


def test_each_action__takes_effect_in_its_own_last_step_and_a_third_is_ignored():
    blue, rewards, restored, busy = Blue(), [], [], []
    for action in ("Restore A", "Restore C", "Restore B", "Sleep", "Restore B", "Sleep"):
        rewards.append(blue.step(action))
        restored.append("".join(sorted(blue.restored())))
        busy.append(int(blue.s.num_busy))
    assert restored == ["", "", "", "A", "AC", "ABC"]  # B was chosen again in step 5, when A's crew was free
    assert busy == [1, 2, 2, 1, 1, 0]
    assert rewards == pytest.approx([-0.1, -0.1, -0.1, -1.1, -1.1, -1.1])


def test_two_that_end_in_the_same_step__both_take_effect_and_both_cost():
    blue = Blue()
    rewards = [blue.step(action) for action in ("Restore A", "Sleep", "Restore B", "Sleep", "Sleep")]
    assert blue.restored() == {"A", "B"}
    assert rewards == pytest.approx([-0.1, -0.1, -0.1, -2.1, -0.1])


def test_of_two_that_end_in_the_same_step__the_one_begun_first_acts_first():
    blue = Blue()
    for action in ("Restore C", "Sleep", "Sleep", "Trap C"):
        blue.step(action)
    assert blue.s.decoys[blue.lab.host("C")] == blue.m.decoys[blue.lab.host("C")] == 1


def test_crew_that_ends_first__leaves_the_other_at_its_work():
    blue = Blue()
    for action in ("Restore B", "Restore C", "Sleep"):
        blue.step(action)
    assert blue.restored() == {"B"} and blue.s.num_busy == 1
    blue.step()
    assert blue.restored() == {"B"}
    blue.step()
    assert blue.restored() == {"B", "C"}


def test_sleep_and_monitor__need_no_crew():
    blue = Blue()
    for action in ("Sleep", "Monitor", "Sleep"):
        blue.step(action)
        assert blue.s.num_busy == blue.m.num_busy == 0
    for action, outcome in (("Restore B", Outcome.UNKNOWN), ("Sleep", Outcome.TRUE)):
        blue.step(action)
        assert blue.s.blue_outcome == outcome  # of what ends, not of the Sleep


def test_masks__leave_only_sleep_once_both_crews_are_busy():
    blue = Blue()
    blue.step("Restore A")
    assert blue.is_of_use("Restore C") and blue.is_of_use("Trap C") and blue.is_of_use("Analyse B")
    blue.step("Remove B")
    useful = {name for name in blue.network.codec.names if blue.is_of_use(name)}
    assert useful == {"Sleep"}


def test_decoy__is_of_use_again_where_a_restore_of_its_host_is_under_way():
    blue = Blue()
    blue.step("Trap C")
    assert not blue.is_of_use("Trap C")
    blue.step("Remove C")
    assert not blue.is_of_use("Trap C")
    blue.step("Sleep")
    blue.step("Sleep")
    blue.step("Restore A")
    assert not blue.is_of_use("Trap C")
    for _ in range(3):
        blue.step("Sleep")
    blue.step("Restore C")
    assert blue.is_of_use("Trap C")


def test_recall__tells_both_that_are_under_way_and_whether_a_crew_is_free():
    blue = Blue()
    words = ("under way", "done within", "crew")

    def told():
        return {name for name in blue.recalls() if name.startswith(words)}

    blue.step("Restore A")
    assert told() == {"under way RESTORE A", "done within 4 A", "done within 8 A", "crew free"}
    blue.step("Remove C")
    assert told() == {
        *("under way RESTORE A", "done within 2 A", "done within 4 A", "done within 8 A"),
        *("under way REMOVE C", "done within 2 C", "done within 4 C", "done within 8 C"),
    }


def test_memory__agrees_with_the_game_on_what_is_under_way():
    blue, rng, seen = Blue(), np.random.default_rng(0), set()
    for _ in range(150):
        blue.step(blue.network.codec.names[rng.integers(len(blue.network.codec))])
        for name in ("num_busy", "crew_action", "crew_left", "decoys", "restored"):
            assert np.array_equal(blue.s[name], blue.m[name])
        seen.add(int(blue.s.num_busy))
    assert seen == {0, 1, 2}


def test_red__takes_as_long_as_the_host_asks():
    blue, done = Blue(RedAgent.B_LINE), []
    for _ in range(8):
        blue.step()
        done.append((RedKind(int(blue.s.red_kind)).name, Outcome(int(blue.s.red_outcome)).name))
    exploit = "EXPLOIT_REMOTE_SERVICE"
    assert done == [
        ("DISCOVER_REMOTE_SYSTEMS", "TRUE"),
        ("DISCOVER_NETWORK_SERVICES", "TRUE"),
        *((exploit, "UNKNOWN"), (exploit, "UNKNOWN"), (exploit, "TRUE")),
        *(("PRIVILEGE_ESCALATE", "UNKNOWN"), ("PRIVILEGE_ESCALATE", "TRUE")),
        ("IMPACT", "TRUE"),
    ]
