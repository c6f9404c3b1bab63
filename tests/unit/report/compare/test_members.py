"""Curves worked by hand, and what folders are read as."""

import math
from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.errors import UserError
from cageflow.report.compare.members import WHAT, read_members
from cageflow.studies.baseline_table import BaselineRow, write_baselines
from tests.helpers.agents import policy_file
from tests.unit.report.compare.compare_runs import curve, write_training
from tests.unit.runs.run_folders import FIRST, Made, write_run

LINE = curve([200, 400, 500], [-90.0, -30.0, -10.0])  # updates of 200, 200 and 100 episodes


@pytest.mark.parametrize(
    ("window", "mean"),
    [
        (100, -10.0),
        (300, (200 * -30 + 100 * -10) / 300),
        (400, (100 * -90 + 200 * -30 + 100 * -10) / 400),  # of the oldest update only the share that is needed
        (500, (200 * -90 + 200 * -30 + 100 * -10) / 500),
        (9000, (200 * -90 + 200 * -30 + 100 * -10) / 500),
    ],
)
def test_last_reward__is_the_mean_of_the_last_episodes_and_not_of_updates(window: int, mean: float) -> None:
    assert LINE.tail_mean(window) == pytest.approx(mean)


def test_last_reward__is_none_of_a_search_and_of_what_kept_no_log() -> None:
    assert math.isnan(curve([100], [-5.0], is_best=True).tail_mean(10))
    assert math.isnan(curve([], []).tail_mean(10))


@pytest.mark.parametrize(
    ("threshold", "window", "episodes"),
    [
        (-60.0, 400, 400),  # the first 400 have a mean of -60 exactly
        (-59.0, 400, 500),
        (-30.0, 200, 400),
        (-90.0, 201, 400),  # 200 episodes are no window of 201
        (-9.0, 100, math.inf),
        (-90.0, 501, math.inf),
    ],
)
def test_threshold__is_reached_by_the_mean_of_a_whole_window(threshold: float, window: int, episodes: float) -> None:
    assert LINE.first_at(threshold, window) == episodes


def test_threshold__of_a_search_is_reached_by_its_best_trial() -> None:
    assert curve([100, 300], [-40.0, -20.0], is_best=True).first_at(-30.0, 1000) == 300


def test_curve_between_its_points__is_a_line_or_for_a_search_a_step() -> None:
    places = np.array([200.0, 300.0, 400.0])
    assert LINE.at(places).tolist() == [-90.0, -60.0, -30.0]
    assert curve([200, 400], [-90.0, -30.0], is_best=True).at(places).tolist() == [-90.0, -90.0, -30.0]


def test_training__is_read_with_its_curve_and_only_the_settings_that_matter(tmp_path: Path) -> None:
    (one,) = read_members(write_training(tmp_path / "a", 7, [-50.0, -20.0]))
    assert (one.seed, one.episodes, one.seconds) == (7, 200, pytest.approx(0.6))
    assert (one.curve.episodes.tolist(), one.curve.rewards.tolist()) == ([100, 200], [-50, -20])
    assert one.settings[WHAT] == "workflow ent>ops>usr>oph>def"
    assert one.settings["alignment_lambda"] == 5.0
    assert not {"seed", "num_threads", "beta", "strategy", "n_workers"} & one.settings.keys()
    (plain,) = read_members(write_training(tmp_path / "b", 7, [-50.0], workflow=False, alignment_lambda=9.0))
    assert plain.settings[WHAT] == "plain PPO"
    assert "alignment_lambda" not in plain.settings


def test_search__is_read_as_its_best_feasible_trial_so_far(tmp_path: Path) -> None:
    trials = [Made(FIRST, -10.0, 0.5), Made(FIRST, -30.0, 0.96), Made(FIRST, -40.0, 0.99), Made(FIRST, -20.0, 0.97)]
    (one,) = read_members(write_run(tmp_path / "run", trials))
    assert one.curve.is_best
    assert one.curve.episodes.tolist() == [400, 600, 800]  # nothing before the first feasible trial
    assert one.curve.rewards.tolist() == [-30, -30, -20]
    assert one.settings["strategy"] == "gp-ucb"
    assert one.notes == ()
    (none,) = read_members(write_run(tmp_path / "none", trials[:1], total_episodes=5000))
    assert [note.split(": ")[-1] for note in none.notes] == [
        "its figures are those so far.",
        "its most compliant one stands for it.",
    ]


def test_table_of_baselines__is_one_member_for_each_line(tmp_path: Path) -> None:
    (tmp_path / "baselines.json").write_text('{"name": "all", "seeds": [3], "red_agent": "meander"}')
    with pytest.raises(UserError, match="no baseline that has been measured"):
        read_members(tmp_path)
    policy_file(tmp_path / "policies" / "ppo_seed3.safetensors", red_agent="RedMeanderAgent")
    common = {"order": None, "seed": 3, "reward": -9.0, "reward_se": 0.1, "compliance": None, "evaluation_seconds": 1.0}
    write_baselines(
        tmp_path / "rows.csv",
        [
            BaselineRow(baseline="sleep", episodes=0, train_seconds=0.0, policy=None, **common),
            BaselineRow(
                baseline="ppo", episodes=500, train_seconds=2.0, policy="policies/ppo_seed3.safetensors", **common
            ),
        ],
    )
    sleep, ppo = read_members(tmp_path)
    assert [one.settings[WHAT] for one in (sleep, ppo)] == ["baseline sleep", "baseline ppo"]
    assert (ppo.seed, ppo.episodes, ppo.game.red_agent, len(ppo.curve.episodes)) == (3, 500, "RedMeanderAgent", 0)
    assert (sleep.source.actions, ppo.source.actions) == ("own", "sample")


def test_folder_that_is_no_run__is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run folder"):
        read_members(tmp_path)
    for name in ("a", "b", "c", "d"):
        write_training(tmp_path / "study" / name, 1, [0.0])
    with pytest.raises(UserError, match=r"no run folder: .*; it holds 4, of which name one: .*/a, .*/c and others"):
        read_members(tmp_path / "study")
    with pytest.raises(UserError, match=r"holds no policy of its own, but runs that do; name one of them: .*/a, "):
        find_agent(str(tmp_path / "study"), SourceOptions())
