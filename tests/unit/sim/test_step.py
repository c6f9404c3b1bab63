"""Who acts before whom: blue, green, red, then blue's monitor."""

import numpy as np

from cageflow.scenario import RedAgent, RedKind, default_network
from cageflow.sim.batch import reset_batch, step_batch
from cageflow.sim.enums import Outcome
from cageflow.sim.state import make_params, new_states
from tests.helpers.lab import Lab

NETWORK = default_network()


def held(red=RedAgent.SLEEP):
    lab = Lab(red)
    lab.s.privileged[lab.host("Enterprise0")] = 1
    return lab


def test_blue_acts_before_the_reward__a_restored_host_costs_no_more():
    assert held().step("Sleep")[0] == -1.0
    assert held().step("Restore Enterprise0")[0] == -1.0  # the cost of the action alone
    assert held().step("Restore User1")[0] == -2.0


def test_blue_acts_before_red__a_decoy_is_there_for_the_scan_of_the_same_step():
    lab = Lab(RedAgent.B_LINE)
    lab.step("Sleep")
    lab.step("DecoyTomcat User1", red_target="User1")
    assert lab.s.red_kind == RedKind.DISCOVER_NETWORK_SERVICES
    assert 443 in lab.ports(lab.s.ports_seen[9])


def test_red_acts_before_the_monitor__its_scan_is_seen_in_the_same_step():
    lab = Lab(RedAgent.B_LINE)
    lab.step("Sleep")
    assert lab.step("Sleep", red_target="User1")[1] == {"User1": "1000"}


def test_red_acts_after_blue__what_blue_analysed_before_is_not_yet_there():
    lab = Lab(RedAgent.B_LINE)
    lab.step("Sleep")
    lab.step("Sleep", red_target="User1")
    _, seen = lab.step("Analyse User1", exploit="FTPDirectoryTraversal", detection=1)
    assert seen == {"User1": "1101"}
    _, seen = lab.step("Analyse User1")
    assert seen == {"User1": "0011"}


def test_sleeping_red__does_nothing():
    lab = Lab(RedAgent.SLEEP)
    for _ in range(5):
        assert lab.step("Sleep") == (0.0, {})
        assert (lab.s.red_kind, lab.s.red_target, lab.s.red_outcome) == (RedKind.SLEEP, -1, Outcome.UNKNOWN)


def test_step__counts_steps():
    lab = Lab()
    for count in range(1, 4):
        lab.step("Sleep")
        assert lab.s.step == count


def reds_played(num_games=400, num_steps=12):
    """Who has played red in each game, told by what red did: B-line scans one host of its subnet, Meander several."""
    params, states = make_params(RedAgent.MIXED), new_states(NETWORK, num_games)
    seen, rewards = np.zeros((num_games, NETWORK.num_observations), np.uint8), np.zeros(num_games)
    reset_batch(states, new_states(NETWORK, 1), np.arange(num_games, dtype=np.uint64))
    drawn, touched = [], np.zeros_like(seen)
    for _ in range(num_steps):
        step_batch(states, NETWORK.tables, params, np.zeros(num_games, np.int64), seen, rewards)
        drawn.append(states["red_agent"].copy())
        touched |= seen
    users = [NETWORK.hosts.index(f"User{i}") for i in range(1, 5)]
    num_touched = sum(touched[:, 4 * host] for host in users)
    return np.array(drawn), num_touched


def test_mixed__is_one_of_two_for_a_whole_episode_each_as_often():
    drawn, num_touched = reds_played()
    assert (drawn == drawn[0]).all()
    assert set(drawn[0]) == {RedAgent.B_LINE, RedAgent.MEANDER}
    assert abs((drawn[0] == RedAgent.B_LINE).mean() - 0.5) < 0.1  # four standard errors
    assert ((num_touched == 1) == (drawn[0] == RedAgent.B_LINE)).all()


def test_agent_that_is_named__is_not_drawn():
    lab = Lab(RedAgent.MEANDER)
    lab.step("Sleep")
    assert lab.s.red_agent == -1
