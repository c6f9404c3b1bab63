"""Policies that need no training, one a file, by the names that a user gives; and the libraries' algorithms."""

from __future__ import annotations

from collections.abc import Callable

from cageflow.agents.baselines.flagged import FlaggedAgent
from cageflow.agents.baselines.greedy import GreedyAgent
from cageflow.agents.baselines.random import RandomAgent
from cageflow.agents.baselines.react import ReactAgent
from cageflow.agents.baselines.sleep import SleepAgent
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.scenario.orders import Order

BASELINES: dict[str, Callable[[BlueSetting], BlueAgent]] = {
    "flagged": FlaggedAgent,
    "greedy": GreedyAgent,
    "random": RandomAgent,
    "react": ReactAgent,
    "sleep": SleepAgent,
}
"""The baselines by name; a new one is a class and a line."""

ORDERED_BASELINES: dict[str, Callable[[BlueSetting, Order], BlueAgent]] = {"greedy": GreedyAgent}
"""Those among them that can be told which order to follow."""
