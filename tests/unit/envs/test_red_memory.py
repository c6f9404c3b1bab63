"""What red remembers and sees of a game, worked by hand."""

import numpy as np
import pytest

from cageflow.envs.options import GameOptions
from cageflow.envs.red_memory import HostView, RedMemory
from cageflow.scenario import Network, RedAgent, default_network
from cageflow.scenario.durations import with_durations
from cageflow.scenario.schema import Durations
from cageflow.sim.batch import reset_batch, step_batch
from cageflow.sim.enums import Tape
from cageflow.sim.given import give_loop
from cageflow.sim.handover import plain
from cageflow.sim.state import make_params, new_states

NETWORK = default_network()


class Player:
    """Two games, the first of which is played, red by name and blue by name; chance is forced where a test says so."""

    def __init__(self, network=NETWORK, rules="v2.1"):
        self.network, self.params = network, make_params(RedAgent.GIVEN, rules)
        self.states = new_states(network, 2)
        reset_batch(self.states, new_states(network, 1), np.arange(2, dtype=np.uint64))
        self.memory = RedMemory(network, 2)

    def red(self, *names, blue="Sleep", exploit=None):
        """Steps; what red knows after the last, in words."""
        codec = self.network.red_codec
        for name in names:
            self.states.forced[:] = Tape.FREE
            if exploit is not None:
                self.states.forced[:, 1] = self.network.exploits.index(exploit)
            give_loop(plain(self.states), codec.kinds, codec.targets, np.array([codec.encode(name), 0], np.int16))
            seen, rewards = np.zeros((2, self.network.num_observations), np.uint8), np.zeros(2, np.float32)
            actions = np.array([self.network.codec.encode(blue), 0], np.int64)
            step_batch(self.states, self.network.tables, self.params, actions, seen, rewards)
            self.memory.update(self.states)
        return self.memory.view(0)

    def useful(self):
        """Names of the actions that are not in vain."""
        names = np.array(self.network.red_codec.names)
        return set(names[self.memory.masks()[0]])

    def bits(self):
        """Names of the bits that are set."""
        return {name for name, bit in zip(self.network.red_bits, self.memory.observations()[0], strict=True) if bit}


def test_start__red_knows_its_first_host_alone():
    player = Player()
    view = player.memory.view(0)
    assert (view.step, view.last_action, view.last_outcome, view.steps_left) == (0, None, None, 0)
    assert (view.subnets, view.swept, view.shut, view.services) == (("User",), (), (), ())
    assert view.hosts == {"User0": HostView("User", True, False, (), (), "privileged", False, False, 0)}
    assert player.useful() == set(view.actions) == {"Sleep", "sweep User", "scan User0", "escalate User0"}
    assert player.bits() == {"known User", "found User0", "named User0", "held User0", "raised User0"}


def test_bits__are_as_many_as_their_names_and_nothing_but_zero_and_one():
    bits = Player().memory.observations()
    assert (bits.shape, bits.dtype) == ((2, NETWORK.num_red_observations), np.uint8)
    assert len(set(NETWORK.red_bits)) == len(NETWORK.red_bits) == 9 + 13 * 7 + 13 * 8 + 13 * 4 + 1 + 25 + 17
    assert bits.max() == 1


def test_sweep_and_scan__tell_hosts_and_ports():
    player = Player()
    view = player.red("sweep User", "scan User2")
    assert list(view.hosts) == ["User0", "User1", "User2", "User3", "User4"]
    assert view.swept == ("User",)
    user2 = view.hosts["User2"]
    assert (user2.is_named, user2.is_scanned, user2.access) == (False, True, "none")
    assert (user2.ports, user2.exploits) == ((135, 139, 445, 3389), ("EternalBlue", "BlueKeep"))
    assert {"exploit User2", "scan User1"} <= set(view.actions)
    assert not {"sweep User", "exploit User1", "escalate User2", "impact User2"} & set(view.actions)
    assert {
        "port 139 User2",
        "port 3389 User2",
        "swept User",
        "last scan",
        "last User2",
        "last succeeded",
    } <= player.bits()


def test_exploit_and_escalation__raise_what_red_holds_and_tell_what_the_host_knows():
    player = Player()
    view = player.red("sweep User", "scan User2", "exploit User2", exploit="EternalBlue")
    assert (view.last_action, view.last_outcome) == ("exploit User2", "succeeded")
    assert (view.hosts["User2"].access, view.hosts["User2"].is_named) == ("user", True)
    assert "Enterprise1" not in view.hosts
    view = player.red("escalate User2")
    assert (view.hosts["User2"].access, view.hosts["User2"].is_explored) == ("privileged", True)
    assert view.hosts["Enterprise1"].subnet == "Enterprise"
    assert {"held User2", "raised User2", "explored User2", "found Enterprise1"} <= player.bits()


