"""Policies that need no training, one a file, by the names that a user gives."""

from __future__ import annotations

from collections.abc import Callable

from cageflow.baselines.random import RandomAgent
from cageflow.baselines.sleep import SleepAgent
from cageflow.envs.agent import BlueAgent, BlueSetting

BASELINES: dict[str, Callable[[BlueSetting], BlueAgent]] = {
    "random": RandomAgent,
    "sleep": SleepAgent,
}
"""The baselines by name; a new one is a class and a line."""
