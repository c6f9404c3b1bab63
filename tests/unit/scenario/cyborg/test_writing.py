"""A network is written as a scenario file of the original only where the original plays just that network."""

from typing import Any

import pytest

from cageflow.errors import UserError
from cageflow.scenario import Scenario, load_scenario
from cageflow.scenario.cyborg.importing import import_text
from cageflow.scenario.cyborg.writing import cyborg_text
from cageflow.scenario.writing import checked_network


def changed(path: str, value: Any) -> Scenario:
    """CAGE-2's network with another value at a place."""
    content = load_scenario().model_dump()
    *way, last = path.split("/")
    part: Any = content
    for step in way:
        part = part[step]
    part[last] = value
    return checked_network(content, "changed")


def test_cage2__is_written_and_read_again():
    assert import_text(cyborg_text(load_scenario()), load_scenario().name) == load_scenario()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("hosts/User4/confidentiality", "high"),
        ("hosts/Op_Server0/availability", "medium"),
        ("hosts/User4/reveals", ["Enterprise0", "Enterprise1", "Op_Host0"]),
        ("hosts/Op_Host1/reveals", ["Defender"]),
    ],
)
def test_change_that_the_original_can_have__is_written(path, value):
    scenario = changed(path, value)
    assert import_text(cyborg_text(scenario), scenario.name) == scenario


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("restore_cost", 2.0, "restore_cost"),
        ("values/low", 0.2, "values.low"),
        ("exploits/BlueKeep/weight", 9.0, "exploits.BlueKeep.weight"),
        ("subnets/Operational/guarded_by", ["Enterprise2"], "subnets.Operational.guarded_by"),
        ("subnets/Enterprise/guarded_by", ["User1"], "subnets.Enterprise.guarded_by"),
        ("red/meander_retreats", [["User1"]], "red.meander_retreats"),
        ("green_hosts", ["User1"], "green_hosts"),
        ("lost_on_restore", [], "lost_on_restore"),
        ("hosts/User1/brute_forceable", None, "hosts.User1: none of the original's images runs just this"),
        ("hosts/Op_Server0/service", "Pumps", "hosts.Op_Server0: none of the original's images"),
    ],
)
def test_network_that_the_original_cannot_have__is_refused_with_the_place(path, value, place):
    with pytest.raises(UserError, match=place):
        cyborg_text(changed(path, value))