def test_red_is_not_told_that_blue_drove_it_out__until_an_escalation_fails():
    player = Player()
    player.red("sweep User", "scan User2", "exploit User2", exploit="EternalBlue")
    view = player.red("Sleep", blue="Restore User2")
    assert view.hosts["User2"].access == "user"
    assert "escalate User2" in view.actions
    view = player.red("escalate User2")
    assert (view.last_outcome, view.hosts["User2"].access, view.hosts["User2"].failures) == ("failed", "none", 1)
    assert "escalate User2" not in view.actions
    assert "1 failures User2" in player.bits() and "2 failures User2" not in player.bits()


def test_refused_action__is_told_apart_from_one_that_failed():
    player = Player()
    view = player.red("escalate User3")
    assert (view.last_action, view.last_outcome) == ("escalate User3", "refused")
    assert "last refused" in player.bits() and "last failed" not in player.bits()
    view = player.red("impact User0")
    assert (view.last_outcome, view.hosts["User0"].failures) == ("failed", 1)
    assert view.hosts["User0"].access == "privileged", "it was too early, and tells nothing of the session"
    assert "last failed" in player.bits() and "last refused" not in player.bits()


def test_guarded_subnet__is_reached_while_red_may_hold_a_guard():
    player = Player()
    player.states.known_subnets[:] |= 0b10
    player.red("Sleep")
    assert "sweep Operational" not in player.useful()
    player.red("sweep User", "scan User2", "exploit User2", exploit="EternalBlue")
    player.red("escalate User2", "scan Enterprise1", "exploit Enterprise1", exploit="BlueKeep")
    assert "sweep Operational" in player.useful()
    assert player.red("sweep Operational").swept == ("Operational", "User")
    assert "sweep Operational" in player.useful(), "it may have been shut since"
    view = player.red("sweep Operational", blue="Restore Enterprise1")
    assert (view.last_outcome, view.shut) == ("failed", ("Operational",))
    assert view.hosts["Enterprise1"].access == "none"
    assert not {"sweep Operational", "scan Op_Server0"} & player.useful()


def test_impact__is_of_use_once_red_has_seen_the_service():
    player = Player()
    player.states.known_hosts[:] |= 1 << 7
    player.states.known_names[:] |= 1 << 7
    player.memory.records["held"] |= 1 << 7
    player.states.stubborn[:, 7] = 1
    player.red("Sleep")
    assert "impact Op_Server0" not in player.useful()
    view = player.red("escalate Op_Server0")
    assert view.services == ("OTService",)
    assert "impact Op_Server0" in player.useful()
    assert not player.red("Sleep").hosts["Op_Server0"].is_impacted
    assert player.red("impact Op_Server0").hosts["Op_Server0"].is_impacted
    player.red("Sleep", blue="Restore Op_Server0")
    view = player.red("impact Op_Server0")
    assert (view.hosts["Op_Server0"].access, view.hosts["Op_Server0"].is_impacted) == ("none", False)


def test_action_under_way__leaves_sleep_alone():
    player = Player(Network(with_durations(NETWORK.scenario, Durations(sweep=3))))
    view = player.red("sweep User")
    assert (view.last_action, view.last_outcome, view.steps_left, view.actions) == ("sweep User", None, 2, ("Sleep",))
    assert view.shut == ()
    assert {"under way", "done within 2", "done within 8"} <= player.bits() and "done within 1" not in player.bits()
    view = player.red("Sleep", "Sleep")
    assert (view.last_action, view.last_outcome, view.steps_left, len(view.hosts)) == ("sweep User", "succeeded", 0, 5)


def test_reset__begins_anew_in_the_games_of_a_mask():
    player = Player()
    player.red("sweep User", "scan User2")
    before = player.memory.records.copy()
    player.memory.reset(np.array([False, True]))
    assert player.memory.view(0).step == 2 and player.memory.view(1).step == 0
    player.memory.reset()
    fresh = RedMemory(NETWORK, 2)
    assert all(np.array_equal(player.memory.records[f], fresh.records[f]) for f in fresh.records.dtype.names)
    assert not all(np.array_equal(before[f], fresh.records[f]) for f in fresh.records.dtype.names)


def test_update__of_some_games_leaves_the_others():
    player = Player()
    player.memory.update(player.states, np.array([True, False]))
    assert player.memory.records["step"].tolist() == [1, 0]


@pytest.mark.parametrize("red_agent", ["B_lineAgent", "SleepAgent"])
def test_memory__is_made_of_a_games_settings_whoever_plays_red(red_agent):
    assert RedMemory(GameOptions(red_agent), 3).masks().shape == (3, 56)
