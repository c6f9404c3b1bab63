"""A recording says all that chance decides: forced to it, any other random stream plays the same episode."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cageflow.envs.options import RULES
from cageflow.parity.replay import replay
from cageflow.scenario.red_agents import RED_AGENTS
from tests.helpers.recordings import record_simulator, with_seed


@settings(max_examples=30)
@given(
    rules=st.sampled_from(RULES),
    red=st.sampled_from(list(RED_AGENTS)),
    green=st.booleans(),
    seed=st.integers(0, 2**31),
    other_seed=st.integers(0, 2**31),
    steps=st.integers(1, 150),
)
def test_free_episodes__replay_under_any_other_stream(rules, red, green, seed, other_seed, steps):
    recording = record_simulator(rules, red, green, seed, episodes=3, steps=steps)
    assert replay(with_seed(recording, other_seed)).mismatches == 0


@pytest.mark.parametrize("red", ["B_lineAgent", "RedMeanderAgent"])
def test_free_episodes_with_other_seeds__are_not_the_same(red):
    first, second = (record_simulator(red=red, seed=seed, green=False) for seed in (1, 2))
    assert (first.red_target != second.red_target).any()
