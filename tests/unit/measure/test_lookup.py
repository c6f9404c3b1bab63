"""Replays on landscapes in rungs: the very trainings, at equal episodes."""

from dataclasses import replace

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.measure.lookup import Lookup, play, recommended
from cageflow.measure.regret import make_contenders, measure_regret
from cageflow.search import Landscape, StrategySettings
from cageflow.search.strategies import Choice
from tests.helpers.orders import ALL_ORDERS, ORDERS
from tests.unit.search.landscapes import landscape_table
from tests.unit.search.test_curves import FULL, made_landscape

RUNGS = (1000, 2000, FULL)
SETTINGS = StrategySettings(compliance_threshold=0.9)


def rung_table(rewards, compliances=None, rungs=RUNGS):
    """A landscape of rewards (120, trainings, rungs); compliances (120,) are those at the full budget, before 0.5."""
    full = landscape_table(rewards[:, 0, -1], compliances, seeds=rewards.shape[1], training_sd=0.0)
    return Landscape(
        ORDERS,
        tuple(
            replace(
                row,
                reward=float(rewards[ORDERS.rank(row.order), row.seed - 1, place]),
                episodes=rung,
                compliance=row.compliance if rung == rungs[-1] else 0.5,
            )
            for row in full.rows
            for place, rung in enumerate(rungs)
        ),
    )


def stream(*key):
    return np.random.default_rng(np.random.SeedSequence(0, spawn_key=key))


class Script:
    """A strategy that does as it is told; believes what it is given."""

    space = ORDERS

    def __init__(self, steps, rungs, means):
        self.steps, self.settings, self.means = steps, replace(SETTINGS, rungs=rungs), means

    def choose(self, history, pending, rng):
        if len(history) == len(self.steps):
            return None
        order, training = self.steps[len(history)]
        return Choice(ALL_ORDERS[order], training=training)

    def belief(self, history):
        return self.means


def test_play__counts_episodes_by_hand():
    rewards = np.full((120, 2, 3), -30.0)
    rewards[1], rewards[2] = -20.0, -10.0
    lookup = Lookup.of(rung_table(rewards), 0.9)
    means = -np.arange(120.0)  # order 0 is believed best, then 1, then 2
    # 1000 on order 2, 6000 on order 1 in three steps, 1000 on order 0: in all 8000 of 18,000 episodes.
    steps = [(2, 1), (1, 1), (1, 1), (1, 1), (0, 1)]
    simple, regret, wasted = play(lookup, Script(steps, RUNGS, means), 3, stream)
    # Within 6000 episodes the last step of order 1 is not done, and order 1 is followed; then order 0, which is worst.
    np.testing.assert_allclose(simple, [10, 20, 20])
    np.testing.assert_allclose(regret, [5 / 6 * 10, 1 / 6 * 10 + 1 / 6 * 20, 0])
    np.testing.assert_allclose(wasted, 0)


def test_play__without_rungs_trains_whole_trainings_anew_each_time():
    rewards = np.zeros((120, 2, 3))
    rewards[:, :, 2] = -30.0 + np.array([0.0, 4.0])
    seen = []

    class Watch(Script):
        def choose(self, history, pending, rng):
            seen[:] = history
            return super().choose(history, pending, rng)

    play(Lookup.of(rung_table(rewards), 0.9), Watch([(5, 1)] * 4, (), np.zeros(120)), 4, stream)
    assert [(one.training, one.episodes, one.total_episodes) for one in seen] == [(k, FULL, FULL) for k in (1, 2, 3, 4)]
    rewards = [one.reward for one in seen]
    assert sorted(rewards[:2]) == [-30.0, -26.0]
    assert rewards[2:] == rewards[:2]  # two trainings come round again


def test_recommended__leaves_out_what_failed_at_the_full_budget():
    compliances = np.ones(120)
    compliances[0] = 0.5
    lookup = Lookup.of(rung_table(np.full((120, 2, 3), -30.0), compliances), 0.9)
    strategy = Script([], RUNGS, -np.arange(120.0))
    history = []
    for order in (0, 0, 1):
        history.append(lookup.trial(ALL_ORDERS[order], 1, history, RUNGS, np.arange(2)))
    assert recommended(strategy, history) == ALL_ORDERS[0]
    history.append(lookup.trial(ALL_ORDERS[0], 1, history, RUNGS, np.arange(2)))
    assert recommended(strategy, history) == ALL_ORDERS[1]
    assert recommended(strategy, []) is None
    with pytest.raises(RuntimeError, match="is at the full budget already"):
        lookup.trial(ALL_ORDERS[0], 1, history, RUNGS, np.arange(2))


def test_worth__of_an_order_that_cannot_be_followed_is_that_of_the_worst():
    rewards = np.full((120, 2, 3), -30.0)
    rewards[3] = -5.0
    compliances = np.ones(120)
    compliances[3] = 0.5
    lookup = Lookup.of(rung_table(rewards, compliances), 0.9)
    assert lookup.worth.tolist() == [-30.0] * 120
    simple, regret, wasted = play(lookup, Script([(3, 1)] * 3, RUNGS, np.zeros(120)), 1, stream)
    assert (simple[0], regret[0], wasted[0]) == (0.0, 0.0, 1.0)


def test_lookup__refuses_a_landscape_with_a_hole_and_one_without_anything_to_find():
    table = rung_table(np.full((120, 2, 3), -30.0))
    with pytest.raises(UserError, match="are 720 rows, and it has 719"):
        Lookup.of(Landscape(ORDERS, table.rows[1:]), 0.9)
    with pytest.raises(UserError, match="there is nothing to find"):
        Lookup.of(rung_table(np.full((120, 2, 3), -30.0), np.full(120, 0.5)), 0.9)


def test_curves__beat_chance_and_whole_trainings_for_the_same_episodes():
    """What the search is for: three landscapes where orders differ, each searched with 15 trainings' worth."""
    names = ["curves", "gp-ucb", "random", "round-robin"]
    contenders = make_contenders(names, ["mallows"], replace(SETTINGS, compliance_threshold=0.0))
    ends, cumulative = {name: [] for name in names}, {name: [] for name in names}
    for seed in range(3):
        table = rung_table(made_landscape(seed, 0.5)[0])
        for one in measure_regret(table, contenders, repetitions=2, trials=15, seed=seed):
            ends[one.contender.label].append(one.simple[:, -1].mean())
            cumulative[one.contender.label].append(one.cumulative[:, -1].mean())
    assert np.mean(ends["curves"]) < 0.5 * np.mean(ends["random"])
    assert np.mean(cumulative["curves"]) < 0.6 * np.mean(cumulative["random"])
    assert np.mean(cumulative["curves"]) < np.mean(cumulative["gp-ucb"])


def test_bystanders__know_what_they_are_told():
    compliances = np.where([order[0] == "user" for order in ALL_ORDERS], 1.0, 0.5)
    rewards = -30.0 + np.zeros((120, 2, 3)) + np.arange(120)[:, None, None] / 10
    table = rung_table(rewards, compliances)
    contenders = make_contenders(["random-feasible", "one-order"], ["mallows"], SETTINGS, ALL_ORDERS[-2])
    feasible, one = measure_regret(table, contenders, repetitions=3, trials=4, seed=0)
    assert not feasible.wasted.any()
    np.testing.assert_allclose(one.simple, 0.1, atol=1e-5)
    with pytest.raises(UserError, match="say which by --workflow"):
        make_contenders(["one-order"], ["mallows"], SETTINGS)
    assert make_contenders(["random"], ["mallows"], SETTINGS, ALL_ORDERS[0])[0].order is None
