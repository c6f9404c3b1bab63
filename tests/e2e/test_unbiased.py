"""A sample of `make test-unbiased`: what a search prints of its policy is what the policy is worth."""

import pytest

from tests.helpers.unbiased import measure


@pytest.mark.slow
def test_printed_reward_is_not_the_luck_of_the_best_trial() -> None:
    printed, best_trial = measure(8, strategy="gp-ucb")
    assert abs(printed.mean) < 3 * printed.se
    assert best_trial.mean > 3 * best_trial.se, "the best of many trials is lucky, and would be found out"
