"""What the runs are called that a run's policy is held against."""

import pytest

from cageflow.analysis.beside import ONE_ORDER, PLAIN, PLAIN_LONG, training_path
from cageflow.report.rivals import rival_names
from cageflow.report.wording import order_words
from cageflow.runs.saved_run import read_run
from tests.unit.runs.run_folders import FIRST, write_run, write_training


@pytest.fixture
def search(tmp_path):
    return read_run(write_run(tmp_path / "search"))


def test_trainings_of_plain_ppo_with_one_orders_budget_and_the_whole_one_are_told_apart(search):
    for kind, episodes in ((PLAIN, 1_500), (PLAIN_LONG, 60_000)):
        write_training(training_path(search.path, kind, 1), total_episodes=episodes)
    write_training(training_path(search.path, ONE_ORDER, 1), FIRST, total_episodes=60_000)
    rivals = [read_run(training_path(search.path, kind, 1)) for kind in (PLAIN, PLAIN_LONG, ONE_ORDER)]
    names = rival_names(search, rivals)
    assert names[:2] == ["Plain PPO (1,500 episodes, seed1)", "Plain PPO (60,000 episodes, seed1)"]
    assert names[2] == f"{order_words(FIRST)} (60,000 episodes, seed1)"


def test_runs_of_one_name_elsewhere_are_told_apart_by_as_much_of_the_path_as_it_takes(search, tmp_path):
    rivals = [read_run(write_training(tmp_path / one / "run")) for one in ("a", "b")]
    alone = read_run(write_training(tmp_path / "other"))
    assert rival_names(search, [*rivals, alone]) == ["Plain PPO (a/run)", "Plain PPO (b/run)", "Plain PPO (other)"]
    assert rival_names(search, rivals[:1]) == ["Plain PPO (run)"]
