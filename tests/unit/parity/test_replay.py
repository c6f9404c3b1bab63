"""A replay finds every difference, counts steps, and says where the first one is."""

import dataclasses

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.parity.recording import save_recording
from cageflow.parity.replay import COMPARED, POSSIBLE_DRAWS, replay, replay_files
from tests.helpers.recordings import changed, episodes_of, record_simulator, with_seed

RECORDING = record_simulator()


def step_where(condition):
    """The first (episode, step index) at which a condition on the recording holds."""
    places = np.argwhere(condition)
    assert len(places)
    return tuple(int(i) for i in places[0])


def test_recording_of_the_simulator_itself__has_no_mismatch():
    report = replay(RECORDING)
    assert (report.mismatches, report.steps, report.episodes) == (0, 240, 4)
    assert report.field_mismatches == dict.fromkeys(COMPARED, 0)
    assert report.first == {}
    assert report.earliest is None


# Of each field, where it is changed, to what, and the step and host that must be named.
CHANGES = {
    "reward": ((2, 10), -55.5, 11, None),
    "red_kind": (step_where(RECORDING.red_kind == 1), 5, None, None),
    "red_success": (step_where(RECORDING.red_success == 1), 0, None, None),
    "blue_success": (step_where(RECORDING.blue_success == 1), 0, None, None),
    "red_valid": ((1, 7), 0, 8, None),
    "user_sessions": ((1, 7, 4), 9, 7, 4),
    "privileged_sessions": ((1, 7, 4), 9, 7, 4),
    "decoys": ((1, 7, 12), 255, 7, 12),
    "ot_running": ((1, 7), 0, 7, None),
    "obs": ((3, 20, 4 * 5 + 1), 1, 20, 5),
    "obs_official": ((3, 20, 4 * 5 + 1), 1, 20, 5),
}


@pytest.mark.parametrize("field", CHANGES)
def test_changed_value__is_found_and_placed(field):
    place, value, step, host = CHANGES[field]
    report = replay(changed(RECORDING, field, place, value))
    assert report.mismatches == 1
    assert report.field_mismatches[field] == 1
    first = report.first[field]
    assert first.episode == place[0]
    assert first.step == (place[1] + 1 if step is None else step)
    assert first.host == host
    assert first == report.earliest
    assert first.expected != first.got


def test_step__is_counted_once_however_many_fields_differ_in_it():
    episode, index = step_where(RECORDING.blue_success == 1)
    recording = changed(RECORDING, "reward", (episode, index), -55.5)
    recording = changed(recording, "blue_success", (episode, index), 0)
    recording = changed(recording, "reward", (episode, index + 2), -55.5)
    report = replay(recording)
    assert report.mismatches == 2
    assert report.field_mismatches["reward"] == 2
    assert report.field_mismatches["blue_success"] == 1


def test_difference_after_the_reset__is_step_zero_and_counts_in_the_first_step():
    report = replay(changed(RECORDING, "obs", (1, 0, 8), 1))
    assert report.mismatches == 1
    assert (report.earliest.episode, report.earliest.step, report.earliest.host) == (1, 0, 2)
    assert report.earliest.expected == (1, 0, 0, 0)
    assert report.earliest.got == (0, 0, 0, 0)


def test_earliest__is_the_cause_before_its_effects():
    place = step_where(RECORDING.red_kind == 2)
    recording = changed(RECORDING, "obs", (place[0], place[1] + 1, 3), 1 - RECORDING.obs[place[0], place[1] + 1, 3])
    recording = changed(recording, "red_success", place, 0)
    assert replay(recording).earliest.field == "red_success"


def test_earliest__is_the_earliest_step_of_the_first_episode():
    recording = changed(RECORDING, "reward", (2, 1), -55.5)
    recording = changed(recording, "red_valid", (1, 30), 0)
    earliest = replay(recording).earliest
    assert (earliest.episode, earliest.step, earliest.field) == (1, 31, "red_valid")


# What red could not have done, though the rest of the step may look right


