"""Strategies: scores by hand on mock posteriors, and what they find on synthetic landscapes."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.search import (
    STRATEGIES,
    Budget,
    Exhaustive,
    SearchState,
    StrategySettings,
    TrialResult,
    anew,
    make_strategy,
    run_search,
    strategies,
    surrogate,
)
from cageflow.search.strategies import open_orders, upper_confidence_bound
from tests.helpers.orders import ALL_ORDERS, KENDALL_MATRIX, ORDERS, order_id
from tests.helpers.searches import pending_trial
from tests.unit.search.landscapes import Trainer, pair_landscape

SETTINGS = StrategySettings(compliance_threshold=0.9)


def trial(order, compliance=1.0, reward=-20.0):
    return TrialResult(
        order=ALL_ORDERS[order],
        reward=reward,
        reward_se=0.5,
        compliance=compliance,
        episodes=1,
        total_episodes=1,
        ending="patience",
        seconds=0.0,
    )


class MockPosterior:
    """A process with given means and stds, orders independent."""

    def __init__(self, mean, std, scale=1.0, log_probability=0.0):
        self.mean, self.std, self.scale = np.asarray(mean, float), np.asarray(std, float), scale
        self.log_probability = np.broadcast_to(np.asarray(log_probability, float), (120,))

    def hallucinate(self, orders):
        std = self.std.copy()
        std[[order_id(order) for order in orders]] /= 2  # a pending order tells something of itself alone
        return MockPosterior(self.mean, std, self.scale, self.log_probability)

    def posterior(self):
        return self.mean, self.std

    def sample(self, rng, ids):
        return (self.mean + self.std * rng.normal(size=120))[ids]

    def log_probability_of_reaching(self, threshold):
        assert threshold == SETTINGS.compliance_threshold
        return self.log_probability


def mock(monkeypatch, reward, compliance=None):
    monkeypatch.setattr(surrogate, "fit_reward", lambda space, trials, kernel: reward)
    monkeypatch.setattr(surrogate, "fit_compliance", lambda space, trials, kernel: compliance)


def choose(name, history=(), pending=(), seed=0, settings=SETTINGS):
    return make_strategy(name, ORDERS, settings).choose(
        history, [pending_trial(ALL_ORDERS[i]) for i in pending], np.random.default_rng(seed)
    )


def test_ucb__is_mean_plus_beta_deviations_without_a_square_root():
    np.testing.assert_array_equal(
        upper_confidence_bound(np.array([1.0, -2.0]), np.array([0.5, 2.0]), 4.0), np.array([3.0, 6.0])
    )


def test_gp_ucb__takes_the_highest_bound_and_reports_all_120(monkeypatch):
    mean, std = np.full(120, -30.0), np.ones(120)
    mean[7] = -25.0  # UCB -23
    std[9] = 4.0  # UCB -22
    mock(monkeypatch, MockPosterior(mean, std), MockPosterior(mean, std))
    choice = choose("gp-ucb")
    assert order_id(choice.order) == 9
    assert choice.acquisition.ucb[[0, 7, 9]].tolist() == [-28.0, -23.0, -22.0]
    np.testing.assert_array_equal(choice.acquisition.mean, mean)
    np.testing.assert_array_equal(choice.acquisition.std, std)
    np.testing.assert_array_equal(choice.acquisition.score, choice.acquisition.ucb)
    # With beta 1 the bounds are -24 and -26.
    assert order_id(choose("gp-ucb", settings=StrategySettings(beta=1.0, compliance_threshold=0.9)).order) == 7


def test_gp_ucb__feasibility_gate_adds_the_log_probability_in_reward_units(monkeypatch):
    mean, std = np.full(120, -30.0), np.zeros(120)
    mean[3], mean[4] = -20.0, -24.0
    log_probability = np.zeros(120)
    log_probability[3] = np.log(0.25)  # costs 5 * 1.386 = 6.93: from -20 to -26.93, below -24
    mock(monkeypatch, MockPosterior(mean, std, scale=5.0), MockPosterior(mean, std, log_probability=log_probability))
    choice = choose("gp-ucb")
    assert order_id(choice.order) == 4
    assert choice.acquisition.score[3] == pytest.approx(-20 + 5 * np.log(0.25))
    assert choice.acquisition.feasibility[[3, 4]] == pytest.approx([0.25, 1.0])
    strict = choose("gp-ucb", settings=StrategySettings(gate="strict", compliance_threshold=0.9))
    assert order_id(strict.order) == 3
    assert (strict.acquisition.feasibility == 1).all()


def test_gp_ucb__equal_scores_are_decided_by_the_stream_and_not_by_rounding(monkeypatch):
    mean = np.full(120, -30.0)
    mean[[5, 50, 100]] = [-20.0, -20.0 + 1e-12, -20.0 - 1e-12]
    mock(monkeypatch, MockPosterior(mean, np.ones(120)), MockPosterior(mean, mean))
    chosen = [order_id(choose("gp-ucb", seed=seed).order) for seed in range(40)]
    assert set(chosen) == {5, 50, 100}
    assert chosen == [order_id(choose("gp-ucb", seed=seed).order) for seed in range(40)]


def test_thompson__follows_the_means_when_sure_and_spreads_when_not(monkeypatch):
    mean = np.full(120, -30.0)
    mean[11] = -20.0
    sure = MockPosterior(mean, np.full(120, 0.01))
    mock(monkeypatch, sure, MockPosterior(np.ones(120), np.zeros(120)))
    assert {order_id(choose("thompson", seed=seed).order) for seed in range(10)} == {11}
    mock(monkeypatch, MockPosterior(mean, np.full(120, 30.0)), MockPosterior(np.ones(120), np.zeros(120)))
    assert len({order_id(choose("thompson", seed=seed).order) for seed in range(10)}) > 5


def test_thompson__keeps_to_orders_drawn_feasible_or_takes_the_most_compliant(monkeypatch):
    mean, std = np.arange(120.0), np.full(120, 1e-6)
    compliance = np.full(120, 0.5)
    compliance[[20, 30]] = 0.95
    mock(monkeypatch, MockPosterior(mean, std), MockPosterior(compliance, std))
    assert order_id(choose("thompson").order) == 30
    assert order_id(choose("thompson", settings=StrategySettings(gate="strict")).order) == 119
    compliance[[20, 30]] = 0.7, 0.6
    assert order_id(choose("thompson").order) == 20


def test_round_robin__takes_every_order_in_turn():
    history = [trial(0)] * 121
    chosen = [order_id(choose("round-robin", history[:n]).order) for n in range(122)]
    assert chosen == [*range(120), 0, 1]


def test_random__takes_all_orders_equally():
    strategy, rng = make_strategy("random", ORDERS), np.random.default_rng(0)
    counts = np.bincount([order_id(strategy.choose((), (), rng).order) for _ in range(12_000)], minlength=120)
    # Chi-squared with 119 degrees of freedom: mean 119, standard deviation 15.4.
    assert ((counts - 100) ** 2 / 100).sum() < 119 + 4 * 15.4


def test_exhaustive__takes_every_order_once_and_ends():
    history = [trial(2), trial(0), trial(2, compliance=0.1)]
    assert order_id(choose("exhaustive", history).order) == 1
    assert order_id(choose("exhaustive", history, pending=[1, 4]).order) == 3
    everyone = [trial(i) for i in range(120)]
    assert choose("exhaustive", everyone) is None
    assert choose("exhaustive", everyone[:119], pending=[119]) is None  # nothing to begin until it has ended


def test_exhaustive__in_rungs_carries_each_training_to_the_end_and_then_begins_another():
    class Climber(Trainer):
        def __call__(self, request):
            return replace(super().__call__(request), training=request.training)

    trainer = Climber(pair_landscape(0), episodes=1000)
    strategy = Exhaustive(ORDERS, StrategySettings(rungs=(10, 40)), repetitions=2, ranks=np.array([7, 9]))
    result = run_search(trainer, strategy, Budget(trials=99), state=SearchState(0), parallel=2, start=anew)
    assert (result.ending, result.episodes) == ("exhausted", 160)
    asked = [(r.order, r.training, r.trained_episodes, r.rung, r.start) for r in trainer.requests]
    first, second = ALL_ORDERS[7], ALL_ORDERS[9]
    assert asked == [
        (order, training, trained, rung, order if trained else None)
        for training in (1, 2)
        for trained, rung in ((0, 10), (10, 40))
        for order in (first, second)
    ]
    seeds = {(r.order, r.training): r.seed for r in trainer.requests}
    assert len(set(seeds.values())) == 4, "one for each training"
    assert all(r.seed == seeds[r.order, r.training] for r in trainer.requests)


def test_canonical__tries_the_six_hand_made_orders_first_each_once_and_then_searches():
    # An order that fails is not tried again before the search, and one that is pending counts as tried.
    assert choose("canonical").order == ORDERS.named["critical-first"]
    first = [order_id(order) for order in ORDERS.named.values()]
    history = [trial(first[0], compliance=0.1)]
    assert choose("canonical", history, pending=[first[1]]).order == ORDERS.named["user-priority"]
    history += [trial(i, reward=-20.0 - i) for i in first[1:]]
    choice, search = choose("canonical", history), choose("gp-ucb", history)
    assert choice.order == search.order
    np.testing.assert_array_equal(choice.acquisition.score, search.acquisition.score)


def test_canonical__reports_what_the_model_thought_of_all_orders_from_the_first_trial():
    history = [trial(0, reward=-10.0), trial(119, reward=-30.0)]
    choice = choose("canonical", history)
    assert choice.order == ORDERS.named["critical-first"]
    np.testing.assert_array_equal(choice.acquisition.mean, choose("gp-ucb", history).acquisition.mean)


@pytest.mark.parametrize("name", STRATEGIES)
def test_pending_orders__are_not_chosen_and_with_all_pending_there_is_no_choice(name):
    history = [trial(3, reward=-10.0), trial(5, compliance=0.2), trial(119, reward=-30.0)]
    for left in (0, 7, 118):
        choice = choose(name, history, pending=[i for i in range(120) if i != left])
        assert order_id(choice.order) == left
    assert choose(name, history, pending=range(120)) is None


def test_round_robin__counts_pending_orders_and_steps_over_them():
    assert order_id(choose("round-robin", [trial(0)], pending=[1, 2]).order) == 3
    assert order_id(choose("round-robin", [trial(0)] * 118, pending=[118, 119]).order) == 0
    assert order_id(choose("round-robin", [trial(0)] * 118, pending=[0, 1]).order) == 2


def test_gp_ucb__takes_pending_orders_as_hallucinated(monkeypatch):
    std = np.ones(120)
    std[[7, 9]] = 4.0, 3.0
    mock(monkeypatch, MockPosterior(np.zeros(120), std), MockPosterior(np.ones(120), std))
    choice = choose("gp-ucb", pending=[7])
    assert order_id(choice.order) == 9
    assert choice.acquisition.std[7] == 2.0
    assert choice.acquisition.score[7] == -np.inf
    # Thompson's draws differ by themselves: the process is that of the ended trials.
    assert choose("thompson", pending=[7]).acquisition.std[7] == 4.0


def test_gp_ucb__a_batch_spreads_over_orders_that_do_not_tell_of_one_another():
    history = [trial(0, reward=-10.0), trial(119, reward=-40.0), trial(60, reward=-25.0)]
    batch = []
    for _ in range(4):
        batch.append(order_id(choose("gp-ucb", history, pending=batch, settings=StrategySettings(beta=5.0)).order))
    distances = [KENDALL_MATRIX[i, j] for i in batch for j in batch if i < j]
    first_four = np.argsort(-choose("gp-ucb", history, settings=StrategySettings(beta=5.0)).acquisition.score)[:4]
    greedy = [KENDALL_MATRIX[i, j] for i in first_four for j in first_four if i < j]
    assert np.mean(distances) > np.mean(greedy) + 1


@pytest.mark.parametrize("name", ["random", "round-robin", "exhaustive"])
def test_strategies_without_a_model__report_no_scores(name):
    assert choose(name).acquisition is None


def test_before_any_trial__all_orders_score_alike():
    acquisition = choose("gp-ucb").acquisition
    np.testing.assert_allclose(acquisition.ucb, 20.0)  # prior mean 0, std 10, beta 2
    assert np.ptp(acquisition.score) < 1e-9
    assert len({choose("gp-ucb", seed=seed).order for seed in range(10)}) > 5


def test_failures_only__lead_away_from_the_orders_that_failed():
    choice = choose("gp-ucb", [trial(0, compliance=0.3), trial(1, compliance=0.4)])
    np.testing.assert_allclose(choice.acquisition.mean, 0.0)  # the reward model has seen nothing
    assert KENDALL_MATRIX[0, order_id(choice.order)] >= 8
    assert choice.acquisition.feasibility[2] < choice.acquisition.feasibility[119]


@pytest.mark.parametrize("gate", ["feasibility", "strict"])
def test_reward_model__learns_only_from_trials_at_the_threshold(gate):
    settings = StrategySettings(gate=gate, compliance_threshold=0.9)
    reached = [trial(0, reward=-30.0), trial(60, reward=-50.0), trial(119, compliance=0.9, reward=-40.0)]
    failed = trial(30, compliance=0.899, reward=500.0)
    with_failure = choose("gp-ucb", [*reached, failed], settings=settings).acquisition
    without = choose("gp-ucb", reached, settings=settings).acquisition
    np.testing.assert_array_equal(with_failure.ucb, without.ucb)
    # The failure speaks through the feasibility alone, and only under the gate that listens.
    assert (with_failure.feasibility[30] < without.feasibility[30]) == (gate == "feasibility")


@pytest.mark.parametrize("kernel", ["mallows", "position", "pairwise"])
def test_kernel__is_that_of_both_processes(monkeypatch, kernel):
    fitted = []
    for name in ("fit_reward", "fit_compliance"):
        fit = getattr(surrogate, name)
        monkeypatch.setattr(surrogate, name, lambda *args, fit=fit: fitted.append(fit(*args)) or fitted[-1])
    choose("gp-ucb", [trial(0), trial(7, reward=-30.0)], settings=StrategySettings(kernel=kernel))
    assert [process.kernel for process in fitted] == [kernel, kernel]


def test_open_orders__set_an_order_aside_for_4_8_16_trials():
    failed, other = trial(3, compliance=0.1), trial(8)
    history = [failed]
    closed_for = []
    for _ in range(3):
        count = 0
        while not open_orders(ORDERS, history, (), SETTINGS)[3]:
            assert open_orders(ORDERS, history, (), SETTINGS).sum() == 119
            history.append(other)
            count += 1
        closed_for.append(count)
        history.append(failed)
    assert closed_for == [4, 8, 16]


def test_open_orders__a_success_clears_the_record():
    history = [trial(3, compliance=0.1), trial(3, compliance=0.1), trial(3)]
    assert open_orders(ORDERS, history, (), SETTINGS).all()
    assert not open_orders(ORDERS, [*history, trial(3, compliance=0.1)], (), SETTINGS)[3]
    assert open_orders(ORDERS, [*history, trial(3, compliance=0.1), *[trial(8)] * 4], (), SETTINGS)[3]


def test_open_orders__when_all_have_failed_the_first_to_come_back_are_open():
    failures = [trial(i, compliance=0.1) for i in range(120) for _ in range(6)]  # each is set aside for 128 trials
    closed = open_orders(ORDERS, failures, (), SETTINGS)
    assert closed.sum() > 0
    everyone = [trial(i % 120, compliance=0.1) for i in range(120 * 7)]  # each for 256 trials, the last 120 at most
    assert np.flatnonzero(open_orders(ORDERS, everyone, (), SETTINGS)).tolist() == [0]


def test_open_orders__pending_trials_bring_no_order_back_and_are_closed_themselves():
    history = [trial(3, compliance=0.1), *[trial(8)] * 3]
    assert not open_orders(ORDERS, history, [pending_trial(ALL_ORDERS[i]) for i in range(10, 20)], SETTINGS)[
        3
    ]  # ten begun, three ended
    assert np.flatnonzero(
        ~open_orders(ORDERS, [*history, trial(8)], [pending_trial(ALL_ORDERS[8])], SETTINGS)
    ).tolist() == [8]
    # When all others are set aside, the first of those that are not pending come back.
    everyone = [trial(i % 120, compliance=0.1) for i in range(120 * 7)]
    assert np.flatnonzero(open_orders(ORDERS, everyone, [pending_trial(ALL_ORDERS[0])], SETTINGS)).tolist() == [1]


def tempting_failure():
    """The best order by far stays a hair below the threshold of 0.95, for ever; all others comply."""
    rewards = pair_landscape(4)
    tempting = int(rewards.argmax())
    rewards[tempting] += 10.0
    compliances = np.ones(120)
    compliances[tempting] = 0.949
    return rewards, compliances, tempting


@pytest.mark.parametrize("gate", ["feasibility", "strict"])
@pytest.mark.parametrize("name", ["gp-ucb", "thompson"])
def test_an_order_that_always_fails__is_not_picked_for_ever(name, gate):
    rewards, compliances, tempting = tempting_failure()
    result = run_search(
        Trainer(rewards, compliances),
        make_strategy(name, ORDERS, StrategySettings(gate=gate)),
        Budget(trials=16),
        state=SearchState(1),
    )
    picked = [order_id(t.order) for t in result.state.history]
    assert picked.count(tempting) <= 3  # it is set aside for 4, then for 8 trials
    assert result.recommended.feasible
    assert order_id(result.recommended.trial.order) != tempting


def test_an_order_that_always_fails__would_be_picked_for_ever_if_failures_were_forgotten(monkeypatch):
    monkeypatch.setattr(strategies, "open_orders", lambda space, history, pending, settings: np.ones(120, dtype=bool))
    rewards, compliances, tempting = tempting_failure()
    search = make_strategy("gp-ucb", ORDERS, StrategySettings(gate="strict"))
    result = run_search(Trainer(rewards, compliances), search, Budget(trials=16), state=SearchState(1))
    assert [order_id(t.order) for t in result.state.history].count(tempting) > 5


def test_feasibility_gate__wastes_fewer_trials_than_the_strict_one():
    """Every order that puts users before the defender fails, and these have the higher rewards."""
    failing = np.array([order.index("user") < order.index("defender") for order in ALL_ORDERS])
    wasted = {"feasibility": 0, "strict": 0}
    for seed in range(3):
        rewards = pair_landscape(seed) + 5.0 * failing
        trainer = Trainer(rewards, np.where(failing, 0.6, 0.98))
        for gate in wasted:
            search = make_strategy("gp-ucb", ORDERS, StrategySettings(gate=gate))
            result = run_search(trainer, search, Budget(trials=12), state=SearchState(seed))
            wasted[gate] += sum(not SETTINGS.reached(t) for t in result.state.history)
    assert wasted["feasibility"] < 0.6 * wasted["strict"]


def trials_to_a_top_3_order(name, seed, limit=60):
    rewards = pair_landscape(seed)
    top = set(np.argsort(-rewards)[:3].tolist())
    trainer, history = Trainer(rewards), []
    strategy = make_strategy(
        name, ORDERS, StrategySettings(gate="strict")
    )  # all comply: both gates do the same, this faster
    while len(history) < limit:
        result = run_search(trainer, strategy, Budget(trials=len(history) + 1), state=SearchState(seed, tuple(history)))
        history = list(result.state.history)
        if order_id(history[-1].order) in top:
            break
    return len(history)


def test_gp_ucb__finds_a_top_3_order_in_a_third_of_the_trials_of_random():
    """Rewards fall by 0.5 to 3 a pair and are read with noise of deviation 1; 20 landscapes."""
    random = [trials_to_a_top_3_order("random", seed) for seed in range(20)]
    gp_ucb = [trials_to_a_top_3_order("gp-ucb", seed) for seed in range(20)]
    assert np.mean(gp_ucb) < np.mean(random) / 3
    assert max(gp_ucb) <= 20


def test_make_strategy__knows_the_registered_names_and_refuses_others():
    assert {"gp-ucb", "thompson", "random", "round-robin", "canonical", "exhaustive"} <= set(STRATEGIES)
    for name in STRATEGIES:
        assert make_strategy(name, ORDERS).settings == StrategySettings()
    with pytest.raises(UserError) as refusal:
        make_strategy("grid", ORDERS)
    assert str(refusal.value) == f"unknown strategy 'grid': possible are {', '.join(STRATEGIES)}"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"beta": -1.0}, "beta is -1.0: it must be a number of at least 0"),
        ({"beta": float("nan")}, "beta is nan: it must be a number of at least 0"),
        ({"gate": "soft"}, "unknown gate 'soft': possible are feasibility, strict"),
        ({"kernel": "rbf"}, "unknown kernel 'rbf': possible are mallows, position, pairwise, evidence"),
        ({"compliance_threshold": 1.5}, "the compliance threshold is 1.5: it must lie between 0 and 1"),
    ],
)
def test_settings__refuse_in_one_sentence(settings, sentence):
    with pytest.raises(UserError) as refusal:
        StrategySettings(**settings)
    assert str(refusal.value) == sentence


def test_importing_the_search__imports_neither_torch_nor_scipy_nor_numba():
    code = "import sys, cageflow.search; sys.exit(' '.join({'torch', 'botorch', 'scipy', 'numba'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
