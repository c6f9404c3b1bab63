"""The learners of a search between its trials: what a trial left counts from the next checkpoint on, and not before."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.scenario.orders import Order
from cageflow.search import TrialRequest
from cageflow.training.learners import Learners
from tests.helpers.damage import flipped_bits
from tests.helpers.orders import ALL_ORDERS, ORDERS

ONE, OTHER = ALL_ORDERS[31], ALL_ORDERS[7]


def request(trial: int, start: Order, order: Order = ONE) -> TrialRequest:
    return TrialRequest(
        trial=trial, order=order, seed=1, start=start, trained_episodes=0, max_episodes=8, cap="episode-cap"
    )


def test_learner_of_a_trial_that_no_checkpoint_knows__is_none(tmp_path: Path) -> None:
    learners = Learners(tmp_path, ORDERS, None)
    learners.keep(request(0, ONE, ONE), b"first")
    saved = learners.to_json()
    learners.remove_others()
    learners.keep(request(1, ONE, ONE), b"second")
    again = Learners(tmp_path, ORDERS, saved)
    assert again.start_of(request(1, ONE)) == b"first"
    again.remove_others()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"first"]


def test_trial_under_way__begins_again_with_the_learner_that_it_began_with(tmp_path: Path) -> None:
    learners = Learners(tmp_path, ORDERS, None)
    learners.keep(request(0, OTHER, OTHER), b"first")
    assert learners.start_of(request(1, OTHER)) == b"first"
    learners.keep(request(2, OTHER, OTHER), b"second")
    saved = learners.to_json()
    learners.remove_others()
    again = Learners(tmp_path, ORDERS, saved)
    assert again.start_of(request(1, OTHER)) == b"first"
    assert again.start_of(request(3, OTHER)) == b"second"
    again.keep(request(1, ONE, ONE), b"third")
    again.remove_others()
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"second", b"third"]


def test_learner_that_is_missing_changed_or_no_file__is_refused_in_a_sentence(tmp_path: Path) -> None:
    learners = Learners(tmp_path, ORDERS, None)
    learners.keep(request(0, ONE, ONE), b"first")
    (path,) = tmp_path.iterdir()
    for _ in flipped_bits(path, 100):
        with pytest.raises(UserError, match="is not the one that was written: put the file back"):
            learners.start_of(request(1, ONE))
    path.unlink()
    with pytest.raises(UserError, match=r"the learner .*state cannot be read \(No such file or directory\)"):
        learners.start_of(request(1, ONE))
    os.mkfifo(path)
    with pytest.raises(UserError, match="is a named pipe, where a file is expected"):
        learners.start_of(request(1, ONE))


def test_trainings_of_an_order__have_learners_of_their_own(tmp_path: Path) -> None:
    learners = Learners(tmp_path, ORDERS, None)
    learners.keep(request(0, ONE), b"first")
    learners.keep(replace(request(1, ONE), training=2), b"second")
    again = Learners(tmp_path, ORDERS, learners.to_json())
    assert again.start_of(request(2, ONE)) == b"first"
    assert again.start_of(replace(request(3, ONE), start_training=2)) == b"second"
    again.forget(request(2, ONE))
    again.remove_others()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"second"]


def test_learners_of_a_run_from_before_there_were_rungs__are_of_first_trainings(tmp_path: Path) -> None:
    learners = Learners(tmp_path, ORDERS, None)
    learners.keep(request(0, ONE), b"first")
    (name, file) = next(iter(learners.to_json()["orders"].items()))
    old = Learners(tmp_path, ORDERS, {"orders": {name.partition(".")[0]: file}, "starts": {}})
    assert old.start_of(request(1, ONE)) == b"first"
