"""Lockstep with an installed CybORG: what it plays under policies of our own replays without a mismatch.

Left out where CAGEFLOW_CYBORG_PATH is not set. CAGEFLOW_FUZZ_SEED and CAGEFLOW_FUZZ_EPISODES widen the search.
"""

import os

import pytest

from cageflow.envs.cyborg import cyborg_rules
from cageflow.parity.blue_policies import POLICIES
from cageflow.parity.recorder import record_episodes
from cageflow.parity.replay import replay
from cageflow.parity.report import format_report
from tests.helpers.red_fuzz import RestlessRed

SEED = int(os.environ.get("CAGEFLOW_FUZZ_SEED", "20260101"))
EPISODES = int(os.environ.get("CAGEFLOW_FUZZ_EPISODES", "1"))


@pytest.mark.cyborg
@pytest.mark.parametrize("green", [False, True], ids=["green asleep", "green awake"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("red", ["B_lineAgent", "RedMeanderAgent", "random", RestlessRed()])
def test_episodes_of_cyborg__replay_without_a_mismatch(cyborg_path, red, policy, green):
    recording = record_episodes(
        cyborg_path,
        rules=cyborg_rules(cyborg_path),
        red_agent=red,
        policy=policy,
        green=green,
        seed=SEED,
        episodes=EPISODES,
        max_steps=120,
    )
    report = replay(recording)
    assert report.mismatches == 0, format_report(report)
    assert report.steps == 120 * EPISODES
