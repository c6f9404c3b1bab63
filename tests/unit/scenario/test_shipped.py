"""The networks that come with the package beside those of the challenges: what each is, and that it is a game."""

import numpy as np
import pytest

from cageflow.agents.baselines.greedy import GreedyAgent
from cageflow.agents.baselines.worth import host_worth
from cageflow.envs.agent import BlueSetting, BlueView
from cageflow.envs.inspection import true_states
from cageflow.scenario import NETWORK_NAMES, load_network
from cageflow.scenario.durations import steps_of
from cageflow.scenario.enums import ATTACKERS
from cageflow.sim.recall import num_recalled
from tests.helpers.play import Games

SIZES = {"plant": (24, 6, 720), "clinic": (18, 6, 720), "campus": (40, 7, 5040)}
MOST_ACTIONS, MOST_OBSERVATIONS = 512, 256
STEPS, GAMES = 100, 40


def play(network, red_agent, workflow):
    """Mean return, and (B, H) whether red held a host at the end; blue sleeps, or restores in an order."""
    games = Games.start(np.arange(GAMES), network, red_agent=red_agent)
    agent = None if workflow is None else GreedyAgent(BlueSetting(network), workflow)
    returns = np.zeros(GAMES)
    idle = np.zeros((GAMES, num_recalled(network)), np.uint8)  # that crews are busy is not told: they let it pass
    idle[:, -1] = 1
    for step in range(STEPS):
        access = true_states(network, games.states)["access"]
        view = BlueView(step, games.seen, None, None, lambda: idle, lambda access=access: access, None)
        games.step(0 if agent is None else agent.act(view))
        returns += games.rewards
    return returns.mean(), true_states(network, games.states)["access"] > 0


def test_names__are_those_of_the_command_line():
    assert ("cage2", "cage1", *SIZES) == NETWORK_NAMES


@pytest.mark.parametrize("name", SIZES)
def test_site__has_the_size_that_is_named(name):
    network = load_network(name)
    assert (len(network.hosts), len(network.unit_types), len(network.orders)) == SIZES[name]
    assert len(network.codec) == 2 + len(network.hosts) * (3 + len(network.decoys)) <= MOST_ACTIONS
    assert network.num_observations == 4 * len(network.hosts) <= MOST_OBSERVATIONS
    assert [network.codec.encode(action) for action in network.codec.names] == list(range(len(network.codec)))


@pytest.mark.parametrize("name", SIZES)
def test_site__has_orders_by_name_and_fixes_of_very_different_length(name):
    network = load_network(name)
    scenario = network.scenario
    worth = host_worth(network)
    dearest = {kind: worth[network.host_unit_type == i].max() for i, kind in enumerate(network.unit_types)}
    by_worth = [dearest[kind] for kind in scenario.workflows["by-worth"]]
    assert by_worth == sorted(by_worth, reverse=True) and len(scenario.workflows) >= 5
    steps = [steps_of(scenario, "restore", host) for host in network.hosts]
    assert min(steps) > 1 and max(steps) >= 2.5 * min(steps)


@pytest.mark.parametrize("name", SIZES)
def test_way_of_b_line__goes_over_several_subnets_to_the_goal(name):
    network = load_network(name)
    hosts, red = network.scenario.hosts, network.scenario.red
    for way in network.b_line_way.hosts:
        assert way[-1] == red.goal and len({hosts[host].subnet for host in way}) >= 2
    assert hosts[red.goal].subnet != hosts[red.start].subnet


@pytest.mark.parametrize("name", SIZES)
def test_site__is_neither_safe_nor_hopeless_and_the_order_of_fixing_matters(name):
    network = load_network(name)
    subnets = [host.subnet for host in network.scenario.hosts.values()]
    elsewhere = np.array(subnets) != network.scenario.hosts[network.scenario.red.start].subnet
    ranges = []
    for red_agent in ATTACKERS:
        asleep, held = play(network, red_agent, None)
        assert asleep < -500 and held[:, elsewhere].any(axis=1).mean() > 0.9
        fixed = [play(network, red_agent, workflow)[0] for workflow in network.scenario.workflows]
        assert max(fixed) > 0.6 * asleep
        ranges.append(max(fixed) - min(fixed))
    assert max(ranges) > 50
