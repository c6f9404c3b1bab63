"""Trials as functions of their task: the same outcome wherever they run, and each start as it is asked for."""

import pickle
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from cageflow.collect import make_collector
from cageflow.errors import UserError
from cageflow.learn.policy_file import load_policy
from cageflow.scenario.orders import format_order
from cageflow.search import TrialRequest
from cageflow.settings.reading import make_config
from cageflow.training import trials
from cageflow.training.state_file import parse_state
from cageflow.training.trainer import UpdateRecord
from cageflow.training.trials import TrialOutcome, TrialTask, run_trial
from tests.helpers.orders import ALL_ORDERS

SMALL = {"max_steps": 10, "episodes_per_update": 8, "evaluation_episodes": 6, "seed": 2, "workflow_mode": "rewarded"}
CONFIG = make_config(SMALL)
REQUEST = TrialRequest(
    trial=3, order=ALL_ORDERS[17], seed=5, start=None, trained_episodes=0, max_episodes=24, cap="episode-cap"
)
TASK = TrialTask(config=CONFIG, request=REQUEST, learner=None, network=None)


def run(task: TrialTask, part_episodes: int = 1000) -> tuple[TrialOutcome, list[UpdateRecord]]:
    """Run a trial part by part, each sent as to another machine: what it leaves behind, and its updates."""
    updates: list[UpdateRecord] = []
    while True:
        part = pickle.loads(pickle.dumps(run_trial(pickle.loads(pickle.dumps(task)), part_episodes)))
        updates.extend(part.updates)
        assert part.episodes == updates[-1].episodes
        if part.outcome is not None:
            return part.outcome, updates
        task = part.then


def outcome_of(task: TrialTask) -> TrialOutcome:
    return run(task)[0]


def figures(trained: tuple[TrialOutcome, list[UpdateRecord]]) -> tuple[object, ...]:
    """All that a trial has found out, wall-clock times left out."""
    outcome, updates = trained
    told = [(update.episodes, update.env_reward, update.compliance) for update in updates]
    return replace(outcome.result, seconds=0.0), outcome.learner, outcome.policy, told


def test_trial__is_a_function_of_its_task_which_can_be_sent(tmp_path: Path) -> None:
    outcome, updates = trained = run(TASK)
    assert figures(run(TASK)) == figures(trained)
    assert figures(run(replace(TASK, request=replace(REQUEST, seed=6)))) != figures(trained)
    (tmp_path / "policy.safetensors").write_bytes(outcome.policy)
    card = load_policy(tmp_path / "policy.safetensors").card
    assert (card.workflow, card.training_episodes) == (format_order(REQUEST.order), 24)
    assert [update.episodes for update in updates] == [8, 16, 24]
    assert (outcome.result.ending, outcome.result.total_episodes) == ("episode-cap", 24)


@pytest.mark.parametrize("part_episodes", [1, 9, 16])
def test_trial__in_parts_is_the_same(part_episodes: int) -> None:
    first = run_trial(TASK, part_episodes)
    assert first.outcome is None
    assert first.episodes == -(-part_episodes // 8) * 8  # whole updates
    assert figures(run(TASK, part_episodes)) == figures(run(TASK))


def test_trial__goes_on_as_it_stands_where_the_same_process_gets_its_next_part_and_nothing_came_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = []
    begin = trials._begin
    monkeypatch.setattr(trials, "_begin", lambda *given: begun.append(given) or begin(*given))
    alone = figures(run(TASK, 8))
    assert len(begun) == 1
    first, other = run_trial(TASK, 8), run_trial(replace(TASK, request=replace(REQUEST, seed=5)), 8)
    assert first.then is not None and other.then is not None
    again, taken = run_trial(first.then, 8), run_trial(other.then, 8)
    assert len(begun) == 5, "each came between the parts of the other"
    assert again.then is not None and taken.then is not None
    last = run_trial(taken.then, 8)
    assert len(begun) == 5 and last.outcome is not None
    updates = [one for part in (first, again) for one in part.updates]
    outcome = run_trial(again.then, 8)
    assert outcome.outcome is not None
    assert figures((outcome.outcome, [*updates, *outcome.updates])) == alone


def test_trial__of_a_collector_that_plays_ahead_is_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "make_collector", lambda name, spec, workers: make_collector("vector", spec, workers))
    task = replace(TASK, config=CONFIG.model_copy(update={"collector": "process"}))
    assert run_trial(task, part_episodes=8).outcome is not None


