"""Recorded episodes of the sleepy red agents of King et al., which ours choose again from their own memory."""

from pathlib import Path

import numpy as np
import pytest

from cageflow.envs.options import RULES
from cageflow.parity.replay import replay
from cageflow.parity.report import format_report
from cageflow.scenario import RedKind
from tests.helpers.recordings import Sample

RECORDINGS = Sample(Path(__file__).parents[1] / "data" / "sleepy").recordings


@pytest.mark.parametrize("name", RECORDINGS)
def test_recording__replays_without_a_mismatch(name):
    report = replay(RECORDINGS[name])
    assert report.mismatches == 0, format_report(report)
    assert report.steps > 0


def test_sample__has_both_agents_under_both_rules_asleep_and_at_work():
    assert {(one.meta.rules, one.meta.red) for one in RECORDINGS.values()} == {
        (rules, red) for rules in RULES for red in ("sleepy-bline", "sleepy-meander")
    }
    for recording in RECORDINGS.values():
        asleep = recording.red_kind == RedKind.SLEEP
        if recording.meta.red == "sleepy-bline":
            assert set(asleep.mean(axis=1)) == {0.0, 1.0}
        else:
            assert (asleep.sum(axis=1) > 0).any()
            later = np.argmax(recording.red_kind == RedKind.DISCOVER_NETWORK_SERVICES, axis=1)
            assert any(row[step:].any() for row, step in zip(asleep, later, strict=True)), "before a later sweep too"
