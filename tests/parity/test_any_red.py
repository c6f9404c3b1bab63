"""Recorded episodes in which red does what no script does: anything, or its way to the goal with interruptions."""

from pathlib import Path

import numpy as np
import pytest

from cageflow.envs.options import RULES
from cageflow.parity.replay import replay
from cageflow.parity.report import format_report
from cageflow.scenario import RedKind, default_network, is_cage2
from tests.helpers.recordings import Sample

SAMPLE = Sample(Path(__file__).parents[1] / "data" / "reds")
RECORDINGS, count = SAMPLE.recordings, SAMPLE.count
KINDS = [kind for kind in RedKind if kind != RedKind.SLEEP]


@pytest.mark.parametrize("name", RECORDINGS)
def test_recording__replays_without_a_mismatch(name):
    report = replay(RECORDINGS[name])
    assert report.mismatches == 0, format_report(report)
    assert report.steps > 0


@pytest.mark.parametrize("rules", RULES)
def test_sample__has_both_rule_sets_with_green_asleep_and_awake(rules):
    for green in (False, True):
        for red in ("random", "red_fuzz.py:RestlessRed"):
            assert count(lambda r: r.num_steps, rules=rules, green=green, red=red) > 0


def test_sample__has_cage2_and_other_networks():
    networks = {recording.network.fingerprint for recording in RECORDINGS.values()}
    assert len(networks) >= 3
    assert any(is_cage2(recording.network.identity) for recording in RECORDINGS.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_sample__has_every_kind_refused_failed_and_done(kind):
    fails = kind != RedKind.DISCOVER_NETWORK_SERVICES  # D-05
    assert count(lambda r: (r.red_kind == kind) & (r.red_valid == 0)) >= 20
    assert count(lambda r: (r.red_kind == kind) & (r.red_success == 1)) >= 20
    assert count(lambda r: (r.red_kind == kind) & (r.red_valid == 1) & (r.red_success == 0)) >= 5 * fails


def test_sample__goes_where_no_script_goes():
    def of_host(array, recording):
        """(E, T) the value of red's target before the step."""
        return np.take_along_axis(array[:, :-1], np.maximum(recording.red_target, 0)[:, :, None], axis=2)[:, :, 0]

    def exploits_what_it_holds(r):
        return (r.red_kind == RedKind.EXPLOIT_REMOTE_SERVICE) & (r.red_success == 1) & (of_host(r.user_sessions, r) > 1)

    def escalates_again(r):
        is_held = of_host(r.privileged_sessions, r) > 0
        return (r.red_kind == RedKind.PRIVILEGE_ESCALATE) & is_held & (r.escalate_session < 0) & (r.red_success == 1)

    def impacts_again(r):
        return (r.red_kind == RedKind.IMPACT) & (r.red_success == 1) & (r.ot_running[:, :-1] == 0)

    def attacks_its_start(r):
        return (r.red_kind == RedKind.EXPLOIT_REMOTE_SERVICE) & (r.red_target == r.network.tables.start)

    for what in (exploits_what_it_holds, escalates_again, impacts_again, attacks_its_start):
        assert count(what) >= 10, what.__name__


def test_red_that_is_given__is_no_agent_whose_choice_is_compared():
    recording = next(recording for recording in RECORDINGS.values() if is_cage2(recording.network.identity))
    assert set(np.unique(recording.red_kind)) == set(range(6))
    assert default_network().red_codec.number_of(recording.red_kind[0, 0], recording.red_target[0, 0]) >= 0


def test_sample__is_small():
    assert SAMPLE.num_bytes() < 150 * 1024