def test_trial__of_a_trained_order_goes_on_with_its_learner() -> None:
    first = outcome_of(TASK)
    request = replace(REQUEST, trial=4, start=REQUEST.order, trained_episodes=24)
    second = outcome_of(replace(TASK, request=request, learner=first.learner))
    assert parse_state(second.learner)["ppo"]["updates_done"] == 6
    assert (second.result.episodes, second.result.total_episodes) == (24, 48)


def test_trial__of_a_new_order_begins_with_the_weights_of_another() -> None:
    first = outcome_of(TASK)
    request = replace(REQUEST, trial=4, order=ALL_ORDERS[18], start=REQUEST.order)
    second = outcome_of(replace(TASK, request=request, learner=first.learner))
    assert parse_state(second.learner)["ppo"]["updates_done"] == 3
    assert second.result.total_episodes == 24
    scratch = outcome_of(replace(TASK, request=replace(request, start=None)))
    assert second.policy != scratch.policy
    order = parse_state(second.learner)["ppo"]["networks"]["order"]
    assert order.tolist() == parse_state(scratch.learner)["ppo"]["networks"]["order"].tolist()


@pytest.mark.parametrize("part_episodes", [8, 1000])
def test_trials_in_rungs__come_to_what_the_training_comes_to_in_one_go(part_episodes: int) -> None:
    request = replace(REQUEST, training=2, full_episodes=24)
    whole, at_once = run(replace(TASK, request=request))
    first, updates = run(replace(TASK, request=replace(request, max_episodes=8)), part_episodes)
    assert (first.result.ending, first.result.episodes, first.result.training) == ("rung", 8, 2)
    further = replace(request, trial=9, start=REQUEST.order, start_training=2, trained_episodes=8, max_episodes=16)
    last, more = run(replace(TASK, request=further, learner=first.learner), part_episodes)
    assert (last.result.episodes, last.result.total_episodes, last.result.ending) == (16, 24, "episode-cap")
    assert [update.episodes for update in [*updates, *more]] == [8, 8, 16], "those of the trial"
    assert [update.stats.learning_rate for update in [*updates, *more]] == [one.stats.learning_rate for one in at_once]
    assert len({one.stats.learning_rate for one in at_once}) == 3, "the schedule is stretched over the whole training"
    assert last.policy == whole.policy
    assert replace(last.result, episodes=24, seconds=0.0) == replace(whole.result, seconds=0.0)
    told = parse_state(first.learner)
    assert told["ppo"]["updates_done"] == 1


def test_trial_at_a_rung__is_judged_on_other_episodes_than_at_the_next() -> None:
    lazy = make_config({**SMALL, "ppo": {"learning_rate": 1e-12, "final_learning_rate": 1e-12}})
    request = replace(REQUEST, full_episodes=24)
    rewards = [
        outcome_of(replace(TASK, config=lazy, request=replace(request, max_episodes=rung))).result.reward
        for rung in (8, 16, 24)
    ]
    assert len(set(rewards)) == 3, "the policy is the same"


def test_trial__takes_its_network_along() -> None:
    shipped = files("cageflow.scenario").joinpath("cage2.yaml").read_text()
    changed = shipped.replace("high: 10.0", "high: 500.0").replace("low: 0.1", "low: 7.0")
    config = CONFIG.model_copy(update={"scenario": "/no/such/file/on/this/machine.yaml"})
    outcome = outcome_of(replace(TASK, config=config, network=changed.encode()))
    assert outcome.result.reward < 4 * outcome_of(TASK).result.reward


def test_trial__with_a_learner_of_other_sizes_is_refused() -> None:
    learner = outcome_of(TASK).learner
    config = make_config({**CONFIG.to_json(), "ppo": {"hidden_sizes": [32]}})
    for start in (REQUEST.order, ALL_ORDERS[0]):
        request = replace(REQUEST, start=start)
        with pytest.raises(UserError, match="the learner of an earlier trial does not fit: the saved learner does not"):
            outcome_of(TrialTask(config=config, request=request, learner=learner, network=None))


def test_trial__of_fixed_length_has_no_alignment_reward_and_ends_by_its_length_alone() -> None:
    config = make_config({**SMALL, "fixed_episodes": 160, "total_episodes": 400})
    outcome, updates = run(replace(TASK, config=config, request=replace(REQUEST, max_episodes=160)))
    assert (outcome.result.ending, outcome.result.episodes) == ("episode-cap", 160)
    assert {update.alignment for update in updates} == {0.0}
    assert len(updates) == 20 > CONFIG.patience_updates


def test_trial__says_when_a_batch_first_reached_the_threshold() -> None:
    assert outcome_of(TASK).threshold_episodes is None
    lax = CONFIG.model_copy(update={"compliance_threshold": 0.0, "min_episodes_per_trial": 24})
    assert outcome_of(replace(TASK, config=lax)).threshold_episodes == 8
