"""Whole comparisons of made-up runs: what is said beside the figures, and the files."""

import json
from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.report.compare.compare import Comparison, compare, write_comparison
from cageflow.report.compare.figures import differences
from tests.unit.report.compare.compare_runs import figures, write_training

A = figures("a", [[-1.0, 0.0], [-3.0, -2.0]])
B = figures("b", [[-5.0, -4.0], [-9.0, -7.0]])
C = figures("c", [[-5.0, -4.0]])
FAR = figures("far", [[-5.0, -4.0]], red_agent="RedMeanderAgent")


def comparison(*groups) -> Comparison:
    found = tuple(differences(groups, None))
    return Comparison(groups=groups, differences=found, episodes=2, seed=0, window=1000)


def test_groups_of_different_games__have_tables_of_their_own_and_no_difference() -> None:
    found = comparison(A, FAR)
    assert found.differences == ()
    assert [table.caption for table in found.tables] == [
        "Reward an episode, B_lineAgent, rules v2.1, 100 steps",
        "Training, B_lineAgent, rules v2.1, 100 steps",
        "Reward an episode, RedMeanderAgent, rules v2.1, 100 steps",
        "Training, RedMeanderAgent, rules v2.1, 100 steps",
    ]
    (note,) = [note for note in found.notes if "not compared" in note]
    assert note.startswith("Rewards against different red agents or rules are not compared: (B_lineAgent")


def test_notes__say_what_one_seed_few_seeds_and_many_tests_mean() -> None:
    assert not any("One seed" in note for note in comparison(A, B).notes)
    assert (
        "With 2 seeds a bootstrap interval is narrower than its level says; Welch's is not." in comparison(A, B).notes
    )
    assert any("* One seed (c)" in note and "not that of training" in note for note in comparison(A, C).notes)
    assert not any("bootstrap" in note for note in comparison(A, C).notes)
    assert any("of 2 tests and not corrected" in note for note in comparison(A, B, C).notes)


def test_planted_fault__a_mean_that_moved_moves_the_difference_and_its_tables() -> None:
    moved = figures("b", [[-6.0, -5.0], [-10.0, -8.0]])
    (before,), (after,) = comparison(A, B).differences, comparison(A, moved).differences
    assert (before.welch.mean, after.welch.mean) == (-4.75, -5.75)
    assert comparison(A, B).tables != comparison(A, moved).tables


def test_comparison_of_runs__writes_its_files(tmp_path: Path) -> None:
    runs = [
        write_training(tmp_path / "a", 1, [-50.0, -40.0]),
        write_training(tmp_path / "b", 2, [-50.0, -20.0, -10.0]),
        write_training(tmp_path / "c", 1, [-50.0], workflow=False),
    ]
    found = compare(runs, episodes=10, window=100, thresholds=[-20.0], against=str(runs[2]))
    assert [one.reference for one in found.differences] == ["plain PPO"]
    paths = write_comparison(found, tmp_path / "out" / "deep")
    assert sorted(path.name for path in paths) == [
        "comparison.json", "curves.png", "curves.svg", "table.md", "table.tex"
    ]  # fmt: skip
    assert all(path.is_file() for path in paths)
    content = json.loads((tmp_path / "out" / "deep" / "comparison.json").read_text())
    assert content == found.to_json()
    first = content["groups"][0]
    assert (first["num_seeds"], first["training_reward"], first["episodes"]) == (2, -25.0, 250.0)
    assert first["thresholds"] == [{"reward": -20.0, "episodes": None, "num_reached": 1}]
    assert set(content["settings"]) == {"what"}
    assert any("different numbers of episodes: 100 and 250" in note for note in found.notes)
    for note in found.notes:
        assert note in (tmp_path / "out" / "deep" / "table.md").read_text()


def test_files_that_cannot_be_written_and_unknown_references__are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_comparison(comparison(A, B), tmp_path / "file" / "out")
    run = write_training(tmp_path / "a", 1, [-50.0])
    with pytest.raises(UserError, match="--against is 'x': expected a run that is compared, or one of the groups"):
        compare([run], against="x")
