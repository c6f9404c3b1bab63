"""Plain PPO beside a search: as long as an order's training, out of its budget, and part of its answer."""

import json

import pytest

from cageflow.analysis.answer import FILE, saved_answer
from cageflow.analysis.plain_runs import finished_plain, read_plain
from cageflow.runs import runs
from cageflow.runs.interrupt import RunStoppedError
from cageflow.runs.progress import Quiet
from cageflow.runs.saved_run import read_run
from cageflow.settings.reading import make_config, read_config
from cageflow.studies.beside import plain_config, train_plain

SMALL = {
    "max_steps": 4,
    "episodes_per_update": 4,
    "evaluation_episodes": 2,
    "seed": 2,
    "ppo": {"hidden_sizes": [8]},
    "max_episodes_per_workflow": 8,
    "compliance_threshold": 0.0,
    "executor": "inline",
}


def search(path, **given):
    runs.start(make_config({**SMALL, "total_episodes": 16, **given}), path, Quiet())
    return path


def test_plain_ppo__has_an_orders_whole_budget_and_the_learner_of_the_search(tmp_path):
    path = search(tmp_path / "run", compare_plain=2)
    plain = train_plain(path, Quiet)
    assert (plain.trainings, plain.episodes) == (2, 8)
    assert read_plain(path) == plain
    folders = finished_plain(path)
    assert [folder.name for folder in folders] == ["seed1", "seed2"]
    config = read_config(folders[1] / "config.json")
    assert (config.command, config.order(), config.total_episodes, config.seed) == ("train", None, 8, 3)
    assert (config.max_steps, config.ppo, config.evaluation_episodes) == (4, {"hidden_sizes": [8]}, 2)
    answer = saved_answer(read_run(path), plain)
    assert answer.over_plain is not None
    assert json.loads((path / FILE).read_text())["plain"]["episodes"] == 8
    log = (folders[0] / "training_log.csv").read_bytes()
    assert train_plain(path, Quiet) == plain  # what is done is not done again
    assert (folders[0] / "training_log.csv").read_bytes() == log


def test_plain_ppo__is_left_out_by_default_where_it_costs_more_than_a_quarter(tmp_path):
    def trainings(total, **given):
        return make_config({**SMALL, "total_episodes": total, **given}).plain_trainings

    assert [trainings(total) for total in (8, 31, 32, 3200)] == [0, 0, 1, 1]
    assert trainings(8, compare_plain=1) == 1
    assert trainings(3200, compare_plain=0) == 0
    landscape = make_config({**SMALL, "command": "landscape", "repetitions": 3})
    assert (landscape.plain_trainings, landscape.plain_episodes) == (3, 8)
    path = search(tmp_path / "run")
    assert train_plain(path, Quiet) is None
    assert not (path / "plain_ppo").exists()


def test_default_search__pays_a_tenth_more_for_it():
    config = make_config({})
    assert config.plain_trainings == 1
    assert config.plain_episodes == config.total_episodes // 10


def test_run_with_a_start_of_its_own__does_not_hand_it_to_plain_ppo():
    config = make_config({**SMALL, "total_episodes": 16}).model_copy(update={"start_from": "somewhere"})
    assert plain_config(config, 1).start_from is None


def test_seeds_of_plain_ppo__stay_in_range():
    config = make_config({**SMALL, "total_episodes": 16, "seed": 2**63 - 1})
    assert [plain_config(config, number).seed for number in (1, 2)] == [2**63 - 1, 0]


def test_plain_ppo_may_be_asked_for_when_a_search_goes_on(tmp_path):
    path = search(tmp_path / "run")
    runs.resume(path, "search", Quiet(), {"compare_plain": 1})
    assert train_plain(path, Quiet).trainings == 1


def test_signal_during_plain_ppo__says_how_to_go_on_with_the_search(tmp_path, monkeypatch):
    import signal

    path = search(tmp_path / "run", compare_plain=1)

    class Impatient(Quiet):
        def update(self, order, record, run_episodes):
            signal.raise_signal(signal.SIGTERM)

        def stopping(self, words):
            pass

    with pytest.raises(RunStoppedError, match="cageflow search --resume"):
        train_plain(path, Impatient)
    whole = search(tmp_path / "whole", compare_plain=1)
    assert train_plain(path, Quiet) == train_plain(whole, Quiet)
