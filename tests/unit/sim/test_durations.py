"""Actions that take time: when they take effect, what is ignored meanwhile, what blue can know of it."""

import numpy as np
import pytest

from cageflow.scenario import Network, RedAgent, RedKind, default_network
from cageflow.scenario.durations import CAGE4, with_durations
from cageflow.scenario.schema import Durations
from cageflow.sim.enums import Compromise, Outcome
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import is_of_use
from cageflow.sim.memory import new_memories, remember, see
from cageflow.sim.recall import decoy_places, num_recalled, recall_loop, recalled_bits
from cageflow.workflow.compliance import ComplianceTracker
from tests.helpers.lab import Lab, same
from tests.helpers.orders import parse_order
from tests.helpers.play import ALL_REDS, Games, num_games, random_actions

SLOW = Network(with_durations(default_network().scenario, CAGE4))
SLOW_BLUE = Network(with_durations(default_network().scenario, Durations(analyse=2, remove=3, restore=5, decoy=2)))


def slow_lab(red=RedAgent.SLEEP, network=SLOW):
    return Lab(red, network=network)


def held(host="Enterprise0"):
    lab = slow_lab()
    lab.s.privileged[lab.host(host)] = 1
    return lab


def test_restore__takes_effect_and_costs_in_its_fifth_step():
    lab = held()
    rewards, sessions = [], []
    for action in ["Restore Enterprise0"] + ["Sleep"] * 5:
        rewards.append(lab.step(action)[0])
        sessions.append(lab.sessions("Enterprise0")[2])
    assert sessions == [1, 1, 1, 1, 0, 0]
    assert rewards == [-1.0, -1.0, -1.0, -1.0, -1.0, 0.0]  # four steps of the session, then the Restore's own cost


def test_outcome__is_unknown_until_the_last_step():
    lab = held()
    outcomes = []
    for action in ["Restore Enterprise0"] + ["Sleep"] * 5:
        lab.step(action)
        outcomes.append(Outcome(int(lab.s.blue_outcome)))
    assert outcomes == [Outcome.UNKNOWN] * 4 + [Outcome.TRUE, Outcome.UNKNOWN]


@pytest.mark.parametrize("ignored", ["Restore User1", "DecoyApache User2", "Remove Enterprise0", "Analyse User4"])
def test_choice__does_nothing_while_an_action_is_under_way(ignored):
    busy, other = held(), held()
    for lab, meanwhile in ((busy, "Sleep"), (other, ignored)):
        lab.step("Restore Enterprise0")
        for _ in range(4):
            lab.step(meanwhile)
    assert same(busy.states, other.states)
    other.step(ignored)
    assert other.s.num_busy == 1


def test_crew__is_free_in_the_step_after_the_last():
    lab = slow_lab()
    for action in ("Restore User1", "Sleep", "Sleep", "Sleep", "Sleep"):
        lab.step(action)
    assert lab.s.num_busy == 0
    lab.step("DecoyApache User2")
    assert lab.s.num_busy == 1 and lab.s.decoys[lab.host("User2")] == 0
    lab.step("Sleep")
    assert lab.s.num_busy == 0 and lab.s.decoys[lab.host("User2")] == 1


def test_analyse__finds_what_red_left_while_it_was_under_way():
    lab = slow_lab()
    _, seen = lab.step("Analyse User1")
    assert seen == {}
    lab.s.malware = 1 << lab.host("User1")
    assert lab.step("Sleep")[1] == {"User1": "0011"}


def test_what_blue_did__is_new_in_the_step_of_its_effect_alone():
    lab, new, found = slow_lab(), [], []
    lab.s.malware = 1 << lab.host("User1")
    for action in ("DecoyApache User2", "Sleep", "Analyse User1", "Sleep", "Restore User3", "Sleep"):
        lab.step(action)
        new.append(lab.hosts(lab.s.new_decoys))
        found.append(lab.hosts(lab.s.files_found))
    assert new == [set(), {"User2"}, set(), set(), set(), set()]
    assert found == [set(), set(), set(), {"User1"}, set(), set()]


def test_exploit__gets_in_and_is_seen_in_its_fourth_step():
    lab = slow_lab(RedAgent.B_LINE)
    lab.step("Sleep")
    lab.step("Sleep", red_target="User1")
    rows = []
    for step in range(5):
        draws = {"exploit": "FTPDirectoryTraversal", "detection": 1} if step == 3 else {}
        _, seen = lab.step("Sleep", **draws)
        rows.append((RedKind(int(lab.s.red_kind)), int(lab.s.red_outcome), lab.sessions("User1")[2], seen.get("User1")))
    waiting = (RedKind.EXPLOIT_REMOTE_SERVICE, Outcome.UNKNOWN, 0, None)
    assert rows[:3] == [waiting] * 3
    assert rows[3] == (RedKind.EXPLOIT_REMOTE_SERVICE, Outcome.TRUE, 1, "1101")
    assert rows[4] == (RedKind.PRIVILEGE_ESCALATE, Outcome.UNKNOWN, 1, "0001")
    assert lab.s.tape_fault == 0


def test_exploit__meets_the_decoy_that_was_planted_meanwhile():
    lab = slow_lab(RedAgent.B_LINE, Network(with_durations(default_network().scenario, Durations(exploit=4))))
    lab.step("Sleep")
    lab.step("Restore User1", red_target="User1")
    for action in ("Sleep", "DecoyTomcat User1", "Sleep"):
        lab.step(action)
    lab.s.ports_seen[lab.host("User1")] = lab.network.port_mask([443])
    lab.step("Sleep", exploit="HTTPSRFI")
    assert (lab.s.red_outcome, lab.sessions("User1")) == (Outcome.FALSE, (0, 0, 0))
    assert lab.s.red_connections == 2


