"""Several agents that play as one: which of them plays is told from what blue sees in the first steps.

The rule. B-line scans one host of the subnet that red starts on and attacks that one, whatever happens; Meander scans
them all, one after the other; SleepAgent does nothing. Red's first step, a sweep of the subnet, goes unseen. So after
three steps blue has seen activity on two hosts of that subnet (Meander), on one (B-line) or on none (Sleep). Blue goes
on counting, since its own decoys can hide a scan from the official table; the count only rises.

Green scans hosts as red does: with green awake the rule cannot tell who it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from cageflow.agents.baselines import BASELINES
from cageflow.agents.champions import CHAMPIONS
from cageflow.envs.agent import Actions, BlueAgent, BlueSetting, BlueView, OpenAgent
from cageflow.errors import UserError
from cageflow.files import write_whole
from cageflow.reading import read_json
from cageflow.scenario import Network

MEMBERS = ("sleep", "bline", "meander")
"""The members by the number of hosts that red has touched; more than two count as two."""
OPENING_STEPS = 3
NAMES = (*BASELINES, *CHAMPIONS)
"""What is no path, even where a file is called so."""
FORMAT, FORMAT_VERSION = "cageflow-team", 1
Answer = TypeVar("Answer", bound=npt.NDArray[Any])


class Chooser:
    """Tells from the observations which red agent blue faces.

    Args:
        network: the network that is played.
    """

    def __init__(self, network: Network) -> None:
        tables = network.tables
        home = int(tables["subnet_hosts"][int(tables["subnet"][int(tables["start"])])])
        self._activity_bits = [4 * host for host in range(len(network.hosts)) if home >> host & 1]

    def reset(self, num_envs: int) -> None:
        """Begin B episodes."""
        self._touched = np.zeros((num_envs, len(self._activity_bits)), np.bool_)

    def update(self, observations: npt.NDArray[np.uint8]) -> None:
        """Take in what blue sees: (B, F) uint8."""
        self._touched |= observations[:, self._activity_bits] != 0

    def choices(self) -> npt.NDArray[np.int8]:
        """(B,) int8: places in `MEMBERS` of those who are best suited, as far as can be told."""
        choices: npt.NDArray[np.int8] = np.minimum(self._touched.sum(axis=1), len(MEMBERS) - 1).astype(np.int8)
        return choices


class TeamAgent:
    """Plays several agents as one.

    Every member sees every step, so that one which remembers is up to date when its turn comes.

    Args:
        members: an agent for each of `MEMBERS`.
        opening: who plays until there is something to choose by.
        setting: of the games.

    Attributes:
        chosen: (B,) int8 places in `MEMBERS` of those who play now.
    """

    def __init__(self, members: Mapping[str, BlueAgent], opening: BlueAgent, setting: BlueSetting) -> None:
        self._members = [members[name] for name in MEMBERS]
        self._opening = opening
        self._all = list({id(agent): agent for agent in [*self._members, opening]}.values())
        self._chooser = Chooser(setting.network)
        self.chosen = np.zeros(0, np.int8)

    @property
    def max_envs(self) -> int | None:
        """Most games that every member can play at once."""
        limits = [agent.max_envs for agent in self._all if agent.max_envs is not None]
        return min(limits) if limits else None

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin B episodes."""
        for agent in self._all:
            agent.reset(seeds)
        self._chooser.reset(len(seeds))

    def act(self, view: BlueView) -> Actions:
        """(B,) actions of those whose turn it is."""
        self._chooser.update(view.observations)
        self.chosen = self._chooser.choices()
        return self._of_those_whose_turn_it_is(view, {id(agent): agent.act(view) for agent in self._all})

    def probabilities(self, view: BlueView) -> npt.NDArray[np.float64]:
        """(B, A) float64 of those whose turn it is."""
        unknown = np.full(view.masks.shape, np.nan)
        answers = {
            id(agent): agent.probabilities(view) if isinstance(agent, OpenAgent) else unknown for agent in self._all
        }
        return self._of_those_whose_turn_it_is(view, answers)

    def _of_those_whose_turn_it_is(self, view: BlueView, answers: Mapping[int, Answer]) -> Answer:
        """(B, ...) answers, each of the agent that plays that game now.

        Args:
            view: that was answered.
            answers: (B, ...) by the `id` of the agent.
        """
        if view.step < OPENING_STEPS:
            return answers[id(self._opening)]
        by_member = np.stack([answers[id(agent)] for agent in self._members])
        return cast(Answer, by_member[self.chosen, np.arange(len(self.chosen))])


def write_team(path: Path, members: Mapping[str, str], opening: str) -> None:
    """Write a team file.

    Args:
        path: the file; a member's path is written as seen from its folder.
        members: by name, each as a user gives it to `cageflow evaluate`.
        opening: the same.

    Raises:
        UserError: the file cannot be written.
    """
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "members": {name: _relative(text, path.parent) for name, text in members.items()},
        "opening": _relative(opening, path.parent),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error


def read_team(path: Path) -> tuple[dict[str, str], str]:
    """Members and opening of a team file, paths as seen from the working folder.

    Raises:
        UserError: it is no team file.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no team file: it cannot be read as JSON.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path} is a JSON file, but not a team written by cageflow.")
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        raise UserError(f"team file {path} has format version {version}; this cageflow reads {FORMAT_VERSION}.")
    members, opening = content.get("members"), content.get("opening")
    if not isinstance(members, dict) or set(members) != set(MEMBERS):
        raise UserError(f"team file {path} has other members than {', '.join(MEMBERS)}.")
    if not all(isinstance(text, str) for text in [*members.values(), opening]):
        raise UserError(f"team file {path} has a member that is no text.")
    return {name: _absolute(members[name], path.parent) for name in MEMBERS}, _absolute(str(opening), path.parent)


def _relative(text: str, folder: Path) -> str:
    """A path that exists as seen from the folder; any other text as it is."""
    path, colon, rest = text.partition(":")
    if text in NAMES or not os.path.exists(path):
        return text
    return f"{os.path.relpath(path, folder)}{colon}{rest}"


def _absolute(text: str, folder: Path) -> str:
    path, colon, rest = text.partition(":")
    if text in NAMES or not os.path.exists(folder / path):
        return text
    return f"{folder / path}{colon}{rest}"
