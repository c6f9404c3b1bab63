"""What differs from one episode of a training to the next, beside the game's chance.

A policy that is to hold in several games is trained on episodes of all of them, and is not told which it plays. All of
it is drawn from the seed of the episode, by a number for each thing that nothing else uses, so an episode is the same
wherever it is played, and a share of 0 leaves every other chance as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.envs.seeds import scramble
from cageflow.errors import UserError
from cageflow.listed import QUOTING, quoted, split_weighted
from cageflow.scenario.red_agents import MIXED, POLICY_SUFFIX, SHORT_NAMES, is_code, parse_red_agent

GREEN_SALT = np.uint64(0xA0761D6478BD642F)  # keep these numbers apart from the game's and the policy's
RED_SALT = np.uint64(0xE7037ED1A0B428DB)
RULES_SALT = np.uint64(0x8EBC6AF09C88C6E3)
S11, UNIT = np.uint64(11), 1.0 / 9007199254740992.0  # 2 ** -53, as in `sim.draws.unit_of`
LEARNED = "learned"
"""What a card calls red agents that learned."""
SHORT_OF = {full: short for short, full in SHORT_NAMES.items()}

Mixture = tuple[tuple[str, float], ...]
"""Red agents, by the names that `GameOptions` keeps, with their shares of the episodes, which sum to 1."""


@dataclass(frozen=True, slots=True)
class Variation:
    """What is drawn for each episode.

    Attributes:
        perturbed: share of the episodes that start perturbed, see `envs.perturbing`.
        green_share: share in which green is awake, which blue is not told; None leaves green as the game has it.
        red_mixture: who plays red in which share; empty leaves it to the game.
        rules: one of `RULES` for all of them, in games whose rules are drawn; None lets each game draw.
    """

    perturbed: float = 0.0
    green_share: float | None = None
    red_mixture: Mixture = ()
    rules: str | None = None

    def green_awake(self, seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_] | None:
        """(B,) bool, in which episodes green is awake; None where the game says it."""
        return None if self.green_share is None else _units(seeds, GREEN_SALT) < self.green_share

    def rules_of(self, seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.int8]:
        """(B,) places in `RULES` for who has to know them before the game draws."""
        return (_units(seeds, RULES_SALT) * 2).astype(np.int8)

    def reds(self, seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp] | None:
        """(B,) places in `red_mixture` of who plays red; None where the game says it."""
        if not self.red_mixture:
            return None
        bounds = np.cumsum([share for _, share in self.red_mixture[:-1]])
        return np.searchsorted(bounds, _units(seeds, RED_SALT), side="right")

    def parts(self, seeds: npt.NDArray[np.uint64]) -> list[Part]:
        """The episodes by who has to play them: those against each policy of red's apart, all others together."""
        files = [place for place, (red, _) in enumerate(self.red_mixture) if is_policy(red)]
        reds = self.reds(seeds) if files else None
        if reds is None:
            return [Part(None, np.arange(len(seeds)), self)]
        alone = replace(self, red_mixture=())
        parts = [Part(None, np.flatnonzero(~np.isin(reds, files)), self)]
        parts += [Part(self.red_mixture[place][0], np.flatnonzero(reds == place), alone) for place in files]
        return [part for part in parts if len(part.places)]


class Part(NamedTuple):
    """Episodes that are played in one batch.

    Attributes:
        red: the file of the policy that plays red; None for agents that are built in.
        places: (N,) of the episodes.
        variation: of these.
    """

    red: str | None
    places: npt.NDArray[np.intp]
    variation: Variation


UNVARIED = Variation()


def parse_mixture(given: object) -> Mixture:
    """Read a mixture of red agents.

    Args:
        given: such as "bline=2,meander=1,sleep=1", or the same as a mapping; weights of any sum.

    Raises:
        UserError: it is no mixture.
    """
    example = "expected red agents with weights, such as bline=2,meander=1"
    weights: dict[str, float] = {}
    for name, value in _pairs(given, example):
        try:
            weight = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise UserError(f"red_mixture gives {name} the weight {value!r}; {example}.") from None
        if not 0.0 <= weight < float("inf"):
            raise UserError(f"red_mixture gives {name} the weight {weight:g}; expected 0 or more.")
        red = _red_agent(name)
        if red == MIXED:
            raise UserError(f"red_mixture names {MIXED}, which is two red agents: name them, as bline=1,meander=1.")
        if red in weights:
            raise UserError(f"red_mixture names {name} twice; give each red agent one weight.")
        weights[red] = weight
    total = sum(weights.values())
    if total <= 0.0:
        raise UserError(f"red_mixture is {given!r}, in which no red agent has any weight; {example}.")
    return tuple((red, weight / total) for red, weight in weights.items() if weight > 0.0)


def format_mixture(given: object) -> str:
    """A mixture as its setting is kept: short names and the weights as they were given; raises as `parse_mixture`."""
    parse_mixture(given)
    pairs = _pairs(given, "")
    named = [(SHORT_OF.get(red := _red_agent(name), red), float(value)) for name, value in pairs]  # type: ignore[arg-type]
    return ",".join(f"{quoted(red)}={weight:g}" for red, weight in named)


def told_shares(mixture: Mixture) -> dict[str, float]:
    """Shares by red agent as a policy's card tells them: those that learned together, for their files stay behind."""
    shares: dict[str, float] = {}
    for red, share in mixture:
        name = LEARNED if is_policy(red) else red
        shares[name] = shares.get(name, 0.0) + share
    return {name: round(share, 4) for name, share in shares.items()}


def is_policy(red: str) -> bool:
    """Whether a red agent is a policy's file, and none that is built in."""
    return red.endswith(POLICY_SUFFIX)


def _red_agent(name: str) -> str:
    if is_code(name):
        raise UserError(
            f"red_mixture names {name}, which is code: red agents of a mixture are built in or policies of red's; play "
            "against this one alone, by --red-agent."
        )
    if not is_policy(name):
        return parse_red_agent(name, f", or a policy of red's ({POLICY_SUFFIX})")
    if not Path(name).is_file():
        raise UserError(f"red_mixture names {name}, and there is no such file.")
    return name


def _pairs(given: object, example: str) -> list[tuple[str, object]]:
    if isinstance(given, Mapping):
        return [(str(name), value) for name, value in given.items()]
    if not isinstance(given, str):
        raise UserError(f"red_mixture is {given!r}; {example}.")
    pairs: list[tuple[str, object]] = []
    for name, value in split_weighted(given):
        if value is None:
            raise UserError(f"red_mixture has {name!r} without a weight; {example}{QUOTING}.")
        pairs.append((name, value))
    return pairs


def _units(seeds: npt.NDArray[np.uint64], salt: np.uint64) -> npt.NDArray[np.float64]:
    """(B,) float64 in [0, 1), one number of each seed for one thing."""
    units: npt.NDArray[np.float64] = (scramble(seeds ^ salt) >> S11) * UNIT
    return units
