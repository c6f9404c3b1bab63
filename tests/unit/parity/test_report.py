"""What a person reads of a replay."""

from pathlib import Path

import numpy as np
import pytest

from cageflow.parity.replay import COMPARED, replay
from cageflow.parity.report import Totals, format_report
from tests.helpers.recordings import changed, record_simulator

RECORDING = record_simulator(seed=11)


def text_of(recording, path=Path("some/file.npz")):
    return format_report(replay(recording, path=path))


def test_clean_file__is_a_line_for_it_and_one_for_each_field():
    lines = text_of(RECORDING).splitlines()
    assert lines[0] == "file.npz: v2.1, RedMeanderAgent, 4 episodes of 60 steps, 0 mismatches"
    assert [line.split() for line in lines[1:]] == [[field, "0", "mismatches"] for field in COMPARED]


def test_first_differing_step__says_seed_episode_step_who_did_what_host_both_values_and_how_to_repeat_it():
    episode, index = (int(i) for i in np.argwhere(RECORDING.red_kind == 2)[3])
    target = RECORDING.red_target[episode, index]
    before = RECORDING.obs[episode, index + 1, 4 * target : 4 * target + 4]
    recording = changed(RECORDING, "obs", (episode, index + 1, 4 * target), 1 - before[0])
    host = ("Defender", "Enterprise0", "Enterprise1", "Enterprise2", "Op_Host0", "Op_Host1", "Op_Host2", "Op_Server0")
    host += ("User0", "User1", "User2", "User3", "User4")
    text = text_of(recording)
    assert "  obs                  1 mismatch\n" in text
    assert f"first differing step: seed 11, episode {episode}, step {index + 1} (blue " in text
    assert f"red DiscoverNetworkServices {host[target]})" in text
    expected = "".join(map(str, [1 - before[0], *before[1:]]))
    got = "".join(map(str, before))
    assert f"obs, host {host[target]}: expected {expected} (activity " in text
    assert f"got {got} (activity " in text
    assert "repeat it with: cageflow parity some/file.npz" in text
    assert f"(the step begins at blue_action[{episode}, {index}] of the file)" in text


@pytest.mark.parametrize(
    ("field", "place", "value", "says"),
    [
        ("reward", (1, 4), -55.5, "reward: expected -55.5, got "),
        ("decoys", (1, 4, 2), 3, "decoys, host Enterprise1: expected 3 (apache2+femitter), got "),
        ("red_success", (1, 4), 2, "red_success: expected 2 (UNKNOWN), got 1 (TRUE)"),
        ("red_target", (1, 0), 0, "red_target: expected 0 (Enterprise), got 2 (User)"),
        ("red_kind", (1, 0), 0, "red_kind: expected 0 (Sleep), got 1 (DiscoverRemoteSystems)"),
        ("exploit", (1, 0), 2, "exploit: expected 2 (HTTPRFI), got -1 (none)"),
        (
            "green_scan",
            (1, 0),
            0,
            "possible_draws: expected 1 (every recorded draw is possible), got 0 (a ",
        ),
        ("detected", (1, 0), 1, "detected: expected 1, got -1"),
        ("ot_running", (1, 4), 0, "ot_running: expected 0, got 1"),
    ],
)
def test_values__are_said_in_words(field, place, value, says):
    assert says in text_of(changed(RECORDING, field, place, value))


def test_difference_after_the_reset__is_called_so():
    text = text_of(changed(RECORDING, "obs", (2, 0, 0), 1))
    assert "first differing step: seed 11, episode 2, step 0 (after the reset)" in text
    assert "obs, host Defender: expected 1000 (activity SCAN, compromise NO), got 0000 (activity NONE" in text


def test_recording_without_a_file__has_nothing_to_repeat():
    text = text_of(changed(RECORDING, "reward", (1, 4), -55.5), path=None)
    assert "repeat it with" not in text
    assert text.startswith("recording: ")


def test_totals__are_the_last_line_and_the_json():
    totals = Totals()
    totals.add(replay(RECORDING))
    totals.add(replay(changed(RECORDING, "reward", (1, 4), -55.5)))
    assert str(totals) == "mismatches 1 in 480 steps of 8 episodes"
    assert vars(totals) == {"files": 2, "episodes": 8, "steps": 480, "mismatches": 1}
