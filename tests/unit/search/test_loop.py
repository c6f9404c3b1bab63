"""The outer loop: budgets, the best trial, and a search that goes on where it stopped."""

import json
from dataclasses import FrozenInstanceError, fields, replace
from typing import ClassVar

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.scenario.orders import kendall_distance
from cageflow.search import (
    Budget,
    SearchState,
    StrategySettings,
    TrialNews,
    TrialResult,
    anew,
    best_trial,
    find_init,
    make_strategy,
    run_search,
)
from cageflow.search.clock import EpisodeClock
from cageflow.search.strategies import Choice
from tests.helpers.orders import ALL_ORDERS, ORDERS, order_id
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
    result = run_search(trainer, make_strategy("round-robin", ORDERS), Budget(trials=7), state=SearchState(0))
    assert (len(result.state.history), result.ending, result.episodes) == (7, "trials", 700)
    assert all((request.max_episodes, request.cap) == (None, "episode-cap") for request in trainer.requests)


def test_search__counts_the_episodes_that_were_really_trained():
    trainer = Trainer(pair_landscape(0), episodes=300)
    budget = Budget(episodes=1000, trials=50, episodes_per_trial=500)
    result = run_search(trainer, make_strategy("round-robin", ORDERS), budget, state=SearchState(0))
    assert (len(result.state.history), result.ending, result.episodes) == (4, "budget", 1000)
    assert [(request.max_episodes, request.cap) for request in trainer.requests] == [
        (500, "episode-cap"),
        (500, "episode-cap"),
        (400, "budget"),
        (100, "budget"),
    ]


def test_search__tells_a_trial_how_far_its_order_is_trained():
    trainer = Trainer(pair_landscape(0))
    result = run_search(trainer, make_strategy("round-robin", ORDERS), Budget(trials=122), state=SearchState(0))
    assert [request.trained_episodes for request in trainer.requests] == [0] * 120 + [100, 100]
    assert [request.trial for request in trainer.requests] == list(range(122))
    assert [t.total_episodes for t in result.state.history][119:] == [100, 200, 200]


def test_search__gives_every_trial_a_seed_of_its_own():
    first, second = Trainer(pair_landscape(0)), Trainer(pair_landscape(0))
    for seed, trainer in ((0, first), (1, second)):
        run_search(trainer, make_strategy("round-robin", ORDERS), Budget(trials=50), state=SearchState(seed))
    seeds = [request.seed for request in first.requests + second.requests]
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_search__draws_a_choice_and_the_seed_of_its_trial_from_streams_of_their_own():
    class Watched:
        space = ORDERS
        settings = StrategySettings()
        drawn: ClassVar[list[int]] = []

        def belief(self, history):
            return np.zeros(120)

        def choose(self, history, pending, rng):
            self.drawn.append(int(rng.integers(2**63)))
            return Choice(ALL_ORDERS[len(history)])

    trainer = Trainer(pair_landscape(0))
    run_search(trainer, Watched(), Budget(trials=20), state=SearchState(0))
    assert len({*Watched.drawn, *(request.seed for request in trainer.requests)}) == 40


@pytest.mark.parametrize("name", ["gp-ucb", "thompson", "random"])
def test_search__same_seed_same_search_other_seed_another(name):
    rewards = pair_landscape(1)
    results = [
        run_search(Trainer(rewards), make_strategy(name, ORDERS), Budget(trials=6), state=SearchState(seed)).state
        for seed in (3, 3, 4)
    ]
    assert results[0] == results[1]
    assert [t.order for t in results[0].history] != [t.order for t in results[2].history]


@pytest.mark.parametrize("name", ["gp-ucb", "thompson", "random", "round-robin"])
def test_search__stopped_and_restored_from_a_file_goes_on_as_if_never_stopped(name):
    rewards = pair_landscape(2)
    whole = run_search(Trainer(rewards), make_strategy(name, ORDERS), Budget(trials=9), state=SearchState(5))
    saved = []
    run_search(
        Trainer(rewards),
        make_strategy(name, ORDERS),
        Budget(trials=4),
        state=SearchState(5),
        on_iteration=lambda iteration: saved.append(json.dumps(iteration.state.to_json())),
    )
    state = SearchState.from_json(json.loads(saved[-1]))
    assert len(state.history) == 4
    rest = run_search(Trainer(rewards), make_strategy(name, ORDERS), Budget(trials=9), state=state)
    assert rest == whole


