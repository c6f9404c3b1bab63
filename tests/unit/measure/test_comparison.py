"""Two tables of all orders side by side, worked by hand."""

import math
from dataclasses import replace

import pytest

from cageflow.errors import UserError
from cageflow.measure.comparison import compare_tables
from cageflow.search import Landscape, LandscapeRow
from tests.helpers.orders import ALL_ORDERS, ORDERS

ROW = LandscapeRow(
    order=ALL_ORDERS[0],
    seed=1,
    reward=-20.0,
    reward_se=0.1,
    compliance=0.9,
    compliance_se=0.01,
    episodes=100,
    ending="episode-cap",
    threshold_episodes=None,
    seconds=1.0,
)


def table(changes, seed=1):
    """A table of all orders like ROW, some changed by number."""
    rows = (replace(ROW, order=order, seed=seed, **changes.get(i, {})) for i, order in enumerate(ALL_ORDERS))
    return Landscape(ORDERS, tuple(rows))


ONE = table({3: {"reward": -14.0, "compliance": 0.99}, 5: {"reward": -16.0, "compliance": 0.97}, 8: {"compliance": 1}})
OTHER = table({3: {"reward": -13.0, "compliance": 0.95}, 5: {"reward": -18.0, "compliance": 0.96, "episodes": 220}})


def test_tables_of_two_networks__are_not_compared():
    mine, its = (
        Landscape(ORDERS, tuple(replace(row, network=network) for row in ONE.rows)) for network in ("a" * 64, "b" * 64)
    )
    with pytest.raises(UserError, match="the table was made on the network bbbbbbbb, and this is aaaaaaaa"):
        compare_tables(mine, its, 0.95)
    assert compare_tables(mine, ONE, 0.95).gain == 0.0  # one that does not say its network


def test_compare__means_over_all_orders_and_over_those_feasible_on_both_sides():
    found = compare_tables(ONE, OTHER, 0.95)
    assert (found.one.num_feasible, found.other.num_feasible, found.num_shared) == (3, 2, 2)
    assert found.one.reward == pytest.approx((118 * -20 - 14 - 16) / 120)
    assert found.other.reward == pytest.approx((118 * -20 - 13 - 18) / 120)
    assert found.one.compliance == pytest.approx((117 * 0.9 + 0.99 + 0.97 + 1) / 120)
    assert (found.one.shared_reward, found.other.shared_reward) == (-15.0, -15.5)
    assert found.other.shared_compliance == pytest.approx(0.955)
    assert (found.one.episodes, found.other.episodes) == (12_000, 12_120)


def test_compare__says_what_the_other_gains_and_how_sure_that_is():
    found = compare_tables(ONE, OTHER, 0.95)
    assert (found.gain, found.num_better) == (-0.5, 1)
    assert found.gain_se == pytest.approx(1.5)  # of +1 and -2: deviation 3 / sqrt 2, over sqrt 2
    back = compare_tables(OTHER, ONE, 0.95)
    assert (back.gain, back.num_better) == (0.5, 1)


def test_compare__counts_an_order_once_however_often_it_was_trained():
    seeds = Landscape(ORDERS, OTHER.rows + table({3: {"reward": -11.0, "compliance": 0.97}}, seed=2).rows)
    found = compare_tables(ONE, seeds, 0.95)
    assert found.other.num_feasible == 1  # the fifth: 0.96 and 0.9
    assert found.other.shared_reward == -12.0
    assert found.gain == 2.0
    assert math.isnan(found.gain_se)
    assert found.other.episodes == 119 * 100 + 160


def test_compare__without_a_common_feasible_order_has_no_gain():
    found = compare_tables(ONE, table({}), 0.95)
    assert (found.num_shared, found.num_better) == (0, 0)
    assert math.isnan(found.gain) and math.isnan(found.one.shared_reward)


def test_compare__needs_all_orders():
    with pytest.raises(
        UserError, match="lacks user > op_host > op_server > enterprise > defender: a comparison needs all"
    ):
        compare_tables(ONE, Landscape(ORDERS, OTHER.rows[:-1]), 0.95)
