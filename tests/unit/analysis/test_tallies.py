"""Counts of made-up steps, and of real ones."""

import numpy as np
import pytest

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.analysis.tallies import (
    RESPONSES,
    count_actions,
    count_fixes,
    count_held_steps,
    count_opening,
    count_responses,
    price,
)
from cageflow.analysis.traces import trace_episodes
from cageflow.collect import EpisodeStream
from cageflow.envs.options import GameOptions
from tests.helpers.agents import NETWORK, policy
from tests.unit.analysis.made_traces import trace

USER1, USER2, GOAL = (NETWORK.hosts.index(name) for name in ("User1", "User2", "Op_Server0"))


def test_actions_and_opening() -> None:
    one = trace(["Sleep", "Restore User1", "Sleep"])
    sleep, restore = NETWORK.codec.encode("Sleep"), NETWORK.codec.encode("Restore User1")
    counts = count_actions(NETWORK, one)
    assert (counts[sleep], counts[restore], counts.sum()) == (2, 1, 3)
    opening = count_opening(NETWORK, one)
    assert (opening.shape[0], opening[1, restore], opening[2, sleep]) == (3, 1, 1)


def test_steps_held__are_told_apart_by_level() -> None:
    user, privileged = count_held_steps(trace(["Sleep"] * 4, held={"User1": [1, 2]}, privileged={"User1": [3]}))
    assert (user[USER1], privileged[USER1], privileged[NETWORK.hosts.index("User0")]) == (2, 1, 4)


def test_fixes__are_told_apart_by_whether_red_was_there_before() -> None:
    one = trace(["Remove User1", "Remove User1", "Restore User1", "Restore User2"], held={"User1": [1, 2]})
    removes, restores = count_fixes(NETWORK, one)
    assert (removes[0, USER1], removes[1, USER1]) == (1, 1)  # first in vain, then not
    assert (restores[0, USER2], restores[1, USER1], restores.sum()) == (1, 1, 2)


@pytest.mark.parametrize(
    ("answer", "response"),
    [
        ("Analyse User1", "analyse it"),
        ("Remove User1", "remove"),
        ("Restore User1", "restore"),
        ("DecoyApache User1", "decoy on it"),
        ("Restore User2", "another host"),
        ("Monitor", "nothing"),
    ],
)
def test_response__is_the_action_of_the_next_step(answer: str, response: str) -> None:
    one = trace(["Restore User1", answer, "Restore User1"], alarms={"User1": [1]})
    counts = count_responses(NETWORK, one)
    assert counts[USER1].tolist() == [int(name == response) for name in RESPONSES]


def test_alarm_of_the_last_step__has_no_response() -> None:
    assert count_responses(NETWORK, trace(["Sleep", "Sleep"], alarms={"User1": [2]})).sum() == 0


def test_price__is_that_of_the_scenario() -> None:
    one = trace(["Restore User1", "Sleep", "Restore User1"], privileged={"Op_Server0": [1, 2]}, service_down=[3])
    held, down, restores = price(NETWORK, one)
    assert (held[GOAL], held[NETWORK.hosts.index("User0")]) == (20, 0)  # medium: 1 a step; none: 0
    assert (down[GOAL], down.sum(), restores[USER1], restores.sum()) == (100, 100, 20, 20)


@pytest.mark.parametrize("red_agent", ["bline", "meander"])
def test_price__leaves_nothing_of_the_returns_over(red_agent: str) -> None:
    seeds = EpisodeStream(5, "test").seeds(0, 40)
    (one,) = trace_episodes(PolicyAgent(policy()), GameOptions(red_agent, max_steps=60), seeds, None)
    held, down, restores = price(NETWORK, one)
    assert down.sum() > 0 or red_agent == "meander"
    assert (held.sum() + down.sum() + restores.sum()) / 10 == pytest.approx(-one.returns.sum())
    assert np.count_nonzero(restores) > 3
