"""Free draws have the distribution of the original's, as counted in its recorded episodes."""

import json
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from cageflow.sim.draws import draw_chance, draw_member
from cageflow.sim.enums import Draw
from cageflow.sim.red_actions import choose_exploit, is_option
from tests.helpers.lab import Lab

COUNTED = json.loads((Path(__file__).parents[1] / "data" / "draws.json").read_text())
NUM_DRAWS = 40_000
MAX_Z = 4.0  # over some 150 comparisons, one false alarm in a hundred runs

pytestmark = pytest.mark.stat


@njit
def count_exploits(s, net, host, counts):
    for _ in range(NUM_DRAWS):
        counts[choose_exploit(s, net, host)] += 1


@njit
def count_members(s, mask, counts):
    for _ in range(NUM_DRAWS):
        counts[draw_member(s, Draw.RED_TARGET, mask)] += 1


@njit
def count_yes(s, draw, probability, counts):
    for _ in range(NUM_DRAWS):
        counts[np.int64(draw_chance(s, draw, probability))] += 1


def largest_z(recorded, drawn):
    """How far two rows of counts are apart, in standard errors of the share in which they differ most."""
    recorded, drawn = np.asarray(recorded, float), np.asarray(drawn, float)
    n, m = recorded.sum(), drawn.sum()
    pooled = (recorded + drawn) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return np.abs((recorded / n - drawn / m) / np.where(error > 0, error, 1)).max()


@pytest.mark.parametrize("row", COUNTED["exploit"], ids=lambda row: "+".join(row["options"]))
def test_exploits__are_tried_as_often_as_in_the_original(row):
    lab = Lab()
    host, tables = lab.host("User1"), lab.network.tables
    options = [lab.exploit(name) for name in row["options"]]
    for exploit in options:
        lab.s.ports_seen[host] |= tables["exploit_all"][exploit]
    assert [e for e in range(8) if is_option(lab.s, tables, host, e)] == options
    drawn = np.zeros(8, np.int64)
    count_exploits(lab.s, tables, host, drawn)
    assert drawn.sum() == drawn[options].sum()
    assert largest_z([row["counts"].get(name, 0) for name in row["options"]], drawn[options]) < MAX_Z


@pytest.mark.parametrize("name", COUNTED["member"])
def test_hosts__are_picked_as_often_as_in_the_original(name):
    recorded = COUNTED["member"][name]
    drawn = np.zeros(len(recorded), np.int64)
    count_members(Lab().s, (1 << len(recorded)) - 1, drawn)
    assert largest_z(recorded, drawn) < MAX_Z


@pytest.mark.parametrize(
    ("name", "draw", "probability"),
    [
        ("detection", Draw.DETECTION, Lab().network.scenario.detection_probability),
        ("green_wakes", 4, Lab().network.scenario.green_probability),
    ],
)
def test_chances__are_those_of_the_original(name, draw, probability):
    drawn = np.zeros(2, np.int64)
    count_yes(Lab().s, draw, probability, drawn)
    assert largest_z(COUNTED[name], drawn) < MAX_Z


def test_comparison__notices_a_favourite_of_another_weight_or_chance():
    rows = {"+".join(row["options"]): list(row["counts"].values()) for row in COUNTED["exploit"]}
    blue_keep, eternal_blue = rows["EternalBlue+BlueKeep"]
    assert largest_z([blue_keep, eternal_blue], [30_000, 10_000]) > MAX_Z  # the other favourite
    assert largest_z([blue_keep, eternal_blue], [8_000, 32_000]) > MAX_Z  # 80 % in place of 75 %
    assert largest_z(COUNTED["detection"], [4_000, 36_000]) > MAX_Z  # 90 % in place of 95 %
