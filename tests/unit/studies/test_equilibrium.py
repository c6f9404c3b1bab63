"""The equilibrium of a game in which one wins what the other loses."""

import numpy as np
import pytest

from cageflow.studies.equilibrium import solve


def test_rock_paper_scissors__is_played_evenly_and_worth_nothing() -> None:
    found = solve(np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]))
    assert found.rows == pytest.approx([1 / 3] * 3)
    assert found.columns == pytest.approx([1 / 3] * 3)
    assert found.value == pytest.approx(0.0, abs=1e-9)


def test_game_of_unequal_stakes__is_played_as_worked_out_by_hand() -> None:
    # Rows: p * 3 - (1 - p) * 1 == -p * 2 + (1 - p) * 1, so p = 2/7; columns likewise 2/7 of 5 + 2; value 1/7.
    found = solve(np.array([[3.0, -2.0], [-1.0, 1.0]]))
    assert found.rows == pytest.approx([2 / 7, 5 / 7])
    assert found.columns == pytest.approx([3 / 7, 4 / 7])
    assert found.value == pytest.approx(1 / 7)


def test_dominated_strategies__are_not_played() -> None:
    found = solve(np.array([[-10.0, -20.0, -15.0], [-12.0, -30.0, -16.0]]))
    assert found.rows.tolist() == [1.0, 0.0]
    assert found.columns.tolist() == [0.0, 1.0, 0.0]
    assert found.value == -20.0


def test_neither_side__can_better_itself_by_any_one_strategy() -> None:
    payoffs = np.random.default_rng(3).normal(size=(5, 7))
    found = solve(payoffs)
    assert (payoffs @ found.columns).max() == pytest.approx(found.value, abs=0.02)
    assert (found.rows @ payoffs).min() == pytest.approx(found.value, abs=0.02)


def test_what_is_no_table__is_refused() -> None:
    with pytest.raises(ValueError, match=r"finite payoffs, got \(1, 1\)"):
        solve(np.array([[np.nan]]))
