"""The settings of a game, parsed in one place for the environments, the collectors and the command line."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cageflow.envs.agent import BlueSetting
from cageflow.envs.red_code import read_red_agent
from cageflow.errors import UserError
from cageflow.scenario import Network, RedAgent, load_network
from cageflow.scenario.durations import FROM_FILE, format_durations, parse_durations
from cageflow.scenario.red_agents import BLINE_NAME, BUILT_IN, WITH_WAY
from cageflow.scenario.schema import MAX_EPISODE_STEPS
from cageflow.sim.state import make_params

RULES: tuple[str, ...] = ("v2.1", "challenge")
MIXED_RULES = "mixed"
"""Either, drawn anew for each episode; blue is not told which."""
OBSERVATIONS: tuple[str, ...] = ("corrected", "official")
MAX_STEPS = MAX_EPISODE_STEPS


@dataclass(frozen=True)
class GameOptions:
    """What can be chosen about a game; refused at once where it is not possible.

    Args:
        red_agent: who plays red: a name of `BUILT_IN` or a short one, in any case, kept as it stands in `BUILT_IN`; a
            class in Python, itself or as `file.py:Name`, kept as the latter; or the file of a policy of red's.
        rules: "v2.1", the original as it stands, or "challenge", as it was judged; or MIXED_RULES.
        observation: "corrected", or "official" as CybORG's own table wrapper shows it.
        max_steps: steps of an episode; any type of whole number, kept as an `int`.
        green: whether the green agent is awake; NumPy's bool too, kept as a `bool`.
        scenario: a network, by its name or its file, see `cageflow.scenario.named`; None is CAGE-2's own.
        durations: how many steps actions take: "file" as the network's file says, "cage4" as in CAGE Challenge 4,
            "blue-cage4" of blue alone, or numbers, see `cageflow.scenario.durations`; kept by their name where they
            have one.

    Raises:
        UserError: a value is not possible.
    """

    red_agent: str = "B_lineAgent"
    rules: str = "v2.1"
    observation: str = "corrected"
    max_steps: int = 100
    green: bool = False
    scenario: Path | str | None = None
    durations: str = FROM_FILE

    def __post_init__(self) -> None:
        object.__setattr__(self, "red_agent", read_red_agent(self.red_agent))
        _check_choice("rules", self.rules, (*RULES, MIXED_RULES))
        _check_choice("observation", self.observation, OBSERVATIONS)
        object.__setattr__(self, "max_steps", whole_number("max_steps", self.max_steps))
        if not 1 <= self.max_steps <= MAX_STEPS:
            raise UserError(f"max_steps is {self.max_steps}; an episode has 1 to {MAX_STEPS} steps.")
        if not isinstance(self.green, bool | np.bool_):
            raise UserError(f"green is {self.green!r}; expected True or False.")
        object.__setattr__(self, "green", bool(self.green))
        if not (self.scenario is None or isinstance(self.scenario, str | Path)):
            raise UserError(f"scenario is {self.scenario!r}; expected the path of a YAML file, or None.")
        durations = parse_durations(self.durations)
        object.__setattr__(self, "durations", FROM_FILE if durations is None else format_durations(durations))

    @cached_property
    def network(self) -> Network:
        """The network that is played, read at the first call.

        Raises:
            UserError: the scenario file is wrong, or the red agent cannot play on it.
        """
        network = self.unchecked_network
        reason = why_not(self.red_agent, network)
        if reason is not None:
            raise UserError(
                f"{reason}. Give its way in the file under red.b_line, or choose another red agent, such as meander."
            )
        return network

    @cached_property
    def unchecked_network(self) -> Network:
        """Likewise, whether or not the red agent can play on it."""
        return load_network(self.scenario, self.durations)

    @property
    def blue_setting(self) -> BlueSetting:
        """What blue knows of the game before it begins."""
        return BlueSetting(self.network, self.rules, self.observation, self.green)

    def against(self, red_agent: str, max_steps: int) -> GameOptions:
        """The same game against another red agent, of another length, on what has been read of its network."""
        other = replace(self, red_agent=red_agent, max_steps=max_steps)
        if "unchecked_network" in self.__dict__:
            other.__dict__["unchecked_network"] = self.unchecked_network
        return other

    def as_kwargs(self) -> dict[str, Any]:
        """The settings as keyword arguments of the environments, `gymnasium.make` and `gymnasium.make_vec`."""
        return {name: getattr(self, name) for name in GAME_FIELDS}

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return {**self.as_kwargs(), "scenario": None if self.scenario is None else str(self.scenario)}

    def params(self) -> Any:
        """The settings as the one record that the rules read."""
        return make_params(
            BUILT_IN.get(self.red_agent, RedAgent.GIVEN), self.rules, self.observation, self.max_steps, self.green
        )


GAME_FIELDS = tuple(field.name for field in fields(GameOptions))
"""Names of the settings of a game; the options of the command line have them too."""


def split_game(values: Mapping[str, Any]) -> tuple[GameOptions, dict[str, Any]]:
    """The game among settings by name, and what else there is.

    Raises:
        UserError: a value is not possible.
    """
    game = GameOptions(**{name: value for name, value in values.items() if name in GAME_FIELDS})
    return game, {name: value for name, value in values.items() if name not in GAME_FIELDS}


def why_not(red_agent: str, network: Network) -> str | None:
    """Why a red agent cannot play on a network, as a clause; None where it can."""
    if red_agent in WITH_WAY and isinstance(network.b_line_way, str):
        return f"{BLINE_NAME} has no way through {network.scenario.name!r}: {network.b_line_way}"
    return None


def whole_number(name: str, given: object, least: int | None = None) -> int:
    """A number that the user gave, as an `int`; any type that Python takes as an index is a whole number, but no bool.

    Args:
        name: of the setting, for the sentence.
        given: the number.
        least: that is possible; None leaves the range to the caller.

    Raises:
        UserError: it is no whole number, or too small.
    """
    expected = "a whole number" if least is None else f"a whole number from {least}"
    try:
        if isinstance(given, bool):
            raise TypeError
        number = operator.index(given)  # type: ignore[arg-type]
    except TypeError:
        raise UserError(f"{name} is {given!r}; expected {expected}.") from None
    if least is not None and number < least:
        raise UserError(f"{name} is {number}; expected {expected}.")
    return number


def _check_choice(what: str, given: object, possible: tuple[str, ...]) -> None:
    if given not in possible:
        raise UserError(f"{what} is {given!r}; possible are {', '.join(possible)}.")
