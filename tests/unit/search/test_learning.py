"""The strategy that learns from curves: what it begins, what it carries on, and what it leaves."""

from dataclasses import replace

import numpy as np
import pytest

from cageflow.search import StrategySettings
from cageflow.search.curves import enough_to_learn_from, fit_curves, steps_tell
from cageflow.search.learning import MOST_TRAININGS, Curves
from cageflow.search.rungs import progress
from tests.helpers.orders import ALL_ORDERS, ORDERS
from tests.unit.search.test_curves import FULL, made_landscape, request, trial

RUNGS = (750, 1500, 3000, FULL)
SETTINGS = StrategySettings(rungs=RUNGS, compliance_threshold=0.0)
STRATEGY = Curves(ORDERS, SETTINGS)


def choose(history, pending=(), seed=0, strategy=STRATEGY):
    return strategy.choose(history, pending, np.random.default_rng(seed))


def searched(rewards, num_trials, strategy=STRATEGY, rungs=(750, 2000, FULL)):
    """Trials of a search on a table (W, trainings, rungs)."""
    history, strategy = [], Curves(ORDERS, replace(strategy.settings, rungs=rungs))
    for number in range(num_trials):
        choice = choose(history, seed=number, strategy=strategy)
        place = 1 + rungs.index(progress(history).get((choice.order, choice.training), rungs[0]))
        place = 0 if (choice.order, choice.training) not in progress(history) else place
        reward = rewards[ORDERS.rank(choice.order), choice.training - 1, place]
        history.append(trial(ORDERS.rank(choice.order), reward, rungs[place], choice.training))
    return history


def test_choice__without_trials_begins_any_order():
    chosen = {choose([], seed=seed).order for seed in range(8)}
    assert len(chosen) > 4
    assert choose([]).training == 1


def test_choice__logs_what_is_thought_of_every_order_at_the_full_budget():
    history = [trial(i, -30 - i, RUNGS[i % 4]) for i in range(0, 60, 7)]
    acquisition = choose(history).acquisition
    np.testing.assert_allclose(acquisition.ucb, acquisition.mean + 2 * acquisition.std)
    np.testing.assert_array_equal(acquisition.feasibility, 1.0)
    assert acquisition.score.argmax() == ORDERS.rank(choose(history).order)
    np.testing.assert_allclose(STRATEGY.belief(history), acquisition.mean)


def test_search__carries_good_orders_to_the_end_and_leaves_bad_ones_early():
    rewards, true = made_landscape(3, 0.5)
    reached = {}
    for (order, _), episodes in progress(searched(rewards, 70)).items():
        reached.setdefault(episodes, []).append(true[ORDERS.rank(order)])
    assert len(reached[FULL]) >= 8
    assert len(reached[750]) >= 8
    assert np.mean(reached[FULL]) > np.mean(reached[750]) + 0.5 * true.std()


def test_search__gives_promising_orders_further_trainings_and_never_too_many():
    rewards, true = made_landscape(3, 0.5, sd=0.5)
    trainings = {}
    for order, training in progress(searched(rewards, 70)):
        trainings.setdefault(ORDERS.rank(order), []).append(training)
    several = [order for order, numbers in trainings.items() if len(numbers) > 1]
    assert several
    assert true[several].mean() > true.mean()
    assert all(sorted(numbers) == [*range(1, len(numbers) + 1)] for numbers in trainings.values())
    assert max(map(len, trainings.values())) <= MOST_TRAININGS


@pytest.mark.parametrize("seed", range(3))
def test_search__finds_better_orders_than_chance_for_the_same_episodes(seed):
    rewards, true = made_landscape(10 + seed, 0.5)
    history = searched(rewards, 60)
    spent = sum({(one.order, one.training): one.total_episodes for one in history}.values())
    tried = np.random.default_rng(seed).integers(120, size=spent // FULL)
    by_chance = max(tried.tolist(), key=lambda order: rewards[order, 0, -1])
    belief = STRATEGY.belief(history)
    found = max({ORDERS.rank(one.order) for one in history}, key=lambda order: belief[order])
    assert true.max() - true[found] <= true.max() - true[by_chance]


def test_step__is_the_one_that_tells_most_for_an_episode():
    history, chosen = searched(made_landscape(3, 0.5)[0], 40), []
    strategy = Curves(ORDERS, replace(SETTINGS, rungs=(750, 2000, FULL)))
    for number in range(12, 40, 4):
        known = history[:number]
        choice = choose(known, strategy=strategy)
        begun = {k: episodes for (order, k), episodes in progress(known).items() if order == choice.order}
        steps = {k: (episodes, 2000 if episodes < 2000 else FULL) for k, episodes in begun.items() if episodes < FULL}
        if len(begun) < MOST_TRAININGS:
            steps[len(begun) + 1] = 0, 750
        belief = fit_curves(ORDERS, known, FULL, learn_from=enough_to_learn_from(number))
        told = steps_tell(belief, choice.order, [*steps], [end for _, end in steps.values()])
        by_episode = told / [end - start for start, end in steps.values()]
        assert choice.training == [*steps][by_episode.argmax()]
        chosen.append(len(steps) > 1)
    assert any(chosen)


def test_pending__trainings_are_not_chosen_again():
    history = [trial(i, -30 - i % 7, 750) for i in range(0, 60, 5)]
    first = choose(history)
    pending = []
    for number in range(6):
        choice = choose(history, pending)
        key = choice.order, choice.training
        assert key not in {(one.order, one.training) for one in pending}
        trained = progress(history).get(key, 0)
        pending.append(
            replace(
                request(ORDERS.rank(choice.order)),
                trial=number,
                training=choice.training,
                trained_episodes=trained,
                max_episodes=750,
            )
        )
    assert (pending[0].order, pending[0].training) == (first.order, first.training)


def test_choice__is_none_when_nothing_is_left():
    rungs = (FULL,)
    strategy = Curves(ORDERS, replace(SETTINGS, rungs=rungs))
    history = [trial(i, -30 - i % 7, training=k) for i in range(120) for k in range(1, MOST_TRAININGS + 1)]
    assert choose(history, strategy=strategy) is None
    assert choose(history[:-1], strategy=strategy).order == ALL_ORDERS[-1]
    waiting = [replace(request(119), training=MOST_TRAININGS)]
    assert choose(history[:-1], waiting, strategy=strategy) is None


def test_orders__that_do_not_comply_at_the_full_budget_are_avoided():
    """Half the orders miss the threshold, and have the better rewards; short trainings say nothing of it."""
    strategy = Curves(ORDERS, replace(SETTINGS, compliance_threshold=0.95))
    fails = [order.index("user") < order.index("enterprise") for order in ALL_ORDERS]
    history = [
        replace(trial(i, -20 - 10 * (not fails[i])), compliance=0.8 if fails[i] else 0.99) for i in range(0, 120, 5)
    ]
    acquisition = choose(history, strategy=strategy).acquisition
    assert acquisition.feasibility[fails].mean() < 0.2
    assert acquisition.feasibility[~np.array(fails)].mean() > 0.8
    assert not fails[acquisition.score.argmax()]
    early = [replace(trial(i, -40, 750), compliance=0.5) for i in range(0, 120, 5)]
    np.testing.assert_array_equal(choose(early, strategy=strategy).acquisition.feasibility, 1.0)


def test_choice__is_a_function_of_its_trials_alone():
    history = searched(made_landscape(3, 0.5)[0], 30)
    one, other = choose(history), choose([replace(trial) for trial in history])
    assert (one.order, one.training) == (other.order, other.training)
    np.testing.assert_array_equal(one.acquisition.score, other.acquisition.score)
