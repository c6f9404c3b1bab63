"""Red as the caller plays it: what is given is carried out, and what red does not know is refused."""

import numpy as np
import pytest

from cageflow.scenario import Network, RedAgent, default_network
from cageflow.scenario.durations import with_durations
from cageflow.scenario.schema import Durations
from cageflow.sim.batch import reset_batch, step_batch
from cageflow.sim.enums import Outcome
from cageflow.sim.given import give_loop
from cageflow.sim.handover import plain
from cageflow.sim.state import make_params, new_states

NETWORK = default_network()
TRUE, FALSE, UNKNOWN = Outcome.TRUE, Outcome.FALSE, Outcome.UNKNOWN


class Red:
    """A game, red by name, blue asleep."""

    def __init__(self, network=NETWORK):
        self.network, self.params = network, make_params(RedAgent.GIVEN)
        self.states = new_states(network, 1)
        reset_batch(self.states, new_states(network, 1), np.zeros(1, np.uint64))

    def __call__(self, name):
        """One step; whether the action was valid and how it went."""
        codec = self.network.red_codec
        actions = np.array([codec.encode(name)], np.int16)
        give_loop(plain(self.states), codec.kinds, codec.targets, actions)
        seen, rewards = np.zeros((1, self.network.num_observations), np.uint8), np.zeros(1, np.float32)
        step_batch(self.states, self.network.tables, self.params, np.zeros(1, np.int64), seen, rewards)
        return bool(self.states.red_valid[0]), int(self.states.red_outcome[0])


def test_given_red__does_what_it_is_told():
    red = Red()
    assert red("Sleep") == (True, UNKNOWN)
    assert red("sweep User") == (True, TRUE)
    assert red("scan User1") == (True, TRUE)
    assert red.states.red_connections[0] == 2
    red("exploit User1")
    assert red("escalate User0") == (True, TRUE)


@pytest.mark.parametrize("name", ["sweep Enterprise", "scan User1", "exploit User1", "escalate User1", "impact User1"])
def test_unknown_target__is_refused_and_nothing_comes_of_it(name):
    red = Red()
    before = red.states.copy()
    assert red(name) == (False, FALSE)
    same = [field for field in before.dtype.names if field not in ("red_kind", "red_target", "red_valid", "step")]
    assert [field for field in same if not np.array_equal(before[field], red.states[field])] == ["red_outcome"]
    assert red("sweep User") == (True, TRUE)


def test_address__is_no_name_until_an_exploit_succeeds():
    red = Red()
    red("sweep User")
    assert red("escalate User1") == (False, FALSE)
    red("scan User1")
    tries = 0
    while red("exploit User1") == (True, FALSE):
        assert red("escalate User1") == red("impact User1") == (False, FALSE)
        tries += 1
        assert tries < 50
    assert red("impact User1") == (True, FALSE)
    assert red("escalate User1") == (True, TRUE)


def test_what_is_given_while_an_action_is_under_way__is_ignored():
    red = Red(Network(with_durations(NETWORK.scenario, Durations(sweep=3))))
    assert red("sweep User") == (True, UNKNOWN)
    assert red("escalate User0") == (True, UNKNOWN)
    assert red("Sleep") == (True, TRUE)
    assert red.states.known_hosts[0] > 1 << 8


def test_refused_action__takes_one_step_only():
    red = Red(Network(with_durations(NETWORK.scenario, Durations(sweep=3))))
    assert red("sweep Enterprise") == (False, FALSE)
    assert red.states.red_left[0] == 0


def held(host="Enterprise1"):
    """Red knows everything, and has scanned and holds one host without privileges, over SSH."""
    red = Red()
    s = red.states
    s.known_hosts[:] = s.known_names[:] = (1 << len(NETWORK.hosts)) - 1
    s.known_subnets[:] = 0b111
    s.stubborn[0, NETWORK.hosts.index(host)] = 1
    return red


def test_out_of_reach__a_sweep_fails_a_scan_finds_nothing_and_an_exploit_leaves_no_trace():
    red = held("User1")
    red.states.ports_seen[0, 7] = NETWORK.port_mask([22])
    assert red("sweep Operational") == (True, FALSE)
    assert red("scan Op_Server0") == (True, TRUE)
    assert red.states.ports_seen[0, 7] == NETWORK.port_mask([22])
    assert red("exploit Op_Server0") == (True, FALSE)
    assert NETWORK.exploits[red.states.exploit[0]] == "SSHBruteForce"
    assert not red.states.activity_low[0]
    red.states.stubborn[0, 7] = 1
    assert red("escalate Op_Server0") == (True, TRUE)
    assert red("impact Op_Server0") == (True, TRUE)


def test_exploit_of_what_red_holds__adds_a_session():
    red = held("Enterprise0")
    red("scan Enterprise0")
    assert red("exploit Enterprise0") == red("exploit Enterprise0") == (True, TRUE)
    assert red.states.stubborn[0, 1] == 3
    assert red("escalate Enterprise0") == red("escalate Enterprise0") == (True, TRUE)
    assert (red.states.stubborn[0, 1], red.states.privileged[0, 1], red.states.escalated_session[0]) == (2, 1, -1)
    red("scan User0")
    while red("exploit User0") == (True, FALSE):
        pass
    sessions = red.states.removable[0, 8] + red.states.stubborn[0, 8] + red.states.privileged[0, 8]
    assert sessions == 2


def test_impact__fails_too_early_and_elsewhere_and_succeeds_again():
    red = held("Op_Server0")
    assert red("impact Op_Server0") == (True, FALSE)
    assert red("escalate Op_Server0") == (True, TRUE)
    assert red("impact User0") == (True, FALSE)
    assert red("impact Op_Host0") == (True, FALSE)
    assert not red.states.stopped[0]
    assert red("impact Op_Server0") == (True, TRUE)
    stopped, cost = int(red.states.stopped[0]), int(red.states.standing_cost[0])
    assert stopped == 1 << 7
    assert red("impact Op_Server0") == (True, TRUE)
    assert (int(red.states.stopped[0]), int(red.states.standing_cost[0])) == (stopped, cost)
