"""The way of B_lineAgent: CAGE-2's table made from its way, ways found, and reasons why there is none."""

import pytest

from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.scenario import Network, RedKind, default_network
from cageflow.scenario.b_line import Way, find_way, make_stages
from cageflow.scenario.writing import network_text
from tests.helpers.small_networks import made_network, ssh_host

SWEEP, SCAN, EXPLOIT, ESCALATE, IMPACT = (RedKind(i) for i in range(1, 6))
HOP, SWEPT_HOP = [SCAN, EXPLOIT, ESCALATE], [SWEEP, SCAN, EXPLOIT, ESCALATE]
KINDS = [*SWEPT_HOP, *HOP, *SWEPT_HOP, *HOP, IMPACT]
CAGE2_WAY = Way(
    ("sweep", "reveal", "sweep", "reveal"),
    (
        ("User1", "Enterprise1", "Enterprise2", "Op_Server0"),
        ("User2", "Enterprise1", "Enterprise2", "Op_Server0"),
        ("User3", "Enterprise0", "Enterprise2", "Op_Server0"),
        ("User4", "Enterprise0", "Enterprise2", "Op_Server0"),
    ),
)


def test_cage2__has_the_fifteen_stages_of_the_original():
    tables, network = default_network().tables, default_network()
    assert tables["b_line_kind"].tolist() == KINDS
    assert tables["b_line_fallback"].tolist() == [0, 1, 2, 2, 2, 2, 5, 5, 5, 5, 9, 9, 9, 12, 13]
    assert int(tables["b_line_goal_stage"]) == 12
    assert int(tables["b_line_first"]) == network.host_mask(["User1", "User2", "User3", "User4"])
    for user, hop in (("User1", "Enterprise1"), ("User4", "Enterprise0")):
        column = tables["b_line_target"][:, network.hosts.index(user)].tolist()
        names = [
            network.subnets[i] if kind == SWEEP else network.hosts[i] for kind, i in zip(KINDS, column, strict=True)
        ]
        assert names == ["User", *[user] * 3, *[hop] * 3, "Enterprise", *["Enterprise2"] * 3, *["Op_Server0"] * 4]


def test_cage2__has_the_shortest_way_that_there_is():
    assert default_network().b_line_way == CAGE2_WAY
    assert find_way(default_network().scenario) == CAGE2_WAY


def way_of(network: Network) -> Way | str:
    return network.b_line_way


def test_way__leads_to_the_goal_next_door():
    network = made_network({"A": ssh_host("Lan"), "B": ssh_host("Lan", service="S")}, goal="B")
    assert way_of(network) == Way(("sweep",), (("B",),))
    assert network.tables["b_line_kind"].tolist() == [*SWEPT_HOP, IMPACT]
    assert network.tables["b_line_fallback"].tolist() == [0, 1, 2, 2, 3]


def test_way__takes_what_a_host_reveals_before_a_longer_sweep():
    hosts = {
        "A": ssh_host("Lan"),
        "B": ssh_host("Lan", reveals=["D"]),
        "C": ssh_host("Lan", reveals=["E"]),
        "D": ssh_host("Far", reveals=["E"]),
        "E": ssh_host("Deep", service="S"),
    }
    assert way_of(made_network(hosts, goal="E")) == Way(("sweep", "reveal"), (("C", "E"),))


def test_way__begins_with_what_the_first_host_reveals_where_it_has_no_neighbours():
    network = made_network({"A": ssh_host("Lan", reveals=["B"]), "B": ssh_host("Far", service="S")}, goal="B")
    assert way_of(network) == Way(("reveal",), (("B",),))
    assert network.tables["b_line_kind"].tolist() == [ESCALATE, *HOP, IMPACT]
    assert network.tables["b_line_target"][0].tolist() == [0, 0]


def test_way__goes_round_by_a_guard_where_the_straight_one_is_shut():
    hosts = {
        "A": ssh_host("Lan"),
        "B": ssh_host("Lan", reveals=["Goal", "Guard"]),
        "Guard": ssh_host("Mid", reveals=["Goal"]),
        "Goal": ssh_host("Deep", service="S"),
    }
    assert way_of(made_network(hosts, goal="Goal")) == Way(("sweep", "reveal"), (("B", "Goal"),))
    shut = made_network(hosts, goal="Goal", subnets={"Lan": {}, "Mid": {}, "Deep": {"guarded_by": ["Guard"]}})
    assert way_of(shut) == Way(("sweep", "reveal", "reveal"), (("B", "Guard", "Goal"),))