def test_target_that_red_could_not_have_chosen__is_an_impossible_draw():
    place = step_where((RECORDING.red_kind == 2) & (RECORDING.red_target > 8))
    report = replay(changed(RECORDING, "red_target", place, 4))  # Op_Host0, which red does not know yet
    assert report.earliest.field == POSSIBLE_DRAWS
    assert (report.earliest.episode, report.earliest.step) == (place[0], place[1] + 1)
    assert report.first["red_target"].expected == (4,)


def test_kind_that_red_would_not_have_chosen__is_a_mismatch():
    place = step_where(RECORDING.red_kind == 2)
    report = replay(changed(RECORDING, "red_kind", place, 3))
    assert report.first["red_kind"].got == (2,)
    assert report.mismatches >= 1


def test_exploit_that_is_none_of_reds_options__is_an_impossible_draw():
    place = step_where(RECORDING.exploit == 7)
    report = replay(changed(RECORDING, "exploit", place, 0))  # EternalBlue where no smb listens
    assert report.earliest.field == POSSIBLE_DRAWS


@pytest.mark.parametrize("value", [-1, 40])
def test_escalated_session_that_is_not_there__is_an_impossible_draw(value):
    place = step_where(RECORDING.escalate_session == 0)
    report = replay(changed(RECORDING, "escalate_session", place, value))
    assert report.earliest.field == POSSIBLE_DRAWS


def test_draw_that_did_not_happen__is_a_mismatch():
    place = step_where((RECORDING.detected == -1) & (RECORDING.red_kind == 2))
    report = replay(changed(RECORDING, "detected", place, 1))
    assert (report.earliest.field, report.earliest.expected, report.earliest.got) == ("detected", (1,), (-1,))


def test_detection_that_is_missing__is_an_impossible_draw():
    place = step_where(RECORDING.detected == 1)
    assert replay(changed(RECORDING, "detected", place, -1)).earliest.field == POSSIBLE_DRAWS


def test_green_that_should_be_asleep__is_a_mismatch():
    place = step_where(RECORDING.green_scan >= 0)
    asleep = dataclasses.replace(RECORDING, meta=dataclasses.replace(RECORDING.meta, green=False))
    earliest = replay(asleep).first["green_scan"]
    assert (earliest.episode, earliest.step, earliest.got) == (place[0], place[1] + 1, (-1,))


@pytest.mark.parametrize(("field", "value"), [("rules", "challenge"), ("red", "B_lineAgent")])
def test_other_rules_or_another_red_agent__do_not_replay(field, value):
    recording = record_simulator(episodes=20, steps=100)
    other = dataclasses.replace(recording, meta=dataclasses.replace(recording.meta, **{field: value}))
    assert replay(recording).mismatches == 0
    assert replay(other).mismatches > 20


@pytest.mark.parametrize("seed", [-1, 2**64, 10**30])
def test_seed__may_be_any_whole_number(seed):
    assert replay(with_seed(RECORDING, seed)).mismatches == 0


def test_part_of_a_recording__replays_alone():
    assert replay(episodes_of(RECORDING, slice(2, 3))).mismatches == 0


# Files


def test_replay_files__reports_file_by_file(tmp_path):
    good, bad = tmp_path / "good.npz", tmp_path / "bad.npz"
    save_recording(good, RECORDING)
    save_recording(bad, changed(RECORDING, "reward", (0, 5), -55.5))
    reports = list(replay_files([good, str(bad)]))
    assert [report.path for report in reports] == [good, bad]
    assert [report.mismatches for report in reports] == [0, 1]


def test_replay_files__refuses_before_it_plays_anything(tmp_path):
    good, broken = tmp_path / "good.npz", tmp_path / "broken.npz"
    save_recording(good, RECORDING)
    broken.write_bytes(b"no archive")
    with pytest.raises(UserError, match="broken.npz"):
        replay_files([good, broken])
    with pytest.raises(UserError, match="No file is given"):
        replay_files([])
