"""The playbook of a small policy: what is in it, its examples, and when it is played anew."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.analysis.playbook import (
    STREAM,
    Playbook,
    fitting_agent,
    idle_returns,
    make_playbook,
    returns_of,
    saved_playbook,
)
from cageflow.analysis.traces import trace_episodes
from cageflow.collect import EpisodeStream
from cageflow.collect.games import WorkflowSpec
from cageflow.envs.options import GameOptions
from cageflow.envs.single import Cage2Env
from cageflow.errors import UserError
from cageflow.learn.policy import Policy
from cageflow.runs.saved_run import read_run
from cageflow.scenario.orders import format_order
from tests.helpers.agents import policy, policy_file
from tests.unit.runs.run_folders import FIRST, write_run

OPTIONS = GameOptions("meander", max_steps=12)
WORKFLOW = WorkflowSpec(FIRST, 0.0, "any-session")
POLICY = policy(3, workflow=format_order(FIRST))


@pytest.fixture(scope="module")
def book() -> Playbook:
    return make_playbook(POLICY, OPTIONS, WORKFLOW, {"of": "a test"}, 120, 4)


def test_sums__agree_with_one_another(book: Playbook) -> None:
    assert len(book.returns) == len(book.compliance) == len(book.idle_returns) == book.num_episodes == 120
    assert sum(book.actions) == 120 * 12
    assert [sum(step) for step in book.opening] == [120] * 12
    assert np.sum(book.fixes) == np.sum(book.turns)
    assert [sum(size for _, size in host) for host in book.first_fix] == book.intrusions
    assert [sum(size for _, size in host) for host in book.eviction] == book.intrusions
    lost = sum(book.lost_tenths) + sum(book.lost_service_tenths) + sum(book.lost_restore_tenths)
    assert lost / 10 == pytest.approx(-sum(book.returns))


def test_tests_of_the_order_and_perturbed_starts__are_those_of_its_episodes(book: Playbook) -> None:
    (one,) = trace_episodes(PolicyAgent(POLICY), OPTIONS, EpisodeStream(4, STREAM).seeds(0, 120), WORKFLOW)
    assert book.tests["tested"] == one.tests[:, 0].mean()
    assert book.tests["contests"] == one.contests.mean(axis=0).tolist()
    perturbed = book.perturbed
    assert (perturbed["max_steps"], perturbed["episodes"]) == (12, 2 * 24)
    assert [(cell["start"], cell["red_agent"]) for cell in perturbed["cells"]] == [
        ("asleep", "RedMeanderAgent"),
        ("random", "RedMeanderAgent"),
    ]
    assert perturbed["mean"] < np.mean(book.returns)  # red is further than it lets red come
    assert perturbed["true_tested_fixes"] > book.tests["tested"]


def test_points__are_split_up_without_remainder_where_fixes_take_time() -> None:
    timed = replace(OPTIONS, durations="1,3,5,2")
    book = make_playbook(POLICY, timed, WORKFLOW, {}, 60, 4)
    lost = sum(book.lost_tenths) + sum(book.lost_service_tenths) + sum(book.lost_restore_tenths)
    assert lost / 10 == pytest.approx(-sum(book.returns))
    assert sum(book.actions) == 60 * 12 and np.sum(book.fixes) == np.sum(book.turns)
    assert 60 < book.busy_steps < 60 * 12 and sum(row[-1] for row in book.responses) > 0
    steps = [step for one in book.examples for step in one.replay.steps]
    assert any(name.startswith("Restore") for step in steps for name, *_ in step.under_way)
    assert any(name.startswith("Restore") for step in steps for name, *_ in step.ended)


def test_returns__are_those_of_the_policy_on_the_reports_own_episodes(book: Playbook) -> None:
    seeds = EpisodeStream(4, STREAM).seeds(0, 120)
    assert book.returns == returns_of(fitting_agent(POLICY, OPTIONS), OPTIONS, seeds)
    assert book.idle_returns == idle_returns(OPTIONS, seeds)


def test_examples__are_a_good_a_median_and_a_bad_episode_replayed_move_by_move(book: Playbook) -> None:
    ranked = sorted(book.returns)
    assert [(one.role, one.replay.env_return) for one in book.examples] == [
        ("good", ranked[113]),
        ("median", ranked[60]),
        ("bad", ranked[6]),
    ]
    for example in book.examples:
        env = Cage2Env(**OPTIONS.as_kwargs())
        env.reset(seed=example.replay.seed)
        for step in example.replay.steps:
            env.step(env.codec.encode(step.blue))
            assert (env.last_step().red_action, env.last_step().number) == (step.red, step.number)


def test_playbook__survives_its_file(book: Playbook) -> None:
    assert Playbook.from_json(json.loads(json.dumps(book.to_json()))) == book


def test_plain_ppo__has_no_compliance_and_no_turns() -> None:
    book = make_playbook(policy(3), OPTIONS, None, {}, 20, 0)
    assert (book.tests, book.perturbed) == ({}, {})
    assert (book.compliance, book.turns, book.departures, book.examples[0].replay.compliance) == ([], [], [], None)


def test_playbook_of_a_run__is_played_once_and_again_when_anything_changes(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run"))

    def played(episodes: int = 20, seed: int = 0) -> bool:
        return saved_playbook(run, run.policy(), episodes, seed)[1]

    assert [played(), played(), played(30), played(30), played(30, 1)] == [True, False, True, False, True]
    kept, _ = saved_playbook(run, run.policy(), 30, 1)
    assert kept.made_of["workflow"] == ["enterprise", "op_server", "user", "op_host", "defender"]
    policy_file(run.policy_path, 9, workflow=format_order(FIRST), max_steps=12)
    assert played(30, 1)
    (run.path / "playbook.json").write_text("{}")
    assert played(30, 1)


def test_policy_that_does_not_fit_the_game__is_refused() -> None:
    with pytest.raises(UserError, match="trained on the official observation, but corrected is asked for"):
        fitting_agent(policy(observation="official"), OPTIONS)
    *hidden, (weight, bias) = policy().layers
    small = Policy(replace(policy().card, network=None, sizes={}), [*hidden, (weight[:9], bias[:9])])
    with pytest.raises(UserError, match="it was made for another network"):
        fitting_agent(small, OPTIONS)
