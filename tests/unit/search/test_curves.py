"""What is believed of orders by trainings of different lengths: as sure as it should be, and never of nothing."""

import time

import numpy as np
import pytest

from cageflow.scenario.orders import OrderSpace
from cageflow.search import TrialRequest, TrialResult
from cageflow.search.curves import enough_to_learn_from, fit_curves, shortness, steps_tell
from tests.helpers.orders import ALL_ORDERS, ORDERS
from tests.unit.search.landscapes import pair_landscape

FULL = 6000


def trial(order, reward, episodes=FULL, training=1, reward_se=0.3, space=ORDERS):
    return TrialResult(
        order=space.unrank(int(order)),
        reward=float(reward),
        reward_se=reward_se,
        compliance=1.0,
        episodes=episodes,
        total_episodes=episodes,
        ending="rung",
        seconds=0.0,
        training=training,
    )


def made_landscape(seed, spread, sd=0.2, num_trainings=3):
    """Rewards (W, trainings, 3 rungs) and true means (W,): losses are multiples, trainings deviate by factors."""
    rng = np.random.default_rng(seed)
    pairs = pair_landscape(seed)
    log_loss = 3.5 - spread * (pairs - pairs.mean()) / pairs.std()
    full = log_loss[:, None] + sd * rng.normal(size=(120, num_trainings))
    early = np.log([8, 3, 1]) * 0.5 + 0.1 * rng.normal(size=(120, num_trainings, 3)) * [1, 0.6, 0]
    return -np.exp(full[:, :, None] + early), -np.exp(log_loss + sd**2 / 2)


def request(order):
    return TrialRequest(
        trial=20,
        order=ALL_ORDERS[order],
        seed=0,
        start=None,
        trained_episodes=0,
        max_episodes=FULL,
        cap="episode-cap",
        full_episodes=FULL,
    )


def told(rewards, orders, rng):
    return [trial(i, rewards[i, rng.integers(3), 2]) for i in orders]


def splits(spread, seeds, size):
    """Beliefs of one training each of `size` orders, with what the others came to."""
    for seed in seeds:
        rewards, _ = made_landscape(seed, spread)
        rng = np.random.default_rng(seed)
        order = rng.permutation(120)
        trials = told(rewards, order[:size], rng)
        yield fit_curves(ORDERS, trials, FULL), rewards[order[size:], :, 2], order[size:], trials


@pytest.mark.parametrize(("spread", "size"), [(0.4, 20), (0.4, 40), (0.0, 20), (0.0, 40)])
def test_coverage__of_held_out_trainings_is_within_five_points(spread, size):
    within = []
    for belief, held_out, asked, _ in splits(spread, range(12), size):
        value, deviation = belief.values()
        sd = np.sqrt(deviation[asked] ** 2 + belief.training_variance)
        within.append(np.abs(belief.scale.to_value(held_out[:, 0]) - value[asked]) / sd)
    shares = [(np.concatenate(within) <= one).mean() for one in (1, 2)]
    assert abs(shares[0] - 0.683) < 0.05, shares
    assert abs(shares[1] - 0.954) < 0.05, shares


def explained(belief, held_out, asked, trials):
    """Share of the variance of held-out means that the belief explains, less that which the mean of all explains."""
    means = held_out.mean(axis=1)
    spread = ((means - means.mean()) ** 2).sum()
    of_mean = ((means - np.mean([one.reward for one in trials])) ** 2).sum()
    return (of_mean - ((means - belief.posterior()[0][asked]) ** 2).sum()) / spread


def test_no_difference__is_believed():
    beliefs = list(splits(0.0, range(12), 40))
    assert np.mean([explained(*one) for one in beliefs]) > -0.05
    differ = [w for one, *_ in beliefs for w, p in zip(one.weights, one.processes, strict=True) if p.params.order > 0]
    assert sum(differ) / len(beliefs) < 0.4


def test_differences__are_found():
    beliefs = list(splits(0.4, range(12), 40))
    assert np.mean([explained(*one) for one in beliefs]) > 0.5
    assert all(one.processes[0].params.order > 0 and one.weights[0] > 0.9 for one, *_ in beliefs)


def test_belief__compares_trainings_of_different_lengths():
    """Short trainings are worse than long ones, whichever their order: the model does not take it for the order's."""
    rewards, _ = made_landscape(0, 0.0)
    rng = np.random.default_rng(0)
    order = rng.permutation(120)
    trials = [trial(i, rewards[i, 0, rung], episodes) for rung, episodes in enumerate((750, 2000)) for i in order[:24]]
    trials += [trial(i, rewards[i, 0, 2]) for i in order[:8]]
    mean, std = fit_curves(ORDERS, trials, FULL).posterior()
    full = rewards[:, :, 2].mean()
    short, long = mean[order[8:24]].mean(), mean[order[:8]].mean()
    assert abs(short - full) < 0.2 * abs(full)
    assert abs(long - full) < 0.2 * abs(full)
    assert rewards[order[8:24], 0, 1].mean() < 1.5 * full  # by what they came to so far, they are far worse
    assert (std > 0).all()


def test_belief__is_the_same_for_the_same_trials_and_knows_nothing_without():
    rewards, _ = made_landscape(1, 0.4)
    trials = told(rewards, range(0, 120, 9), np.random.default_rng(0))
    one, other = fit_curves(ORDERS, trials, FULL), fit_curves(ORDERS, list(trials), FULL)
    np.testing.assert_array_equal(one.posterior(), other.posterior())
    mean, std = fit_curves(ORDERS, [], FULL).posterior()
    assert np.ptp(mean) == 0
    assert np.ptp(std) == 0
    mean, std = fit_curves(ORDERS, trials[:1], FULL).posterior()
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()


