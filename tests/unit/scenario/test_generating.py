"""Generated networks are sound, differ by seed alone, and can be played in the original."""

import pytest

from cageflow.errors import UserError
from cageflow.scenario import ExploitEffect, Network
from cageflow.scenario.cyborg.importing import import_text
from cageflow.scenario.cyborg.writing import cyborg_text
from cageflow.scenario.generating import generate_network
from cageflow.scenario.schema import Scenario

SIZES = [(5, 2, 3), (6, 3, 3), (9, 3, 4), (13, 3, 5), (20, 4, 6), (30, 6, 8)]


def reached(scenario: Scenario) -> set[str]:
    """The hosts that red can come to hold: found by a sweep or by what a host reveals, reachable, and exploitable."""
    effect = Network(scenario).tables.effect[0]
    yields = {host for h, host in enumerate(scenario.hosts) if (effect[:, h] >= ExploitEffect.USER.value).any()}
    held, known, more = {scenario.red.start}, {scenario.red.start}, True
    while more:
        subnets = {scenario.hosts[host].subnet for host in held}
        known |= {host for host, content in scenario.hosts.items() if content.subnet in subnets}
        known |= {other for host in held for other in scenario.hosts[host].reveals}
        is_open = {
            name: not subnet.guarded_by or held & set(subnet.guarded_by) for name, subnet in scenario.subnets.items()
        }
        new = {host for host in known & yields if is_open[scenario.hosts[host].subnet]} - held
        held, more = held | new, bool(new)
    return held


@pytest.mark.parametrize("seed", range(100))
def test_network__is_as_large_as_asked_and_has_a_way_to_its_goal(seed):
    hosts, subnets, types = SIZES[seed % len(SIZES)]
    scenario = generate_network(hosts, subnets, types, seed)
    assert (len(scenario.hosts), len(scenario.subnets)) == (hosts, subnets)
    assert len({host.unit_type for host in scenario.hosts.values()}) == types
    assert scenario.red.goal in reached(scenario)
    gates = [name for name, host in scenario.hosts.items() if scenario.red.goal in host.reveals]
    servers = [name for name in scenario.hosts if name.startswith("Enterprise")]
    assert len(gates) >= min(2, len(servers) - 1)  # redundancy, where there are servers for it


def test_seed__decides_all():
    one, same, other = (generate_network(20, 4, 5, seed) for seed in (1, 1, 2))
    assert one.model_dump_json() == same.model_dump_json()
    assert one.model_dump(exclude={"name"}) != other.model_dump(exclude={"name"})


def test_network_of_a_seed__stays_what_it_is():
    """Whoever names a network by its numbers means this one."""
    hosts = generate_network(8, 3, 4, 0).hosts
    assert {name: host.reveals for name, host in hosts.items() if host.reveals} == {
        "Enterprise0": ["Op_Server0"],
        "Enterprise2": ["Op_Server0"],
        "User1": ["Enterprise1"],
        "User2": ["Enterprise1"],
    }
    assert [host.os for host in hosts.values()] == ["linux"] + ["windows"] * 2 + ["linux"] * 2 + ["windows"] + [
        "linux"
    ] * 2


def test_two_types__are_users_and_servers():
    scenario = generate_network(12, 3, 2, 0)
    assert {host.unit_type for host in scenario.hosts.values()} == {"user", "server"}


def test_types__differ_in_worth_and_exposure():
    scenario = generate_network(30, 4, 5, 0)
    worth = {host.unit_type: host.confidentiality for host in scenario.hosts.values() if host.subnet != "User"}
    assert len(set(worth.values())) > 1
    ports = {unit_type: set() for unit_type in worth}
    for host in scenario.hosts.values():
        ports.setdefault(host.unit_type, set()).update(port for process in host.processes for port in process.ports)
    assert len({frozenset(found) for found in ports.values()}) > 2


@pytest.mark.parametrize("size", SIZES)
def test_scenario_file_of_the_original__is_read_as_the_same_network(size):
    scenario = generate_network(*size, 7)
    assert import_text(cyborg_text(scenario), scenario.name).model_dump_json() == scenario.model_dump_json()


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((20, 1, 5, 0), "--subnets is 1: expected a whole number from 2 to 16"),
        ((20, 3, 9, 0), "--types is 9: expected a whole number from 2 to 8"),
        ((20, 3, 1, 0), "--types is 1: expected a whole number from 2 to 8"),
        ((5, 3, 5, 0), "--hosts is 5: expected a whole number from 6 to 63 for 3 subnets and 5 types"),
        ((64, 3, 5, 0), "--hosts is 64: expected a whole number from 6 to 63"),
        ((20, 3, 5, -1), "--seed is -1: expected a whole number from 0"),
    ],
)
def test_number_out_of_range__is_refused(numbers, words):
    with pytest.raises(UserError, match=words):
        generate_network(*numbers)
