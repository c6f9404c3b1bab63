"""Searches in rungs: what a trial takes where, what is kept back, and what is recommended in the end."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.search import (
    Budget,
    Choice,
    SearchState,
    StrategySettings,
    TrialResult,
    find_init,
    make_strategy,
    recommend,
    run_search,
)
from cageflow.search.halving import Asha
from cageflow.search.means import mean_belief
from cageflow.search.recommend import to_carry
from cageflow.search.rungs import next_rung, progress
from tests.helpers.orders import ALL_ORDERS, ORDERS, order_id
from tests.helpers.searches import pending_trial
from tests.unit.search.landscapes import CurveTrainer, pair_landscape

RUNGS = (10, 20, 40, 80)
SETTINGS = StrategySettings(rungs=RUNGS, compliance_threshold=0.9)


def trial(order, episodes, reward, training=1, compliance=1.0):
    return TrialResult(
        order=ALL_ORDERS[order],
        reward=reward,
        reward_se=0.1,
        compliance=compliance,
        episodes=10,
        total_episodes=episodes,
        ending="rung",
        seconds=0.0,
        training=training,
    )


class Told:
    """Does as it is told, one (order, training) after the other, and believes in the order of the highest number."""

    space = ORDERS
    settings = SETTINGS

    def __init__(self, *plan):
        self.plan = plan

    def choose(self, history, pending, rng):
        done = len(history) + len(pending)
        if done >= len(self.plan):
            return None
        order, training = self.plan[done]
        return Choice(ALL_ORDERS[order], training=training)

    def belief(self, history):
        return np.arange(120.0)


def search(strategy, budget, seed=0, parallel=1, init="scratch", trainer=None):
    trainer = trainer or CurveTrainer(pair_landscape(0))
    result = run_search(
        trainer, strategy, Budget(episodes=budget), state=SearchState(seed), parallel=parallel, start=find_init(init)
    )
    return result, trainer


def steps(trainer):
    return [(order_id(one.order), one.training, one.trained_episodes, one.rung) for one in trainer.requests]


def test_rungs__that_do_not_ascend_are_refused():
    for rungs in ((0, 5), (5, 5), (9, 5)):
        with pytest.raises(UserError, match="the rungs are .*: expected numbers of episodes that ascend from 1"):
            StrategySettings(rungs=rungs)
    assert [next_rung(RUNGS, episodes) for episodes in (0, 10, 79, 80)] == [10, 20, 80, None]


def test_progress__is_that_of_each_training_and_of_what_is_pending():
    history = [trial(3, 10, -9.0), trial(3, 10, -9.0, training=2), trial(3, 20, -9.0)]
    pending = [pending_trial(ALL_ORDERS[3], 2, 10, 20), pending_trial(ALL_ORDERS[5], 1, 0, 10)]
    one = ALL_ORDERS[3]
    assert progress(history, pending) == {(one, 1): 20, (one, 2): 20, (ALL_ORDERS[5], 1): 10}


def test_trial__takes_the_chosen_training_to_its_next_rung_and_no_other():
    result, trainer = search(Told((3, 1), (3, 2), (3, 1), (7, 1), (3, 2), (3, 1)), 1000)
    assert steps(trainer)[:6] == [
        (3, 1, 0, 10),
        (3, 2, 0, 10),
        (3, 1, 10, 20),
        (7, 1, 0, 10),
        (3, 2, 10, 20),
        (3, 1, 20, 40),
    ]
    assert steps(trainer)[6:] == [(7, 1, 10, 20), (7, 1, 20, 40), (7, 1, 40, 80)], "the best by belief, at the end"
    assert [one.full_episodes for one in trainer.requests] == [80] * len(trainer.requests)
    first = {(order_id(one.order), one.training): one for one in trainer.requests if not one.trained_episodes}
    assert len({one.seed for one in first.values()}) == 3
    for one in trainer.requests:
        assert one.seed == first[order_id(one.order), one.training].seed
        origin = (one.order, one.training) if one.trained_episodes else (None, 1)
        assert (one.start, one.start_training) == origin


@pytest.mark.parametrize("init", ["shared", "nearest"])
def test_new_training__of_a_new_order_may_begin_with_another_but_a_second_one_begins_alone(init):
    _, trainer = search(Told((3, 1), (3, 2), (3, 2), (4, 1), (4, 1), (4, 2)), 1000, init=init)
    starts = [None if one.start is None else (order_id(one.start), one.start_training) for one in trainer.requests[:6]]
    assert starts == [None, None, (3, 2), (3, 2), (4, 1), None]


def test_seeds_of_trainings__are_the_same_whatever_is_trained_between():
    _, one = search(Told((3, 1), (5, 1), (5, 2)), 1000)
    _, other = search(Told((5, 2), (5, 1), (9, 1), (3, 1)), 1000)
    seeds = [{(order_id(r.order), r.training): r.seed for r in trainer.requests} for trainer in (one, other)]
    assert all(seeds[0][key] == seeds[1][key] for key in ((3, 1), (5, 1), (5, 2)))


def test_training__that_is_under_way_or_at_its_end_cannot_be_chosen():
    with pytest.raises(RuntimeError, match="training 1 of .* was chosen, which is under way or at its 80 episodes"):
        search(Told((3, 1), (3, 1)), 1000, parallel=2)
    with pytest.raises(RuntimeError, match="was chosen"):
        search(Told(*[(3, 1)] * 5), 1000)


def test_result__that_is_not_of_the_rung_or_the_training_is_refused():
    for change, message in (
        ({"total_episodes": 5, "episodes": 5}, "was to reach the rung of 10 episodes, and has 5"),
        ({"training": 2}, "training 1, its result is on .* training 2"),
    ):

        class Wrong(CurveTrainer):
            def __call__(self, request, change=change):
                return replace(super().__call__(request), **change)

        with pytest.raises(RuntimeError, match=message):
            search(Told((3, 1)), 1000, trainer=Wrong(pair_landscape(0)))


def test_budget__keeps_back_what_carries_the_order_with_the_best_belief_to_the_end():
    # 9 is believed in. Of 130 episodes 40 are spent on others; then 3's way to 40 would leave 9 too few.
    plan = [(9, 1), (3, 1), (4, 1), (5, 1), (3, 1), (4, 1), (3, 1), (4, 1)]
    result, trainer = search(Told(*plan), 130)
    assert steps(trainer) == [
        *((9, 1, 0, 10), (3, 1, 0, 10), (4, 1, 0, 10), (5, 1, 0, 10), (3, 1, 10, 20), (4, 1, 10, 20)),
        *((9, 1, 10, 20), (9, 1, 20, 40), (9, 1, 40, 80)),
    ]
    assert (result.episodes, result.ending) == (130, "budget")
    assert (order_id(result.recommended.trial.order), result.recommended.trial.total_episodes) == (9, 80)


def test_budget__of_one_training_is_one_training():
    result, trainer = search(Told((3, 1), (9, 1)), 80)
    assert steps(trainer) == [(3, 1, 0, 10), (3, 1, 10, 20), (3, 1, 20, 40), (3, 1, 40, 80)]
    assert result.episodes == 80


def test_budget__is_spent_on_while_the_best_order_is_at_the_end():
    plan = [*[(9, 1)] * 4, *[(order, 1) for order in range(9)]]
    result, trainer = search(Told(*plan), 165)
    assert [one[0] for one in steps(trainer)] == [9, 9, 9, 9, 0, 1, 2, 3, 4, 5, 6, 7]
    assert (result.episodes, result.ending) == (160, "budget")


def test_order__that_failed_at_the_end_is_not_carried_again():
    history = [trial(9, 80, -5.0, compliance=0.5), trial(9, 10, -5.0, training=2), trial(4, 20, -9.0)]
    assert to_carry(Told(), history, (), 1000) == ((ALL_ORDERS[4], 1), 60)
    assert to_carry(Told(), history, [pending_trial(ALL_ORDERS[4], 1, 20, 40)], 40) == ((ALL_ORDERS[4], 1), 40)
    assert to_carry(Told(), history, (), 59) is None


def test_recommended__is_the_best_belief_at_the_full_budget_and_not_the_best_result():
    history = [trial(9, 40, -1.0), trial(5, 80, -7.0), trial(5, 80, -8.0, training=2), trial(3, 80, -6.0)]
    found = recommend(Told(), history)
    assert (found.trial, found.feasible, found.belief) == (history[1], True, 5.0)
    failed = [replace(one, compliance=0.8 - one.reward / 100) for one in history]
    assert recommend(Told(), failed).feasible is False
    assert recommend(Told(), failed).trial == failed[2]


def test_mean_belief__has_the_others_gain_on_the_way_that_is_left():
    history = [trial(1, 20, -30.0), trial(1, 40, -20.0), trial(1, 80, -15.0), trial(2, 20, -24.0), trial(2, 40, -18.0)]
    belief = mean_belief(ORDERS, [*history, trial(3, 20, -25.0), trial(3, 20, -23.0, training=2)], RUNGS)
    # From 40 to 80 there are 5 to be gained, from 20 to 40 there are 10 and 6: 8.
    assert belief[[1, 2, 3]].tolist() == [-15.0, -13.0, -11.0]
    assert belief[50] == -13.0
    assert mean_belief(ORDERS, history)[[1, 2]] == pytest.approx([-65 / 3, -21.0])
    assert (mean_belief(ORDERS, []) == 0).all()


def asha(history, pending=(), seed=0):
    return Asha(ORDERS, SETTINGS).choose(history, pending, np.random.default_rng(seed))


def test_asha__carries_the_best_half_of_a_rung_on_and_begins_others_otherwise():
    history = [trial(i, 10, -float(i)) for i in (5, 2)]
    choice = asha(history)
    assert (order_id(choice.order), choice.training) == (2, 1)
    pending = [pending_trial(ALL_ORDERS[2], 1, 10, 20)]
    assert order_id(asha(history, pending).order) not in (2, 5)
    history += [trial(2, 20, -2.0), trial(3, 10, -1.0), trial(4, 10, -9.0)]
    assert order_id(asha(history).order) == 3, "now two of four"
    history += [trial(3, 20, -3.0)]
    assert order_id(asha(history).order) == 2, "the higher rung goes first"
    fails = [trial(5, 10, -1.0, compliance=0.5), trial(6, 10, -50.0)]
    assert order_id(asha(fails).order) == 6


def test_asha__ends_when_all_are_at_the_end_and_carries_the_rest_on_before():
    everyone = [trial(i, 80, -float(i)) for i in range(119)]
    assert asha([*everyone, trial(119, 80, -1.0)]) is None
    assert order_id(asha([*everyone, trial(119, 20, -1.0)]).order) == 119


@pytest.mark.parametrize("parallel", [1, 3])
def test_asha__finds_good_orders_and_a_search_with_it_can_be_stopped_anywhere(parallel):
    rewards = pair_landscape(3)
    strategy = make_strategy("asha", ORDERS, SETTINGS)
    trainer = CurveTrainer(rewards, noise=0.5)
    saved = []
    whole = run_search(
        trainer,
        strategy,
        Budget(episodes=1500),
        state=SearchState(5),
        parallel=parallel,
        on_iteration=lambda iteration: saved.append(json.dumps(iteration.state.to_json())),
    )
    assert whole.episodes <= 1500
    assert whole.recommended.trial.total_episodes == 80
    assert (rewards > rewards[order_id(whole.recommended.trial.order)]).sum() < 12
    for text in saved[:: len(saved) // 5]:
        state = SearchState.from_json(json.loads(text))
        again = run_search(
            CurveTrainer(rewards, noise=0.5), strategy, Budget(episodes=1500), state=state, parallel=parallel
        )
        assert again == whole


def test_asha__spends_most_on_few():
    result, trainer = search(make_strategy("asha", ORDERS, SETTINGS), 2000)
    spent = {}
    for one in trainer.requests:
        spent[one.order] = one.rung
    reached = np.bincount([RUNGS.index(rung) for rung in spent.values()], minlength=4)
    assert reached[0] > reached[1] > reached[3] > 0
    assert len(result.state.history) == len(trainer.requests)