def test_way__needs_no_guard_that_red_begins_with():
    hosts = {
        "A": ssh_host("Lan"),
        "B": ssh_host("Lan", reveals=["Goal"]),
        "G": ssh_host("Mid"),
        "Goal": ssh_host("Deep", service="S"),
    }
    subnets = {"Lan": {}, "Mid": {}, "Deep": {"guarded_by": ["G"]}}
    assert isinstance(way_of(made_network(hosts, goal="Goal", subnets=subnets)), str)
    held = made_network(hosts, goal="Goal", subnets=subnets, red={"footholds": [{"host": "G"}]})
    assert way_of(held) == Way(("sweep", "reveal"), (("B", "Goal"),))


def test_host_that_hides_its_subnet__leads_to_no_sweep():
    hosts = {"A": ssh_host("Lan", reveals=["B"]), "B": ssh_host("Far"), "C": ssh_host("Far", service="S")}
    assert way_of(made_network(hosts, goal="C")) == Way(("reveal", "sweep"), (("B", "C"),))
    hosts["B"] = ssh_host("Far", reveals_subnet=False)
    assert way_of(made_network(hosts, goal="C")) == "no host that red can take from A on leads to red.goal, C"


def test_way__comes_back_to_a_host_once_a_guard_is_taken():
    hosts = {
        "A": ssh_host("Lan"),
        "B": ssh_host("Lan", reveals=["Goal", "Guard"]),
        "Guard": ssh_host("Mid", reveals=["B"]),
        "Goal": ssh_host("Deep", service="S"),
    }
    shut = made_network(hosts, goal="Goal", subnets={"Lan": {}, "Mid": {}, "Deep": {"guarded_by": ["Guard"]}})
    assert way_of(shut) == Way(("sweep", "reveal", "reveal", "reveal"), (("B", "Guard", "B", "Goal"),))


TWO_ROADS = {
    "A": ssh_host("Lan"),
    "B": ssh_host("Lan", reveals=["D", "C"]),
    "C": ssh_host("Mid", reveals=["Goal"]),
    "D": ssh_host("Mid", reveals=["Goal"]),
    "Goal": ssh_host("Deep", service="S"),
}


def test_of_two_ways_as_short__the_one_whose_hosts_come_first_in_the_file_counts():
    assert way_of(made_network(TWO_ROADS, goal="Goal")) == Way(("sweep", "reveal", "reveal"), (("B", "C", "Goal"),))


def test_given_way__takes_the_first_of_a_hop_that_the_host_before_reveals():
    hops = [{"to": ["B"], "by": "sweep"}, {"to": ["Goal", "D", "C"], "by": "reveal"}, {"to": ["Goal"], "by": "reveal"}]
    network = made_network(TWO_ROADS, goal="Goal", red={"b_line": hops})
    assert way_of(network) == Way(("sweep", "reveal", "reveal"), (("B", "D", "Goal"),))


def dead_end(host):
    hosts = TWO_ROADS | {"E": ssh_host("Lan"), "F": ssh_host("Mid")}
    hops = [{"to": ["B", "E"], "by": "sweep"}, {"to": ["C", "D"], "by": "reveal", "dead_ends": [host]}]
    return made_network(hosts, goal="Goal", red={"b_line": [*hops, {"to": ["Goal"], "by": "reveal"}]})


def test_given_way__stays_where_it_goes_no_further():
    network = dead_end("E")
    assert way_of(network) == Way(("sweep", "reveal", "reveal"), (("B", "C", "Goal"), ("E", "E", "E")))
    first = network.hosts.index("E")
    assert set(network.tables["b_line_target"][1:, first].tolist()) == {first}


@pytest.mark.parametrize("host", ["A", "C", "F"])
def test_dead_end__is_a_host_that_the_way_leads_to(host):
    with pytest.raises(ValueError, match=f"expected a host that the way leads to, got {host}"):
        dead_end(host)


