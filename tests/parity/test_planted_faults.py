"""The recordings are a sample that notices a fault in any rule and in any fact of the network: each is planted."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from cageflow.parity.replay import replay
from cageflow.scenario import Network, load_scenario
from tests.helpers.planting import SOURCES
from tests.parity.planting import FAULTS, IN_NETWORK, IN_RULES, steps_that_show


def named(faults):
    return pytest.mark.parametrize("fault", faults, ids=lambda fault: fault.name)


@pytest.fixture(scope="module")
def replays_without_compilation():
    ran = subprocess.run(
        [sys.executable, "-m", "tests.parity.planting"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=220,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@named(IN_RULES)
def test_fault_in_a_rule__is_noticed(fault, replays_without_compilation):
    assert replays_without_compilation["found"][fault.name] > 0


def test_rules_without_a_fault__replay_in_plain_python(replays_without_compilation):
    assert replays_without_compilation["without a fault"] == 0


@named(IN_NETWORK)
def test_fault_in_the_network__is_noticed(fault, tmp_path):
    path = tmp_path / "network.yaml"
    path.write_text(fault.apply((SOURCES / fault.file).read_text(encoding="utf-8")), encoding="utf-8")
    recording = steps_that_show(fault)
    assert replay(recording, Network(load_scenario(path))).mismatches > 0
    assert replay(recording).mismatches == 0


def test_faults__have_names_of_their_own_and_lie_in_every_rule_file():
    assert [name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1] == []
    files = {fault.file.removeprefix("sim/") for fault in IN_RULES}
    assert files >= {"b_line.py", "blue.py", "green.py", "hosts.py", "meander.py", "observation.py", "red_actions.py"}
    assert files >= {"reward.py", "step.py"}
