"""Two tables of what every order came to, side by side: what one way of training gains over another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from cageflow.errors import UserError
from cageflow.scenario.identity import SHORT
from cageflow.scenario.orders import Order, show_order
from cageflow.search.landscape import Landscape


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one table says, each order counted once with the mean of its trainings.

    Attributes:
        reward: mean over all orders.
        compliance: mean over all orders.
        num_feasible: orders whose compliance reaches the threshold.
        shared_reward: mean reward over the orders that are feasible on both sides; NaN where there is none.
        shared_compliance: their mean compliance, likewise.
        episodes: trained in all, for one training of each order.
    """

    reward: float
    compliance: float
    num_feasible: int
    shared_reward: float
    shared_compliance: float
    episodes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TableComparison:
    """A table against another.

    Attributes:
        one, other: the two sides.
        num_shared: orders that are feasible on both.
        gain: mean over these of the reward of `other` less that of `one`; NaN where there is none.
        gain_se: its standard error, from the spread over the orders; NaN for fewer than two.
        num_better: of these orders, those for which `other` has the higher reward.
    """

    one: Side
    other: Side
    num_shared: int
    gain: float
    gain_se: float
    num_better: int


def compare_tables(one: Landscape, other: Landscape, compliance_threshold: float) -> TableComparison:
    """Compare what the orders came to in two tables.

    Raises:
        UserError: a table lacks an order, or they are of different networks or unit types.
    """
    one, other = one.full, other.full
    check_network(other, one.network)
    if one.space != other.space:
        raise UserError(
            f"one table orders {', '.join(one.space.unit_types)}, the other {', '.join(other.space.unit_types)}: "
            "there is nothing to compare"
        )
    tables = [{order: _means(table, order) for order in one.space} for table in (one, other)]
    feasible = [{order for order in one.space if table[order][1] >= compliance_threshold} for table in tables]
    shared = [order for order in one.space if order in feasible[0] & feasible[1]]
    gains = [tables[1][order][0] - tables[0][order][0] for order in shared]
    sides = [
        Side(
            reward=fmean(reward for reward, _, _ in table.values()),
            compliance=fmean(compliance for _, compliance, _ in table.values()),
            num_feasible=len(reached),
            shared_reward=_mean([table[order][0] for order in shared]),
            shared_compliance=_mean([table[order][1] for order in shared]),
            episodes=sum(episodes for _, _, episodes in table.values()),
        )
        for table, reached in zip(tables, feasible, strict=True)
    ]
    return TableComparison(
        one=sides[0],
        other=sides[1],
        num_shared=len(shared),
        gain=_mean(gains),
        gain_se=stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan,
        num_better=sum(gain > 0 for gain in gains),
    )


def check_network(landscape: Landscape, network: str | None) -> None:
    """Refuse a table of another network; rewards of two networks have nothing in common.

    Args:
        landscape: the table; one that does not say its network passes.
        network: fingerprint of the network that it is to be compared on; None where that is not known.

    Raises:
        UserError: it is of another one.
    """
    if None not in (landscape.network, network) and landscape.network != network:
        short = [str(one)[:SHORT] for one in (landscape.network, network)]
        raise UserError(
            f"the table was made on the network {short[0]}, and this is {short[1]}: give one of this network, as "
            "`cageflow landscape --scenario` makes it"
        )


def _means(table: Landscape, order: Order) -> tuple[float, float, float]:
    """Reward, compliance and episodes of an order, means over its trainings."""
    rows = table.of(order)
    if not rows:
        raise UserError(f"the table lacks {show_order(order)}: a comparison needs all orders")
    return (
        fmean(row.reward for row in rows),
        fmean(row.compliance for row in rows),
        fmean(row.episodes for row in rows),
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan
