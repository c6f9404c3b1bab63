"""The outer loop: budgets, the best trial, and a search that goes on where it stopped."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.search import Budget, SearchState, StrategySettings, TrialResult, best_trial, make_strategy, run_search
from cageflow.workflow import ALL_ORDERS
from tests.unit.search.landscapes import Trainer, pair_landscape


def trial(reward, compliance, order=0):
    return TrialResult(
        order=ALL_ORDERS[order],
        reward=reward,
        reward_se=0.5,
        compliance=compliance,
        episodes=100,
        total_episodes=100,
        ending="patience",
        seconds=1.0,
    )


def orders_of(result):
    return [t.order for t in result.state.history]


def test_best_trial__is_the_highest_reward_at_the_threshold():
    history = [trial(-10.0, 0.94), trial(-30.0, 0.95), trial(-20.0, 0.99), trial(-25.0, 1.0)]
    assert best_trial(history, 0.95) == (history[2], True)


def test_best_trial__without_a_feasible_one_is_the_most_compliant():
    history = [trial(-10.0, 0.5), trial(-30.0, 0.8), trial(-20.0, 0.8), trial(-5.0, 0.1)]
    assert best_trial(history, 0.95) == (history[2], False)


def test_best_trial__of_equals_the_earlier_wins():
    history = [trial(-10.0, 1.0, order=5), trial(-10.0, 1.0, order=6)]
    assert best_trial(history, 0.95)[0] is history[0]


def test_search__ends_when_the_trials_are_spent():
    trainer = Trainer(pair_landscape(0))
    result = run_search(trainer, make_strategy("round-robin"), Budget(trials=7), seed=0)
    assert (len(result.state.history), result.ending, result.episodes) == (7, "trials", 700)
    assert all(request.episodes_left is None for request in trainer.requests)


def test_search__counts_the_episodes_that_were_really_trained():
    trainer = Trainer(pair_landscape(0), episodes=300)
    result = run_search(trainer, make_strategy("round-robin"), Budget(episodes=1000, trials=50), seed=0)
    assert (len(result.state.history), result.ending, result.episodes) == (4, "episodes", 1200)
    assert [request.episodes_left for request in trainer.requests] == [1000, 700, 400, 100]


def test_search__tells_a_trial_how_far_its_order_is_trained():
    trainer = Trainer(pair_landscape(0))
    result = run_search(trainer, make_strategy("round-robin"), Budget(trials=122), seed=0)
    assert [request.trained_episodes for request in trainer.requests] == [0] * 120 + [100, 100]
    assert [request.trial for request in trainer.requests] == list(range(122))
    assert [t.total_episodes for t in result.state.history][119:] == [100, 200, 200]


def test_search__gives_every_trial_a_seed_of_its_own():
    first, second = Trainer(pair_landscape(0)), Trainer(pair_landscape(0))
    for seed, trainer in ((0, first), (1, second)):
        run_search(trainer, make_strategy("round-robin"), Budget(trials=50), seed=seed)
    seeds = [request.seed for request in first.requests + second.requests]
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("name", ["gp-ucb", "thompson", "random"])
def test_search__same_seed_same_search_other_seed_another(name):
    rewards = pair_landscape(1)
    results = [
        run_search(Trainer(rewards), make_strategy(name), Budget(trials=6), seed=seed).state for seed in (3, 3, 4)
    ]
    assert results[0] == results[1]
    assert [t.order for t in results[0].history] != [t.order for t in results[2].history]


@pytest.mark.parametrize("name", ["gp-ucb", "thompson", "random", "round-robin"])
def test_search__stopped_and_restored_from_a_file_goes_on_as_if_never_stopped(name):
    rewards = pair_landscape(2)
    whole = run_search(Trainer(rewards), make_strategy(name), Budget(trials=9), seed=5)
    saved = []
    run_search(
        Trainer(rewards),
        make_strategy(name),
        Budget(trials=4),
        seed=5,
        on_iteration=lambda iteration: saved.append(json.dumps(iteration.state.to_json())),
    )
    state = SearchState.from_json(json.loads(saved[-1]))
    assert len(state.history) == 4
    rest = run_search(Trainer(rewards), make_strategy(name), Budget(trials=9), seed=state.seed, history=state.history)
    assert rest == whole


def test_search__restored_with_another_seed_goes_another_way():
    rewards = pair_landscape(2)
    whole = run_search(Trainer(rewards), make_strategy("random"), Budget(trials=9), seed=5)
    rest = run_search(
        Trainer(rewards), make_strategy("random"), Budget(trials=9), seed=6, history=whole.state.history[:4]
    )
    assert orders_of(rest) != orders_of(whole)


def test_search__whose_budget_is_spent_already_runs_no_trial():
    history = [trial(-10.0, 1.0), trial(-5.0, 1.0, order=1)]
    trainer = Trainer(pair_landscape(0))
    result = run_search(trainer, make_strategy("random"), Budget(episodes=200), seed=0, history=history)
    assert trainer.requests == []
    assert result.best is history[1]


def test_callback__gets_the_facts_of_every_iteration():
    compliances = np.ones(120)
    compliances[::2] = 0.5
    iterations = []
    strategy = make_strategy("gp-ucb", StrategySettings(compliance_threshold=0.9))
    result = run_search(
        Trainer(pair_landscape(0), compliances), strategy, Budget(trials=6), seed=0, on_iteration=iterations.append
    )
    assert [iteration.request.trial for iteration in iterations] == list(range(6))
    assert [iteration.episodes for iteration in iterations] == [100, 200, 300, 400, 500, 600]
    assert [iteration.gp_updated for iteration in iterations] == [t.compliance >= 0.9 for t in result.state.history]
    assert {iteration.gp_updated for iteration in iterations} == {True, False}
    for iteration in iterations:
        assert iteration.choice.order == iteration.request.order == iteration.result.order
        acquisition = iteration.choice.acquisition
        for values in (acquisition.mean, acquisition.std, acquisition.ucb, acquisition.feasibility, acquisition.score):
            assert values.shape == (120,)
        np.testing.assert_allclose(acquisition.ucb, acquisition.mean + 2.0 * acquisition.std)
    assert iterations[-1].state == result.state


def test_callback__a_strategy_without_a_model_updates_none():
    iterations = []
    run_search(
        Trainer(pair_landscape(0)), make_strategy("random"), Budget(trials=2), seed=0, on_iteration=iterations.append
    )
    assert [iteration.gp_updated for iteration in iterations] == [False, False]


def test_search__that_never_complies_says_so():
    compliances = np.linspace(0.2, 0.6, 120)
    result = run_search(Trainer(pair_landscape(0), compliances), make_strategy("round-robin"), Budget(trials=5), seed=0)
    assert not result.feasible
    assert result.best is result.state.history[4]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: replace(t, order=ALL_ORDERS[77]), "was to train defender,.*its result is on op_host,"),
        (lambda t: replace(t, total_episodes=900), "reports 900 episodes in all, expected 0 before it and 100 in it"),
    ],
)
def test_search__refuses_a_result_that_does_not_answer_its_request(spoil, message):
    trainer = Trainer(pair_landscape(0))
    with pytest.raises(RuntimeError, match=message):
        run_search(lambda request: spoil(trainer(request)), make_strategy("round-robin"), Budget(trials=1), seed=0)


@pytest.mark.parametrize(
    ("budget", "sentence"),
    [
        ({}, "the search has no budget: give a number of episodes or a number of trials"),
        ({"episodes": -5}, "the budget is -5 episodes: it must be at least 1"),
        ({"trials": 0}, "the budget is 0 trials: it must be at least 1"),
    ],
)
def test_budget__refuses_in_one_sentence(budget, sentence):
    with pytest.raises(UserError) as refusal:
        Budget(**budget)
    assert str(refusal.value) == sentence


def test_search__refuses_a_negative_seed_before_any_trial():
    trainer = Trainer(pair_landscape(0))
    with pytest.raises(UserError, match=r"^the seed is -1: it must be at least 0$"):
        run_search(trainer, make_strategy("random"), Budget(trials=1), seed=-1)
    assert trainer.requests == []


def test_search_state__refuses_what_is_none():
    with pytest.raises(ValueError, match="a search state has the fields seed and trials"):
        SearchState.from_json({"trials": []})