def test_search__restored_with_another_seed_goes_another_way():
    rewards = pair_landscape(2)
    whole = run_search(Trainer(rewards), make_strategy("random", ORDERS), Budget(trials=9), state=SearchState(5))
    rest = run_search(
        Trainer(rewards),
        make_strategy("random", ORDERS),
        Budget(trials=9),
        state=SearchState(6, whole.state.history[:4]),
    )
    assert orders_of(rest) != orders_of(whole)


def test_search__whose_budget_is_spent_already_runs_no_trial():
    history = [trial(-10.0, 1.0), trial(-5.0, 1.0, order=1)]
    trainer = Trainer(pair_landscape(0))
    result = run_search(
        trainer, make_strategy("random", ORDERS), Budget(episodes=200), state=SearchState(0, tuple(history))
    )
    assert trainer.requests == []
    assert result.recommended.trial is history[1]


def test_callback__gets_the_facts_of_every_iteration():
    compliances = np.ones(120)
    compliances[::2] = 0.5
    launches, iterations = [], []
    strategy = make_strategy("gp-ucb", ORDERS, StrategySettings(compliance_threshold=0.9))
    result = run_search(
        Trainer(pair_landscape(0), compliances),
        strategy,
        Budget(trials=6),
        state=SearchState(0),
        on_launch=launches.append,
        on_iteration=iterations.append,
    )
    assert [launch.request for launch in launches] == [iteration.request for iteration in iterations]
    assert [iteration.request.trial for iteration in iterations] == list(range(6))
    assert [iteration.episodes for iteration in iterations] == [100, 200, 300, 400, 500, 600]
    assert [iteration.gp_updated for iteration in iterations] == [t.compliance >= 0.9 for t in result.state.history]
    assert {iteration.gp_updated for iteration in iterations} == {True, False}
    for iteration in iterations:
        assert iteration.request.order == iteration.result.order
    for launch, iteration in zip(launches, iterations, strict=True):
        acquisition = launch.choice.acquisition
        assert iteration.ucb == acquisition.ucb[order_id(launch.request.order)]
        for values in (acquisition.mean, acquisition.std, acquisition.ucb, acquisition.feasibility, acquisition.score):
            assert values.shape == (120,)
        np.testing.assert_allclose(acquisition.ucb, acquisition.mean + 2.0 * acquisition.std)
    assert iterations[-1].state == result.state
    for given in (launches[0], launches[0].state, iterations[-1], iterations[-1].state):
        for field in fields(given):
            with pytest.raises(FrozenInstanceError):
                setattr(given, field.name, None)


def test_callback__a_strategy_without_a_model_updates_none():
    iterations = []
    run_search(
        Trainer(pair_landscape(0)),
        make_strategy("random", ORDERS),
        Budget(trials=2),
        state=SearchState(0),
        on_iteration=iterations.append,
    )
    assert [iteration.gp_updated for iteration in iterations] == [False, False]


def test_search__that_never_complies_says_so():
    compliances = np.linspace(0.2, 0.6, 120)
    result = run_search(
        Trainer(pair_landscape(0), compliances),
        make_strategy("round-robin", ORDERS),
        Budget(trials=5),
        state=SearchState(0),
    )
    assert not result.recommended.feasible
    assert result.recommended.trial is result.state.history[4]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: replace(t, order=ALL_ORDERS[77]), "was to train defender >.*its result is on op_host >"),
        (lambda t: replace(t, total_episodes=900), "reports 900 episodes in all, expected 0 before it and 100 in it"),
    ],
)
def test_search__refuses_a_result_that_does_not_answer_its_request(spoil, message):
    class Confused(Trainer):
        def __call__(self, request):
            return spoil(super().__call__(request))

    trainer = Confused(pair_landscape(0))
    with pytest.raises(RuntimeError, match=message):
        run_search(trainer, make_strategy("round-robin", ORDERS), Budget(trials=1), state=SearchState(0))


@pytest.mark.parametrize(
    ("budget", "sentence"),
    [
        ({}, "the search has no budget: give a number of episodes or a number of trials"),
        ({"episodes": -5}, "the budget is -5 episodes: it must be at least 1"),
        ({"trials": 0}, "the budget is 0 trials: it must be at least 1"),
        ({"trials": 5, "episodes_per_trial": 0}, "the budget is 0 episodes a trial: it must be at least 1"),
    ],
)
def test_budget__refuses_in_one_sentence(budget, sentence):
    with pytest.raises(UserError) as refusal:
        Budget(**budget)
    assert str(refusal.value) == sentence


