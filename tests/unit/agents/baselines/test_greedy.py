"""Greedy: that it follows its order on the true state, and leaves alone what red cannot lose."""

import numpy as np
import pytest

from cageflow.agents.baselines import BASELINES
from cageflow.agents.baselines.greedy import GreedyAgent, order_by_worth
from cageflow.agents.baselines.worth import host_worth, restore_cost
from cageflow.collect.games import GameSpec, WorkflowSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.inspection import Access
from cageflow.envs.options import GameOptions
from cageflow.evaluation.episodes import play_episodes
from tests.helpers.agents import NETWORK, SETTING
from tests.helpers.orders import ALL_ORDERS, ORDERS, parse_order
from tests.unit.agents.baselines.views import EXPLOIT, USER, names, view

HELD = {"User3": Access.PRIVILEGED, "Enterprise1": Access.USER, "Op_Host2": Access.USER, "Defender": Access.USER}


def choice(held: dict[str, Access], order: str | None = None) -> str:
    agent = BASELINES["greedy"](SETTING) if order is None else GreedyAgent(SETTING, parse_order(order))
    agent.reset(np.zeros(1, np.uint64))
    return names(agent.act(view([{}], access=[held])))[0]


def test_only_the_host_that_red_never_loses_is_held__sleeps() -> None:
    assert choice({}) == "Sleep"
    assert choice({}, "user,defender,enterprise,op_server,op_host") == "Sleep"


@pytest.mark.parametrize(
    ("order", "action"),
    [
        ("user,defender,enterprise,op_server,op_host", "Restore User3"),
        ("op_server,defender,user,enterprise,op_host", "Restore Defender"),
        ("op_server,enterprise,defender,op_host,user", "Restore Enterprise1"),
        ("op_server,op_host,enterprise,defender,user", "Restore Op_Host2"),
    ],
)
def test_first_type_of_the_order_that_is_compromised_is_restored(order: str, action: str) -> None:
    assert choice(HELD, order) == action


def test_default_order_is_that_of_worth() -> None:
    assert choice(HELD) == "Restore Enterprise1"
    assert choice({**HELD, "Op_Server0": Access.USER}) == "Restore Op_Server0"
    worth = host_worth(NETWORK)
    order = order_by_worth(NETWORK)
    assert order == parse_order("op_server,enterprise,defender,op_host,user")
    by_type = [max(worth[NETWORK.host_unit_type == unit_type]) for unit_type in ORDERS.indices(order)]
    assert by_type == [110, 10, 1, 1, 1]
    assert restore_cost(NETWORK) == 10


def test_within_a_type_privileges_go_first_and_then_the_table() -> None:
    assert choice({"Enterprise0": Access.USER, "Enterprise2": Access.PRIVILEGED}) == "Restore Enterprise2"
    assert choice({"Enterprise2": Access.USER, "Enterprise1": Access.USER}) == "Restore Enterprise1"


def test_table_is_not_believed() -> None:
    agent = BASELINES["greedy"](SETTING)
    agent.reset(np.zeros(2, np.uint64))
    tables = [{"Enterprise0": (EXPLOIT, USER)}, {}]
    assert names(agent.act(view(tables, access=[{}, {"User2": Access.USER}]))) == ["Sleep", "Restore User2"]


@pytest.mark.parametrize("order", [ALL_ORDERS[0], ALL_ORDERS[17], ALL_ORDERS[119]])
def test_every_fix_of_an_episode_follows_the_order(order: tuple[int, ...]) -> None:
    spec = GameSpec(GameOptions("RedMeanderAgent"), masked=True)
    seeds = np.arange(50, dtype=np.uint64)
    workflow = WorkflowSpec(order, 0.0, "evictable")
    agent = GreedyAgent(SETTING, order)
    played = play_episodes(agent, make_games(spec), seeds, workflow)
    assert played.compliance.tolist() == [1.0] * 50
