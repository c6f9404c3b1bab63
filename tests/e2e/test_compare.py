"""`cageflow compare` as a user types it."""

import pytest

from tests.e2e.command_line import cageflow
from tests.unit.report.compare.compare_runs import write_training

SMALL = ["--evaluation-episodes", 10, "--window", 100]


@pytest.fixture
def runs(tmp_path):
    return [
        write_training(tmp_path / f"{lam:g}-{seed}", seed, [-50.0, -10.0 * seed], alignment_lambda=lam)
        for lam in (5.0, 30.0)
        for seed in (1, 2)
    ]


def test_compare__prints_tables_and_writes_what_it_is_asked_for(runs, tmp_path):
    outcome = cageflow("compare", *runs, *SMALL, "--out", tmp_path / "out")
    assert outcome.status == 0
    for words in ("Reward an episode, B_lineAgent", "alignment lambda 30", "Difference of the reward to alignment"):
        assert words in outcome.out
    assert len(list((tmp_path / "out").iterdir())) == 5
    assert not (tmp_path / "other").exists()


def test_compare__gives_its_figures_as_json_and_the_same_twice(runs):
    arguments = ["compare", *runs, *SMALL, "--threshold", -15, "--json"]
    figures = cageflow(*arguments).json
    assert [(one["group"], one["num_seeds"]) for one in figures["groups"]] == [
        ("alignment lambda 5", 2),
        ("alignment lambda 30", 2),
    ]
    assert [one["training_reward"] for one in figures["groups"]] == [-15.0, -15.0]
    assert figures["groups"][0]["thresholds"] == [{"reward": -15.0, "episodes": None, "num_reached": 1}]
    (difference,) = figures["differences"]
    assert (difference["against"], difference["over"]) == ("alignment lambda 5", "seeds")
    low, high = difference["bootstrap_interval"]
    assert low <= difference["difference"] <= high
    assert cageflow(*arguments).json == figures


def test_compare__takes_groups_of_the_users_own(runs):
    figures = cageflow(
        "compare", "--group", f"low={runs[0]},{runs[1]}", "--group", f"high={runs[2]}", *SMALL, "--against", "high",
        "--json",
    ).json  # fmt: skip
    assert [(one["group"], one["against"], one["over"]) for one in figures["differences"]] == [
        ("low", "high", "episodes")
    ]


def test_compare__refuses_nonsense_in_one_sentence(runs, tmp_path):
    (tmp_path / "file").write_text("")
    for arguments, sentence in (
        ([], "no run is given"),
        ([tmp_path], "is no run folder"),
        ([runs[0], runs[0]], "is given twice"),
        ([runs[0], "--group", "x"], "expected NAME=RUN,RUN"),
        ([runs[0], "--evaluation-episodes", 1], "episodes is 1"),
        ([runs[0], "--window", 0], "--window is 0"),
        ([runs[0], "--against", "nobody"], "--against is 'nobody'"),
        ([runs[0], "--out", tmp_path / "file"], "which is a file"),
    ):
        outcome = cageflow("compare", *arguments)
        assert (outcome.status, outcome.out) == (2, "")
        assert sentence in " ".join(outcome.err.split())