def test_search__refuses_a_negative_seed_before_any_trial():
    trainer = Trainer(pair_landscape(0))
    with pytest.raises(UserError, match=r"^the seed is -1: it must be at least 0$"):
        run_search(trainer, make_strategy("random", ORDERS), Budget(trials=1), state=SearchState(-1))
    assert trainer.requests == []


def test_search_state__refuses_what_is_none():
    with pytest.raises(ValueError, match=r"a search state has the fields \['clock', 'history', 'pending', 'seed'\]"):
        SearchState.from_json({"trials": []})


# Several trials at once.


@pytest.mark.parametrize("name", ["gp-ucb", "thompson", "random", "round-robin", "canonical", "exhaustive"])
def test_parallel__no_order_is_under_way_twice_and_every_trial_counts_once(name):
    launches = []
    trainer = Trainer(pair_landscape(3), last_first=True)
    result = run_search(
        trainer,
        make_strategy(name, ORDERS),
        Budget(trials=14),
        state=SearchState(1),
        parallel=4,
        on_launch=launches.append,
    )
    assert sorted(request.trial for request in trainer.requests) == list(range(14))
    assert len(result.state.history) == 14
    assert result.state.pending == ()
    for launch in launches:
        orders = [trial.request.order for trial in launch.state.pending]
        assert len(set(orders)) == len(orders) <= 4
    assert max(len(launch.state.pending) for launch in launches) == 4


def lengths(request):
    """How long trials train here: 100, 400 and 200 episodes in turn."""
    return (100, 400, 200)[request.trial % 3]


def test_parallel__trials_end_in_the_order_of_their_episodes():
    iterations = []
    run_search(
        Trainer(pair_landscape(0), episodes=lengths),
        make_strategy("round-robin", ORDERS),
        Budget(trials=6),
        state=SearchState(0),
        parallel=2,
        on_iteration=iterations.append,
    )
    # By hand: 0 from 0 to 100, 1 from 0 to 400; 2 from 100 to 300; 3 from 300 to 400, of equals the first; 4 to 800,
    # begun at 400 like 5, which ends at 600.
    assert [iteration.request.trial for iteration in iterations] == [0, 2, 1, 3, 5, 4]
    assert [iteration.state.clock for iteration in iterations] == [100, 300, 400, 400, 600, 800]


class Piecewise(Trainer):
    """Tells of trials in pieces of 50 episodes, of whichever trial chance takes."""

    def __init__(self, rewards, seed):
        super().__init__(rewards, episodes=lengths)
        self.chance = np.random.default_rng(seed)
        self.trained = {}

    def next_news(self):
        request = self.waiting[self.chance.integers(len(self.waiting))]
        self.trained[request.trial] = self.trained.get(request.trial, 0) + 50
        if self.trained[request.trial] < lengths(request):
            return TrialNews(request.trial, self.trained[request.trial], None)
        self.waiting.remove(request)
        return TrialNews(request.trial, lengths(request), self(request))


@pytest.mark.parametrize("name", ["gp-ucb", "random"])
def test_parallel__who_is_faster_where_it_runs_changes_nothing(name):
    def search(trainer):
        return run_search(
            trainer, make_strategy(name, ORDERS), Budget(trials=10), state=SearchState(3), parallel=3
        ).state

    rewards = pair_landscape(4)
    one = search(Trainer(rewards, episodes=lengths))
    assert all(search(Piecewise(rewards, seed)) == one for seed in range(4))
    assert search(Trainer(rewards, episodes=lengths, last_first=True)) == one


def test_parallel__a_free_place_is_filled_as_soon_as_the_others_have_got_as_far():
    told = []

    class Watched(Piecewise):
        def submit(self, request):
            told.append((request.trial, dict(self.trained)))
            super().submit(request)

    run_search(
        Watched(pair_landscape(0), 0),
        make_strategy("round-robin", ORDERS),
        Budget(trials=3),
        state=SearchState(0),
        parallel=2,
    )
    trial, trained = told[-1]  # trial 1 has 400 to train; the third need not wait for its end
    assert trial == 2
    assert 100 <= trained[1] < 400


def test_clock__refuses_news_that_cannot_be():
    clock = EpisodeClock()
    clock.begin(0)
    clock.tell(0, 100, None)
    for trial, episodes in ((1, 100), (0, 50)):
        with pytest.raises(RuntimeError, match=f"trial {trial} is told of at {episodes} episodes"):
            clock.tell(trial, episodes, None)