@pytest.mark.parametrize("red", ALL_REDS)
def test_durations_of_one__are_the_game_without_them_bit_for_bit(red):
    """Played by the rules for actions that take time, which otherwise are not asked."""
    num_envs = num_games(32)
    usual, timed = (Games.start(np.arange(num_envs), red_agent=red, green=True) for _ in range(2))
    tables = default_network().tables.copy()
    tables["blue_takes_time"] = tables["red_takes_time"] = 1

    class Timed:
        def __getattr__(self, name):
            return getattr(default_network(), name)

    timed.network = Timed()
    timed.network.tables = tables.view(np.recarray)[()]
    for actions in random_actions(4, 100, num_envs):
        usual.step(actions)
        timed.step(actions)
        sleeps = timed.states.blue_outcome != usual.states.blue_outcome
        assert not sleeps.any()
        assert usual.digest() == timed.digest()


class Blue:
    """A lab in which blue remembers."""

    def __init__(self, network=SLOW):
        self.lab = Lab(network=network)
        self.memories = new_memories(network, 1)

    def step(self, action):
        self.lab.step(action)
        see(self.memories[0], self.lab.s)
        remember(self.memories[0], self.lab.network.tables, self.lab.params, self.lab.network.codec.encode(action))
        return self

    def useful(self):
        tables, codec = self.lab.network.tables, self.lab.network.codec
        return {name for i, name in enumerate(codec.names) if is_of_use(self.memories[0], tables, i)}

    def recalls(self):
        network = self.lab.network
        bits = np.full((1, num_recalled(network)), 7, np.uint8)
        recall_loop(plain(self.memories), row(network.tables), decoy_places(network), bits)
        return {name for name, bit in zip(recalled_bits(network), bits[0], strict=True) if bit}


def test_masks__leave_only_sleep_while_an_action_is_under_way():
    blue = Blue()
    at_first = blue.useful()
    assert {"Sleep", "Analyse User1", "Remove User1", "Restore User1", "DecoyApache User2"} < at_first
    assert "Monitor" not in at_first and "DecoyFemitter Op_Host0" not in at_first
    for action in ("Restore User1", "Restore User2", "Sleep", "Sleep"):
        assert blue.step(action).useful() == {"Sleep"}
    assert blue.step("Sleep").useful() == at_first


def test_memory__notes_a_decoy_when_it_stands_and_nothing_of_what_was_ignored():
    blue = Blue().step("DecoyApache User2")
    assert blue.memories["decoys"].sum() == 0
    assert "last action DECOY" in blue.recalls()
    blue.step("DecoyTomcat User1")
    assert "last action SLEEP" in blue.recalls() and "last action User1" not in blue.recalls()
    assert "DecoyApache User2" in blue.recalls()
    for _ in range(3):
        blue.step("Sleep")
    assert "DecoyTomcat User1" not in blue.recalls()


def test_recall__tells_what_is_under_way_where_and_how_long():
    blue = Blue()
    new = set(recalled_bits(SLOW)[217:])
    assert len(new) == num_recalled(SLOW) - 217 == 4 * 13 + 4 * 13 + 1
    assert blue.recalls() & new == {"crew free"}
    expected = [
        {"done within 4 User1", "done within 8 User1"},
        {"done within 4 User1", "done within 8 User1"},
        {"done within 2 User1", "done within 4 User1", "done within 8 User1"},
        {f"done within {n} User1" for n in (1, 2, 4, 8)},
    ]
    for left in expected:
        blue.step("Restore User1")
        assert blue.recalls() & new == {"under way RESTORE User1", *left}
    assert blue.step("Sleep").recalls() & new == {"crew free"}
    assert "restored User1" in blue.recalls()


def test_recall__has_no_more_bits_where_only_red_takes_time():
    network = Network(with_durations(default_network().scenario, Durations(exploit=4)))
    assert recalled_bits(network) == recalled_bits(default_network())


def test_memory__agrees_with_the_game_on_what_is_under_way():
    rng, blue = np.random.default_rng(0), Blue(SLOW_BLUE)
    for _ in range(200):
        blue.step(SLOW_BLUE.codec.names[rng.integers(145)])
        s, m = blue.lab.s, blue.memories[0]
        assert (
            s.num_busy == m.num_busy and (s.crew_action == m.crew_action).all() and (s.crew_left == m.crew_left).all()
        )
        assert (s.decoys == m.decoys).all() and s.restored == m.restored


def test_compliance__judges_a_fix_when_it_is_chosen_and_not_when_it_is_ignored():
    lab = held()
    tracker = ComplianceTracker(SLOW, parse_order("enterprise,defender,op_server,op_host,user"), 1, 30.0)
    judged = []
    for action in ["Restore Enterprise0", "Restore User1", "Restore Enterprise0", "Sleep", "Sleep", "Restore User1"]:
        number = np.array([SLOW.codec.encode(action)])
        tracker.score_states(lab.states, new_memories(SLOW, 1), number, np.zeros(1, np.float32))
        judged.append((int(tracker.fixes[0]), int(tracker.compliant_fixes[0])))
        lab.step(action)
    assert judged == [(1, 1)] * 5 + [(2, 2)]  # Enterprise0 is clean by then, and user the type that is left


def test_remove__stops_what_blue_has_seen_by_its_last_step():
    lab = slow_lab()
    lab.step("Remove User1")
    lab.scan_and_exploit("User1", "HTTPRFI", detection=-1)
    lab.s.removable[lab.host("User1")] = 1
    lab.believe("User1", Compromise.USER)
    lab.step("Sleep")
    assert lab.sessions("User1")[0] == 1
    lab.step("Sleep")
    assert lab.sessions("User1")[0] == 0 and lab.believes("User1") == Compromise.UNKNOWN