def test_host_that_no_exploit_gets_into__is_no_hop():
    hosts = TWO_ROADS | {"C": ssh_host("Mid", reveals=["Goal"], processes=[])}
    assert way_of(made_network(hosts, goal="Goal")) == Way(("sweep", "reveal", "reveal"), (("B", "D", "Goal"),))


def test_way__of_as_many_hops_with_a_sweep_is_the_longer_one():
    hosts = {
        "A": ssh_host("Lan"),
        "B": ssh_host("Lan", reveals=["C", "D"]),
        "C": ssh_host("Deep"),
        "D": ssh_host("Mid", reveals=["Goal"]),
        "Goal": ssh_host("Deep", service="S"),
    }
    assert way_of(made_network(hosts, goal="Goal")) == Way(("sweep", "reveal", "reveal"), (("B", "D", "Goal"),))


def test_table__is_that_of_the_way():
    hosts = {
        "A": ssh_host("Lan"),
        "B": ssh_host("Lan", reveals=["Goal"]),
        "C": ssh_host("Lan", reveals=["Goal"]),
        "Goal": ssh_host("Deep", service="S"),
    }
    network = made_network(hosts, goal="Goal")
    assert way_of(network) == Way(("sweep", "reveal"), (("B", "Goal"), ("C", "Goal")))
    tables = network.tables
    assert tables["b_line_kind"].tolist() == [*SWEPT_HOP, *HOP, IMPACT]
    assert tables["b_line_fallback"].tolist() == [0, 1, 2, 2, 2, 2, 5, 6]
    assert int(tables["b_line_goal_stage"]) == 5
    assert int(tables["b_line_first"]) == 0b0110
    assert tables["b_line_target"][:, 1].tolist() == [0, 1, 1, 1, 3, 3, 3, 3]
    assert tables["b_line_target"][:, 2].tolist() == [0, 2, 2, 2, 3, 3, 3, 3]


BLIND = {"A": ssh_host("Lan"), "B": ssh_host("Lan"), "Goal": ssh_host("Deep", service="S")}
REASONS = {
    "no goal": (made_network(BLIND), "the network has no red.goal"),
    "no exploit": (
        made_network(BLIND | {"Goal": {**ssh_host("Deep", service="S"), "processes": []}}, goal="Goal"),
        "no exploit gets into red.goal, Goal",
    ),
    "closed": (
        made_network(BLIND, goal="Goal", subnets={"Lan": {}, "Deep": {"closed_to": ["Lan"]}}),
        "the subnet of red.goal, Goal, is closed to that of red.start, A",
    ),
    "not revealed": (made_network(BLIND, goal="Goal"), "no host that red can take from A on leads to red.goal, Goal"),
    "guarded": (
        made_network(BLIND, goal="Goal", subnets={"Lan": {}, "Deep": {"guarded_by": ["B"]}}),
        "no host that red can take from A on leads to red.goal, Goal, and one of B has to be taken on the way",
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_network_without_a_way__says_why(reason):
    network, says = REASONS[reason]
    assert network.b_line_way == says
    assert network.tables["b_line_kind"].tolist() == [RedKind.SLEEP]


@pytest.mark.parametrize("red_agent", ["bline", "mixed"])
def test_network_without_a_way__refuses_b_line_and_not_the_others(red_agent, tmp_path):
    path = tmp_path / "blind.yaml"
    path.write_text(network_text(REASONS["guarded"][0].scenario))
    with pytest.raises(UserError, match=r"B_lineAgent has no way through 'made': no host .* red\.b_line, or choose"):
        _ = GameOptions(red_agent, scenario=path).network
    assert GameOptions("meander", scenario=path).network.b_line_way == REASONS["guarded"][1]


def test_way_with_a_fault__would_be_another_table():
    scenario, network = default_network().scenario, default_network()
    swapped = Way(CAGE2_WAY.found_by, tuple((*way[:2], way[1], way[3]) for way in CAGE2_WAY.hosts))
    stages = make_stages(swapped, scenario, network.hosts, network.subnets)
    assert stages.targets != network.tables["b_line_target"].tolist()
