"""The record of one environment."""

import pytest

from cageflow.scenario import RedAgent, default_network
from cageflow.sim.enums import Draw, Outcome, Tape
from cageflow.sim.state import initial_state, make_params, new_states, state_dtype
from tests.helpers.lab import same


def test_record__is_under_512_bytes_for_cage2():
    assert state_dtype(default_network()).itemsize < 512


def test_initial_state__is_a_network_that_red_holds_one_host_of():
    s = initial_state(default_network())
    assert s.privileged.tolist() == [0] * 8 + [1] + [0] * 4
    assert (s.known_hosts, s.known_subnets, s.stopped) == (1 << 8, 1 << 2, 0)
    assert (s.red_outcome, s.blue_outcome) == (Outcome.UNKNOWN, Outcome.UNKNOWN)
    assert s.forced.tolist() == [Tape.FREE] * len(Draw)
    assert (
        not s.removable.any() and not s.stubborn.any() and not s.decoys.any() and not s.belief_low and not s.belief_high
    )


def test_new_states__are_copies_of_the_initial_state():
    states = new_states(default_network(), 3)
    assert states.shape == (3,)
    assert all(same(state, initial_state(default_network())) for state in states)
    states[0].privileged[0] = 7
    assert states[1].privileged[0] == 0
    assert initial_state(default_network()).privileged[0] == 0


@pytest.mark.parametrize(("rules", "forgets", "loses"), [("v2.1", 1, 0), ("challenge", 0, 1)])
def test_rule_sets__differ_in_what_a_scan_forgets_and_a_restore_loses(rules, forgets, loses):
    params = make_params(rules=rules)
    assert (params.scan_forgets, params.restore_loses) == (forgets, loses)


def test_params__say_what_was_asked_for():
    params = make_params(RedAgent.MEANDER, "v2.1", "official", 30, True)
    assert (params.red_agent, params.official_table, params.max_steps, params.green_awake) == (2, 1, 30, 1)
    params = make_params()
    assert (params.red_agent, params.official_table, params.max_steps, params.green_awake) == (1, 0, 100, 0)
