"""What is said and drawn of a network."""

import io
import xml.etree.ElementTree as ET

from rich.console import Console

from cageflow.report.network.facts import Facts
from cageflow.report.network.picture import network_svg
from cageflow.report.network.table import network_tables
from cageflow.scenario import Network, default_network
from cageflow.scenario.durations import KINDS, NAMED
from cageflow.scenario.writing import checked_network

SVG = "{http://www.w3.org/2000/svg}"


def titles(network: Network) -> list[str]:
    return [title.text or "" for title in ET.fromstring(network_svg(network)).iter(f"{SVG}title")]


def test_facts__say_sizes_orders_and_what_withstands():
    facts = Facts(default_network())
    assert facts.attacks["User2"] == {"EternalBlue": "privileged", "BlueKeep": "user"}
    assert facts.sentences()[1:] == [
        "Unit types: defender, enterprise, op_server, op_host, user; 120 orders of them.",
        "Blue has 145 actions and sees 52 bits.",
        "No exploit works on Defender.",
        "B_lineAgent goes User1 > Enterprise1 > Enterprise2 > Op_Server0, or so.",
    ]
    assert facts.to_json() | {"hosts": 0, "unit_types": 0} == {
        "name": "CAGE Challenge 2, Scenario2",
        "fingerprint": default_network().fingerprint,
        "hosts": 0,
        "subnets": ["Enterprise", "Operational", "User"],
        "unit_types": 0,
        "orders": 120,
        "num_actions": 145,
        "num_observations": 52,
        "durations": dict.fromkeys(KINDS, 1),
        "crews": 1,
    }


def test_durations_and_crews__are_said_where_they_are_not_one():
    timed = default_network().with_durations(NAMED["blue-cage4"]).scenario.model_dump(exclude_defaults=True)
    timed["crews"] = 2
    timed["hosts"]["User1"]["durations"] = {"restore": 9}
    facts = Facts(Network(checked_network(timed, "x")))
    steps = "Actions take several steps (analyse 2, remove 3, restore 5, decoy 2)"
    assert facts.sentences()[3] == f"{steps}, other numbers on 1 host, and blue has 2 crews."
    out = io.StringIO()
    Console(file=out, width=200).print(network_tables(facts.network))
    assert out.getvalue().endswith("Steps on single hosts: restore 9 on User1.\n")
    assert (facts.to_json()["durations"]["restore"], facts.to_json()["crews"]) == (5, 2)


def test_closed_subnet_and_missing_way__are_said():
    content = default_network().scenario.model_dump()
    content["subnets"]["Operational"] = {"closed_to": ["User"]}
    content["red"]["b_line"] = None
    network = Network(checked_network(content, "x"))
    assert Facts(network).sentences()[-1].startswith("B_lineAgent cannot play here: ")
    assert "Operational: never opens" in titles(network)


def test_table__has_every_host_its_worth_and_what_it_tells_of():
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(network_tables(default_network()))
    text = console.export_text()
    assert "Op_Server0 (red's goal)" in text and "1, OTService 10" in text
    assert "Operational, opens while red holds Enterprise0 or Enterprise1 or Enterprise2" in text
    assert all(host in text for host in default_network().hosts)


def test_picture__has_a_box_for_each_host_and_an_arrow_for_what_it_tells_of():
    found = titles(default_network())
    assert found[0] == "CAGE Challenge 2, Scenario2"
    assert sum(": " in title and ", worth " in title for title in found) == 13
    assert [title for title in found if " tells of " in title] == [
        "Enterprise2 tells of Op_Server0",
        "User1 tells of Enterprise1",
        "User2 tells of Enterprise1",
        "User3 tells of Enterprise0",
        "User4 tells of Enterprise0",
    ]
    assert "Operational: opens while red holds Enterprise0 or Enterprise1 or Enterprise2" in found


def test_picture__survives_names_that_mean_something_in_svg():
    content = default_network().scenario.model_dump() | {"name": "<b>&"}
    content["hosts"]["A<very&long>name-that-no-box-has-room-for"] = dict(content["hosts"]["Op_Host0"])
    network = Network(checked_network(content, "x"))
    assert titles(network)[0] == "<b>&"
    assert any("A<very&long>name-that-no-box-has-room-for: op_host" in title for title in titles(network))
