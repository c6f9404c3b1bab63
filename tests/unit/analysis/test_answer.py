"""The answer of a search: from trials to what is known, kept as a file, and in words that claim no more than that."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from cageflow.analysis.answer import Answer, Gain, Trainings, draw_orders, over_plain
from cageflow.analysis.answer_words import heading, points, price, sentences
from cageflow.analysis.precedences import OpenPair, OrderAnswer, Precedence, Range, find_precedences
from cageflow.scenario.orders import OrderSpace
from cageflow.search import TrialResult

TYPES = ("defender", "enterprise", "op_server", "op_host", "user")
FIRST = Precedence(
    before="enterprise",
    after="user",
    probability=0.999,
    cost=58.2,
    cost_low=40.0,
    cost_high=75.0,
    tested=True,
)
PLAIN = Trainings(rewards=(-14.0, -14.4), rewards_se=(0.1, 0.1), episodes=10_000)


def turn(first, second, reach, tested=True, average=(0.0, -1.0, 1.0)):
    return OpenPair(first=first, second=second, low=-reach, high=reach / 2, tested=tested, average=Range(*average))


def known(precedences=(), open_pairs=(), tied=60, types=TYPES, recommended=None):
    return OrderAnswer(
        unit_types=types,
        recommended=recommended or types,
        num_orders=math.factorial(len(types)),
        tied_orders=tied,
        tied=tuple(range(tied)),
        precedences=precedences,
        open_pairs=open_pairs,
        margin=0.7,
    )


def answer_of(orders, plain=None, gain=None):
    return Answer(
        made_of={},
        network={"name": "cage2"},
        orders=orders,
        plain=plain,
        over_plain=gain,
    )


def trial(order, reward, compliance=1.0, training=1):
    return TrialResult(
        training=training,
        order=order,
        reward=reward,
        reward_se=0.05,
        compliance=compliance,
        episodes=10,
        total_episodes=10,
        ending="budget",
        seconds=1.0,
    )


# In words.


def test_one_precedence__is_said_with_its_price_what_does_not_matter_and_what_was_never_tested():
    untested = [turn(one, other, 0.1, False) for one in ("op_host", "defender") for other in TYPES if other != one]
    orders = known((FIRST,), (turn("op_server", "user", 0.3), *untested))
    assert sentences(answer_of(orders)) == (
        "enterprise before user (certain, 58 points, 40 to 75); the other places do not matter (within ±0.30) or were "
        "never tested: defender, op_host.",
        "60 of 120 orders cannot be told from the best (95 % credible).",
    )
    assert heading(answer_of(orders)) == "Fix enterprise before user"


def test_nothing_told_apart__says_that_no_order_was_found_better():
    alike = known(open_pairs=(turn("defender", "user", 0.2),), tied=120)
    assert sentences(answer_of(alike)) == (
        "No order was found better than another: the places do not matter (within ±0.20).",
        "None of the 120 orders can be told from the best (95 % credible).",
    )
    assert heading(answer_of(alike)) == "No order was found better than another"
    unknown = known(open_pairs=(turn("defender", "user", 36.0),), tied=100)
    assert sentences(answer_of(unknown))[0] == (
        "No type is surely to be fixed before another, though some orders are worse than others; whether the places "
        "matter is not known yet (±36)."
    )


def test_never_tested__is_not_called_unimportant():
    untested = tuple(turn(one, other, 0.1, False) for one, other in (("a", "b"), ("a", "c"), ("b", "c")))
    orders = known(open_pairs=untested, tied=6, types=("a", "b", "c"))
    assert sentences(answer_of(orders))[0] == (
        "No order was found better than another: the places were never tested: a, b, c."
    )
    assert "do not matter" not in " ".join(sentences(answer_of(orders)))


def test_two_types__told_apart_or_not():
    types = ("plc", "user")
    one = replace(FIRST, before="plc", after="user", probability=0.97, cost=0.42, cost_low=0.1, cost_high=0.8)
    found = answer_of(known((one,), tied=1, types=types))
    assert sentences(found) == (
        "plc before user (97%, 0.42 points, 0.10 to 0.80).",
        "All other of the 2 orders can be told from the best, plc > user (95 % credible).",
    )
    open_turn = answer_of(known(open_pairs=(turn("plc", "user", 9.0),), tied=2, types=types))
    assert sentences(open_turn)[0].endswith("whether the places matter is not known yet (±9.0).")
    single = answer_of(known(tied=1, types=("plc",)))
    assert sentences(single) == ("There is one unit type, plc: nothing to put in order.",)


def test_all_certain__is_a_chain():
    chain = tuple(
        replace(FIRST, before=one, after=other, cost=cost, cost_low=cost / 2, cost_high=2 * cost)
        for one, other, cost in zip(TYPES[:-1], TYPES[1:], (58.0, 20.0, 5.0, 2.0), strict=True)
    )
    found = answer_of(known(chain, tied=1))
    assert sentences(found)[0] == (
        "defender before enterprise (certain, 58 points, 29 to 116), enterprise before op_server (certain, 20 points, "
        "10 to 40), op_server before op_host (certain, 5.0 points, 2.5 to 10), op_host before user (certain, 2.0 "
        "points, 1.0 to 4.0)."
    )
    assert heading(found) == (
        "Fix defender before enterprise, enterprise before op_server and op_server before op_host, and 1 more"
    )


def test_eight_types__ties_are_about_so_many_where_orders_were_drawn_as_a_sample():
    types = tuple("abcdefgh")
    orders = replace(known((replace(FIRST, before="a", after="b"),), tied=1000, types=types), tied_orders=20_123)
    assert sentences(answer_of(orders))[1].startswith("About 20,123 of 40,320 orders cannot be told")


def test_turned_order_that_cannot_be_followed_and_untested_turns__are_said_so():
    strict = replace(FIRST, cost=None, cost_low=None, cost_high=None)
    assert "(certain, turned it cannot be followed)" in sentences(answer_of(known((strict,))))[0]
    interwoven = replace(FIRST, cost=-2.6, cost_low=-4.0, cost_high=-1.0)
    assert "(certain, among the best orders alone)" in sentences(answer_of(known((interwoven,))))[0]
    untested = replace(FIRST, tested=False, probability=0.96)
    assert "(96%, 58 points, 40 to 75, never tested)" in sentences(answer_of(known((untested,))))[0]
    pairs = (("enterprise", "user"), ("user", "op_host"), ("user", "defender"), ("op_host", "enterprise"))
    never = tuple(turn(*pair, 0.1, False) for pair in pairs)
    assert "never tested: enterprise and user, user and op_host, user and defender, and 1 more pair" in " ".join(
        sentences(answer_of(known((), never, tied=60)))
    )
    assert sentences(answer_of(None))[0].startswith("No order that was tried can be followed")
    assert heading(answer_of(None)) == "No order was found that can be followed"


def test_price_that_may_be_none__is_not_told_as_one():
    """Of precedences whose interval reaches below 0 a quarter cost nothing, though the best order has them."""
    doubtful = replace(FIRST, cost=9.9, cost_low=-14.7, cost_high=49.3)
    assert sentences(answer_of(known((doubtful,))))[0].startswith(
        "enterprise before user (certain, what turning it costs is not known: -15 to 49)"
    )
    assert price(doubtful) == "price open"
    assert price(replace(FIRST, cost=-3.0, cost_low=-6.0, cost_high=-1.0)) == "among the best orders alone"
    assert price(FIRST) == "58 points"


def test_what_holds_on_average__is_said_where_the_best_orders_do_not_tell():
    unknown = turn("op_server", "defender", 20.0, average=(-22.0, -28.0, -16.0))
    words = sentences(answer_of(known(open_pairs=(unknown,))))
    assert words[2] == (
        "On average over the other places it is better to fix defender before op_server (22 points, 16 to 28)."
    )


def test_plain_ppo__is_named_and_an_order_that_is_no_better_is_not_praised():
    better = answer_of(known((FIRST,)), PLAIN, Gain(mean=15.2, low=9.1, high=21.3))
    assert sentences(better)[-1] == (
        "The best order is worth 15 points (+9.1 to +21.3) more than plain PPO, which came to -14.20 with 10,000 "
        "episodes (mean of 2 trainings)."
    )
    assert heading(better) == "Fix enterprise before user"
    no_better = answer_of(known((FIRST,)), PLAIN, Gain(mean=0.2, low=-0.9, high=1.3))
    assert sentences(no_better)[-1].startswith("No order was found better than none: the best is worth +0.2 points")
    assert heading(no_better) == "No order was found better than none; the best fix enterprise before user"
    nothing = answer_of(known(tied=120), PLAIN, Gain(mean=0.2, low=-0.9, high=1.3))
    assert heading(nothing) == "No order was found better than none"


@pytest.mark.parametrize(
    ("value", "words"), [(58.2, "58"), (9.96, "10"), (5.04, "5.0"), (0.3, "0.30"), (-0.02, "-0.02")]
)
def test_points__have_as_many_digits_as_they_need(value, words):
    assert points(value) == words


# From trials.


def trials_of(space, value, noise, count, seed=0):
    rng = np.random.default_rng(seed)
    picked = rng.integers(len(space), size=count)
    return [
        trial(order := space.unrank(int(rank)), value(order) + noise * rng.standard_normal(), training=number)
        for number, rank in enumerate(picked, start=1)
    ]


def test_trials_of_a_network_where_one_pair_matters__tell_it_and_its_price():
    space = OrderSpace(TYPES)

    def value(order):
        return -80.0 + (58.0 if order.index("enterprise") < order.index("user") else 0.0)

    belief = draw_orders(space, trials_of(space, value, 0.3, 40), 0.95, "evidence")
    found = find_precedences(
        space,
        belief.ids,
        belief.draws,
        feasible=belief.feasible,
        weights=belief.weights,
        price_draws=belief.price_draws,
    )
    (one,) = found.precedences
    assert (one.before, one.after) == ("enterprise", "user")
    assert one.cost_low < 58 < one.cost_high
    assert not np.array_equal(belief.price_draws, belief.draws)
    assert 40 <= found.tied_orders <= 60


def test_trials_without_a_difference__tell_none():
    space = OrderSpace(TYPES)
    belief = draw_orders(space, trials_of(space, lambda order: -14.0, 0.3, 40), 0.95, "evidence")
    found = find_precedences(space, belief.ids, belief.draws, weights=belief.weights)
    assert not found.precedences
    assert found.tied_orders > 100


def test_orders_that_cannot_be_followed__are_no_candidates():
    space = OrderSpace(("a", "b", "c"))
    trials = [
        trial(order, -14.0, 1.0 if order.index("a") < order.index("b") else 0.5, training)
        for order in space
        for training in (1, 2, 3)
    ]
    belief = draw_orders(space, trials, 0.95, "pairwise")
    found = find_precedences(space, belief.ids, belief.draws, feasible=belief.feasible)
    assert [(one.before, one.after, one.cost) for one in found.precedences] == [("a", "b", None)]
    assert draw_orders(space, [trial(("a", "b", "c"), -1.0, 0.5)], 0.95, "evidence") is None


def test_gain_over_plain_ppo__is_as_uncertain_as_the_trainings_are():
    space = OrderSpace(("a", "b"))
    rng = np.random.default_rng(0)
    trials = [trial(order, -10.0 + rng.standard_normal(), training=k) for order in space for k in range(1, 13)]
    belief = draw_orders(space, trials, 0.95, "mallows")
    assert belief.training_sd(-10.0) == pytest.approx(1.0, rel=0.5)
    one = over_plain(belief, 0, Trainings(rewards=(-14.0,), rewards_se=(0.1,), episodes=10))
    nine = over_plain(belief, 0, Trainings(rewards=(-14.0,) * 9, rewards_se=(0.1,) * 9, episodes=10))
    assert nine.is_better
    assert one.high - one.low > 2 * 1.96 * belief.training_sd(-14.0) * 0.95
    assert belief.training_sd(-14.0) > belief.training_sd(-10.0)  # which may have been one that went wrong
    assert nine.high - nine.low < one.high - one.low


# As a file.


def test_answer__survives_its_file():
    infinite = turn("op_host", "user", math.inf, average=(math.inf, math.inf, math.inf))
    given = answer_of(known((FIRST,), (turn("defender", "user", 0.3), infinite)), PLAIN, Gain(mean=1, low=0, high=2))
    text = json.dumps(given.to_json(), allow_nan=False)
    read = Answer.from_json(json.loads(text))
    assert read.orders.precedences == given.orders.precedences
    assert read.orders.open_pairs[0] == given.orders.open_pairs[0]
    assert read.orders.open_pairs[1].reach == math.inf
    assert (read.plain, read.over_plain) == (given.plain, given.over_plain)
    assert sentences(read) == sentences(given)
    assert Answer.from_json(json.loads(json.dumps(answer_of(None).to_json()))) == answer_of(None)
