"""Made-up networks, from the file to the report; `make test-networks` does the same with all 200."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cageflow.scenario import Network, load_scenario
from tests.helpers.made_networks import NASTY, make_network, write_network

ROOT = Path(__file__).resolve().parents[2]
LIVED = ("80", "107")
"""Seeds of networks of 7 and 4 hosts, plain with masks and by an order; tests/property plays on large ones."""


@pytest.mark.slow
def test_network__of_any_size_and_names_is_trained_on_evaluated_reported_exported_and_played() -> None:
    # As plain Python, since every size of network is compiled anew.
    ran = subprocess.run(
        [sys.executable, "-m", "tests.helpers.lifecycle", *LIVED],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=230,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.split("\n")[:-1] == [f"network {seed}: ok" for seed in LIVED]


def test_actions__of_made_networks_encode_back(tmp_path: Path) -> None:
    for seed in range(0, 200, 7):
        codec = Network(load_scenario(write_network(tmp_path, seed))).codec
        assert [codec.encode(name) for name in codec.names] == list(range(len(codec)))


def test_made_networks__are_of_every_size_and_have_every_name() -> None:
    made = [make_network(seed) for seed in range(200)]
    assert {len(one["hosts"]) for one in made} == set(range(2, 17))
    assert {len(one["decoys"]) for one in made} == set(range(9))
    assert {name for one in made for name in one["hosts"]} >= set(NASTY)
    left_out = [
        {"guarded_by"} - {key for one in made for subnet in one["subnets"].values() for key in subnet},
        {"property", "os", "technique", "scan_any"} - {k for one in made for e in one["exploits"].values() for k in e},
        {"free_port", "os", "properties"} - {k for one in made for d in one["decoys"].values() for k in d},
        {"brute_forceable", "availability", "reveals"} - {k for one in made for h in one["hosts"].values() for k in h},
    ]
    assert left_out == [set()] * 4
