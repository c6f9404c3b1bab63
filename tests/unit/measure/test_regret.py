"""Regret: its bookkeeping by hand, its repeatability, and that the search beats what does not learn."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.measure import regret as regret_module
from cageflow.measure.regret import Contender, Regrets, make_contenders, measure_regret, recommend
from cageflow.measure.replay import Replay
from cageflow.search import StrategySettings
from cageflow.work.executors import make_processes
from cageflow.work.pool import WorkerError
from tests.helpers.orders import ALL_ORDERS, ORDERS
from tests.helpers.tasks import die_first
from tests.unit.search.landscapes import landscape_table, pair_landscape
from tests.unit.search.test_strategies import trial

SETTINGS = StrategySettings(kernel="mallows")
CLIFF = np.array([0.97 if order.index("enterprise") < order.index("user") else 0.86 for order in ALL_ORDERS])


def measure(table, *names, repetitions=2, trials=5, seed=0, settings=SETTINGS, **more):
    contenders = make_contenders(names, [settings.kernel], settings)
    return measure_regret(table, contenders, repetitions=repetitions, trials=trials, seed=seed, **more)


def test_regret__of_round_robin_without_noise_is_worked_out_by_hand():
    rewards = np.full(120, -30.0)
    rewards[[0, 1, 2, 3]] = -20.0, -12.0, -5.0, -10.0
    compliances = np.ones(120)
    compliances[[0, 2]] = 0.5  # of no use, however good
    table = landscape_table(rewards, compliances, seeds=2, training_sd=0.0, reward_se=0.0)
    (regret,) = measure(table, "round-robin", trials=5)
    # The best that can be followed is -10; the worst is -30, and an order that cannot be followed counts as that.
    np.testing.assert_allclose(regret.instantaneous[0], [20, 2, 20, 0, 20], atol=1e-5)
    np.testing.assert_allclose(regret.simple[0], [20, 2, 2, 0, 0], atol=1e-5)
    np.testing.assert_allclose(regret.cumulative[1], [20, 22, 42, 42, 62], atol=1e-5)
    assert regret.wasted[0].tolist() == [True, False, True, False, False]


def test_trials_to_within__counts_until_the_regret_stays_low():
    simple = np.array([[5, 0, 0, 0], [5, 0.5, 3, 0.9], [0, 0, 0, 0], [0, 0, 0, 2]], dtype=np.float32)
    regrets = Regrets(Contender("a", "random", SETTINGS), simple, simple, simple > 0)
    assert regrets.trials_to_within(1.0).tolist() == [2, 4, 1, np.inf]


def test_recommend__takes_the_best_mean_of_orders_that_reached_the_threshold():
    mean = np.zeros(120)
    mean[[4, 5, 6, 7]] = 1.0, 2.0, 3.0, 4.0
    history = [trial(4), trial(5), trial(6, compliance=0.5)]  # 7 was never tried
    assert recommend(ORDERS, history, mean, SETTINGS) == ALL_ORDERS[5]
    assert recommend(ORDERS, history[2:], mean, SETTINGS) is None


def test_contenders__meet_the_same_truth_and_the_same_results():
    table = landscape_table(pair_landscape(0), training_sd=2.0)
    first, second = measure_regret(
        table,
        [Contender("a", "round-robin", SETTINGS), Contender("b", "round-robin", SETTINGS)],
        repetitions=2,
        trials=4,
        seed=0,
    )
    np.testing.assert_array_equal(first.simple, second.simple)
    assert (first.instantaneous[0] != first.instantaneous[1]).any()  # another repetition, another truth


def test_measure__depends_on_the_seed_and_not_on_who_works():
    table = landscape_table(pair_landscape(0), CLIFF)
    names = ("gp-ucb", "thompson", "random")
    here = measure(table, *names, trials=4)
    done = []
    with ThreadPoolExecutor(1) as executor:
        there = measure(table, *names, trials=4, executor=executor, on_progress=lambda *parts: done.append(parts))
    for one, other in zip(here, there, strict=True):
        assert one.contender == other.contender
        np.testing.assert_array_equal(one.simple, other.simple)
        np.testing.assert_array_equal(one.instantaneous, other.instantaneous)
    assert done == [(i + 1, 6) for i in range(6)]
    other_seed = measure(table, *names, trials=4, seed=1)
    assert (here[2].instantaneous != other_seed[2].instantaneous).any()


def test_measure__loses_nothing_by_a_worker_that_dies_and_names_what_kills_them_all(tmp_path, monkeypatch):
    table = landscape_table(pair_landscape(0), CLIFF)
    here = measure(table, "random")
    for deaths in (1, 99):
        folder = tmp_path / str(deaths)
        folder.mkdir()
        dying = partial(die_first, regret_module.__name__, "_repetition", str(folder), deaths)
        monkeypatch.setattr(regret_module, "_repetition", dying)
        with make_processes(1) as processes:
            if deaths == 1:
                (there,) = measure(table, "random", executor=processes.executor)
                np.testing.assert_array_equal(here[0].simple, there.simple)
            else:
                with pytest.raises(WorkerError, match="^replay 1 of random was lost with its worker 3 times"):
                    measure(table, "random", executor=processes.executor)


def test_no_recommendation__is_as_bad_as_the_worst(monkeypatch):
    table = landscape_table(pair_landscape(0), training_sd=0.5)
    monkeypatch.setattr(regret_module, "recommend", lambda *args: None)
    (regret,) = measure(table, "round-robin", trials=3)
    truth = Replay.of(table, 0.95).draw_truth(regret_module._stream(0, 0, 0))
    np.testing.assert_allclose(regret.simple[0], truth.best - truth.reward.min(), rtol=1e-6)


@pytest.mark.parametrize("structure", ["pairs", "places", "cliff"])
def test_gp_ucb__beats_random_and_round_robin(structure):
    """Orders deviate by 4 and their trainings by 1; under `cliff` half of them cannot be followed besides."""
    places = np.argsort(ORDERS.permutations, axis=1)
    rewards = {
        "pairs": pair_landscape(3),
        "places": -25.0 - 2 * places[:, 2] - abs(places[:, 0] - 1),
        "cliff": pair_landscape(3),
    }[structure]
    table = landscape_table(4 * rewards / rewards.std(), CLIFF if structure == "cliff" else None)
    settings = StrategySettings()
    gp_ucb, random, in_turn = measure(
        table, "gp-ucb", "random", "round-robin", repetitions=4, trials=20, settings=settings
    )
    for blind in (random, in_turn):
        assert gp_ucb.cumulative[:, -1].mean() < 0.6 * blind.cumulative[:, -1].mean()
    assert gp_ucb.simple[:, -1].mean() < 0.7 * random.simple[:, -1].mean()


def test_measure__goes_on_with_what_a_strategy_found_that_has_nothing_left_to_try():
    table = landscape_table(pair_landscape(0), training_sd=0.5)
    (regret,) = measure(table, "asha", trials=124)  # begins each order once
    assert (regret.simple[:, 119:] == regret.simple[:, [119]]).all()
    assert (regret.instantaneous[:, :120].max(axis=1) > 0).all()
    assert not regret.instantaneous[:, 120:].any()


def test_contenders__compare_kernels_of_gp_ucb_alone():
    contenders = make_contenders(["gp-ucb", "thompson", "random"], ["evidence", "mallows"], SETTINGS)
    assert [(one.label, one.strategy, one.settings.kernel) for one in contenders] == [
        ("gp-ucb evidence", "gp-ucb", "evidence"),
        ("gp-ucb mallows", "gp-ucb", "mallows"),
        ("thompson", "thompson", "evidence"),
        ("random", "random", "evidence"),
    ]
    assert make_contenders(["gp-ucb"], ["mallows"], SETTINGS)[0].label == "gp-ucb"


@pytest.mark.parametrize(
    ("names", "arguments", "sentence"),
    [
        (["grid"], {}, "unknown strategy 'grid': those that can be replayed are gp-ucb, thompson"),
        (["exhaustive"], {}, "unknown strategy 'exhaustive': those that can be replayed are gp-ucb"),
        ([], {}, "no strategy to replay: possible are gp-ucb"),
        (["random"], {"repetitions": 1}, "repetitions is 1: it must be at least 2"),
        (["random"], {"trials": 0}, "trials is 0: it must be at least 1"),
        (["random"], {"seed": -1}, "the seed is -1: it must be at least 0"),
    ],
)
def test_measure__refuses_nonsense_in_one_sentence(names, arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        measure(landscape_table(pair_landscape(0)), *names, **arguments)


def test_plain_ppo__has_the_same_regret_after_any_number_of_trials():
    rewards = np.full(120, -30.0)
    rewards[3] = -10.0
    table = landscape_table(rewards, seeds=2, training_sd=0.0, reward_se=0.0)
    contenders = make_contenders(["plain-ppo", "random"], ["mallows"], SETTINGS, plain=(-14.0, -16.0))
    free, _ = measure_regret(table, contenders, repetitions=2, trials=3, seed=0)
    np.testing.assert_allclose(free.simple, 5.0, atol=1e-5)
    np.testing.assert_allclose(free.cumulative[0], [5, 10, 15], atol=1e-4)
    assert not free.wasted.any()
    with pytest.raises(UserError, match="no training of plain PPO stands beside"):
        make_contenders(["plain-ppo"], ["mallows"], SETTINGS)
