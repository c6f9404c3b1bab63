"""Free runs: mean returns agree with the original's, for every rule set, red agent and simple policy measured there."""

from types import SimpleNamespace

import numpy as np
import pytest

from cageflow.parity.blue_policies import POLICIES as RECORDED_POLICIES
from cageflow.scenario import default_network
from tests.helpers import free_run
from tests.helpers.free_run import CELLS, POLICIES, compare

NUM_EPISODES = 20_000
MAX_Z = 3.0


@pytest.mark.stat
@pytest.mark.parametrize(("rules", "red", "policy"), CELLS)
def test_mean_return__is_within_three_standard_errors_of_the_originals(rules, red, policy):
    cell = compare(rules, red, policy, NUM_EPISODES)
    assert abs(cell.z) < MAX_Z, cell


def test_cells__are_both_rule_sets_against_both_red_agents_under_four_policies():
    assert len(CELLS) == 2 * 2 * 4


@pytest.mark.stat
@pytest.mark.parametrize(
    ("rules", "red", "policy", "other_rules"),
    [("v2.1", "B_lineAgent", "restore", "challenge"), ("challenge", "RedMeanderAgent", "restore", "v2.1")],
)
def test_comparison__tells_the_rule_sets_apart(rules, red, policy, other_rules, monkeypatch):
    monkeypatch.setitem(free_run.RETURNS, rules, free_run.RETURNS[other_rules])
    assert abs(compare(rules, red, policy, NUM_EPISODES).z) > MAX_Z


@pytest.mark.parametrize("name", ["sleep", "restore", "remove"])
def test_batched_policy__is_the_one_that_episodes_are_recorded_with(name):
    rng = np.random.default_rng(0)
    observations = (rng.random((200, 52)) < 0.05).astype(np.uint8)
    batched = POLICIES[name](observations, rng)
    env = SimpleNamespace(network=default_network())
    single = [RECORDED_POLICIES[name](env, row, 0, rng) for row in observations]
    assert batched.tolist() == single
