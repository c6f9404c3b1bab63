"""Runs as their folders have them: finished, going, killed, and what is none."""

import fcntl
from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.runs.saved_run import read_run
from tests.helpers.agents import policy_file
from tests.unit.runs.run_folders import FIRST, SECOND, THIRD, TRIALS, Made, write_run, write_training


def test_search__is_read_with_its_best_trial_by_the_searchs_rule(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run"))
    assert [(trial.result.order, trial.result.reward) for trial in run.trials] == [
        (trial.order, trial.reward) for trial in TRIALS
    ]
    assert run.best is not None
    assert (run.order, run.best.reward, run.is_feasible) == (FIRST, -20.0, True)  # -10 does not comply
    assert (run.episodes, run.is_over, run.is_going, len(run.updates)) == (900, True, False, 8)
    assert run.policy().card.max_steps == 12


def test_beliefs__are_those_before_the_last_trial(tmp_path: Path) -> None:
    beliefs = read_run(write_run(tmp_path / "run")).beliefs
    assert beliefs is not None
    assert (beliefs.iteration, beliefs.mean[5], beliefs.std[7]) == (3, pytest.approx(-5.3), 2.0)
    log = tmp_path / "run" / "acquisition.csv"
    log.write_text("\n".join(log.read_text().splitlines()[:-20]) + "\n")  # killed while it wrote iteration 3
    beliefs = read_run(tmp_path / "run").beliefs
    assert beliefs is not None
    assert beliefs.iteration == 2


def test_search_without_feasible_trial__names_the_most_compliant(tmp_path: Path) -> None:
    trials = [Made(FIRST, -10.0, 0.5), Made(SECOND, -50.0, 0.9)]
    run = read_run(write_run(tmp_path / "run", trials, best=SECOND))
    assert (run.order, run.is_feasible) == (SECOND, False)


def test_single_training__has_no_trials(tmp_path: Path) -> None:
    run = read_run(write_training(tmp_path / "plain"))
    assert (run.order, run.best, run.trials, run.tries_orders, run.episodes) == (None, None, (), False, 400)
    run = read_run(write_training(tmp_path / "one", THIRD))
    assert (run.order, run.policy().card.workflow) == (THIRD, "user,enterprise,op_server,op_host,defender")


def test_run_that_was_killed__says_so(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", total_episodes=5000))
    assert not run.is_over
    assert not run.is_going


def test_exhaustive_search__is_over_when_nothing_is_left(tmp_path: Path) -> None:
    from tests.helpers.orders import ALL_ORDERS

    trials = [Made(order, -20.0, 0.96) for order in ALL_ORDERS]
    path = write_run(
        tmp_path / "run", trials, best=ALL_ORDERS[0], beliefs=False, strategy="exhaustive", total_episodes=100_000
    )
    assert read_run(path).is_over


def test_run_that_is_going__is_told_and_not_disturbed(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", total_episodes=5000)
    with (path / "checkpoint" / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert read_run(path).is_going
    with (path / "checkpoint" / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_cannot_be_reported__is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file is no run folder: it is a file"):
        read_run(tmp_path / "file")
    with pytest.raises(UserError, match="no run folder: there is no such folder"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no run folder: config.json cannot be read"):
        read_run(tmp_path)
    with pytest.raises(UserError, match=r"no trial has ended in .*: go on with it by cageflow search --resume"):
        read_run(write_run(tmp_path / "empty", (), policy=False, total_episodes=5))
    with pytest.raises(UserError, match="has not ended, and has no policy yet: go on with it by cageflow train"):
        read_run(write_training(tmp_path / "killed", policy=False))
    with pytest.raises(UserError, match="the best policy of .* is missing: put .*best.safetensors back"):
        read_run(write_run(tmp_path / "bare", policy=False)).policy()


def test_policy_of_another_workflow_than_the_log_names__is_refused(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", best=SECOND))
    with pytest.raises(UserError, match=r"is of the workflow op_host,.* but the best in the log is enterprise,"):
        run.policy()
    policy_file(run.policy_path, workflow="enterprise,op_server,user,op_host,defender")
    run.policy()


@pytest.mark.parametrize("name", ["training_log.csv", "gp_sampling_log.csv"])
def test_damaged_log__is_refused_with_file_and_line(tmp_path: Path, name: str) -> None:
    path = write_run(tmp_path / "run") / name
    lines = path.read_text().splitlines()
    lines[2] = ",".join(["x"] * (lines[0].count(",") + 1))
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=f"{name}, line 3"):
        read_run(tmp_path / "run")


def test_cell_that_no_report_looks_at__is_refused_too(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run") / "training_log.csv"
    path.write_text(path.read_text().replace(",3000,", ",many,", 1))
    with pytest.raises(UserError, match=r"training_log\.csv, line 2: invalid literal"):
        read_run(tmp_path / "run")