def test_belief__follows_the_unit_of_rewards():
    rewards, _ = made_landscape(1, 0.4)
    trials = told(rewards, range(0, 120, 9), np.random.default_rng(0))
    larger = [trial(ORDERS.rank(one.order), 100 + 7 * one.reward, reward_se=7 * one.reward_se) for one in trials]
    (mean, std), (other_mean, other_std) = (fit_curves(ORDERS, one, FULL).posterior() for one in (trials, larger))
    np.testing.assert_allclose(other_mean, 100 + 7 * mean, rtol=1e-4)
    np.testing.assert_allclose(other_std, 7 * std, rtol=1e-3)


def test_sample__has_the_mean_and_the_deviations_of_the_posterior():
    rewards, _ = made_landscape(2, 0.4)
    belief = fit_curves(ORDERS, told(rewards, range(0, 120, 6), np.random.default_rng(0)), FULL)
    ids = np.array([0, 5, 77])
    draws = belief.sample(np.random.default_rng(0), ids, size=20_000)
    mean, std = belief.posterior()
    np.testing.assert_allclose(draws.mean(axis=0), mean[ids], atol=4 * std[ids].max() / np.sqrt(20_000))
    np.testing.assert_allclose(draws.std(axis=0), std[ids], rtol=0.05)
    np.testing.assert_array_equal(
        belief.sample(np.random.default_rng(0), ids), belief.sample(np.random.default_rng(0), ids)
    )


def test_weighed_parameters__are_a_mixture_around_the_most_probable():
    rewards, _ = made_landscape(2, 0.4)
    trials = told(rewards, range(0, 120, 8), np.random.default_rng(0))
    plain, weighed = (fit_curves(ORDERS, trials, FULL, weigh_parameters=one) for one in (False, True))
    assert len(weighed.processes) == 2 * 8 * len(plain.processes)
    assert sum(weighed.weights) == pytest.approx(1.0)
    (mean, std), (other, wider) = plain.values(), weighed.values()
    rates = np.array([one.params.rates for one in weighed.processes if one.params.order > 0])
    assert np.log(rates).std(axis=0).min() > 0.2
    assert np.abs(other - mean).max() < std.max()
    assert 0.7 < np.median(wider / std) < 1.3


def test_pending__trials_shrink_deviations_and_leave_the_values():
    rewards, _ = made_landscape(2, 0.4)
    trials = told(rewards, range(0, 120, 6), np.random.default_rng(0))
    before, after = fit_curves(ORDERS, trials, FULL), fit_curves(ORDERS, trials, FULL, [request(3)])
    np.testing.assert_allclose(after.values()[0], before.values()[0], atol=1e-9)
    assert after.values()[1][3] < 0.9 * before.values()[1][3]
    assert (after.values()[1] <= before.values()[1] + 1e-9).all()


def test_steps__tell_more_the_further_they_go_and_less_the_second_time():
    rewards, _ = made_landscape(2, 0.4)
    trials = told(rewards, range(1, 120, 6), np.random.default_rng(0))
    belief = fit_curves(ORDERS, trials, FULL)
    early, late = steps_tell(belief, ALL_ORDERS[3], [1, 1], [750, FULL])
    assert late > early > 0
    known = fit_curves(ORDERS, trials, FULL, [request(3)])
    on, anew = steps_tell(known, ALL_ORDERS[3], [1, 2], [FULL, FULL])
    assert late > anew > on  # judged twice at the same length, a training tells only by its evaluation


def test_shortness__counts_decades_to_the_full_budget():
    np.testing.assert_allclose(shortness([60, 600, 6000, 9000], 6000), [2, 1, 0, 0], atol=1e-15)
    assert shortness([60, 600], None).tolist() == [0, 0]


def test_parameters__are_set_again_now_and_then():
    enough = [enough_to_learn_from(number) for number in range(200)]
    assert enough[:15] == [*range(13), 12, 14]
    assert all(number / 1.16 <= one <= number for number, one in enumerate(enough))
    assert len(set(enough)) < 45


@pytest.mark.parametrize("num_types", [1, 2])
def test_belief__of_few_types(num_types):
    space = OrderSpace(tuple("ab"[:num_types]))
    trials = [trial(i % len(space), -20 - i, training=1 + i // len(space), space=space) for i in range(6)]
    mean, std = fit_curves(space, trials, FULL).posterior()
    assert mean.shape == std.shape == (len(space),)
    assert np.isfinite(mean).all()
    assert steps_tell(fit_curves(space, trials, FULL), space.unrank(0), [9], [FULL])[0] > 0


def test_belief__of_eight_types_takes_seconds():
    space = OrderSpace(tuple("abcdefgh"))
    rng = np.random.default_rng(0)
    trials = [
        trial(order, -20 - 9 * space.unrank(int(order)).index("a") - rng.random(), episodes, space=space)
        for order in rng.integers(len(space), size=60)
        for episodes in (750, FULL)
    ]
    fit_curves(space, trials[:2], FULL)  # compiles
    began = time.process_time()
    belief = fit_curves(space, trials, FULL)
    mean, _ = belief.posterior()
    assert time.process_time() - began < 5.0
    assert belief.processes[0].params.order > 0
    assert mean.shape == (40_320,)