def test_parallel__trials_under_way_count_with_all_that_they_may_train():
    trainer = Trainer(pair_landscape(0), episodes=100)
    launches = []
    result = run_search(
        trainer,
        make_strategy("round-robin", ORDERS),
        Budget(episodes=1050, episodes_per_trial=400),
        state=SearchState(0),
        parallel=4,
        on_launch=launches.append,
    )
    for launch in launches:
        promised = sum(trial.request.max_episodes for trial in launch.state.pending)
        assert promised + sum(trial.episodes for trial in launch.state.history) <= 1050
    assert [len(launch.state.pending) for launch in launches] == [1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    assert (result.episodes, result.ending) == (1050, "budget")


def test_parallel__no_trial_is_cut_short_by_what_the_others_may_need():
    trainer = Trainer(pair_landscape(0), episodes=100)
    budget = Budget(episodes=1050, episodes_per_trial=400)
    run_search(trainer, make_strategy("round-robin", ORDERS), budget, state=SearchState(0), parallel=4)
    cut = [request for request in trainer.requests if request.cap == "budget"]
    assert [request.max_episodes for request in cut] == [350, 250, 150, 50]


def test_parallel__trials_under_way_begin_again_when_the_search_goes_on():
    class Dying(Trainer):
        def next_news(self):
            if len(self.requests) == 3:
                raise KeyboardInterrupt
            return super().next_news()

    rewards = pair_landscape(2)
    saved = []
    dying = Dying(rewards)
    with pytest.raises(KeyboardInterrupt):
        run_search(
            dying,
            make_strategy("gp-ucb", ORDERS),
            Budget(trials=8),
            state=SearchState(5),
            parallel=3,
            on_launch=lambda launch: saved.append(json.dumps(launch.state.to_json())),
        )
    state = SearchState.from_json(json.loads(saved[-1]))
    assert [trial.request for trial in state.pending] == dying.waiting
    assert len(state.pending) == 3
    trainer = Trainer(rewards)
    rest = run_search(trainer, make_strategy("gp-ucb", ORDERS), Budget(trials=8), state=state, parallel=3)
    assert trainer.requests[:3] == dying.waiting
    whole = run_search(
        Trainer(rewards), make_strategy("gp-ucb", ORDERS), Budget(trials=8), state=SearchState(5), parallel=3
    )
    assert rest == whole


def test_search__that_has_tried_every_order_is_exhausted():
    trainer = Trainer(pair_landscape(0))
    result = run_search(
        trainer, make_strategy("exhaustive", ORDERS), Budget(trials=500), state=SearchState(0), parallel=7
    )
    assert result.ending == "exhausted"
    assert sorted(orders_of(result)) == sorted(ALL_ORDERS)


def test_search__refuses_no_trial_at_once():
    with pytest.raises(UserError, match="0 trials at once"):
        run_search(
            Trainer(pair_landscape(0)),
            make_strategy("random", ORDERS),
            Budget(trials=1),
            state=SearchState(0),
            parallel=0,
        )


# Where an order starts.


def starts(init, trials=140, parallel=1):
    trainer = Trainer(pair_landscape(0), last_first=True)
    run_search(
        trainer,
        make_strategy("round-robin", ORDERS),
        Budget(trials=trials),
        state=SearchState(0),
        parallel=parallel,
        start=init,
    )
    return trainer.requests


def test_init__scratch_goes_on_with_an_order_that_was_trained_and_begins_anew_with_others():
    requests = starts(find_init("scratch"))
    assert [request.start for request in requests] == [None] * 120 + list(ALL_ORDERS[:20])
    assert [request.trained_episodes for request in requests] == [0] * 120 + [100] * 20


def test_init__nearest_takes_the_trained_order_at_the_least_distance():
    requests = starts(find_init("nearest"))
    assert requests[0].start is None
    for request in requests[1:120]:
        tried = ALL_ORDERS[: request.trial]
        distances = [kendall_distance(request.order, other) for other in tried]
        assert kendall_distance(request.order, request.start) == min(distances)
        assert request.start == tried[max(i for i, distance in enumerate(distances) if distance == min(distances))]
    assert all(request.start == request.order for request in requests[120:])
    assert {request.trained_episodes for request in requests[:120]} == {0}


def test_init__shared_takes_the_trial_that_ended_last():
    requests = starts(find_init("shared"), trials=10)
    assert [request.start for request in requests] == [None, *ALL_ORDERS[:9]]


def test_init__anew_forgets_what_was_trained():
    requests = starts(anew)
    assert {request.start for request in requests} == {None}
    assert {request.trained_episodes for request in requests} == {0}


def test_init__unknown_is_refused():
    with pytest.raises(UserError, match="unknown init 'best': choose one of scratch, nearest, shared"):
        find_init("best")
