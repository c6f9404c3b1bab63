"""Recorded episodes are those of every evaluation, and their truth holds together."""

import numpy as np
import pytest

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.analysis import traces as module
from cageflow.analysis.traces import FOLLOWS, NO_FIX, Trace, trace_episodes
from cageflow.collect import EpisodeStream, GameSpec, WorkflowSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.inspection import Access
from cageflow.envs.options import GameOptions
from cageflow.evaluation.episodes import play_episodes
from cageflow.scenario import BlueKind
from tests.helpers.agents import NETWORK, policy
from tests.helpers.orders import parse_order

WORKFLOW = WorkflowSpec(parse_order("enterprise,op_server,user,op_host,defender"), 0.0, "any-session")
SEEDS = EpisodeStream(5, "test").seeds(0, 60)
OPTIONS = GameOptions("bline", max_steps=40)


@pytest.fixture(scope="module")
def one() -> Trace:
    (trace,) = trace_episodes(PolicyAgent(policy()), OPTIONS, SEEDS, WORKFLOW)
    return trace


def test_recorded_episodes__are_those_of_an_evaluation(one: Trace) -> None:
    games = make_games(GameSpec(OPTIONS, masked=True))
    played = play_episodes(PolicyAgent(policy()), games, SEEDS, WORKFLOW)
    assert np.array_equal(one.returns, played.returns)
    assert np.array_equal(one.compliance, played.compliance)
    assert len(np.unique(one.returns)) > 5


def test_batches__do_not_change_the_episodes(one: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS_AT_ONCE", 40 * 25)
    parts = list(trace_episodes(PolicyAgent(policy()), OPTIONS, SEEDS, WORKFLOW))
    assert [len(part.compliance) for part in parts] == [25, 25, 10]
    assert np.array_equal(np.concatenate([part.actions for part in parts], axis=1), one.actions)


def test_verdicts__amount_to_the_compliance(one: Trace) -> None:
    kinds = NETWORK.codec.kind[one.actions]
    assert np.array_equal(one.verdicts != NO_FIX, np.isin(kinds, (BlueKind.REMOVE, BlueKind.RESTORE)))
    fixes = (one.verdicts != NO_FIX).sum(axis=0)
    share = (one.verdicts == FOLLOWS).sum(axis=0) / np.maximum(fixes, 1)
    assert np.array_equal(np.where(fixes == 0, 0.5, share), one.compliance)
    assert 0.0 < one.compliance.mean() < 1.0


def test_between_blue_and_red__only_the_fixed_host_can_have_lost_its_sessions(one: Trace) -> None:
    held_before, held_after = one.access[:-1] != Access.NONE, one.access[1:] != Access.NONE
    lost = held_before & ~one.left
    steps, episodes, hosts = np.nonzero(lost)
    actions = one.actions[steps, episodes]
    assert len(steps) > 20
    assert np.isin(NETWORK.codec.kind[actions], (BlueKind.REMOVE, BlueKind.RESTORE)).all()
    assert np.array_equal(NETWORK.codec.host[actions], hosts)
    assert not (one.left & ~held_before).any()  # red gains nothing while blue acts
    assert not (one.left & ~held_after).any()  # and blue takes nothing while red does


def test_restore__always_evicts_and_red_may_be_back_in_the_same_step() -> None:
    restore = NETWORK.codec.encode("Restore Enterprise0")
    user = NETWORK.codec.encode("Restore User0")

    class Restorer:
        max_envs = None

        def reset(self, seeds: np.ndarray) -> None:
            self.seeds = seeds

        def act(self, view: object) -> np.ndarray:
            return np.where(np.arange(len(self.seeds)) % 2, restore, user)

    (played,) = trace_episodes(Restorer(), OPTIONS, SEEDS, None)
    start, target = NETWORK.hosts.index("User0"), NETWORK.hosts.index("Enterprise0")
    assert played.left[:, :, start].all()  # red cannot be evicted from there
    assert not played.left[:, 1::2, target].any()
    assert (played.access[1:, 1::2, target] != Access.NONE).any()
    assert (played.verdicts == NO_FIX).all()
    assert np.isnan(played.compliance).all()
