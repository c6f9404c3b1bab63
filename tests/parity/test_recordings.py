"""Recorded episodes of the original, replayed: the same observation, reward and state in every step."""

import dataclasses
from pathlib import Path

import pytest

from cageflow.envs.options import RULES
from cageflow.parity.replay import replay
from cageflow.parity.report import format_report
from cageflow.scenario import RedKind, default_network
from cageflow.scenario.red_agents import RED_AGENTS
from tests.helpers.recordings import Sample

SAMPLE = Sample(Path(__file__).parents[1] / "data")
RECORDINGS, count = SAMPLE.recordings, SAMPLE.count
CODEC = default_network().codec


@pytest.mark.parametrize("name", RECORDINGS)
def test_recording__replays_without_a_mismatch(name):
    report = replay(RECORDINGS[name])
    assert report.mismatches == 0, format_report(report)
    assert report.steps > 0


@pytest.mark.parametrize("red", RED_AGENTS)
@pytest.mark.parametrize("rules", RULES)
def test_sample__has_every_red_agent_under_both_rule_sets(rules, red):
    assert count(lambda r: r.num_episodes, rules=rules, red=red) >= 1


@pytest.mark.parametrize("rules", RULES)
def test_sample__has_green_awake_against_both_moving_red_agents(rules):
    for red in ("B_lineAgent", "RedMeanderAgent"):
        assert count(lambda r: r.green_scan >= 0, rules=rules, red=red, green=True) > 500


@pytest.mark.parametrize("action", range(145), ids=CODEC.names)
def test_sample__has_every_blue_action(action):
    assert count(lambda r: r.blue_action == action) >= 3


@pytest.mark.parametrize("kind", list(RedKind)[1:], ids=lambda kind: kind.name)
@pytest.mark.parametrize("red", ["B_lineAgent", "RedMeanderAgent"])
def test_sample__has_every_red_action_succeed_and_fail_where_it_can(red, kind):
    assert count(lambda r: (r.red_kind == kind) & (r.red_success == 1), red=red) >= 10
    if kind in (RedKind.EXPLOIT_REMOTE_SERVICE, RedKind.PRIVILEGE_ESCALATE, RedKind.IMPACT):
        assert count(lambda r: (r.red_kind == kind) & (r.red_success == 0), red=red) >= 3


@pytest.mark.parametrize("exploit", range(8), ids=default_network().exploits)
@pytest.mark.parametrize("rules", RULES)
def test_sample__has_every_exploit_succeed_and_fail_where_it_can(rules, exploit):
    assert count(lambda r: (r.exploit == exploit) & (r.red_success == 1), rules=rules) >= 3
    assert count(lambda r: (r.exploit == exploit) & (r.red_success == 0), rules=rules) >= 3 * (exploit != 5)


@pytest.mark.parametrize("decoy", range(8), ids=default_network().decoys)
def test_sample__has_every_decoy_planted_and_refused(decoy):
    def planted(success):
        return lambda r: (CODEC.decoy[r.blue_action] == decoy) & (r.blue_success == success)

    assert count(planted(1)) >= 20
    assert count(planted(0)) >= 20


def test_sample__has_undetected_shells_lost_services_and_steps_that_only_the_official_table_hides():
    assert count(lambda r: r.detected == 0) >= 50
    assert count(lambda r: r.ot_running == 0) >= 50
    assert count(lambda r: (r.ot_running[:, 1:] == 1) & (r.ot_running[:, :-1] == 0)) >= 5
    assert count(lambda r: (r.obs != r.obs_official).any(axis=2)) >= 20


def test_sample__is_small():
    assert SAMPLE.num_bytes() < 600 * 1024


def test_replay_of_the_sample__notices_a_single_changed_bit():
    recording = RECORDINGS["v2.1_RedMeanderAgent_quiet_100"]
    obs = recording.obs.copy()
    obs[7, 50, 21] ^= 1
    report = replay(dataclasses.replace(recording, obs=obs))
    assert (report.mismatches, report.field_mismatches["obs"]) == (1, 1)
    assert (report.earliest.episode, report.earliest.step, report.earliest.host) == (7, 50, 5)
