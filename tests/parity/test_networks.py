"""Recorded episodes of the original on other networks than CAGE-2's: each carries its network, and replays exactly."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from cageflow.parity.replay import POSSIBLE_DRAWS, replay
from cageflow.parity.report import format_report
from cageflow.scenario import BlueKind, Network, load_network
from tests.helpers.recordings import Sample

RECORDINGS = Sample(Path(__file__).parents[1] / "data" / "networks").recordings


@pytest.mark.parametrize("name", RECORDINGS)
def test_recording__replays_without_a_mismatch_on_the_network_that_it_carries(name):
    report = replay(RECORDINGS[name])
    assert report.mismatches == 0, format_report(report)
    assert report.steps > 0


def test_sample__has_networks_of_other_sizes_and_kinds():
    networks = [recording.network for recording in RECORDINGS.values()]
    assert {len(network.hosts) for network in networks} >= {10, 12, 13, 21}
    scenarios = [network.scenario for network in networks]
    assert any(scenario.red.footholds for scenario in scenarios)
    assert any(scenario.red.knows for scenario in scenarios)
    assert any(subnet.closed_to for scenario in scenarios for subnet in scenario.subnets.values())
    assert any(not host.reveals_service for scenario in scenarios for host in scenario.hosts.values())
    assert any(sum(host.service is not None for host in scenario.hosts.values()) > 1 for scenario in scenarios)
    assert any(scenario.green_probability < 0.5 for scenario in scenarios)
    assert any(recording.meta.scenario for recording in RECORDINGS.values())
    assert any(recording.meta.network_file for recording in RECORDINGS.values())


def test_cage1__chooses_its_decoys_by_chance_and_each_in_some_step():
    seen = 0
    for name, recording in RECORDINGS.items():
        if name.startswith("Scenario1b"):
            assert recording.network.scenario.decoys == load_network("cage1").scenario.decoys
            assert (recording.network.codec.kind[recording.blue_action] == BlueKind.DECOY).any()
            seen |= int(np.bitwise_or.reduce(recording.decoys, axis=None))
    assert seen == 0b11111


def changed(name: str, content: dict) -> int:
    """Mismatches of a recording on its network with a change."""
    recording = RECORDINGS[name]
    scenario = recording.network.scenario.model_dump()
    for path, value in content.items():
        *way, last = path.split("/")
        part = scenario
        for step in way:
            part = part[step]
        part[last] = value
    return replay(recording, Network(type(recording.network.scenario).model_validate(scenario))).mismatches


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("closed_v2.1_RedMeanderAgent", {"subnets/Operational/closed_to": []}),
        ("foothold_user1_v2.1_RedMeanderAgent", {"red/footholds": []}),
        ("knows_more_v2.1_RedMeanderAgent", {"red/knows": None}),
        ("hidden_service_v2.1_RedMeanderAgent", {"hosts/Op_Server0/reveals_service": True}),
        ("shut_in_v2.1_RedMeanderAgent", {"red/footholds": []}),
    ],
)
def test_fault_in_the_network__is_noticed(name, content):
    assert changed(name, content) > 0


def test_decoy_that_cannot_be_planted__is_no_possible_draw():
    recording = RECORDINGS["Scenario1b_v2.1_RedMeanderAgent"]
    kinds = recording.network.codec.kind[recording.blue_action]
    new = recording.decoys[:, 1:] & ~recording.decoys[:, :-1]
    episode, step, host = np.argwhere((kinds == BlueKind.DECOY)[:, :, None] & (new > 0))[0]
    decoys = recording.decoys.copy()
    fits = int(recording.network.tables.decoy_fits[host])
    wrong = next(d for d in range(5) if not fits >> d & 1)
    decoys[episode, step + 1, host] = 1 << wrong
    report = replay(dataclasses.replace(recording, decoys=decoys))
    assert report.field_mismatches[POSSIBLE_DRAWS] == 1
