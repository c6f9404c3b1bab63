"""Trials as functions of their task: the same outcome wherever they run, and each start as it is asked for."""

import pickle
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.learn.policy_file import load_policy
from cageflow.scenario.orders import format_order
from cageflow.search import TrialRequest
from cageflow.settings.config import make_config
from cageflow.training.state_file import parse_state
from cageflow.training.trials import TrialOutcome, TrialTask, run_trial
from tests.helpers.orders import ALL_ORDERS

SMALL = {"max_steps": 10, "episodes_per_update": 8, "evaluation_episodes": 6, "seed": 2}
CONFIG = make_config(SMALL)
REQUEST = TrialRequest(
    trial=3, order=ALL_ORDERS[17], seed=5, start=None, trained_episodes=0, max_episodes=24, cap="episode-cap"
)
TASK = TrialTask(config=CONFIG, request=REQUEST, learner=None, network=None)


def figures(outcome: TrialOutcome) -> tuple[object, ...]:
    """All that a trial has found out, wall-clock times left out."""
    updates = [(update.episodes, update.env_reward, update.compliance) for update in outcome.updates]
    return replace(outcome.result, seconds=0.0), outcome.learner, outcome.policy, updates


def test_trial__is_a_function_of_its_task_which_can_be_sent(tmp_path: Path) -> None:
    outcome = run_trial(TASK)
    again = pickle.loads(pickle.dumps(run_trial(pickle.loads(pickle.dumps(TASK)))))
    assert figures(again) == figures(outcome)
    assert figures(run_trial(replace(TASK, request=replace(REQUEST, seed=6)))) != figures(outcome)
    (tmp_path / "policy.safetensors").write_bytes(outcome.policy)
    card = load_policy(tmp_path / "policy.safetensors").card
    assert (card.workflow, card.training_episodes) == (format_order(REQUEST.order), 24)
    assert [update.episodes for update in outcome.updates] == [8, 16, 24]
    assert (outcome.result.ending, outcome.result.total_episodes) == ("episode-cap", 24)


def test_trial__of_a_trained_order_goes_on_with_its_learner() -> None:
    first = run_trial(TASK)
    request = replace(REQUEST, trial=4, start=REQUEST.order, trained_episodes=24)
    second = run_trial(replace(TASK, request=request, learner=first.learner))
    assert parse_state(second.learner)["ppo"]["updates_done"] == 6
    assert (second.result.episodes, second.result.total_episodes) == (24, 48)


def test_trial__of_a_new_order_begins_with_the_weights_of_another() -> None:
    first = run_trial(TASK)
    request = replace(REQUEST, trial=4, order=ALL_ORDERS[18], start=REQUEST.order)
    second = run_trial(replace(TASK, request=request, learner=first.learner))
    assert parse_state(second.learner)["ppo"]["updates_done"] == 3
    assert second.result.total_episodes == 24
    scratch = run_trial(replace(TASK, request=replace(request, start=None)))
    assert second.policy != scratch.policy
    order = parse_state(second.learner)["ppo"]["networks"]["order"]
    assert order.tolist() == parse_state(scratch.learner)["ppo"]["networks"]["order"].tolist()


def test_trial__takes_its_network_along() -> None:
    shipped = files("cageflow.scenario").joinpath("cage2.yaml").read_text()
    changed = shipped.replace("high: 10.0", "high: 500.0").replace("low: 0.1", "low: 7.0")
    config = CONFIG.model_copy(update={"scenario": "/no/such/file/on/this/machine.yaml"})
    outcome = run_trial(replace(TASK, config=config, network=changed.encode()))
    assert outcome.result.reward < 4 * run_trial(TASK).result.reward


def test_trial__with_a_learner_of_other_sizes_is_refused() -> None:
    learner = run_trial(TASK).learner
    config = make_config({**CONFIG.to_json(), "ppo": {"hidden_sizes": [32]}})
    for start in (REQUEST.order, ALL_ORDERS[0]):
        request = replace(REQUEST, start=start)
        with pytest.raises(UserError, match="the learner of an earlier trial does not fit: the saved learner does not"):
            run_trial(TrialTask(config=config, request=request, learner=learner, network=None))


def test_trial__of_fixed_length_has_no_alignment_reward_and_ends_by_its_length_alone() -> None:
    config = make_config({**SMALL, "fixed_episodes": 160, "total_episodes": 400})
    outcome = run_trial(replace(TASK, config=config, request=replace(REQUEST, max_episodes=160)))
    assert (outcome.result.ending, outcome.result.episodes) == ("episode-cap", 160)
    assert {update.alignment for update in outcome.updates} == {0.0}
    assert len(outcome.updates) == 20 > CONFIG.patience_updates


def test_trial__says_when_a_batch_first_reached_the_threshold() -> None:
    assert run_trial(TASK).threshold_episodes is None
    lax = CONFIG.model_copy(update={"compliance_threshold": 0.0, "min_episodes_per_trial": 24})
    assert run_trial(replace(TASK, config=lax)).threshold_episodes == 8
