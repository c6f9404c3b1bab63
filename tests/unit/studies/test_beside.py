"""What is trained beside a search: plain PPO as long as an order, one order as long as the search, in its answer."""

import json

import pytest

from cageflow.analysis.answer import FILE
from cageflow.analysis.answer_words import sentences
from cageflow.analysis.beside import ONE_ORDER, PLAIN, find_answer, finished_beside, read_beside
from cageflow.api.results import answer_json
from cageflow.runs import runs
from cageflow.runs.interrupt import RunStoppedError
from cageflow.runs.progress import Quiet
from cageflow.runs.saved_run import read_run
from cageflow.settings.reading import make_config, read_config
from cageflow.studies.beside import configs_beside, train_kind
from tests.helpers.searches import SMALL_REWARDED as SMALL


def search(path, **given):
    runs.start(make_config({**SMALL, "total_episodes": 16, **given}), path, Quiet())
    return path


def test_plain_ppo__has_an_orders_whole_budget_and_the_learner_of_the_search(tmp_path):
    path = search(tmp_path / "run", compare_plain=2)
    plain = train_kind(path, PLAIN, Quiet)
    assert (plain.trainings, plain.episodes) == (2, 8)
    assert read_beside(path, PLAIN) == plain
    folders = finished_beside(path)
    assert [folder.name for folder in folders] == ["seed1", "seed2"]
    config = read_config(folders[1] / "config.json")
    assert (config.command, config.order(), config.total_episodes, config.seed) == ("train", None, 8, 3)
    assert (config.max_steps, config.ppo, config.evaluation_episodes) == (4, {"hidden_sizes": [8]}, 2)
    answer = find_answer(read_run(path))
    assert answer.over_plain is not None
    assert json.loads((path / FILE).read_text())["plain"]["episodes"] == 8
    log = (folders[0] / "training_log.csv").read_bytes()
    assert train_kind(path, PLAIN, Quiet) == plain  # what is done is not done again
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
    assert train_kind(path, PLAIN, Quiet) is None
    assert not (path / "plain_ppo").exists()


def test_default_search__pays_a_tenth_more_for_it():
    config = make_config({})
    assert config.plain_trainings == 1
    assert config.plain_episodes == config.total_episodes // 10


def test_run_with_a_start_of_its_own__does_not_hand_it_to_plain_ppo():
    config = make_config({**SMALL, "total_episodes": 16, "compare_plain": 1})
    (training,) = configs_beside(config.model_copy(update={"start_from": "somewhere"}), PLAIN)
    assert training.start_from is None


def test_seeds_of_plain_ppo__stay_in_range():
    config = make_config({**SMALL, "total_episodes": 16, "compare_plain": 2, "seed": 2**63 - 1})
    assert [training.seed for training in configs_beside(config, PLAIN)] == [2**63 - 1, 0]


def test_plain_ppo_may_be_asked_for_when_a_search_goes_on(tmp_path):
    path = search(tmp_path / "run")
    runs.resume(path, "search", Quiet(), {"compare_plain": 1})
    assert train_kind(path, PLAIN, Quiet).trainings == 1


def test_signal_during_plain_ppo__says_how_to_go_on_with_the_search(tmp_path, monkeypatch):
    import signal

    path = search(tmp_path / "run", compare_plain=1)

    class Impatient(Quiet):
        def update(self, order, record, run_episodes):
            signal.raise_signal(signal.SIGTERM)

        def stopping(self, words):
            pass

    with pytest.raises(RunStoppedError, match="cageflow search --resume"):
        train_kind(path, PLAIN, Impatient)
    whole = search(tmp_path / "whole", compare_plain=1)
    assert train_kind(path, PLAIN, Quiet) == train_kind(whole, PLAIN, Quiet)


def test_one_order__is_trained_with_all_the_episodes_of_the_search_and_stands_in_its_answer(tmp_path):
    path = search(tmp_path / "run", compare_one_order=1)
    trainings = train_kind(path, ONE_ORDER, Quiet)
    assert (trainings.trainings, trainings.episodes) == (1, 16)
    assert read_beside(path, ONE_ORDER) == trainings
    (folder,) = finished_beside(path)
    config = read_config(folder / "config.json")
    assert (config.command, config.workflow_mode, config.total_episodes) == ("train", "rewarded", 16)
    assert config.workflow == "op_server,enterprise,defender,op_host,user"
    answer = find_answer(read_run(path))
    assert (answer.plain, answer.one_order.trainings) == (None, trainings)
    assert sentences(answer)[-1].startswith("One order throughout, op_server > enterprise > defender > op_host > user")
    entries = answer_json(answer)
    assert entries["baselines"] == {"one_order": trainings.mean}
    assert entries["baseline_trainings"]["one_order"]["episodes"] == 16
    assert find_answer(read_run(path)) == answer, "kept as it was made"


def test_one_order__is_not_trained_where_nobody_asks(tmp_path):
    path = search(tmp_path / "run")
    assert train_kind(path, ONE_ORDER, Quiet) is None
    assert find_answer(read_run(path)).one_order is None
    runs.resume(path, "search", Quiet(), {"compare_one_order": 1})
    assert train_kind(path, ONE_ORDER, Quiet).trainings == 1


def test_one_order__keeps_its_order_as_the_search_does():
    for mode in ("enforced", "rewarded"):
        config = make_config({"workflow_mode": mode, "compare_one_order": 1})
        (beside,) = configs_beside(config, ONE_ORDER)
        assert (beside.workflow_mode, beside.total_episodes) == (mode, config.total_episodes)
        assert beside.min_episodes_per_trial == config.total_episodes, "nothing else ends it"


def test_trainings_in_workers__come_to_what_they_come_to_here(tmp_path):
    here = search(tmp_path / "here", compare_plain=2)
    there = search(tmp_path / "there", compare_plain=2, executor="process", parallel_workflows=2)
    assert train_kind(here, PLAIN, Quiet) == train_kind(there, PLAIN, Quiet)
    logs = [
        [(folder / "policies" / "policy.safetensors").stat().st_size for folder in finished_beside(path)]
        for path in (here, there)
    ]
    assert logs[0] == logs[1] and len(logs[0]) == 2
    assert train_kind(there, PLAIN, Quiet) == read_beside(there, PLAIN), "what is done is not done again"
