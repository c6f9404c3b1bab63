"""What must hold on any network, of 2 to 63 hosts."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cageflow.scenario import RedAgent
from tests.helpers.network_runs import SIZES, Run, broken, network_of_size, play

ROOT = Path(__file__).resolve().parents[2]
LARGEST = SIZES[-1]


@pytest.mark.slow
def test_rules__hold_on_networks_of_all_sizes_and_plain_python_plays_as_compiled_code_does():
    # As plain Python, since every size is compiled anew: the largest alone is compiled here, with all that takes time.
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.helpers.network_runs", *map(str, SIZES)],
        cwd=ROOT,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=230,
    )
    assert ran.returncode == 0, ran.stderr
    hashes = dict(line.split() for line in ran.stdout.splitlines())
    assert set(hashes) == {str(size) for size in SIZES}
    assert hashes[str(LARGEST)] == play(LARGEST)


@pytest.mark.slow
@pytest.mark.parametrize("red", [RedAgent.B_LINE, RedAgent.MEANDER])
def test_batch__equals_its_games_one_by_one_on_the_largest_network(red):
    network, rng = network_of_size(LARGEST), np.random.default_rng(1)
    batch = Run(network, red, np.arange(8, dtype=np.uint64))
    singles = [Run(network, red, np.array([seed], np.uint64)) for seed in range(8)]
    for _ in range(150):
        actions = rng.integers(len(network.codec), size=8)
        batch.step(actions)
        assert not broken(batch, actions)
        for i, single in enumerate(singles):
            single.step(actions[i : i + 1])
            assert single.rewards[0] == batch.rewards[i] and np.array_equal(single.seen[0], batch.seen[i])
    assert batch.states["known_hosts"].max() > 1 << 40, "red gets around"


def test_largest_network__has_as_much_of_all_as_there_is_room_for():
    network = network_of_size(LARGEST)
    assert (len(network.hosts), len(network.ports), len(network.subnets)) == (63, 63, 15)
    assert (len(network.exploits), len(network.decoys), network.scenario.crews) == (32, 16, 3)
    assert network.tables.listening.dtype == np.int64


BREAK = {
    "the standing cost is that of what stands": lambda run: run.states["standing_cost"].__setitem__(1, 7),
    "the reward is the standing cost and the action's": lambda run: run.rewards.__setitem__(1, 3.0),
    "blue sees its table": lambda run: run.seen.__setitem__((1, 3), 1),
    "decoys open their ports": lambda run: run.states["decoys"].__setitem__((1, 0), 0x7FFF),
    "red keeps what it began with": lambda run: run.states["privileged"].__setitem__((1, 0), 0),
    "blue knows what it restored": lambda run: run.states["restored"].__setitem__(1, 1 << 62),
    "no more is under way than there are crews": lambda run: run.states["num_busy"].__setitem__(1, 4),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAK)
def test_check__reports_a_state_that_breaks_it(name):
    run = Run(network_of_size(LARGEST), RedAgent.MEANDER, np.arange(3, dtype=np.uint64))
    actions = np.zeros(3, np.int64)
    run.step(actions)
    assert broken(run, actions) == []
    BREAK[name](run)
    assert name in broken(run, actions)
