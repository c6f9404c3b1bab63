"""What the orders came to, from trials with known figures."""

import math
from pathlib import Path

import numpy as np
import pytest

from cageflow.report.results import (
    best_so_far,
    num_clearly_beaten,
    order_results,
    paired_difference,
    position_means,
    training_spread,
)
from cageflow.runs.saved_run import read_run
from cageflow.scenario.unit_types import UNIT_TYPES
from tests.unit.runs.run_folders import FIRST, SECOND, THIRD, TRIALS, Made, write_run


def test_order_of_a_search__counts_with_its_best_trial(tmp_path: Path) -> None:
    first, second, third = order_results(read_run(write_run(tmp_path / "run")))
    assert (first.order, second.order, third.order) == (FIRST, SECOND, THIRD)  # feasible ones before others
    assert (first.estimate.mean, first.trials, first.episodes, first.feasible) == (-20.0, 2, 500, True)
    assert (third.estimate.mean, third.feasible, third.ending) == (-10.0, False, "plateau")


def test_order_of_a_landscape__counts_with_the_mean_of_its_trainings(tmp_path: Path) -> None:
    trials = [
        Made(FIRST, -10.0, 0.96),
        Made(SECOND, -20.0, 0.96),
        Made(FIRST, -14.0, 0.98, training=2),
        Made(SECOND, -20.0, 0.96, training=2),
    ]
    path = write_run(
        tmp_path / "run",
        trials,
        command="landscape",
        repetitions=2,
        max_episodes_per_workflow=200,
        total_episodes=48_000,
    )
    first, second = order_results(read_run(path))
    assert (first.estimate.mean, second.estimate.mean, first.compliance) == (-12.0, -20.0, pytest.approx(0.97))
    # Variances 8 and 0 with a degree of freedom each: pooled 4, and two trainings of each.
    assert first.estimate.se == second.estimate.se == pytest.approx(2.0 / math.sqrt(2))
    assert first.estimate.dof == 2


def test_spread_of_trainings__needs_two_of_one_order() -> None:
    assert training_spread([[-1.0], [-5.0]]) is None
    assert training_spread([[-1.0, -3.0], [-5.0]]) == (pytest.approx(math.sqrt(2)), 1)


def test_position_means__leave_untried_cells_empty(tmp_path: Path) -> None:
    results = [one for one in order_results(read_run(write_run(tmp_path / "run"))) if one.feasible]
    means, counts = position_means(UNIT_TYPES, results)
    enterprise, user = UNIT_TYPES.index("enterprise"), UNIT_TYPES.index("user")
    assert (means[enterprise, 0], means[enterprise, 1]) == (-20.0, -25.0)
    assert np.isnan(means[user, 0])
    assert np.isnan(means[enterprise, 2:]).all()
    assert (means[UNIT_TYPES.index("defender"), 4], counts[UNIT_TYPES.index("defender"), 4]) == (-22.5, 2)
    assert counts.sum() == 5 * len(results)
    assert (np.isnan(means) == (counts == 0)).all()


def test_best_so_far__counts_only_what_complies(tmp_path: Path) -> None:
    path = best_so_far(read_run(write_run(tmp_path / "run", (TRIALS[2], *TRIALS))))
    assert math.isnan(path[0])
    assert path[1:] == [-30.0, -25.0, -25.0, -20.0]


def test_paired_difference__has_no_error_where_episodes_differ_alike() -> None:
    difference = paired_difference([1.0, 5.0, 9.0], [0.0, 4.0, 8.0])
    assert (difference.mean, difference.se) == (1.0, 0.0)


def test_clearly_beaten__are_those_beyond_the_interval_of_the_difference(tmp_path: Path) -> None:
    trials = [Made(FIRST, -20.0, 0.96), Made(SECOND, -21.0, 0.96), Made(THIRD, -23.0, 0.96)]
    first, *others = order_results(read_run(write_run(tmp_path / "run", trials)))
    assert num_clearly_beaten(first, others) == 1  # 1 and 3 apart, with a standard error of 0.7
